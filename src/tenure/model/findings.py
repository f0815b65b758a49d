"""Findings, and the result of an audit: the values that rules yield and reports show. Frozen, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeAlias

from tenure.model.vocabulary import RuleStatus, Severity

Scalar: TypeAlias = str | int | float | bool | datetime | None
"""One typed cell of evidence as a rule's query returned it; datetimes are aware and in UTC."""

Evidence: TypeAlias = dict[str, "Scalar | list[dict[str, Scalar]]"]
"""What a finding rests on: what holds for the whole finding, and per subject rows under ``members``."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing a finding is about. ``id`` is its strong id, stable from run to run; the rest helps people find it."""

    kind: str  # device | certificate | key | token | client | anchor | policy | domain | file
    id: str
    serial: str | None = None
    sha256: str | None = None
    spki_sha256: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect with its evidence. ``id`` is a hash of the rule and its subjects' strong ids."""

    id: str
    rule: str
    severity: Severity
    title: str
    grain: str
    subjects: tuple[Subject, ...]
    evidence: Evidence
    since: datetime | None  # the time the evidence shows the defect to have begun
    controls: tuple[str, ...]  # clauses of frameworks, as "owasp-nhi-2025:NHI1"


@dataclass(frozen=True, slots=True)
class SuppressedFinding:
    """A finding that a decision keeps out of the findings: what it is about, and who decided until when and why."""

    id: str
    rule: str
    severity: Severity
    title: str
    subjects: tuple[Subject, ...]
    decision: str  # what the decision is on: "finding ID" or "rule ID for SUBJECT"
    reason: str
    who: str
    until: date  # the last day on which it holds, UTC


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What became of one rule in this audit."""

    id: str
    title: str
    severity: Severity
    status: RuleStatus
    findings: int
    suppressed: int = 0
    reason: str = ""  # why it was not assessed, is unknown or switched off; or what depends on a default
    seconds: float = 0.0
    why: str = ""  # from the rule's header: what goes wrong if it stays
    fix: str = ""  # from the rule's header: the next step for the operator
    reference: str = ""  # the clause it rests on
    parameters: str = ""  # the parameters it ran with, as "days=30 limit=5", sorted by name
    moves_with_time: tuple[str, ...] = ()  # columns of its evidence that change with the as-of time alone


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """One snapshot that went into the roll."""

    kind: str
    name: str  # where it was collected from, relative to the audited folder
    content_id: str
    collected_at: datetime
    speaks_as_of: datetime | None  # up to when the export speaks
    partial: bool
    records: dict[str, int]  # rows by evidence table
    problems: int


@dataclass(frozen=True, slots=True)
class CoverageSummary:
    """From when to when the sessions at one place are collected."""

    relying_party: str
    site: str | None  # None: every site
    since: datetime
    until: datetime
    declared: bool


@dataclass(frozen=True, slots=True)
class ProblemSummary:
    """One thing that could not be read or understood, and where (invariant 1)."""

    source: str
    file: str
    place: str
    reason: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """What a file in the audited folder was taken for."""

    path: str
    kind: str | None  # None: nothing recognised it
    why: str
    unread: bool = False  # we were not let in: it may be an export, and what it holds is missing


@dataclass(frozen=True, slots=True)
class DayCount:
    """A point of a chart: how many fall into the period that begins on ``day`` (ISO 8601 date)."""

    day: str
    count: int


@dataclass(frozen=True, slots=True)
class FleetFigures:
    """What the charts and the head of a report show."""

    devices: int = 0
    devices_by_state: dict[str, int] = field(default_factory=dict)
    credentials_by_kind: dict[str, int] = field(default_factory=dict)
    usable_credentials: int = 0
    expiry_by_month: tuple[DayCount, ...] = ()
    usable_by_issuer: dict[str, int] = field(default_factory=dict)
    assurance_by_domain: dict[str, dict[str, int]] = field(default_factory=dict)  # domain -> level -> devices


@dataclass(frozen=True, slots=True)
class AuditResult:
    """All that an audit says. Same snapshots and same as-of time give the same findings, byte for byte."""

    as_of: datetime
    sources: tuple[SourceSummary, ...]
    coverage: tuple[CoverageSummary, ...]
    problems: tuple[ProblemSummary, ...]
    findings: tuple[Finding, ...]
    rules: tuple[RuleOutcome, ...]
    figures: FleetFigures = field(default_factory=FleetFigures)
    files: tuple[FileVerdict, ...] = ()
    notes: tuple[str, ...] = ()  # what rests on a default because nothing was declared
    suppressed_findings: tuple[SuppressedFinding, ...] = ()

    @property
    def incomplete(self) -> bool:
        """A source was cut short, a file could not be read or a rule not be judged: the findings are not the whole truth."""
        unread = any(f.unread for f in self.files)
        return unread or any(s.partial for s in self.sources) or any(r.status is RuleStatus.UNKNOWN for r in self.rules)
