"""Shipping: carries entries, tiles, records and the checkpoint out of the database, to where its writers cannot reach.

1. Compare: the checkpoint on the shelf with ours. Ours must continue it, or nothing is shipped.
2. Bundles: for each 256 places not covered yet, the entries, the records (tombstones, revocations) their events made, and
   the tiles that are full now. Tiles are computed anew from the entries: those of the database are not trusted.
3. Edge: the unfinished tiles. The root must be the signed one, or somebody changed a row, and nothing is published.
4. The checkpoint, to where past ones are kept.
5. Publish: the checkpoint, only if the shelf still holds that of step 1. From here on all of it is covered.
6. Clean: partial files of which the full one lies there now.

Dead before 5: drafts beyond the published checkpoint, replaced by the next one who ships. Dead after 5: partial files that
nobody needs. Two who ship at once write the same bytes, as places never change, and one of them publishes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from tenure.ledger.checkpoint import Checkpoint, Identity
from tenure.ledger.edge import RightEdge
from tenure.ledger.refusals import DamageError, RewindError, ShelfError
from tenure.ledger.shelf import Shelf, ShelfReader
from tenure.ledger.store import LedgerRows
from tenure.ledger.tiles import (
    CHECKPOINT,
    WIDTH,
    bundle_path,
    encode_bundle,
    numbered,
    past_path,
    subtrees,
    tile_path,
    tiles_between,
    width_at,
)
from tenure.ledger.tree import HASH, leaf_hash
from tenure.model.ledger import Record, TileId


@dataclass(frozen=True, slots=True)
class Shipped:
    """How many entries this shipment added, and the size that everything outside vouches for now."""

    entries: int
    size: int


def outside(shelf: ShelfReader, identity: Identity) -> Checkpoint | None:
    """The checkpoint published on the shelf. Raises NoteError when what lies there is not this ledger's."""
    signed = shelf.read(CHECKPOINT)
    return None if signed is None else identity.open(signed)


def prove_continues(store: LedgerRows, before: Checkpoint | None, head: Checkpoint | None) -> None:
    """Raises RewindError unless the tree in the database goes on from ``before``, which lies outside."""
    if before is None or (head and head.same_tree(before)):
        return
    fix = "do not write to this database; run `tenure ledger verify` and, after a restore, settle what the gap holds"
    if head is None or head.size < before.size:
        size = head.size if head else 0
        raise RewindError(f"the database is older than the truth: {size} entries, outside are {before.size}", fix)
    if head.size == before.size or subtrees(store.tile, head.size)(0, before.size) != before.root:
        raise RewindError(f"the database tells another past than the checkpoint over {before.size} entries outside", fix)


def ship(store: LedgerRows, shelf: Shelf, identity: Identity) -> Shipped:
    """Brings the shelf up to the database's checkpoint. Raises RewindError, DamageError, NoteError, ShelfError."""
    signed = store.checkpoint()
    head = identity.open(signed) if signed is not None else None
    before = outside(shelf, identity)
    prove_continues(store, before, head)  # 1
    old = before.size if before else 0
    if head is None or (before and before.note == head.note):
        return Shipped(0, old)
    edge = RightEdge.of(old, store.tile)  # gives the root of ``before``: that is what step 1 has shown
    for index in range(old // WIDTH, -(-head.size // WIDTH)):
        if (width := width_at(0, index, head.size)) > width_at(0, index, old):
            _ship_bundle(store, shelf, edge, index, width)  # 2
    for tile, content in edge.partial().items():
        shelf.put(tile_path(tile, len(content) // HASH), content)  # 3
    if edge.root() != head.root:
        raise DamageError(f"the rows from place {old} on do not give the root that was signed", "run `tenure ledger verify`")
    if head.size:
        shelf.put(past_path(head.size), head.note)  # 4
    if not shelf.swap(CHECKPOINT, before.note if before else None, head.note):  # 5
        raise ShelfError("another process has published a checkpoint meanwhile", "nothing is lost: look again")
    _clean(shelf, old, head.size)  # 6
    return Shipped(head.size - old, head.size)


def _ship_bundle(store: LedgerRows, shelf: Shelf, edge: RightEdge, index: int, width: int) -> None:
    first, old = index * WIDTH, edge.size
    rows = list(store.placed(first, first + width))
    if [row.position for row in rows] != list(range(first, first + width)):
        raise DamageError(
            f"rows are missing or doubled among places {first} to {first + width - 1}", "run `tenure ledger verify`"
        )
    hashes = [leaf_hash(row.leaf) for row in rows]
    if b"".join(hashes[: old - first]) != edge.partial().get(TileId(0, index), b""):
        raise DamageError(f"a row from place {first} to {old - 1} is not what was shipped", "run `tenure ledger verify`")
    _ship_records(shelf, index, old, list(store.records(first, first + width)))
    shelf.put(bundle_path(index, width), encode_bundle(row.leaf for row in rows))
    edge.extend(hashes[old - first :])
    for tile, content in edge.take_finished().items():
        shelf.put(tile_path(tile), content)


def _ship_records(shelf: Shelf, index: int, old: int, records: list[Record]) -> None:
    """Whoever deletes a tombstone in the database shall not delete it outside by our hand."""
    lying = shelf.read(records_path(index))
    gone = {r for r in decode_records(lying or b"") if r.position < old} - set(records)
    if gone:
        first = min(gone, key=lambda r: r.position)
        raise DamageError(f"a {first.kind} made at place {first.position} is gone or changed", "run `tenure ledger verify`")
    if records:
        shelf.put(records_path(index), encode_records(records))


def _clean(shelf: Shelf, old: int, size: int) -> None:
    for tile, width in tiles_between(old, size):
        if width == WIDTH:
            shelf.drop(f"{tile_path(tile)}.p")
            if tile.level == 0:
                shelf.drop(f"{bundle_path(tile.index)}.p")


def records_path(index: int) -> str:
    """Where the records lie that the events of one entry bundle made (our own addition to the layout)."""
    return f"records/{numbered(index)}"


def encode_records(records: Iterable[Record]) -> bytes:
    """A line of JSON each."""
    lines = ({"position": r.position, "kind": r.kind, "content": r.content.hex()} for r in records)
    return b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)


def decode_records(content: bytes) -> list[Record]:
    """Raises DamageError for what is none."""
    try:
        lines = [json.loads(line) for line in content.splitlines()]
        return [Record(line["kind"], line["position"], bytes.fromhex(line["content"])) for line in lines]
    except (ValueError, KeyError, TypeError) as error:
        raise DamageError("a file of records that cannot be read", "take it from a copy of the shelf") from error
