"""Who had a device, from when to when: histories stay with the device, and tell the next owner nothing but their number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update

from tenure.model.devices import Device
from tenure.model.events import value_digest
from tenure.registry.tables.custody import custody
from tenure.registry.work import Reading, Work


@dataclass(frozen=True, slots=True)
class Span:
    """One owner's time with a device."""

    device: UUID
    number: int
    owner: UUID | None
    term: int
    since: datetime
    until: datetime | None
    how: str  # the verb that began it
    offer: UUID | None = None


def spans(reading: Reading, device: UUID) -> tuple[tuple[Span, bytes], ...]:
    """All of a device, oldest first, each with its salted digest: what a handover tells, and what can be proved later."""
    rows = reading.rows(select(custody).where(custody.c.device == device).order_by(custody.c.number))
    found = [(Span(r.device, r.number, r.owner, r.term, r.since, r.until, r.how, r.offer), r.salt or b"") for r in rows]
    return tuple((span, value_digest(salt, span)) for span, salt in found)


def pass_on(work: Work, before: Device | None, after: Device, how: str) -> None:
    """Ends the old owner's span and begins the new one's, where a change of a held device changes owner or term."""
    if before is not None:
        if (before.owner, before.term) == (after.owner, after.term):
            return
        ended = update(custody).where(custody.c.device == after.id, custody.c.until.is_(None))
        work.write(ended.values(until=work.at))
    if after.owner is None:
        return
    last = work.row(select(func.max(custody.c.number)).where(custody.c.device == after.id))
    work.insert(
        custody,
        {
            "device": after.id,
            "number": 1 + ((last[0] if last else None) or 0),
            "owner": after.owner,
            "term": after.term,
            "since": work.at,
            "how": how,
            "offer": before.offer if before else None,
            "salt": work.salt(),
        },
    )
