"""Findings in the one order all reports share, and the counts their summaries show."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from tenure.model.findings import AuditResult, Finding, ProblemSummary, RuleOutcome, SuppressedFinding
from tenure.model.vocabulary import RuleStatus, Severity

AnyFinding = TypeVar("AnyFinding", Finding, SuppressedFinding)


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """One rule with all that it found. ``severity`` is the gravest of its findings (a rule may raise single ones)."""

    outcome: RuleOutcome
    severity: Severity
    findings: tuple[Finding, ...]

    @property
    def controls(self) -> tuple[str, ...]:
        """Clauses of frameworks that its findings touch."""
        return tuple(sorted({control for finding in self.findings for control in finding.controls}))


@dataclass(frozen=True, slots=True)
class ProblemGroup:
    """Problems of one source with one reason."""

    source: str
    reason: str
    problems: tuple[ProblemSummary, ...]


def ordered(findings: Iterable[AnyFinding]) -> list[AnyFinding]:
    """Gravest first, then by rule and id: the same findings always stand in the same order."""
    return sorted(findings, key=lambda f: (f.severity.rank, f.rule, f.id))


def by_severity(findings: Iterable[Finding]) -> dict[Severity, int]:
    """How many of each severity, gravest first, zeros too."""
    found = Counter(f.severity for f in findings)
    return {severity: found[severity] for severity in Severity}


def by_rule(result: AuditResult) -> list[RuleGroup]:
    """The rules that found something: gravest first, then those with most findings, then by id."""
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in ordered(result.findings):
        found[finding.rule].append(finding)
    outcomes = {outcome.id: outcome for outcome in result.rules}
    groups = [
        RuleGroup(outcomes.get(rule) or _outcome_of(findings), findings[0].severity, tuple(findings))
        for rule, findings in found.items()
    ]
    return sorted(groups, key=lambda g: (g.severity.rank, -len(g.findings), g.outcome.id))


def _outcome_of(findings: list[Finding]) -> RuleOutcome:
    """The outcome of a rule that the result does not list (a report pieced together elsewhere)."""
    first = findings[0]
    return RuleOutcome(first.rule, first.title, first.severity, RuleStatus.ASSESSED, len(findings))


def with_status(result: AuditResult, *statuses: RuleStatus) -> list[RuleOutcome]:
    """The rules of these statuses, by id."""
    return sorted((r for r in result.rules if r.status in statuses), key=lambda r: r.id)


def suppressed(result: AuditResult) -> int:
    """How many findings decisions hide."""
    return sum(r.suppressed for r in result.rules)


def by_reason(problems: Iterable[ProblemSummary]) -> list[ProblemGroup]:
    """Problems of one source with one reason together, the most frequent first."""
    found: dict[tuple[str, str], list[ProblemSummary]] = defaultdict(list)
    for problem in problems:
        found[problem.source, problem.reason].append(problem)
    groups = [ProblemGroup(source, reason, tuple(those)) for (source, reason), those in found.items()]
    return sorted(groups, key=lambda g: (-len(g.problems), g.source, g.reason))


def by_control(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings touch each clause of a framework, by clause."""
    found = Counter(control for finding in findings for control in set(finding.controls))
    return dict(sorted(found.items()))
