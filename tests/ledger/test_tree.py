"""The tree against RFC 6962 read literally, at every size around what tiles change."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.ledger.edge import RightEdge
from tenure.ledger.refusals import DamageError, ProofError
from tenure.ledger.tiles import WIDTH, numbered, subtrees, tile_path, tiles_between, width_at
from tenure.ledger.tree import (
    EMPTY_ROOT,
    check_consistency,
    consistency_path,
    inclusion_path,
    leaf_hash,
    node_hash,
    root_by_inclusion,
    root_of,
)
from tenure.model.ledger import TileId

LEAVES = [leaf_hash(b"%d" % i) for i in range(WIDTH * WIDTH + WIDTH + 3)]


def literal(start: int, stop: int) -> bytes:
    """MTH of RFC 6962 section 2.1, word by word."""
    if start == stop:
        return sha256(b"").digest()
    if stop - start == 1:
        return LEAVES[start]
    k = 1
    while k * 2 < stop - start:
        k *= 2
    return node_hash(literal(start, start + k), literal(start + k, stop))


def grown(size: int, steps: int = 1) -> tuple[RightEdge, dict[TileId, bytes]]:
    edge, tiles = RightEdge(), dict[TileId, bytes]()
    for at in range(0, size, max(1, size // steps)):
        edge.extend(LEAVES[at : min(size, at + max(1, size // steps))])
        tiles |= edge.take()
    return edge, tiles


def test_the_empty_tree() -> None:
    assert RightEdge().root() == root_of([]) == EMPTY_ROOT == sha256(b"").digest()


@pytest.mark.parametrize("size", [*range(1, 301), 511, 512, 513, 65535, 65536, 65537, len(LEAVES)])
def test_roots_and_tiles_of_each_size(size: int) -> None:
    edge, tiles = grown(size, steps=3)
    assert edge.root() == literal(0, size) == root_of(LEAVES[:size])
    assert {t: len(c) // 32 for t, c in tiles.items()} == dict(tiles_between(0, size))
    assert subtrees(lambda t: tiles.get(t, b""), size)(0, size) == edge.root()
    assert RightEdge.of(size, tiles.__getitem__).root() == edge.root()


@pytest.mark.parametrize("size", range(1, 301))
def test_every_leaf_of_every_size_is_proved(size: int) -> None:
    edge, tiles = grown(size)
    subtree, root = subtrees(tiles.__getitem__, size), edge.root()
    for index in range(size):
        path = inclusion_path(index, size, subtree)
        assert root_by_inclusion(index, size, LEAVES[index], path) == root


def test_every_pair_of_sizes_is_consistent() -> None:
    roots = [root_of(LEAVES[:size]) for size in range(301)]
    _, tiles = grown(300)
    subtree = subtrees(tiles.__getitem__, 300)
    for new in range(0, 301, 7):
        for old in range(new + 1):
            path = consistency_path(old, new, subtree)
            check_consistency(old, roots[old], new, roots[new], path)
            if 0 < old < new:
                with pytest.raises(ProofError):
                    check_consistency(old, roots[old - 1], new, roots[new], path)
                with pytest.raises(ProofError):
                    check_consistency(old, roots[old], new, roots[new - 1], path)
                with pytest.raises(ProofError):
                    check_consistency(old, roots[old], new, roots[new], path[:-1])
                with pytest.raises(ProofError):
                    check_consistency(old, roots[old], new, roots[new], [*path, roots[1]])


@given(st.data())
def test_a_proof_that_was_touched_proves_nothing(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 700))
    index = data.draw(st.integers(0, size - 1))
    edge, tiles = grown(size)
    path = list(inclusion_path(index, size, subtrees(tiles.__getitem__, size)))
    at = data.draw(st.integers(0, len(path) - 1))
    match data.draw(st.sampled_from(["flip", "drop", "add"])):
        case "flip":
            path[at] = bytes([path[at][0] ^ 1]) + path[at][1:]
        case "drop":
            del path[at]
        case _:
            path.insert(at, path[at])
    with suppress(ProofError):
        assert root_by_inclusion(index, size, LEAVES[index], path) != edge.root()


@given(st.lists(st.integers(0, 400), max_size=8))
def test_growth_in_any_steps_is_the_same_tree(steps: list[int]) -> None:
    edge, tiles, size = RightEdge(), dict[TileId, bytes](), 0
    for step in steps:
        before = size
        edge.extend(LEAVES[size : size + step])
        size += step
        taken = edge.take()
        assert {t: len(c) // 32 for t, c in taken.items()} == dict(tiles_between(before, size))
        tiles |= taken
    assert edge.root() == root_of(LEAVES[:size])
    assert {t: len(c) // 32 for t, c in tiles.items()} == dict(tiles_between(0, size))


def test_a_copy_grows_by_itself() -> None:
    edge, _ = grown(300)
    root, other = edge.root(), edge.copy()
    other.extend(LEAVES[300:600])
    assert edge.root() == root
    assert edge.take() == {}
    assert other.root() == root_of(LEAVES[:600])


def test_a_tile_that_is_too_short_is_told() -> None:
    _, tiles = grown(300)
    tiles[TileId(0, 1)] = tiles[TileId(0, 1)][:-1]
    with pytest.raises(DamageError, match="tile/0/001"):
        RightEdge.of(300, tiles.__getitem__)
    with pytest.raises(DamageError, match="tile/0/001"):
        subtrees(tiles.__getitem__, 300)(0, 300)


def test_paths_are_those_of_the_specification() -> None:
    assert numbered(1234067) == "x001/x234/067"
    assert numbered(0) == "000"
    assert numbered(999) == "999"
    assert numbered(1000) == "x001/000"
    assert tile_path(TileId(1, 5), 17) == "tile/1/005.p/17"
    assert tile_path(TileId(1, 5)) == "tile/1/005"


def test_the_example_of_the_specification() -> None:
    """A tree of 70,000: 273 full tiles and one of 112; one full and one of 17; one of 1."""
    tiles = dict(tiles_between(0, 70_000))
    assert len(tiles) == 277
    assert (tiles[TileId(0, 273)], tiles[TileId(1, 0)], tiles[TileId(1, 1)], tiles[TileId(2, 0)]) == (112, 256, 17, 1)
    assert dict(tiles_between(0, 256)) == {TileId(0, 0): 256, TileId(1, 0): 1}
    assert width_at(0, 1, 256) == 0


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 3)])
def test_no_proof_for_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ProofError):
        inclusion_path(index, size, literal)
    with pytest.raises(ProofError):
        root_by_inclusion(index, size, LEAVES[0], ())


def test_no_proof_that_the_future_is_the_past() -> None:
    with pytest.raises(ProofError):
        consistency_path(4, 3, literal)
    with pytest.raises(ProofError):
        check_consistency(4, LEAVES[0], 3, LEAVES[0], ())
    with pytest.raises(ProofError):
        check_consistency(3, root_of(LEAVES[:3]), 5, root_of(LEAVES[:5]), ())
