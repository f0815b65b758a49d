"""Requests for a second person: asked, decided, used once."""

from __future__ import annotations

from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update

from tenure.model.access import Scope
from tenure.model.approvals import Approval, ApprovalState
from tenure.model.events import Cause, value_digest
from tenure.registry.faults import ConflictError, NotFoundError
from tenure.registry.scoping import visible
from tenure.registry.tables.access import approval
from tenure.registry.work import Reading, Work

KIND = "approval"
_NAMES = [field.name for field in fields(Approval)]


def get(reading: Reading, scope: Scope, id: UUID) -> Approval:
    """Raises NotFoundError."""
    row = reading.row(select(approval).where(approval.c.id == id, visible(scope, approval)))
    if row is None:
        raise NotFoundError(KIND, id)
    return _value(row)


def listed(
    reading: Reading, scope: Scope, state: ApprovalState | None = None, after: UUID | None = None, limit: int = 100
) -> tuple[Approval, ...]:
    """By id, behind ``after``."""
    found = select(approval).where(visible(scope, approval)).order_by(approval.c.id).limit(limit)
    if state is not None:
        found = found.where(approval.c.state == state)
    if after is not None:
        found = found.where(approval.c.id > after)
    return tuple(map(_value, reading.rows(found)))


def overdue(work: Work, limit: int) -> tuple[Approval, ...]:
    """Those whose time is over, undecided or unused; locked, but for those that somebody is deciding on or using now."""
    open_ones = approval.c.state.in_([ApprovalState.WAITING, ApprovalState.APPROVED])
    found = select(approval).where(open_ones, approval.c.until <= work.at).order_by(approval.c.until).limit(limit)
    return tuple(map(_value, work.rows(found.with_for_update(skip_locked=True))))


def add(work: Work, request: Approval, cause: Cause) -> None:
    salt = work.salt()
    work.write(insert(approval).values({name: getattr(request, name) for name in _NAMES} | {"salt": salt}))
    work.note(cause, KIND, str(request.id), None, value_digest(salt, request))


def change(work: Work, after: Approval, cause: Cause) -> Approval:
    """It becomes ``after``, from the version that was read: two deciders, or two uses, are one and a ConflictError."""
    row = work.row(select(approval).where(approval.c.id == after.id).with_for_update())
    if row is None:
        raise NotFoundError(KIND, after.id)
    before, salt = _value(row), row.salt or b""
    if before.version != after.version:
        raise ConflictError(KIND, after.id, after.version)
    values = {name: getattr(after, name) for name in _NAMES} | {"version": after.version + 1}
    now = Approval(**values)
    work.write(update(approval).where(approval.c.id == after.id).values(values))
    work.note(cause, KIND, str(after.id), value_digest(salt, before), value_digest(salt, now))
    return now


def _value(row: Row[Any]) -> Approval:
    return Approval(**{name: getattr(row, name) for name in _NAMES})
