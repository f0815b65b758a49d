"""Webhooks in the registry: who they are, how far each has heard, and that one process at a time delivers.

A webhook is a change with its event. How far it has heard is not, or each event would beget another.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from tenure.model.events import Cause, value_digest
from tenure.model.webhooks import Webhook
from tenure.registry.faults import NotFoundError, UnknownReferenceError
from tenure.registry.tables.access import webhook, webhook_delivery
from tenure.registry.tables.ledger import lease
from tenure.registry.upserts import upsert
from tenure.registry.work import Reading, Work

KIND = "webhook"
_LEASE = "webhooks"


def add(work: Work, made: Webhook, cursor: int, cause: Cause) -> None:
    """A new webhook that hears of what is placed from ``cursor`` on. Raises UnknownReferenceError."""
    salt = work.salt()
    plain = {name: getattr(made, name) for name in ("id", "url", "created_at", "owner", "trust_domain", "enabled", "version")}
    try:
        work.insert(webhook, {**plain, "verbs": list(made.verbs), "cursor": cursor, "salt": salt})
    except IntegrityError as error:
        raise UnknownReferenceError(KIND, made.id) from error
    work.note(cause, KIND, str(made.id), None, value_digest(salt, made))


def switch(work: Work, id: UUID, enabled: bool, cause: Cause) -> Webhook:
    """On or off; off, it keeps its place and hears later of what it missed. Raises NotFoundError."""
    row = _held(work, id)
    was = _webhook(row)
    if was.enabled == enabled:
        return was
    now = replace(was, enabled=enabled, version=was.version + 1)
    work.write(update(webhook).where(webhook.c.id == id).values(enabled=enabled, version=now.version))
    work.note(cause, KIND, str(id), value_digest(row.salt, was), value_digest(row.salt, now))
    return now


def remove(work: Work, id: UUID, cause: Cause) -> Webhook:
    """The webhook goes, with all that waits for it and its dead letters. Raises NotFoundError."""
    row = _held(work, id)
    work.write(delete(webhook_delivery).where(webhook_delivery.c.webhook == id))
    work.write(delete(webhook).where(webhook.c.id == id))
    was = _webhook(row)
    work.note(cause, KIND, str(id), value_digest(row.salt, was), None)
    return was


def touch(work: Work, id: UUID, cause: Cause) -> None:
    """Notes what was done with its letters: the webhook itself is as it was. Raises NotFoundError."""
    row = _held(work, id)
    digest = value_digest(row.salt, _webhook(row))
    work.note(cause, KIND, str(id), digest, digest)


def get(reading: Reading, id: UUID) -> Webhook:
    """Raises NotFoundError."""
    if (row := reading.row(select(webhook).where(webhook.c.id == id))) is None:
        raise NotFoundError(KIND, id)
    return _webhook(row)


def listed(reading: Reading, after: UUID | None, limit: int) -> list[Webhook]:
    """By id, behind ``after``."""
    found = select(webhook).order_by(webhook.c.id).limit(limit)
    return [_webhook(row) for row in reading.rows(found if after is None else found.where(webhook.c.id > after))]


def counted(reading: Reading) -> int:
    return int(reading.connection.execute(select(func.count()).select_from(webhook)).scalar_one())


def cursors(reading: Reading) -> list[tuple[Webhook, int]]:
    """Webhooks that are on, with the position each hears of next."""
    return [(_webhook(row), row.cursor) for row in reading.rows(select(webhook).where(webhook.c.enabled).order_by(webhook.c.id))]


def move(work: Work, id: UUID, before: int, after: int) -> bool:
    """Moves a cursor, and holds the webhook until the commit. False: somebody else moved it, or the webhook is gone."""
    mine = update(webhook).where(webhook.c.id == id, webhook.c.cursor == before)
    return work.write(mine.values(cursor=after)) == 1


def take_lease(work: Work, holder: str, until: datetime) -> bool:
    """Whether ``holder`` delivers until then: it did before, nobody did, or the other's time is over."""
    mine_or_over = or_(lease.c.holder == holder, lease.c.until <= work.at)
    return upsert(work, lease, {"name": _LEASE, "holder": holder, "until": until}, where=mine_or_over)


def end_lease(work: Work, holder: str) -> None:
    work.write(update(lease).where(lease.c.name == _LEASE, lease.c.holder == holder).values(until=work.at))


def _held(work: Work, id: UUID) -> Row[Any]:
    if (row := work.row(select(webhook).where(webhook.c.id == id).with_for_update())) is None:
        raise NotFoundError(KIND, id)
    return row


def _webhook(row: Row[Any]) -> Webhook:
    return Webhook(row.id, row.url, row.created_at, row.owner, row.trust_domain, tuple(row.verbs), row.enabled, row.version)
