"""What the ledger and the store of events say to each other: leaves, places, tiles, records. Leaves are opaque bytes here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

LEAF_LIMIT = 0xFFFF  # bytes; entry bundles carry the length of a leaf as uint16 (C2SP tlog-tiles)


@dataclass(frozen=True, slots=True)
class Pending:
    """An event that has no place in the tree yet."""

    event: UUID
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Placed:
    """A row that has a place in the tree. ``leaf`` is made from the row as it stands now, never from a copy of the leaf;
    a row of which no leaf can be made any more has the empty leaf, which no event has."""

    position: int
    event: UUID
    leaf: bytes


@dataclass(frozen=True, slots=True, order=True)
class TileId:
    """Tile ``index`` of ``level``; level 0 holds hashes of leaves, each level above one hash for a full tile below."""

    level: int
    index: int


@dataclass(frozen=True, slots=True)
class Batch:
    """One step of the tree: the events that get ``first``, ``first + 1``... in this order, and what the tree becomes by it.

    ``tiles`` are whole contents (a partial tile replaces the narrower one); ``before`` and ``after`` are signed checkpoints.
    """

    first: int
    events: Sequence[UUID]
    tiles: Mapping[TileId, bytes]
    before: bytes | None
    after: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """What must survive the database: a tombstone, a revocation, a CRL number. ``position`` is the place of the event that
    made it, and the leaf of that event names SHA-256 of ``content`` in lower-case hex, which is what makes a copy trustworthy."""

    kind: str
    position: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Unshipped:
    """The window: events that nothing outside the database vouches for yet, and since when the oldest of them waits."""

    events: int
    oldest: datetime | None
