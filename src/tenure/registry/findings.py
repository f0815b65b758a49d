"""Kept findings: what audits saw, written with an event for each that opened, was resolved or opened again."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, false, or_, select, text, update

from tenure.lifecycle.findings import Basis, Change, FindingState, KeptFinding, NotLookedAt, Opened, Reopened, Resolved, SeenAgain
from tenure.model.access import Scope
from tenure.model.events import Cause, value_digest
from tenure.model.findings import Subject
from tenure.model.vocabulary import Severity
from tenure.registry.faults import NotFoundError
from tenure.registry.finding_places import SLICE, Place
from tenure.registry.scoping import visible
from tenure.registry.tables.devices import device
from tenure.registry.tables.findings import audit_run, finding
from tenure.registry.work import Reading, Work

KIND, RUN = "finding", "audit-run"
OPEN = tuple(state for state in FindingState if state.is_open)
_VERBS: Mapping[type[Change], str] = {Opened: "open", Resolved: "resolve", Reopened: "reopen"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What events vouch for of a finding; when it was seen last changes with every audit, and no event tells of it."""

    id: str
    rule: str
    state: FindingState
    opened_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class AuditRun:
    """An audit whose findings were kept."""

    id: UUID
    audit: str  # its name
    as_of: datetime
    started_at: datetime
    finished_at: datetime
    snapshots: tuple[str, ...]  # content ids
    rules: tuple[tuple[str, str], ...]  # id, and how it ended


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which findings a list shows; what is None is every one."""

    state: FindingState | None = None
    severity: Severity | None = None
    rule: str | None = None
    device: UUID | None = None
    only_open: bool = False
    opened_before: Mapping[Severity, datetime] | None = None  # open, and by severity: opened then or before


def hold(work: Work) -> None:
    """Whoever keeps an audit does so alone until the transaction ends; readers do not wait. SQLite has one writer anyway."""
    if work.postgres:
        work.connection.execute(text("LOCK TABLE finding IN SHARE ROW EXCLUSIVE MODE"))


def known(reading: Reading, found: Collection[str]) -> dict[str, KeptFinding]:
    """All that an audit can change: every open one, and of the resolved those that it found."""
    rows = list(reading.rows(select(finding).where(finding.c.state.in_(OPEN))))
    ids = sorted(found)
    for start in range(0, len(ids), SLICE):
        some = reading.among(finding.c.id, ids[start : start + SLICE])
        rows += reading.rows(select(finding).where(some, finding.c.state == FindingState.RESOLVED))
    return {row.id: value_of(row) for row in rows}


def add_run(work: Work, run: AuditRun, cause: Cause) -> None:
    work.insert(audit_run, asdict(run) | {"snapshots": list(run.snapshots), "rules": dict(run.rules)})
    work.note(cause, RUN, str(run.id), None, value_digest(b"", run))


def write(work: Work, changes: Iterable[Change], places: Mapping[str, Place], evidence: tuple[bytes, ...]) -> None:
    """What an audit changes, an event for each that opened, was resolved or opened again."""
    new, old = [], []
    for change in changes:
        if isinstance(change, NotLookedAt) or (isinstance(change, SeenAgain) and change.was == change.now):
            continue
        place = places[change.now.id]
        row = _row(change.now) | {"device": place.device, "owner": place.owner, "trust_domain": place.trust_domain}
        if isinstance(change, Opened):
            new.append(row | {"version": 1})
        else:
            old.append({f"new_{name}": value for name, value in row.items()})
        if (verb := _VERBS.get(type(change))) is not None:
            before = None if isinstance(change, Opened) else _digest(change.was)
            work.note(Cause(verb, evidence=evidence), KIND, change.now.id, before, _digest(change.now))
    work.insert(finding, *new)
    if old:
        names = [name.removeprefix("new_") for name in old[0] if name != "new_id"]
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
        same = finding.c.id == bindparam("new_id")
        work.write(update(finding).where(same).values(**values, version=finding.c.version + 1), old)


def get(reading: Reading, scope: Scope, id: str) -> KeptFinding:
    """Raises NotFoundError."""
    rows = reading.rows(_seen_by(scope).where(finding.c.id == id))
    if not rows:
        raise NotFoundError(KIND, id)
    return value_of(rows[0])


def listed(reading: Reading, scope: Scope, wanted: Wanted, after: str | None = None, limit: int = 100) -> list[KeptFinding]:
    """By id, behind ``after``."""
    found = _seen_by(scope).where(*_terms(wanted)).order_by(finding.c.id).limit(limit)
    if after is not None:
        found = found.where(finding.c.id > after)
    return list(map(value_of, reading.rows(found)))


def _terms(wanted: Wanted) -> list[ColumnElement[bool]]:
    chosen = {"state": wanted.state, "severity": wanted.severity, "rule": wanted.rule, "device": wanted.device}
    terms = [finding.c[name] == value for name, value in chosen.items() if value is not None]
    if wanted.only_open or wanted.opened_before is not None:
        terms.append(finding.c.state.in_(OPEN))
    if wanted.opened_before is not None:
        late = [and_(finding.c.severity == s, finding.c.opened_at <= day) for s, day in wanted.opened_before.items()]
        terms.append(or_(false(), *late))
    return terms


def _seen_by(scope: Scope) -> Select[Any]:
    """Whose device it was when it was kept, and is still: who gave the device away sees no more of it."""
    found = select(finding)
    if scope.whole:
        return found
    return found.join(device, device.c.id == finding.c.device).where(visible(scope, finding), visible(scope, device))


def _digest(value: KeptFinding) -> bytes:
    return value_digest(b"", Finding(value.id, value.rule, value.state, value.opened_at, value.resolved_at))


_PLAIN = ("id", "rule", "severity", "title", "state", "first_seen_at", "opened_at", "last_seen_at", "resolved_at")
_OF_SUBJECT = tuple(field.name for field in fields(Subject))


def _row(value: KeptFinding) -> dict[str, Any]:
    plain = {name: getattr(value, name) for name in _PLAIN}
    subjects = [{name: told for name in _OF_SUBJECT if (told := getattr(s, name)) is not None} for s in value.subjects]
    return plain | {"subjects": subjects, "audit": value.basis.audit, "basis": _told(value.basis)}


def value_of(row: Row[Any]) -> KeptFinding:
    subjects: Sequence[Mapping[str, Any]] = row.subjects
    plain = {name: getattr(row, name) for name in _PLAIN}
    return KeptFinding(**plain, subjects=tuple(Subject(**s) for s in subjects), basis=_basis(json.dumps(row.basis)))


@lru_cache(maxsize=64)
def _basis(told: str) -> Basis:
    """Findings of one audit share one basis: read once, not for each."""
    return _bases().validate_json(told)


@lru_cache(maxsize=64)
def _told(basis: Basis) -> Any:
    return _bases().dump_python(basis, mode="json")


@cache
def _bases() -> TypeAdapter[Basis]:
    return TypeAdapter(Basis)
