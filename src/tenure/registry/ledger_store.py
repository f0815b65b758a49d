"""The ledger's store over the registry: events by place, tiles, the signed head. ``ledger.store`` says what each verb promises.

An event row is never touched when it gets its place: a run says that positions from ``first`` on belong to consecutive
sequences of one lane. Lanes have no gaps, so what lies behind a lane's last run is all that is pending.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, insert, or_, select, update
from sqlalchemy.exc import DataError, IntegrityError

from tenure.model.access import Actor, ActorKind
from tenure.model.ledger import Batch, Pending, Placed, Record, TileId, Unshipped
from tenure.registry.faults import RegistryError
from tenure.registry.ledger_runs import LONGEST_RUN, lay, open_lanes, reaching, rows_at, runs_of, within
from tenure.registry.registry import Registry
from tenure.registry.tables.ledger import event, instance, lease, ledger_checkpoint, ledger_record, ledger_run, ledger_tile
from tenure.registry.upserts import upsert
from tenure.registry.work import Reading, event_of

_HEAD = "head"
_SEQUENCER = "sequencer"
_WINDOW = 4096
_SYSTEM = Actor(ActorKind.SYSTEM, "ledger")


@dataclass(frozen=True, slots=True)
class RegistryLedger:
    """``ledger.store.LedgerStore`` over a registry; each verb a transaction of its own."""

    registry: Registry

    def checkpoint(self) -> bytes | None:
        with self.registry.read() as reading:
            return _head(reading, select(ledger_checkpoint.c.note))

    def tile(self, tile: TileId) -> bytes:
        wanted = select(ledger_tile.c.hashes).where(ledger_tile.c.level == tile.level, ledger_tile.c.index == tile.index)
        with self.registry.read() as reading:
            row = reading.row(wanted)
            return row.hashes if row else b""

    def placed(self, start: int | None = None, stop: int | None = None) -> Iterator[Placed]:
        low, high = self._bounds()
        start, stop = low if start is None else start, high if stop is None else stop
        if start < 0:
            with self.registry.read() as reading:
                yield from _strays(reading, start, min(stop, 0))
        for first in range(max(start, 0), stop, _WINDOW):
            with self.registry.read() as reading:
                yield from _placed(reading, first, min(first + _WINDOW, stop))

    def records(self, start: int, stop: int) -> Iterator[Record]:
        kept = ledger_record
        position = (ledger_run.c.first + kept.c.sequence - ledger_run.c.sequence).label("position")
        of_run = and_(kept.c.instance == ledger_run.c.instance, within(kept.c.sequence))
        found = select(position, kept.c.kind, kept.c.content).join(kept, of_run)
        for first in range(max(start, 0), min(stop, self._bounds()[1]), LONGEST_RUN):
            last = min(first + LONGEST_RUN, stop)
            asked = found.where(reaching(first, last), position >= first, position < last)
            with self.registry.read() as reading:
                rows = reading.rows(asked.order_by(position, kept.c.kind, kept.c.content))
            yield from (Record(row.kind, row.position, row.content) for row in rows)

    def lease(self, holder: str, now: datetime, until: datetime) -> bool:
        mine_or_over = or_(lease.c.holder == holder, lease.c.until <= now)
        with self.registry.change(_SYSTEM) as work:
            new = {"name": _SEQUENCER, "holder": holder, "until": until}
            return upsert(work, lease, new, where=mine_or_over)

    def pending(self, limit: int) -> Sequence[Pending]:
        """One snapshot of all lanes, merged by event id: what was done upon another change never comes before it."""
        with self.registry.read() as reading:
            lanes = [
                reading.rows(_of_lane(lane).where(event.c.sequence >= following).order_by(event.c.sequence).limit(limit))
                for lane, following in open_lanes(reading)
            ]
        first = _merged(lanes)[:limit]
        return [Pending(row.id, _leaf(row)) for row in first]

    def append(self, batch: Batch) -> bool:
        try:
            with self.registry.change(_SYSTEM) as work:
                if _head(work, select(ledger_checkpoint.c.note).with_for_update()) != batch.before:
                    return False
                runs = runs_of(work, batch)
                if runs is None:
                    return False
                lay(work, batch.first, runs)
                for id, hashes in batch.tiles.items():
                    upsert(work, ledger_tile, {"level": id.level, "index": id.index, "hashes": hashes})
                head = {"name": _HEAD, "note": batch.after}
                if batch.before is None:
                    work.write(insert(ledger_checkpoint).values(head))  # of two first batches one stays
                else:
                    work.write(update(ledger_checkpoint).values(head))
        except IntegrityError:
            if self.checkpoint() != batch.before:
                return False
            raise RegistryError("places behind the signed checkpoint are taken", "run `tenure ledger verify`") from None
        return True

    def unshipped(self, size: int) -> Unshipped:
        with self.registry.read() as reading:
            total = reading.connection.execute(select(func.coalesce(func.sum(instance.c.sequence), 0))).scalar_one()
            waiting = [_of_lane(lane).where(event.c.sequence == following) for lane, following in open_lanes(reading)]
            if placed := next(iter(rows_at(reading, size, size + 1)), None):
                waiting.append(select(event).where(event.c.id == placed.id))
            oldest = [row.at for one in waiting for row in reading.rows(one)]
            return Unshipped(max(0, int(total) - size), min(oldest, default=None))

    def _bounds(self) -> tuple[int, int]:
        """The lowest position anything has, and the one behind the highest."""
        with self.registry.read() as reading:
            lowest = reading.connection.execute(select(func.min(ledger_run.c.first))).scalar_one() or 0
            behind = reading.connection.execute(select(func.max(ledger_run.c.first + ledger_run.c.length))).scalar_one() or 0
            strays = [row.sequence - 1 for row in _below(reading)]
        return min([lowest, *strays, 0]), behind


def _merged(lanes: Sequence[Sequence[Row[Any]]]) -> list[Row[Any]]:
    """The events of all lanes, each lane in its own order, the lanes among themselves by event id, which tells the time."""
    return list(merge(*lanes, key=lambda row: row.id))


def _placed(reading: Reading, start: int, stop: int) -> Iterator[Placed]:
    odd = select(ledger_run).where(ledger_run.c.first >= start, ledger_run.c.first < stop)
    broken = reading.rows(odd.where(or_(ledger_run.c.length < 1, ledger_run.c.length > LONGEST_RUN)))
    rows = _read(reading, start, stop)
    yield from sorted((*rows, *(Placed(run.first, run.instance, b"") for run in broken)), key=lambda p: (p.position, p.event))


def _read(reading: Reading, start: int, stop: int) -> list[Placed]:
    """The rows of a range. Where one holds what its column cannot, the range is halved until it stands alone, without a leaf."""
    try:
        return [Placed(row.position, row.id, _leaf(row)) for row in rows_at(reading, start, stop)]
    except (TypeError, ValueError, OverflowError, DataError):
        if stop - start == 1:
            return [Placed(start, UUID(int=0), b"")]
        middle = (start + stop) // 2
        return [*_read(reading, start, middle), *_read(reading, middle, stop)]


def _strays(reading: Reading, start: int, stop: int) -> Iterator[Placed]:
    """Rows where no honest writer puts any: sequences below 1, runs below position 0."""
    rows = [Placed(row.sequence - 1, row.id, _leaf(row)) for row in _below(reading) if row.sequence > start]
    runs = select(ledger_run).where(ledger_run.c.first >= start, ledger_run.c.first < stop)
    rows += [Placed(run.first, run.instance, b"") for run in reading.rows(runs)]
    yield from sorted((row for row in rows if row.position < stop), key=lambda p: (p.position, p.event))


def _leaf(row: Row[Any]) -> bytes:
    try:
        return event_of(row).leaf()
    except (TypeError, ValueError, AttributeError):
        return b""  # somebody wrote what is no event: the verifier says so


def _head(reading: Reading, wanted: Select[Any]) -> bytes | None:
    row = reading.row(wanted)
    return None if row is None else bytes(row.note)


def _below(reading: Reading) -> list[Row[Any]]:
    lanes = [row.id for row in reading.rows(select(instance.c.id))]
    return [row for lane in lanes for row in reading.rows(_of_lane(lane).where(event.c.sequence < 1))]


def _of_lane(lane: UUID) -> Select[Any]:
    return select(event).where(event.c.instance == lane)
