"""The Merkle tree of RFC 6962 and RFC 9162: hashes, roots, proofs of inclusion and consistency. Pure; SHA-256 only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TypeAlias

from tenure.ledger.refusals import ProofError

HASH = 32  # bytes
EMPTY_ROOT = sha256(b"").digest()
Subtree: TypeAlias = Callable[[int, int], bytes]  # (start, stop) -> hash of the tree over these leaves


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over hashes of leaves, or over subtrees of one size of which the last may be smaller.

    Level by level with an odd last one carried up is the tree of RFC 6962 section 2.1.
    """
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        pairs = [sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        level = [*pairs, level[-1]] if len(level) % 2 else pairs
    return level[0]


def split(size: int) -> int:
    """The largest power of two below ``size`` (at least 2): how many leaves stand left of the root."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_path(index: int, size: int, subtree: Subtree) -> tuple[bytes, ...]:
    """The sibling hashes from leaf ``index`` up to the root of the tree of ``size`` (RFC 9162 section 2.1.3.1)."""
    if not 0 <= index < size:
        raise ProofError(f"no leaf {index} in a tree of {size}", "ask for a leaf below the size of the tree")
    path: list[bytes] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + split(stop - start)
        if index < middle:
            path.append(subtree(middle, stop))
            stop = middle
        else:
            path.append(subtree(start, middle))
            start = middle
    return tuple(reversed(path))


def consistency_path(old: int, new: int, subtree: Subtree) -> tuple[bytes, ...]:
    """The hashes that show the tree of ``old`` leaves to be the beginning of that of ``new`` (RFC 9162 section 2.1.4.1)."""
    if not 0 <= old <= new:
        raise ProofError(f"a tree of {old} is no beginning of one of {new}", "put the smaller size first")
    if old in (0, new):
        return ()
    path: list[bytes] = []
    start, stop, known = 0, new, True  # known: whoever checks has the hash of start..old, it is the old root
    while old != stop:
        middle = start + split(stop - start)
        if old <= middle:
            path.append(subtree(middle, stop))
            stop = middle
        else:
            path.append(subtree(start, middle))
            start, known = middle, False
    if not known:
        path.append(subtree(start, stop))
    return tuple(reversed(path))


def root_by_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """The root that ``path`` gives for the leaf hash ``leaf`` (RFC 9162 section 2.1.3.2).

    Raises ProofError when a path from that leaf in a tree of that size has another length.
    """
    if not 0 <= index < size:
        raise ProofError(f"no leaf {index} in a tree of {size}", "the proof was damaged or made up")
    place, last, result = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofError("the proof is longer than the tree is high", "the proof was damaged or made up")
        if place & 1 or place == last:
            result = node_hash(sibling, result)
            while not place & 1 and place:  # the last one of an odd level was carried up
                place, last = place >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofError("the proof ends below the root", "the proof was damaged or made up")
    return result


def check_consistency(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> None:
    """Raises ProofError unless ``path`` shows the old tree to be the beginning of the new one (RFC 9162 section 2.1.4.2)."""
    wrong = ProofError(f"the tree of {old} is not the beginning of the tree of {new}", "one of them tells another past")
    if not 0 <= old <= new:
        raise wrong
    if old in (0, new):
        if path or old_root != (EMPTY_ROOT if old == 0 else new_root):
            raise wrong
        return
    hashes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not hashes:
        raise wrong
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise wrong
        if place & 1 or place == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        place, last = place >> 1, last >> 1
    if last or first != old_root or second != new_root:
        raise wrong
