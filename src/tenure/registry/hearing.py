"""Whose an event is: which owner and trust domain the devices it is about were in when it happened."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import func, select

from tenure.registry.ledger_runs import rows_at
from tenure.registry.tables.credentials import credential
from tenure.registry.tables.custody import custody
from tenure.registry.tables.devices import device
from tenure.registry.tables.ledger import event, ledger_run
from tenure.registry.work import Reading, event_of

Place: TypeAlias = tuple[UUID | None, UUID | None]
"""Owner and trust domain of a device; None: it had none, or nobody can say any more."""

_Span: TypeAlias = tuple[datetime | None, datetime | None, Place]


@dataclass(frozen=True, slots=True)
class Told:
    """A placed event as far as it decides who may hear of it."""

    position: int
    event: UUID
    verb: str
    places: frozenset[Place]  # of the device it is about; none: it is about no device


def told(reading: Reading, placed: Mapping[int, UUID]) -> list[Told]:
    """Whose placed events (position -> event) are, by position.

    Whose a device was at the time of the event, not whose it is now: a new owner hears nothing of the old one's time.
    """
    rows = {row.id: row for row in reading.rows(select(event).where(event.c.id.in_(list(placed.values()))))}
    about = {id: subject for id, row in rows.items() if row.subject_kind == "device" and (subject := _uuid(row.subject))}
    named = {id: subject for id, row in rows.items() if row.subject_kind == "credential" and (subject := _uuid(row.subject))}
    of = select(credential.c.id, credential.c.device).where(credential.c.id.in_(list(named.values())))
    holder = {row.id: row.device for row in reading.rows(of) if row.device is not None}
    about |= {id: holder[subject] for id, subject in named.items() if subject in holder}
    spans = _spans(reading, set(about.values()))
    heard = []
    for position, id in sorted(placed.items()):
        if (row := rows.get(id)) is not None:
            held = spans.get(about[id], []) if id in about else []
            heard.append(Told(position, id, row.verb, _then(held, row.at)))
    return heard


def placed(reading: Reading, start: int, limit: int) -> dict[int, UUID]:
    """Events that have their place, by position from ``start`` on."""
    return {row.position: row.id for row in rows_at(reading, start, start + limit)}


def leaves(reading: Reading, events: Sequence[UUID]) -> dict[UUID, bytes]:
    """What the ledger hashes of them."""
    rows = reading.rows(select(event).where(reading.among(event.c.id, events)))
    return {row.id: event_of(row).leaf() for row in rows}


def next_position(reading: Reading) -> int:
    """The position that the next event to be placed will have."""
    row = reading.row(select(func.max(ledger_run.c.first + ledger_run.c.length).label("end")))
    return 0 if row is None or row.end is None else int(row.end)


def _spans(reading: Reading, devices: Collection[UUID]) -> dict[UUID, list[_Span]]:
    """Per device its times in custody, and where it was then. Which trust domain it was in is known of the present one only."""
    of = select(device.c.id, device.c.owner, device.c.trust_domain).where(device.c.id.in_(devices))
    now = {row.id: (row.owner, row.trust_domain) for row in reading.rows(of)}
    held: dict[UUID, list[_Span]] = {}
    for row in reading.rows(select(custody).where(custody.c.device.in_(devices))):
        domain = now[row.device][1] if row.until is None and row.device in now else None
        held.setdefault(row.device, []).append((row.since, row.until, (row.owner, domain)))
    for id, place in now.items():
        held.setdefault(id, [(None, None, place)])
    return held


def _then(spans: list[_Span], at: datetime) -> frozenset[Place]:
    """Where it was at a time; at the moment of a handover, with both."""
    return frozenset(place for since, until, place in spans if (since is None or since <= at) and (until is None or at <= until))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
