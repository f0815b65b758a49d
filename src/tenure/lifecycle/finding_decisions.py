"""What people decide on kept findings, and where each finding stands by it: acknowledged, suppressed, assigned, overdue.

A decision has an owner and an end. None of them stops the clock: the age of a finding counts from when it was opened, and
only a suppression in force takes it off the list of what is overdue.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias

from tenure.errors import DeclarationError
from tenure.lifecycle.findings import KeptFinding
from tenure.model.decisions import Decision, FindingDecision, RuleDecision, SubjectDecision, in_force
from tenure.model.findings import Finding
from tenure.model.vocabulary import Severity

DEFAULT_TARGETS: Mapping[Severity, int] = {Severity.CRITICAL: 7, Severity.HIGH: 30, Severity.MEDIUM: 90, Severity.LOW: 180}
"""Days in which a finding should be resolved. A severity that is not there (info) has no target."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody knows of the finding and answers for it until a day; it stays open and ages."""

    finding: str
    reason: str
    who: str
    until: date  # the last day on which it holds, UTC

    @property
    def target(self) -> str:
        return f"finding {self.finding}"


@dataclass(frozen=True, slots=True)
class Assignment:
    """Somebody is to resolve it."""

    finding: str
    to: str
    who: str  # who assigned it

    @property
    def target(self) -> str:
        return f"finding {self.finding}"


@dataclass(frozen=True, slots=True)
class Targets:
    """In how many days a finding of each severity should be resolved."""

    days: Mapping[Severity, int] = field(default_factory=lambda: dict(DEFAULT_TARGETS))

    @classmethod
    def parse(cls, text: str) -> Targets:
        """Targets written ``critical=3,high=14``: what is not named keeps its default, 0 is no target.

        Raises DeclarationError for anything else.
        """
        days = dict(DEFAULT_TARGETS)
        for entry in filter(None, map(str.strip, text.split(","))):
            name, _, number = (part.strip() for part in entry.partition("="))
            if name not in list(Severity) or not (number.isascii() and number.isdigit() and len(number) <= 5):
                raise DeclarationError(f"not a target: {entry!r}", "write severity=days, as in critical=3,high=14 (0: no target)")
            days[Severity(name)] = int(number)
        return cls({severity: number for severity, number in days.items() if number})

    def due(self, finding: KeptFinding) -> datetime | None:
        """When a finding should be resolved; None where its severity has no target."""
        days = self.days.get(finding.severity)
        return None if days is None else finding.opened_at + timedelta(days=days)


Suppression: TypeAlias = RuleDecision | FindingDecision | SubjectDecision


@dataclass(frozen=True, slots=True)
class Kept:
    """All decisions that are kept, ended ones too."""

    suppressions: tuple[Decision, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] = ()
    assignments: tuple[Assignment, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one finding stands at one time."""

    finding: KeptFinding
    age: timedelta  # while open: since it was opened; resolved: how long it was open
    due: datetime | None  # None: its severity has no target
    suppressed: Suppression | None = None
    acknowledged: Acknowledgement | None = None
    assigned_to: str | None = None
    overdue: bool = False


def standings(findings: Iterable[KeptFinding], decisions: Kept, targets: Targets, now: datetime) -> list[Standing]:
    """Where each finding stands: overdue ones first, then gravest, then oldest; resolved ones last."""
    held = in_force(decisions.suppressions, now)
    known = {a.finding: a for a in decisions.acknowledgements if holds(a.until, now)}
    whose = {a.finding: a.to for a in decisions.assignments}
    told = []
    for finding in findings:
        suppressed = held.rules.get(finding.rule) or held.on(_as_found(finding))
        due = targets.due(finding)
        late = finding.state.is_open and suppressed is None and due is not None and now >= due
        age = (finding.resolved_at or now) - finding.opened_at
        told.append(Standing(finding, age, due, suppressed, known.get(finding.id), whose.get(finding.id), late))
    return sorted(told, key=_order)


def holds(until: date, now: datetime) -> bool:
    """Whether a decision holds: to the end of its last day, UTC."""
    return now - datetime.combine(until, time.min, UTC) < timedelta(days=1)


def _as_found(finding: KeptFinding) -> Finding:
    return Finding(finding.id, finding.rule, finding.severity, finding.title, "", finding.subjects, {}, None, ())


def _order(standing: Standing) -> tuple[bool, bool, int, datetime, str]:
    finding = standing.finding
    return (not finding.state.is_open, not standing.overdue, finding.severity.rank, finding.opened_at, finding.id)


@dataclass(frozen=True, slots=True)
class Import:
    """What a file of decisions changes in those that are kept. What the file does not name stays."""

    new: tuple[Decision, ...]
    changed: tuple[tuple[Decision, Decision], ...]  # was, is now
    same: int


def plan_import(kept: Collection[Decision], file: Collection[Decision]) -> Import:
    """Holds a file against what is kept, decision by decision. Importing what was exported changes nothing."""
    before = {decision.target: decision for decision in kept}
    new = tuple(d for d in file if d.target not in before)
    changed = tuple((was, d) for d in file if (was := before.get(d.target)) is not None and was != d)
    return Import(new, changed, len(file) - len(new) - len(changed))
