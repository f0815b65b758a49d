"""What people decided on findings: rows that are never changed but ended, each beginning and end with its event.

Of one kind there is one decision in force on one target; a new one ends the one before it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Row, Select, select, text, update

from tenure.lifecycle.finding_decisions import Acknowledgement, Assignment, Kept
from tenure.model.decisions import Decision, FindingDecision, RuleDecision, SubjectDecision
from tenure.model.events import Cause, value_digest
from tenure.registry.finding_places import SLICE
from tenure.registry.tables.findings import decision
from tenure.registry.work import Reading, Work

KIND = "decision"
Choice: TypeAlias = Decision | Acknowledgement | Assignment
ACKNOWLEDGED, SUPPRESSED, ASSIGNED = "acknowledged", "suppressed", "assigned"
_VERBS = {ACKNOWLEDGED: "acknowledge", SUPPRESSED: "suppress", ASSIGNED: "assign"}


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A decision as events vouch for it."""

    id: UUID
    kind: str
    rule: str | None
    finding: str | None
    subject: str | None
    reason: str
    who: str
    assigned_to: str | None
    until: str | None  # the last day, ISO 8601
    decided_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A decision that was not ended, and its row."""

    choice: Choice
    record: DecisionRecord
    salt: bytes

    @property
    def kind(self) -> str:
        return self.record.kind


def hold(work: Work) -> None:
    """Whoever decides does so alone until the transaction ends: there is never a second decision of a kind on one target."""
    if work.postgres:
        work.connection.execute(text("LOCK TABLE decision IN SHARE ROW EXCLUSIVE MODE"))


def held(reading: Reading) -> list[Held]:
    """All that were not ended, in the order they were made."""
    return list(map(_held, reading.rows(_standing().order_by(decision.c.id))))


def on_finding(reading: Reading, finding: str) -> list[Held]:
    """What was decided on one finding itself."""
    return list(map(_held, reading.rows(_standing().where(decision.c.finding == finding).order_by(decision.c.id))))


def touching(reading: Reading, findings: Sequence[str], rules: Collection[str]) -> Kept:
    """All that bears on these findings of these rules, in the form in which they are judged."""
    about_rules = decision.c.rule.in_(sorted(rules))
    rows = [*reading.rows(_standing().where(about_rules))]
    for start in range(0, len(findings), SLICE):
        rows += reading.rows(_standing().where(reading.among(decision.c.finding, findings[start : start + SLICE])))
    choices = [_held(row).choice for row in rows]
    return Kept(
        tuple(c for c in choices if isinstance(c, RuleDecision | FindingDecision | SubjectDecision)),
        tuple(c for c in choices if isinstance(c, Acknowledgement)),
        tuple(c for c in choices if isinstance(c, Assignment)),
    )


def add(work: Work, choice: Choice, evidence: tuple[bytes, ...] = ()) -> DecisionRecord:
    """A new decision. The one before it of its kind, on its target, was ended."""
    kind = kind_of(choice)
    record = DecisionRecord(work.world.ids(), kind, **_told(choice), decided_at=work.at)
    salt = work.salt()
    row = asdict(record) | {"until": _day(record.until), "salt": salt, "version": 1}
    work.insert(decision, row)
    cause = Cause(_VERBS[kind], record.reason, evidence)
    work.note(cause, KIND, str(record.id), None, value_digest(salt, record))
    return record


def end(work: Work, held: Held, cause: Cause) -> None:
    """It holds no more. The row stays until retention is over."""
    before = held.record
    after = DecisionRecord(**asdict(before) | {"ended_at": work.at})
    values = {"ended_at": work.at, "version": decision.c.version + 1}
    work.write(update(decision).where(decision.c.id == before.id).values(**values))
    work.note(cause, KIND, str(before.id), value_digest(held.salt, before), value_digest(held.salt, after))


def kind_of(choice: Choice) -> str:
    match choice:
        case Acknowledgement():
            return ACKNOWLEDGED
        case Assignment():
            return ASSIGNED
    return SUPPRESSED


def _standing() -> Select[Any]:
    return select(decision).where(decision.c.ended_at.is_(None))


def _told(choice: Choice) -> dict[str, Any]:
    named = {name: getattr(choice, name, None) for name in ("rule", "finding", "subject", "who")}
    until: date | None = getattr(choice, "until", None)
    day = None if until is None else until.isoformat()
    return named | {"reason": getattr(choice, "reason", ""), "assigned_to": getattr(choice, "to", None), "until": day}


def _held(row: Row[Any]) -> Held:
    plain = {name: getattr(row, name) for name in ("id", "kind", "rule", "finding", "subject", "reason", "who", "assigned_to")}
    day = None if row.until is None else row.until.isoformat()
    record = DecisionRecord(**plain, until=day, decided_at=row.decided_at, ended_at=row.ended_at)
    return Held(_choice(row), record, row.salt or b"")


def _choice(row: Row[Any]) -> Choice:
    if row.kind == ASSIGNED:
        return Assignment(row.finding, row.assigned_to, row.who)
    why = (row.reason, row.who, row.until)
    if row.kind == ACKNOWLEDGED:
        return Acknowledgement(row.finding, *why)
    if row.finding is not None:
        return FindingDecision(row.finding, *why)
    return RuleDecision(row.rule, *why) if row.subject is None else SubjectDecision(row.rule, row.subject, *why)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
