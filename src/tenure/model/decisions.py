"""Decisions of people on rules and findings: a rule is switched off, a finding suppressed, for a reason and until a day.

One mechanism and one TOML file (``docs/decisions-file.md``). A decision has an owner and an end, because a finding
nobody looks at again is the same as no audit. Pure values: what applies follows from the as-of time alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tenure.errors import DeclarationError
from tenure.model.findings import Finding

LONG = timedelta(days=366)
_KEYS = frozenset({"rule", "finding", "subject", "reason", "who", "until"})


@dataclass(frozen=True, slots=True)
class RuleDecision:
    """The whole rule is switched off."""

    rule: str
    reason: str
    who: str
    until: date  # the last day on which it holds, UTC

    @property
    def target(self) -> str:
        return f"rule {self.rule}"


@dataclass(frozen=True, slots=True)
class FindingDecision:
    """One finding is suppressed."""

    finding: str
    reason: str
    who: str
    until: date

    @property
    def target(self) -> str:
        return f"finding {self.finding}"


@dataclass(frozen=True, slots=True)
class SubjectDecision:
    """The findings of one rule that name one subject are suppressed."""

    rule: str
    subject: str  # strong id
    reason: str
    who: str
    until: date

    @property
    def target(self) -> str:
        return f"rule {self.rule} for {self.subject}"


Decision = RuleDecision | FindingDecision | SubjectDecision


@dataclass(frozen=True, slots=True)
class Decisions:
    """What holds at one as-of time, ready to be asked; what has ended stands beside it."""

    rules: Mapping[str, RuleDecision] = field(default_factory=dict)
    findings: Mapping[str, FindingDecision] = field(default_factory=dict)
    subjects: Mapping[tuple[str, str], SubjectDecision] = field(default_factory=dict)
    ended: tuple[Decision, ...] = ()
    long: tuple[Decision, ...] = ()  # hold, and end more than a year after the as-of time

    def on(self, finding: Finding) -> FindingDecision | SubjectDecision | None:
        """The decision that suppresses a finding, if one does."""
        if found := self.findings.get(finding.id):
            return found
        if not self.subjects:
            return None
        return next((d for s in finding.subjects if (d := self.subjects.get((finding.rule, s.id)))), None)


def in_force(decisions: Collection[Decision], as_of: datetime) -> Decisions:
    """The decisions that hold at a time: each holds to the end of its last day, UTC."""
    rules: dict[str, RuleDecision] = {}
    findings: dict[str, FindingDecision] = {}
    subjects: dict[tuple[str, str], SubjectDecision] = {}
    ended: list[Decision] = []
    long: list[Decision] = []
    for decision in decisions:
        end = datetime.combine(decision.until, time.min, UTC)
        if as_of - end >= timedelta(days=1):
            ended.append(decision)
            continue
        if end - as_of > LONG:
            long.append(decision)
        match decision:
            case RuleDecision():
                rules[decision.rule] = decision
            case FindingDecision():
                findings[decision.finding] = decision
            case SubjectDecision():
                subjects[decision.rule, decision.subject] = decision
    return Decisions(rules, findings, subjects, tuple(ended), tuple(long))


def parse_decisions(text: str, name: str) -> tuple[Decision, ...]:
    """The decisions in the text of a file called ``name``, in its order. Raises DeclarationError with the entry's number."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DeclarationError(f"{name} is no TOML: {error}", "mend the line it names (docs/decisions-file.md)") from error
    if unknown := sorted(table.keys() - {"decision"}):
        raise DeclarationError(f"{name}: unknown key {unknown[0]}", "each decision is a [[decision]] entry")
    entries = table.get("decision", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DeclarationError(f"{name}: decision is not a list of entries", "write [[decision]], with two brackets")
    found: dict[str, Decision] = {}
    for number, entry in enumerate(entries, 1):
        decision = _decision(entry, f"{name}, decision {number}")
        if decision.target in found:
            raise DeclarationError(f"{name}, decision {number}: {decision.target} was decided before", "keep one of the two")
        found[decision.target] = decision
    return tuple(found.values())


def format_decisions(decisions: Collection[Decision]) -> str:
    """The TOML text of decisions; ``parse_decisions`` gives them back."""
    return "\n".join(_entry(decision) for decision in decisions)


def _decision(entry: Mapping[str, Any], where: str) -> Decision:
    if unknown := sorted(entry.keys() - _KEYS):
        raise DeclarationError(f"{where}: unknown key {unknown[0]}", f"known: {', '.join(sorted(_KEYS))}")
    reason, who = _text(entry, "reason", where), _text(entry, "who", where)
    until = entry.get("until")
    if isinstance(until, datetime) or not isinstance(until, date):
        raise DeclarationError(f"{where}: until is not a day", "add the last day on which it holds, as in until = 2026-12-31")
    match ("rule" in entry, "finding" in entry, "subject" in entry):
        case (True, False, False):
            return RuleDecision(_text(entry, "rule", where), reason, who, until)
        case (False, True, False):
            return FindingDecision(_text(entry, "finding", where), reason, who, until)
        case (True, False, True):
            return SubjectDecision(_text(entry, "rule", where), _text(entry, "subject", where), reason, who, until)
    raise DeclarationError(f"{where} does not say on what", "give rule, or finding, or rule and subject")


def _text(entry: Mapping[str, Any], key: str, where: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip():
        raise DeclarationError(f"{where}: {key} is not a text", f'add {key} = "..."')
    return value.strip()


def _entry(decision: Decision) -> str:
    match decision:
        case RuleDecision():
            on = [("rule", decision.rule)]
        case FindingDecision():
            on = [("finding", decision.finding)]
        case SubjectDecision():
            on = [("rule", decision.rule), ("subject", decision.subject)]
    lines = [f"{key} = {_quoted(value)}" for key, value in [*on, ("reason", decision.reason), ("who", decision.who)]]
    return "\n".join(["[[decision]]", *lines, f"until = {decision.until.isoformat()}", ""])


def _quoted(text: str) -> str:
    """A TOML basic string: backslash, quote and control characters escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped) + '"'
