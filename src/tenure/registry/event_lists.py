"""Events to read: newest first, all of them or those about one subject, with reason and place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from tenure.model.access import Scope
from tenure.model.events import Event
from tenure.registry import hearing
from tenure.registry.faults import NotFoundError
from tenure.registry.ledger_runs import positions
from tenure.registry.tables.ledger import event, event_text
from tenure.registry.work import Reading, event_of


@dataclass(frozen=True, slots=True)
class Told:
    """An event, what people wrote as its reason if that is still there, and its place in the tree if it has one."""

    event: Event
    reason: str | None
    position: int | None


def get(reading: Reading, id: UUID) -> Told:
    """Raises NotFoundError."""
    rows = reading.rows(select(event).where(event.c.id == id))
    if not rows:
        raise NotFoundError("event", id)
    return _told(reading, rows)[0]


@dataclass(frozen=True, slots=True)
class EventPage:
    items: tuple[Told, ...]
    next: UUID | None  # of the last event looked at, shown or not; None: there are no older ones


def page(reading: Reading, subject: str | None = None, before: UUID | None = None, limit: int = 100) -> EventPage:
    """Up to ``limit`` events older than ``before``. By id, which is about the order in which they were written."""
    found = select(event).order_by(event.c.id.desc()).limit(limit + 1)
    if subject is not None:
        found = found.where(event.c.subject == subject)
    if before is not None:
        found = found.where(event.c.id < before)
    rows = reading.rows(found)
    return EventPage(_told(reading, rows[:limit]), rows[limit - 1].id if len(rows) > limit else None)


def of_device(reading: Reading, scope: Scope, id: UUID, before: UUID | None = None, limit: int = 100) -> EventPage:
    """Events of a device from the time in which it lay in the scope: a new owner reads nothing of the old one's time."""
    found = page(reading, str(id), before, limit)
    whose = hearing.told(reading, {number: told.event.id for number, told in enumerate(found.items)})
    shown = {told.event for told in whose if any(scope.holds(*place) for place in told.places)}
    return EventPage(tuple(told for told in found.items if scope.whole or told.event.id in shown), found.next)


def _told(reading: Reading, rows: Sequence[Row[Any]]) -> tuple[Told, ...]:
    ids = [row.id for row in rows]
    texts = reading.rows(select(event_text).where(event_text.c.event.in_(ids))) if ids else ()
    reasons, places = {row.event: row.text for row in texts}, positions(reading, ids)
    return tuple(Told(event_of(row), reasons.get(row.id), places.get(row.id)) for row in rows)
