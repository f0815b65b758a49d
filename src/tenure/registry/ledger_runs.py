"""Runs: which positions of the tree belong to which sequences of which lane.

Runs lie one behind the other, none longer than ``LONGEST_RUN``, so those of a range of positions are found by their first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, func, select, update

from tenure.model.ledger import Batch
from tenure.registry.tables.ledger import event, instance, ledger_run
from tenure.registry.work import Reading, Work

LONGEST_RUN = 1 << 16
"""Events of one run at most."""

_MANY = 500
T = TypeVar("T")


def slices(items: Sequence[T], size: int = _MANY) -> Iterator[Sequence[T]]:
    """What one IN asks for at a time."""
    return (items[at : at + size] for at in range(0, len(items), size))


def positions(reading: Reading, events: Sequence[UUID]) -> dict[UUID, int]:
    """The places of those events that have one."""
    found: dict[UUID, int] = {}
    joined = select(event.c.id, _POSITION).join(ledger_run, _OF_RUN)
    for some in slices(events):
        found |= {row.id: row.position for row in reading.rows(joined.where(event.c.id.in_(some)))}
    return found


def within(sequence: Any) -> ColumnElement[bool]:
    return and_(sequence >= ledger_run.c.sequence, sequence < ledger_run.c.sequence + ledger_run.c.length)


def reaching(start: int, stop: int) -> ColumnElement[bool]:
    return and_(ledger_run.c.first > start - LONGEST_RUN, ledger_run.c.first < stop)


_OF_RUN = and_(event.c.instance == ledger_run.c.instance, within(event.c.sequence))
_POSITION = (ledger_run.c.first + event.c.sequence - ledger_run.c.sequence).label("position")


def rows_at(reading: Reading, start: int, stop: int) -> Sequence[Row[Any]]:
    """Events by position; from the runs that may reach into the range, each row by the index of its lane."""
    found = select(event, _POSITION).select_from(ledger_run).join(event, _OF_RUN)
    in_range = found.where(reaching(start, stop), start <= _POSITION, stop > _POSITION)
    return reading.rows(in_range.order_by(_POSITION, event.c.id))


def open_lanes(reading: Reading) -> list[tuple[UUID, int]]:
    """Lanes with pending events, and the first sequence of each that has no place."""
    lanes = reading.rows(select(instance.c.id, instance.c.sequence, _following(instance.c.id).label("following")))
    return [(row.id, row.following) for row in lanes if row.following <= row.sequence]


def _following(lane: Any) -> ColumnElement[int]:
    last = select(ledger_run.c.sequence + ledger_run.c.length).where(ledger_run.c.instance == lane)
    return func.coalesce(last.order_by(ledger_run.c.sequence.desc()).limit(1).scalar_subquery(), 1)


def runs_of(work: Work, batch: Batch) -> list[list[Any]] | None:
    """The batch as runs [lane, sequence, length]; None when an event is gone, placed, or not next in its lane."""
    known: dict[UUID, tuple[UUID, int]] = {}
    for some in slices(batch.events):
        rows = work.rows(select(event.c.id, event.c.instance, event.c.sequence).where(event.c.id.in_(some)))
        known |= {row.id: (row.instance, row.sequence) for row in rows}
    following: dict[UUID, int] = {}
    runs: list[list[Any]] = []
    for id in batch.events:
        if id not in known:
            return None
        lane, sequence = known[id]
        if lane not in following:
            following[lane] = work.connection.execute(select(_following(lane))).scalar_one()
        if sequence != following[lane]:
            return None
        following[lane] = sequence + 1
        if runs and runs[-1][0] == lane and runs[-1][2] < LONGEST_RUN:
            runs[-1][2] += 1
        else:
            runs.append([lane, sequence, 1])
    return runs


def lay(work: Work, first: int, runs: list[list[Any]]) -> None:
    """Lengthens the last run where the first new one continues it, and lays the others behind it."""
    if runs and (last := work.row(select(ledger_run).order_by(ledger_run.c.first.desc()).limit(1))) is not None:
        lane, sequence, length = runs[0]
        continues = (last.first + last.length, last.instance, last.sequence + last.length) == (first, lane, sequence)
        if continues and last.length + length <= LONGEST_RUN:
            work.write(update(ledger_run).where(ledger_run.c.first == last.first).values(length=last.length + length))
            runs, first = runs[1:], first + length
    rows = []
    for lane, sequence, length in runs:
        rows.append({"first": first, "instance": lane, "sequence": sequence, "length": length})
        first += length
    work.insert(ledger_run, *rows)
