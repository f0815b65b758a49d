"""Tiles and entry bundles: the layout of a tree as files, by C2SP tlog-tiles. Pure.

A tile of level L holds up to 256 hashes, each over 256**L leaves; a narrower one is partial and says its width in its path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from tenure.ledger.refusals import DamageError
from tenure.ledger.tree import HASH, Subtree, root_of, split
from tenure.model.ledger import LEAF_LIMIT, TileId

WIDTH = 256
CHECKPOINT = "checkpoint"
ReadTile: TypeAlias = Callable[[TileId], bytes]


def numbered(index: int) -> str:
    """1234067 is x001/x234/067: no folder ever holds more than 1,000 names."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    return "/".join(reversed(groups))


def _suffixed(path: str, width: int) -> str:
    return path if width == WIDTH else f"{path}.p/{width}"


def tile_path(tile: TileId, width: int = WIDTH) -> str:
    return _suffixed(f"tile/{tile.level}/{numbered(tile.index)}", width)


def bundle_path(index: int, width: int = WIDTH) -> str:
    return _suffixed(f"tile/entries/{numbered(index)}", width)


def past_path(size: int) -> str:
    """Where a checkpoint stays when a newer one replaces it: the last one of each 256 entries is kept (our own addition)."""
    return f"checkpoints/{numbered((size - 1) // WIDTH)}"


def width_at(level: int, index: int, size: int) -> int:
    """How many hashes the tile has in a tree of ``size``; 0: there is none. Of level 0, that is also of the entry bundle."""
    return max(0, min(WIDTH, (size >> (8 * level)) - index * WIDTH))


def tiles_between(old: int, new: int) -> Iterator[tuple[TileId, int]]:
    """Tiles (with their widths) of the tree of ``new`` that the tree of ``old`` has not, or narrower."""
    level = 0
    while new >> (8 * level):
        before, now = old >> (8 * level), new >> (8 * level)
        for index in range(before // WIDTH, -(-now // WIDTH)):
            if (width := width_at(level, index, new)) > width_at(level, index, old):
                yield TileId(level, index), width
        level += 1


def encode_bundle(leaves: Iterable[bytes]) -> bytes:
    """The entries, each after its length as uint16. Raises DamageError for what is too long to be one."""
    parts: list[bytes] = []
    for leaf in leaves:
        if len(leaf) > LEAF_LIMIT:
            raise DamageError(f"an entry of {len(leaf)} bytes", f"entries end at {LEAF_LIMIT} bytes: somebody changed a row")
        parts += (len(leaf).to_bytes(2, "big"), leaf)
    return b"".join(parts)


def decode_bundle(content: bytes) -> list[bytes]:
    """Raises DamageError when the lengths do not add up."""
    leaves: list[bytes] = []
    at = 0
    while at < len(content):
        stop = at + 2 + int.from_bytes(content[at : at + 2], "big")
        if stop > len(content) or at + 2 > len(content):
            raise DamageError("an entry bundle ends within an entry", "fetch it again; if it stays so, it was changed")
        leaves.append(content[at + 2 : stop])
        at = stop
    return leaves


def hashes_in(tile: bytes) -> list[bytes]:
    return [tile[i : i + HASH] for i in range(0, len(tile), HASH)]


def subtrees(read: ReadTile, size: int) -> Subtree:
    """Any subtree of the tree of ``size``, out of its tiles; each tile is read once.

    The function raises DamageError when a tile is missing or too short. Tiles are taken at their word: whoever
    wants to know compares the root.
    """
    known: dict[TileId, bytes] = {}

    def hashes(level: int, start: int, count: int) -> Sequence[bytes]:
        tile = TileId(level, start // WIDTH)
        if tile not in known:
            known[tile] = read(tile)[: HASH * width_at(tile.level, tile.index, size)]
        at = start % WIDTH * HASH
        found = hashes_in(known[tile][at : at + count * HASH])
        if len(found) != count or len(found[-1]) != HASH:
            raise DamageError(f"{tile_path(tile)} has no {count} hashes from {start % WIDTH} on", "run `tenure ledger verify`")
        return found

    def subtree(start: int, stop: int) -> bytes:
        count = stop - start
        if count & (count - 1) == 0 and start % count == 0:
            level, height = divmod(count.bit_length() - 1, 8)
            return root_of(hashes(level, start >> (8 * level), 1 << height))
        middle = start + split(count)
        return root_of((subtree(start, middle), subtree(middle, stop)))

    return subtree
