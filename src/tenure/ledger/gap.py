"""The gap after a restore: what lies outside and the database does not know any more, and how the ledger gets it back.

1. Compare: is the database older than the shelf, or does it tell another past?
2. Missed: the entries of the gap with the records they made, proved against the published checkpoint before any is given.
3. (The registry writes those events and records again, without a place.)
4. Replay: they get the places they had, and the database the checkpoint that was published. Nothing is signed anew.

Dead before 4: the events are pending, and the sequencer refuses to place anything, as the shelf is ahead. Begin again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from tenure.ledger.checkpoint import Checkpoint, Identity
from tenure.ledger.copies import named
from tenure.ledger.edge import RightEdge
from tenure.ledger.refusals import DamageError, RewindError
from tenure.ledger.shelf import ShelfReader
from tenure.ledger.shipping import decode_records, outside, records_path
from tenure.ledger.store import LedgerRows, LedgerStore
from tenure.ledger.tiles import WIDTH, ReadTile, bundle_path, decode_bundle, subtrees, tile_path, width_at
from tenure.ledger.tree import leaf_hash
from tenure.model.ledger import Batch, Record, TileId


@dataclass(frozen=True, slots=True)
class Agreed:
    """The database continues what lies outside; ``unshipped`` of its entries are not there yet."""

    unshipped: int


@dataclass(frozen=True, slots=True)
class Behind:
    """The database knows the first ``known`` entries of those outside, and no more: a backup was restored."""

    known: int
    outside: Checkpoint


@dataclass(frozen=True, slots=True)
class Forked:
    """The database has entries that are not the ones outside: it was written to after a restore, or history was rewritten."""

    known: int
    outside: Checkpoint


Comparison: TypeAlias = Agreed | Behind | Forked


@dataclass(frozen=True, slots=True)
class Missed:
    """An entry of the gap. Each record is named by the entry; ``refused`` are those lying there that are not."""

    position: int
    leaf: bytes
    records: tuple[Record, ...]
    refused: tuple[Record, ...]


def compare(rows: LedgerRows, shelf: ShelfReader, identity: Identity) -> Comparison:
    """Step 1. Raises NoteError, ShelfError, DamageError."""
    signed = rows.checkpoint()
    head = identity.open(signed) if signed is not None else None
    there = outside(shelf, identity)
    size = head.size if head else 0
    if there is None:
        return Agreed(size)
    if head is None:
        return Behind(0, there)
    if size >= there.size:
        same = subtrees(rows.tile, size)(0, there.size) == there.root
        return Agreed(size - there.size) if same else Forked(size, there)
    same = subtrees(_tiles_outside(shelf, there.size), there.size)(0, size) == head.root
    return Behind(size, there) if same else Forked(size, there)


def missed(shelf: ShelfReader, behind: Behind) -> Iterator[Missed]:
    """Step 2. Raises DamageError before the first one when the shelf does not give its own checkpoint; reads it twice."""
    edge = RightEdge.of(behind.known, _tiles_outside(shelf, behind.outside.size))
    edge.extend(leaf_hash(leaf) for _, leaf in _entries(shelf, behind))
    if edge.root() != behind.outside.root:
        raise DamageError(
            "the entries on the shelf do not give the checkpoint on the shelf", "take them from a copy of the shelf"
        )
    return _missed(shelf, behind)


def replay(store: LedgerStore, shelf: ShelfReader, behind: Behind, event_of: Callable[[bytes], UUID]) -> None:
    """Step 4. ``event_of`` reads the id out of a leaf. Raises RewindError when the database is not as in step 1, or one of
    the events is not pending."""
    edge = RightEdge.of(behind.known, _tiles_outside(shelf, behind.outside.size))
    events: list[UUID] = []
    for _, leaf in _entries(shelf, behind):
        edge.append(leaf_hash(leaf))
        events.append(event_of(leaf))
    if edge.root() != behind.outside.root:
        raise DamageError(
            "the entries on the shelf do not give the checkpoint on the shelf", "take them from a copy of the shelf"
        )
    if not store.append(Batch(behind.known, events, edge.take(), store.checkpoint(), behind.outside.note)):
        raise RewindError("the events of the gap are not all there, or the ledger was written to meanwhile", "compare again")


def _missed(shelf: ShelfReader, behind: Behind) -> Iterator[Missed]:
    lying: list[Record] = []
    for position, leaf in _entries(shelf, behind):
        if position == behind.known or position % WIDTH == 0:
            lying = decode_records(shelf.read(records_path(position // WIDTH)) or b"")
        records = [record for record in lying if record.position == position]
        good = tuple(record for record in records if named(record, leaf))
        yield Missed(position, leaf, good, tuple(record for record in records if record not in good))


def _entries(shelf: ShelfReader, behind: Behind) -> Iterator[tuple[int, bytes]]:
    size = behind.outside.size
    for index in range(behind.known // WIDTH, -(-size // WIDTH)):
        path = bundle_path(index, width_at(0, index, size))
        leaves = decode_bundle(shelf.read(path) or b"")
        if len(leaves) != width_at(0, index, size):
            raise DamageError(f"{path} on the shelf is missing or incomplete", "take it from a copy of the shelf")
        for position, leaf in enumerate(leaves, index * WIDTH):
            if position >= behind.known:
                yield position, leaf


def _tiles_outside(shelf: ShelfReader, size: int) -> ReadTile:
    def read(tile: TileId) -> bytes:
        return shelf.read(tile_path(tile, width_at(tile.level, tile.index, size))) or b""

    return read
