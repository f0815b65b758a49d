"""Retention: no history grows for ever. What bars, what proves and what something open still needs stays.

Never removed, whatever the settings: tombstones, events, places, tiles, checkpoints, records, roots, custody of a device that
is here, a credential that could still be accepted or that an open obligation is about, evidence of an open obligation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, delete, exists, or_, select, tuple_

from tenure.model.approvals import ApprovalState
from tenure.model.obligations import ObligationState
from tenure.registry.tables.access import approval, idempotency, role_assignment, webhook_delivery
from tenure.registry.tables.credentials import credential
from tenure.registry.tables.enforcement import delegation, grant, obligation, obligation_evidence, registration
from tenure.registry.tables.findings import audit_run, decision, finding
from tenure.registry.tables.ledger import event_text
from tenure.registry.work import Work

SLICE = 1000
"""Rows in one transaction: pruning never holds anybody up for long."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each kind of history is kept."""

    repeated_requests: timedelta = timedelta(days=2)
    deliveries: timedelta = timedelta(days=30)
    approvals: timedelta = timedelta(days=400)
    audits: timedelta = timedelta(days=400)
    ended_rights: timedelta = timedelta(days=800)  # grants, delegations, registrations, roles, decisions
    ended_credentials: timedelta = timedelta(days=800)  # counted from when nothing can accept them any more
    settled_obligations: timedelta = timedelta(days=3650)  # a device's life: they are the proof of its offboarding
    reasons: timedelta = timedelta(days=3650)  # texts by people; the events keep their salted digest


def prune(work: Work, kept: Retention, now: datetime) -> int:
    """Removes one slice of each kind that is over. Answers how many rows went; call again until it is 0."""
    return sum(_remove(work, table, over) for table, over in _over(kept, now))


def _over(kept: Retention, now: datetime) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    rights = now - kept.ended_rights
    yield idempotency, idempotency.c.at < now - kept.repeated_requests
    yield webhook_delivery, and_(webhook_delivery.c.state != "waiting", webhook_delivery.c.next_at < now - kept.deliveries)
    settled = approval.c.state.in_([ApprovalState.USED, ApprovalState.REFUSED, ApprovalState.LAPSED])
    yield approval, and_(settled, approval.c.until < now - kept.approvals)
    yield audit_run, audit_run.c.as_of < now - kept.audits
    yield finding, finding.c.resolved_at < now - kept.audits
    yield decision, decision.c.ended_at < rights
    yield role_assignment, role_assignment.c.ended_at < rights
    for table in (grant, delegation, registration):
        yield table, and_(table.c.ended_at < rights, ~_open_about(table))
    expired = and_(credential.c.not_after < now - kept.ended_credentials, credential.c.not_after.is_not(None))
    ended = and_(credential.c.not_after.is_(None), credential.c.ended_at < now - kept.ended_credentials)
    yield credential, and_(or_(expired, ended), ~_open_about(credential))
    yield from _settled_obligations(now - kept.settled_obligations)
    yield event_text, event_text.c.at < now - kept.reasons


def _settled_obligations(before: datetime) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """First the evidence, then the obligations that have none left."""
    over = and_(obligation.c.state != ObligationState.OPEN, obligation.c.settled_at < before)
    yield obligation_evidence, obligation_evidence.c.obligation.in_(select(obligation.c.id).where(over))
    yield obligation, and_(over, ~exists().where(obligation_evidence.c.obligation == obligation.c.id))


def _open_about(table: Table) -> ColumnElement[bool]:
    """Whether something of the row's device is still open: then nothing of it goes."""
    about = or_(obligation.c.target == table.c.id, obligation.c.device == table.c.device)
    return exists().where(about, obligation.c.state == ObligationState.OPEN)


def _remove(work: Work, table: Table, over: ColumnElement[bool]) -> int:
    keys = list(table.primary_key.columns)
    some: Select[Any] = select(*keys).where(over).limit(SLICE)
    return work.write(delete(table).where(tuple_(*keys).in_(some)))
