"""What changed between two audits: the values that a comparison yields and reports show. Frozen, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tenure.model.findings import Finding, RuleOutcome, SourceSummary
from tenure.model.vocabulary import RuleStatus


@dataclass(frozen=True, slots=True)
class MemberChange:
    """One member of a finding (``severity``, ``since``, ``evidence.sessions``) before and after, as text for people."""

    member: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ChangedFinding:
    """The same defect of the same subjects, told otherwise."""

    old: Finding
    new: Finding
    changes: tuple[MemberChange, ...]


@dataclass(frozen=True, slots=True)
class LostFinding:
    """Found by OLD; NEW did not look there, so nobody knows whether it is mended."""

    finding: Finding
    status: RuleStatus | None  # of its rule in NEW; None: NEW does not know the rule
    reason: str


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A rule that is not judged as it was: assessed or not, other parameters, more or fewer findings suppressed."""

    id: str
    old: RuleOutcome | None
    new: RuleOutcome | None


@dataclass(frozen=True, slots=True)
class SourceChange:
    """A source that only one of both read (the other side is None), or whose content is another now."""

    kind: str
    name: str
    old: SourceSummary | None
    new: SourceSummary | None


@dataclass(frozen=True, slots=True)
class Difference:
    """OLD against NEW. ``gone`` holds only what NEW looked for and did not find."""

    old_as_of: datetime
    new_as_of: datetime
    appeared: tuple[Finding, ...]
    newly_assessed: tuple[Finding, ...]  # in NEW, by rules that OLD did not assess: perhaps as old as OLD
    gone: tuple[Finding, ...]
    changed: tuple[ChangedFinding, ...]
    not_assessed_any_more: tuple[LostFinding, ...]
    unchanged: int
    rules: tuple[RuleChange, ...]
    sources: tuple[SourceChange, ...]
    notes: tuple[str, ...]  # what to bear in mind when reading the rest
    incomplete: bool  # NEW is not the whole truth, or did not look where, or with what, OLD found something
