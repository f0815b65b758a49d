"""A healthy ledger in memory, and the hands that break it: a store whose owner may write anything, and shelves that fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenure.ledger.checkpoint import Checkpoint, Identity
from tenure.ledger.edge import RightEdge
from tenure.ledger.folder_shelf import FolderShelf
from tenure.ledger.note import KeySigner
from tenure.ledger.sequencer import Placed as Gave
from tenure.ledger.sequencer import Sequencer, Terms
from tenure.ledger.shipping import ship
from tenure.ledger.tree import leaf_hash
from tenure.model.ledger import Batch, Pending, Placed, Record, TileId, Unshipped

ORIGIN = "ledger.example/test"
SIGNER = KeySigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
STRANGER = KeySigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(32)))
IDENTITY = Identity(ORIGIN, (SIGNER.verifier,))
NOW = datetime(2026, 11, 1, tzinfo=UTC)


class KilledError(Exception):
    """The process ended here."""


def leaf(number: int) -> bytes:
    return b'{"event":%d}' % number


@dataclass
class Row:
    event: UUID
    leaf: bytes
    position: int | None = None
    records: tuple[tuple[str, bytes], ...] = ()


@dataclass
class MemoryStore:
    """What a database does, and nothing it would refuse to somebody who writes to it directly."""

    rows: list[Row] = field(default_factory=list)
    tiles: dict[TileId, bytes] = field(default_factory=dict)
    signed: bytes | None = None
    holder: tuple[str, datetime] | None = None
    die: str = ""  # "before" or "after" append takes effect
    meanwhile: Callable[[], None] | None = None  # what another process does just before our append
    read: list[TileId] = field(default_factory=list)  # tiles that were asked for

    def add(self, count: int) -> None:
        for _ in range(count):
            number = len(self.rows)
            self.rows.append(Row(UUID(int=number + 1), leaf(number)))

    def copy(self) -> MemoryStore:
        """A backup of it."""
        return replace(self, rows=[replace(row) for row in self.rows], tiles=dict(self.tiles))

    def at(self, position: int) -> Row:
        return next(row for row in self.rows if row.position == position)

    def checkpoint(self) -> bytes | None:
        return self.signed

    def tile(self, tile: TileId) -> bytes:
        self.read.append(tile)
        return self.tiles.get(tile, b"")

    def placed(self, start: int | None = None, stop: int | None = None) -> Iterator[Placed]:
        found = [
            Placed(row.position, row.event, row.leaf)
            for row in self.rows
            if row.position is not None and (start is None or start <= row.position) and (stop is None or row.position < stop)
        ]
        return iter(sorted(found, key=lambda p: (p.position, p.event)))

    def records(self, start: int, stop: int) -> Iterator[Record]:
        rows = sorted(
            (row.position, row.records) for row in self.rows if row.position is not None and start <= row.position < stop
        )
        return (Record(kind, position, content) for position, records in rows for kind, content in records)

    def lease(self, holder: str, now: datetime, until: datetime) -> bool:
        if self.holder and self.holder[0] != holder and self.holder[1] > now:
            return False
        self.holder = (holder, until)
        return True

    def pending(self, limit: int) -> Sequence[Pending]:
        return [Pending(row.event, row.leaf) for row in self.rows if row.position is None][:limit]

    def append(self, batch: Batch) -> bool:
        if self.die == "before":
            raise KilledError
        if other := self.meanwhile:
            self.meanwhile = None
            other()
        waiting = {row.event: row for row in self.rows if row.position is None}
        if self.signed != batch.before or not all(event in waiting for event in batch.events):
            return False
        for position, event in enumerate(batch.events, batch.first):
            waiting[event].position = position
        self.tiles.update(batch.tiles)
        self.signed = batch.after
        if self.die == "after":
            raise KilledError
        return True

    def unshipped(self, size: int) -> Unshipped:
        return Unshipped(sum(row.position is None or row.position >= size for row in self.rows), None)

    def recompute(self) -> None:
        """What somebody with full write access does after changing rows: tiles that fit them. The signature is out of reach."""
        edge = RightEdge()
        edge.extend(leaf_hash(row.leaf) for row in self.placed(0))
        self.tiles = edge.take_finished() | edge.partial()


@dataclass
class FailingShelf:
    """Dies at the n-th write, before or after it takes effect; or another process does something just before the first."""

    shelf: FolderShelf
    at: int
    after: bool
    meanwhile: Callable[[], object] | None = None
    writes: int = 0

    def read(self, path: str) -> bytes | None:
        return self.shelf.read(path)

    def put(self, path: str, content: bytes) -> None:
        self._act(lambda: self.shelf.put(path, content))

    def swap(self, path: str, before: bytes | None, after: bytes) -> bool:
        done: list[bool] = []
        self._act(lambda: done.append(self.shelf.swap(path, before, after)))
        return done[0]

    def drop(self, folder: str) -> None:
        self._act(lambda: self.shelf.drop(folder))

    def _act(self, act: Callable[[], object]) -> None:
        if other := self.meanwhile:
            self.meanwhile = None
            other()
        self.writes += 1
        if self.writes == self.at and not self.after:
            raise KilledError
        act()
        if self.writes == self.at:
            raise KilledError


@dataclass
class World:
    store: MemoryStore
    shelf: FolderShelf
    folder: Path

    @property
    def head(self) -> Checkpoint:
        assert self.store.signed is not None
        return IDENTITY.open(self.store.signed)

    def sequencer(self, holder: str = "one", batch: int = 4096) -> Sequencer:
        return Sequencer(self.store, self.shelf, IDENTITY, [SIGNER], Terms(holder, batch))

    def place(self, count: int = 0, batch: int = 4096) -> None:
        self.store.add(count)
        sequencer = self.sequencer(batch=batch)
        while (step := sequencer.place(NOW)) and isinstance(step, Gave) and step.events:
            pass

    def ship(self) -> int:
        return ship(self.store, self.shelf, IDENTITY).size


def world(folder: Path, shipped: int = 0, more: int = 0) -> World:
    """A ledger of ``shipped`` entries that also lie outside, and ``more`` that have places only."""
    made = World(MemoryStore(), FolderShelf(folder), folder)
    if shipped:
        made.place(shipped)
        made.ship()
    made.place(more)
    return made
