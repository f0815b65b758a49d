"""Obligations and their evidence: opened with the act that causes them, closed by the token that only evidence makes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, exists, insert, or_, select, update

from tenure.lifecycle.obligations import Closed
from tenure.model.access import Scope
from tenure.model.events import Cause, value_digest
from tenure.model.obligations import EvidenceKind, Obligation, ObligationEvidence, ObligationState
from tenure.registry.faults import ConflictError, NotFoundError
from tenure.registry.scoping import visible
from tenure.registry.tables.custody import custody
from tenure.registry.tables.devices import device
from tenure.registry.tables.enforcement import obligation, obligation_evidence
from tenure.registry.work import Reading, Work

KIND = "obligation"
_SAME = [field.name for field in fields(Obligation) if field.name != "closed_by"]


def get(reading: Reading, scope: Scope, id: UUID) -> Obligation:
    """Raises NotFoundError, also for one of a device the caller may not see."""
    rows = reading.rows(_seen_by(scope).where(obligation.c.id == id))
    if not rows:
        raise NotFoundError(KIND, id)
    return _value(rows[0])


def of_device(reading: Reading, id: UUID, *, only_open: bool = False) -> tuple[Obligation, ...]:
    """All of a device whose visibility was asked before, oldest first."""
    found = select(obligation).where(obligation.c.device == id).order_by(obligation.c.id)
    return tuple(map(_value, reading.rows(_open(found) if only_open else found)))


def seen_of_device(reading: Reading, scope: Scope, id: UUID) -> tuple[Obligation, ...]:
    """Those of a device that a caller may see, oldest first."""
    return tuple(map(_value, reading.rows(_seen_by(scope).where(obligation.c.device == id).order_by(obligation.c.id))))


def of_cause(reading: Reading, scope: Scope, cause: UUID) -> tuple[Obligation, ...]:
    """All of one retirement, transfer, loss or return."""
    return tuple(map(_value, reading.rows(_seen_by(scope).where(obligation.c.cause == cause).order_by(obligation.c.id))))


def listed_open(
    reading: Reading,
    scope: Scope,
    *,
    relying_party: UUID | None = None,
    due_before: datetime | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> tuple[Obligation, ...]:
    """Open ones by id, behind ``after``."""
    found = _open(_seen_by(scope)).order_by(obligation.c.id).limit(limit)
    if relying_party is not None:
        found = found.where(obligation.c.relying_party == relying_party)
    if due_before is not None:
        found = found.where(obligation.c.due < due_before)
    if after is not None:
        found = found.where(obligation.c.id > after)
    return tuple(map(_value, reading.rows(found)))


def evidence_of(reading: Reading, ids: Collection[UUID]) -> tuple[ObligationEvidence, ...]:
    rows = reading.rows(
        select(obligation_evidence).where(obligation_evidence.c.obligation.in_(ids)).order_by(obligation_evidence.c.id)
    )
    return tuple(ObligationEvidence(r.id, r.obligation, r.kind, r.at, r.digest, r.source, r.detail) for r in rows)


def statements(reading: Reading, scope: Scope, devices: Collection[UUID], about: str) -> tuple[bytes, ...]:
    """The records themselves of signed statements on devices, as far as a caller may see what they closed."""
    seen = _seen_by(scope).where(reading.among(obligation.c.device, list(devices))).subquery()
    kept = obligation_evidence.c
    found = select(kept.content).join(seen, seen.c.id == kept.obligation)
    found = found.where(kept.kind == EvidenceKind.STATEMENT, kept.detail == about, kept.content.is_not(None)).order_by(kept.id)
    return tuple(row.content for row in reading.rows(found))


def open_all(work: Work, opened: Collection[Obligation], cause: Cause) -> None:
    """New ones, of a permission."""
    for each in opened:
        work.write(insert(obligation).values(_row(each)))
        work.note(cause, KIND, str(each.id), None, value_digest(b"", each))


def void(work: Work, voided: Collection[Obligation], cause: Cause) -> None:
    """What a return contradicts, of a permission."""
    for each in voided:
        _settle(work, each, cause)


def add_evidence(work: Work, given: ObligationEvidence, cause: Cause, content: bytes | None = None) -> None:
    """What came from a party. It closes nothing by itself, and is kept also when it does not count."""
    work.write(insert(obligation_evidence).values({f.name: getattr(given, f.name) for f in fields(given)} | {"content": content}))
    work.note(cause, "obligation-evidence", str(given.id), None, value_digest(b"", given))


def close(work: Work, closed: Closed, cause: Cause) -> None:
    """Closes on evidence. Raises ConflictError when it was settled meanwhile."""
    _settle(work, closed.obligation, Cause(cause.verb, cause.reason, (*cause.evidence, *(e.digest for e in closed.rests_on))))


def _settle(work: Work, after: Obligation, cause: Cause) -> None:
    rows = work.rows(_open(select(obligation).where(obligation.c.id == after.id)).with_for_update())
    if not rows:
        raise ConflictError(KIND, after.id, 1)
    work.write(update(obligation).where(obligation.c.id == after.id).values(state=after.state, settled_at=after.settled_at))
    work.note(cause, KIND, str(after.id), value_digest(b"", _value(rows[0])), value_digest(b"", after))


def _seen_by(scope: Scope) -> Select[Any]:
    """Those of the present term of devices in the scope, and of terms in which an owner of the scope had the device.

    What ends an owner's trust is that owner's to follow up; the next one learns nothing of it (invariant 14).
    """
    found = select(obligation).join(device, device.c.id == obligation.c.device)
    if scope.whole:
        return found
    owners = [area.owner for area in scope.areas if area.owner is not None and area.trust_domain is None]
    then = exists().where(
        custody.c.device == obligation.c.device, custody.c.term == obligation.c.term, custody.c.owner.in_(sorted(owners))
    )
    return found.where(or_(and_(visible(scope, device), obligation.c.term == device.c.term), then))


def _open(found: Select[Any]) -> Select[Any]:
    return found.where(obligation.c.state == ObligationState.OPEN)


def _row(value: Obligation) -> dict[str, Any]:
    sets = sorted("+".join(sorted(kinds)) for kinds in value.closed_by)
    return {name: getattr(value, name) for name in _SAME} | {"closed_by": " ".join(sets)}


def _value(row: Row[Any]) -> Obligation:
    sets: Sequence[str] = row.closed_by.split()
    closed_by = frozenset(frozenset(map(EvidenceKind, kinds.split("+"))) for kinds in sets)
    return Obligation(**{name: getattr(row, name) for name in _SAME}, closed_by=closed_by)
