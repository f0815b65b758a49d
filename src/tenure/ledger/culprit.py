"""Naming the first bad row, once it is known that there is one.

The hashes that entries had are taken from a copy (tiles on the shelf, tiles in the database) as far as it gives a root that
was signed; with them, the first place is found where the row is another. What was done follows from two questions: does
the entry that belongs there stand elsewhere now, and does the row that stands there belong elsewhere?
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TypeAlias

from tenure.ledger.edge import RightEdge
from tenure.ledger.refusals import DamageError
from tenure.ledger.shelf import ShelfReader
from tenure.ledger.store import LedgerRows
from tenure.ledger.tiles import WIDTH, bundle_path, decode_bundle, hashes_in, tile_path, width_at
from tenure.ledger.tree import HASH, leaf_hash
from tenure.ledger.verdict import BadRow, Deed
from tenure.model.ledger import Placed, TileId

Hashes: TypeAlias = Callable[[], Iterator[bytes]]  # those of all leaves in order, from the first, as far as there are any


@dataclass(frozen=True, slots=True)
class Truth:
    """Hashes that give a signed root over the first ``size`` leaves. Comes from ``truth_of`` alone."""

    hashes: Hashes
    size: int


def in_database(rows: LedgerRows, size: int) -> Hashes:
    return lambda: _hashes(lambda index, _width: rows.tile(TileId(0, index)), size)


def on_shelf(shelf: ShelfReader, size: int) -> Hashes:
    return lambda: _hashes(lambda index, width: shelf.read(tile_path(TileId(0, index), width)) or b"", size)


def _hashes(read: Callable[[int, int], bytes], size: int) -> Iterator[bytes]:
    for index in range(-(-size // WIDTH)):
        width = width_at(0, index, size)
        content = read(index, width)[: width * HASH]
        yield from hashes_in(content)
        if len(content) != width * HASH:
            return


def truth_of(copies: Iterable[Hashes], signed: Mapping[int, bytes]) -> Truth | None:
    """The copy that gives the largest signed root. None: none of them gives any."""
    best: Truth | None = None
    for copy in copies:
        edge = RightEdge()
        for value in copy():
            if len(value) == HASH:
                edge.append(value)
            if edge.size in signed and (not best or edge.size > best.size) and edge.root() == signed[edge.size]:
                best = Truth(copy, edge.size)
            if edge.size % WIDTH == 0:
                edge.take_finished()
    return best


def first_bad(rows: LedgerRows, truth: Truth, entries: Callable[[int], bytes | None]) -> BadRow | None:
    """None when the first ``truth.size`` rows are right. ``entries``: what the entry of a place was, if somebody kept it."""
    places = iter(groupby(rows.placed(), key=lambda row: row.position))
    at, standing = next(places, (None, iter(())))
    for position, expected in enumerate(islice(truth.hashes(), truth.size)):
        if at is not None and at < position:  # a negative place: nothing ever got one
            return _judged_negative(truth, next(iter(standing)))
        here = list(standing) if at == position else []
        wrong = [row for row in here if leaf_hash(row.leaf) != expected]
        if wrong or not here:
            return _judged(rows, truth, position, expected, wrong, entries(position))
        if len(here) > 1:
            return BadRow(position, Deed.INSERTED, here[1].event, entries(position))
        at, standing = next(places, (None, iter(())))
    return None


def _judged(rows: LedgerRows, truth: Truth, position: int, expected: bytes, wrong: list[Placed], was: bytes | None) -> BadRow:
    found = wrong[0] if wrong else None
    stands_elsewhere = any(leaf_hash(row.leaf) == expected for row in rows.placed())  # or beside a wrong one, at its place
    if found is None:
        return BadRow(position, Deed.REORDERED if stands_elsewhere else Deed.REMOVED, None, was)
    hashed = leaf_hash(found.leaf)
    belongs_elsewhere = any(value == hashed for value in islice(truth.hashes(), position + 1, truth.size))
    match stands_elsewhere, belongs_elsewhere:
        case True, True:
            deed = Deed.REORDERED
        case True, False:
            deed = Deed.INSERTED
        case False, True:
            deed = Deed.REMOVED
        case _:
            deed = Deed.CHANGED
    return BadRow(position, deed, found.event, was)


def _judged_negative(truth: Truth, row: Placed) -> BadRow:
    hashed = leaf_hash(row.leaf)
    ours = any(value == hashed for value in islice(truth.hashes(), truth.size))
    return BadRow(row.position, Deed.REORDERED if ours else Deed.INSERTED, row.event, None)


def kept_entries(shelf: ShelfReader | None, truth: Truth, size: int) -> Callable[[int], bytes | None]:
    """Entries as they were shipped, each held against the true hash of its place. ``size`` is that of the shelf."""

    def entry(position: int) -> bytes | None:
        index, offset = divmod(position, WIDTH)
        if shelf is None or position >= size:
            return None
        try:
            leaves = decode_bundle(shelf.read(bundle_path(index, width_at(0, index, size))) or b"")
        except DamageError:
            return None
        expected = next(islice(truth.hashes(), position, None), b"")
        return leaves[offset] if offset < len(leaves) and leaf_hash(leaves[offset]) == expected else None

    return entry
