"""Letters to webhooks: what waits, what was given up. One that was delivered is no row any more. No events: see ``webhooks``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, delete, func, select, update

from tenure.model.webhooks import Delivery, DeliveryState
from tenure.registry.tables.access import webhook_delivery
from tenure.registry.work import Reading, Work

_ROW = webhook_delivery.c


def enqueue(work: Work, to: UUID, heard: Iterable[tuple[int, UUID]]) -> None:
    """Events (position and id) that a webhook hears of are due from now on."""
    new = {"webhook": to, "state": DeliveryState.WAITING.value, "attempts": 0, "next_at": work.at, "last_answer": ""}
    work.insert(webhook_delivery, *({**new, "position": position, "event": event} for position, event in heard))


def due(reading: Reading, of: UUID, now: datetime, limit: int) -> list[Delivery]:
    """What of a webhook is to be sent now, the longest due first."""
    ready = and_(_in(of, DeliveryState.WAITING), _ROW.next_at <= now)
    found = select(webhook_delivery).where(ready).order_by(_ROW.next_at, _ROW.position).limit(limit)
    return [_delivery(row) for row in reading.rows(found)]


def count(reading: Reading, of: UUID, state: DeliveryState) -> int:
    return int(reading.connection.execute(select(func.count()).where(_in(of, state))).scalar_one())


def delivered(work: Work, letter: Delivery) -> None:
    work.write(delete(webhook_delivery).where(_is(letter)))


def settle(work: Work, was: Delivery, now: Delivery) -> None:
    """How an attempt failed. Nothing, where another process tried meanwhile, or the letter is gone."""
    values = {"state": now.state.value, "attempts": now.attempts, "next_at": now.next_at, "last_answer": now.last_answer}
    as_it_was = and_(_is(was), _ROW.attempts == was.attempts, _ROW.state == was.state.value)
    work.write(update(webhook_delivery).where(as_it_was).values(**values))


def dead(reading: Reading, of: UUID, after: int | None, limit: int) -> list[Delivery]:
    """Dead letters of a webhook by position, behind ``after``."""
    found = select(webhook_delivery).where(_in(of, DeliveryState.DEAD)).order_by(_ROW.position).limit(limit)
    return [_delivery(row) for row in reading.rows(found if after is None else found.where(_ROW.position > after))]


def make_due(work: Work, of: UUID) -> int:
    """All that was not delivered is due now, what was given up with all its attempts before it. How many."""
    revived = {"state": DeliveryState.WAITING.value, "attempts": 0}
    count = work.write(update(webhook_delivery).where(_in(of, DeliveryState.DEAD)).values(**revived, next_at=work.at))
    waiting = and_(_in(of, DeliveryState.WAITING), _ROW.next_at > work.at)
    return count + work.write(update(webhook_delivery).where(waiting).values(next_at=work.at))


def _is(letter: Delivery) -> ColumnElement[bool]:
    return and_(_ROW.webhook == letter.webhook, _ROW.position == letter.position)


def _in(of: UUID, state: DeliveryState) -> ColumnElement[bool]:
    return and_(_ROW.webhook == of, _ROW.state == state.value)


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(row.webhook, row.position, row.event, DeliveryState(row.state), row.attempts, row.next_at, row.last_answer)
