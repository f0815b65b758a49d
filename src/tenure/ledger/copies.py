"""Copies of the ledger: tiles in the database, files on the shelf. Each must be what the rows give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from tenure.ledger.refusals import DamageError
from tenure.ledger.shelf import ShelfReader
from tenure.ledger.shipping import decode_records, records_path
from tenure.ledger.store import LedgerRows
from tenure.ledger.tiles import WIDTH, bundle_path, encode_bundle, tile_path, width_at
from tenure.ledger.tree import HASH
from tenure.model.ledger import Record, TileId

_MOST = 20  # problems told one by one; the rest is counted


@dataclass
class CopyCheck:
    """Compares while the rows are read. ``size`` is the tree in the database, ``shipped`` that on the shelf."""

    rows: LedgerRows
    size: int
    shelf: ShelfReader | None
    shipped: int
    found: list[str] = field(default_factory=list)
    more: int = 0

    def problems(self) -> tuple[str, ...]:
        return (*self.found, *([f"and {self.more} more copies that are wrong"] if self.more else []))

    def bundle(self, index: int, leaves: list[bytes], size: int) -> None:
        if not self._on_shelf(len(leaves), size) or self.shelf is None:
            return
        path = bundle_path(index, len(leaves))
        self._same(f"{path} on the shelf", self.shelf.read(path), encode_bundle(leaves))
        self._records(self.shelf, index, leaves)

    def tiles(self, tiles: Mapping[TileId, bytes], size: int) -> None:
        for tile, content in tiles.items():
            width = len(content) // HASH
            path = tile_path(tile, width)
            if width == width_at(tile.level, tile.index, self.size):
                self._same(f"{path} in the database", self.rows.tile(tile)[: len(content)] or None, content)
            if self.shelf is not None and self._on_shelf(width, size):
                self._same(f"{path} on the shelf", self.shelf.read(path), content)

    def _on_shelf(self, width: int, size: int) -> bool:
        """A full file is there once it is covered; a partial one for the size that was published."""
        return size <= self.shipped if width == WIDTH else size == self.shipped

    def _records(self, shelf: ShelfReader, index: int, leaves: list[bytes]) -> None:
        first = index * WIDTH
        try:
            lying = set(decode_records(shelf.read(records_path(index)) or b""))
        except DamageError as error:
            return self._tell(f"{records_path(index)} on the shelf: {error.problem}")
        standing = list(self.rows.records(first, first + len(leaves)))
        for record in sorted(lying ^ set(standing), key=lambda r: (r.position, r.kind, r.content)):
            if first <= record.position < first + len(leaves):
                where = "is gone from the database or changed" if record in lying else "is not on the shelf"
                self._tell(f"the {record.kind} made at place {record.position} {where}")
        for record in standing:
            if not named(record, leaves[record.position - first]):
                self._tell(f"the {record.kind} at place {record.position} is not what its event names")
        return None

    def _same(self, what: str, copy: bytes | None, content: bytes) -> None:
        if copy != content:
            self._tell(f"{what} is missing" if copy is None else f"{what} is not what the rows give")

    def _tell(self, problem: str) -> None:
        if problem in self.found:
            return
        if len(self.found) < _MOST:
            self.found.append(problem)
        else:
            self.more += 1


def named(record: Record, leaf: bytes) -> bool:
    """Does the entry name this record by its digest? Then it is as trustworthy as the entry."""
    return sha256(record.content).hexdigest().encode() in leaf
