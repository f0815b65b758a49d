"""Webhooks and their deliveries in the registry.

A webhook is a change with its event. Deliveries are not, or each would beget one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, delete, select, update

from tenure.model.events import Cause, value_digest
from tenure.model.webhooks import Delivery, DeliveryState, Webhook
from tenure.registry.faults import NotFoundError
from tenure.registry.tables.access import webhook, webhook_delivery
from tenure.registry.work import Reading, Work

KIND = "webhook"


def add(work: Work, made: Webhook, cursor: int, cause: Cause) -> None:
    """A new webhook that hears of what is placed from ``cursor`` on."""
    salt = work.salt()
    work.insert(webhook, {**_row(made), "cursor": cursor, "created_at": made.created_at, "salt": salt})
    work.note(cause, KIND, str(made.id), None, value_digest(salt, made))


def switch(work: Work, id: UUID, enabled: bool, cause: Cause) -> Webhook:
    """Switched on or off; off, it keeps its place and hears later of what it missed."""
    row = _one(work, id)
    was = _webhook(row)
    if was.enabled == enabled:
        return was
    now = replace(was, enabled=enabled, version=was.version + 1)
    work.write(update(webhook).where(webhook.c.id == id).values(enabled=enabled, version=now.version))
    work.note(cause, KIND, str(id), value_digest(row.salt, was), value_digest(row.salt, now))
    return now


def remove(work: Work, id: UUID, cause: Cause) -> None:
    """The webhook with all that waits for it."""
    row = _one(work, id)
    work.write(delete(webhook_delivery).where(webhook_delivery.c.webhook == id))
    work.write(delete(webhook).where(webhook.c.id == id))
    work.note(cause, KIND, str(id), value_digest(row.salt, _webhook(row)), None)


def webhooks(reading: Reading) -> tuple[Webhook, ...]:
    return tuple(_webhook(row) for row in reading.rows(select(webhook).order_by(webhook.c.id)))


def cursors(work: Work) -> list[tuple[Webhook, int]]:
    """Webhooks that are on, with the position each hears of next, held until the commit; not those another process holds."""
    held = select(webhook).where(webhook.c.enabled).order_by(webhook.c.id).with_for_update(skip_locked=True)
    return [(_webhook(row), row.cursor) for row in work.rows(held)]


def enqueue(work: Work, to: UUID, heard: Iterable[tuple[int, UUID]], cursor: int) -> None:
    """What a webhook hears of (position and event) waits for delivery from now on, and its cursor stands behind it."""
    waiting = {"webhook": to, "state": DeliveryState.WAITING.value, "attempts": 0, "next_at": work.at, "last_answer": ""}
    work.insert(webhook_delivery, *({**waiting, "position": position, "event": event} for position, event in heard))
    work.write(update(webhook).where(webhook.c.id == to).values(cursor=cursor))


def claim(work: Work, limit: int, until: datetime) -> list[tuple[Webhook, Delivery]]:
    """Deliveries that are due, put off to ``until``: no other process sends them, and if we die they are due again then."""
    d = webhook_delivery.c
    due = (
        select(webhook_delivery)
        .where(d.state == DeliveryState.WAITING.value, d.next_at <= work.at)
        .where(d.webhook.in_(select(webhook.c.id).where(webhook.c.enabled)))
        .order_by(d.next_at, d.position)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = work.rows(due)
    for row in rows:
        work.write(update(webhook_delivery).where(_is(row.webhook, row.position)).values(next_at=until))
    known = {w.id: w for w in webhooks(work)}
    return [(known[row.webhook], _delivery(row)) for row in rows]


def settle(work: Work, now: Delivery) -> None:
    """How an attempt ended. A delivery that was dropped meanwhile stays dropped."""
    values = {"state": now.state.value, "attempts": now.attempts, "next_at": now.next_at, "last_answer": now.last_answer}
    work.write(update(webhook_delivery).where(_is(now.webhook, now.position)).values(**values))


def deliveries(reading: Reading, state: DeliveryState, of: UUID | None = None, limit: int = 1000) -> tuple[Delivery, ...]:
    """Deliveries in a state, oldest first."""
    d = webhook_delivery.c
    found = select(webhook_delivery).where(d.state == state.value).order_by(d.next_at, d.webhook, d.position).limit(limit)
    return tuple(_delivery(row) for row in reading.rows(found if of is None else found.where(d.webhook == of)))


def resend(work: Work, of: UUID, cause: Cause) -> int:
    """The dead letters of a webhook are due again, with all attempts before them."""
    row = _one(work, of)
    due = {"state": DeliveryState.WAITING.value, "attempts": 0, "next_at": work.at}
    count = work.write(update(webhook_delivery).where(_dead(of)).values(**due))
    if count:
        digest = value_digest(row.salt, _webhook(row))
        work.note(cause, KIND, str(of), digest, digest)
    return count


def drop(work: Work, of: UUID, cause: Cause) -> int:
    """The dead letters of a webhook are given up for good."""
    row = _one(work, of)
    count = work.write(delete(webhook_delivery).where(_dead(of)))
    if count:
        digest = value_digest(row.salt, _webhook(row))
        work.note(cause, KIND, str(of), digest, digest)
    return count


def _is(of: UUID, position: int) -> Any:
    return and_(webhook_delivery.c.webhook == of, webhook_delivery.c.position == position)


def _dead(of: UUID) -> Any:
    return and_(webhook_delivery.c.webhook == of, webhook_delivery.c.state == DeliveryState.DEAD.value)


def _one(reading: Reading, id: UUID) -> Row[Any]:
    if (row := reading.row(select(webhook).where(webhook.c.id == id).with_for_update())) is None:
        raise NotFoundError(KIND, id)
    return row


def _row(made: Webhook) -> dict[str, Any]:
    plain = {name: getattr(made, name) for name in ("id", "url", "owner", "trust_domain", "enabled", "version")}
    return {**plain, "verbs": list(made.verbs)}


def _webhook(row: Row[Any]) -> Webhook:
    return Webhook(row.id, row.url, row.created_at, row.owner, row.trust_domain, tuple(row.verbs), row.enabled, row.version)


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(row.webhook, row.position, row.event, DeliveryState(row.state), row.attempts, row.next_at, row.last_answer)
