"""What the ledger needs of the store of events. Each verb is one transaction of its own.

Nothing here trusts what it reads: whoever writes to the database may have written anything, and ``verify`` is there to say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from tenure.model.ledger import Batch, Pending, Placed, Record, TileId, Unshipped


class LedgerRows(Protocol):
    """Reading: what proofs, shipping and verification need."""

    def checkpoint(self) -> bytes | None:
        """The signed checkpoint of the tree as it stands; None before the first batch."""

    def tile(self, tile: TileId) -> bytes:
        """Its hashes, 32 bytes each, as many as there are by now (a reader cuts off what its tree size does not have);
        empty when there is none."""

    def placed(self, start: int | None = None, stop: int | None = None) -> Iterator[Placed]:
        """Rows with ``start <= position < stop``, by position, then by event id; None is no bound.

        Streamed in bounded memory: the whole ledger is read through it. Whatever stands in the position column comes:
        also negative, doubled, or beyond the tree. Never raises for what a row holds.
        """

    def records(self, start: int, stop: int) -> Iterator[Record]:
        """What events with ``start <= position < stop`` made that must survive the database, by position, kind, content."""


class LedgerStore(LedgerRows, Protocol):
    """Reading and giving places."""

    def lease(self, holder: str, now: datetime, until: datetime) -> bool:
        """True when ``holder`` is the sequencer until then: it was before, nobody was, or the other's time was over ``now``.

        Only saves work: two who both believe to hold it are kept apart by ``append``. ``until=now`` gives it back.
        """

    def pending(self, limit: int) -> Sequence[Pending]:
        """Up to ``limit`` committed events without a place, oldest first as far as the store can tell.

        Any order is right as long as an event that was committed is given sooner or later.
        """

    def append(self, batch: Batch) -> bool:
        """Positions, tiles and the checkpoint, all or nothing, as durable as the events themselves.

        False, and nothing changed, when the checkpoint is not ``batch.before`` byte for byte any more, or one of the events
        is gone or has a place already.
        """

    def unshipped(self, size: int) -> Unshipped:
        """The events without a place or at a position from ``size`` on."""
