"""What one more audit changes in the findings that are kept: opened, seen again, resolved, reopened, or not looked at again.

Absence proves something only where somebody looked again: the rule was assessed, hid nothing by a decision, and the audit
collected all that the one before rested on (as many whole sources of each kind, speaking no earlier; each relying party
and place, watched no shorter). Whatever falls short leaves the finding open and says why (invariant 2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from tenure.clock import rfc3339
from tenure.model.findings import AuditResult, CoverageSummary, Finding, RuleOutcome, SourceSummary, Subject
from tenure.model.vocabulary import RuleStatus, Severity


class FindingState(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"
    REOPENED = "reopened"  # open again after it was resolved

    @property
    def is_open(self) -> bool:
        return self is not FindingState.RESOLVED


@dataclass(frozen=True, slots=True)
class SourcesOfKind:
    """The sources of one kind an audit read. Names of exports differ from month to month, kinds and their number do not."""

    kind: str
    number: int  # 1 for logs: a log is cut into more or fewer files, what it covers stands in Watched
    until: datetime | None  # the latest moment one of them speaks up to


@dataclass(frozen=True, slots=True)
class Watched:
    """A place at a relying party whose sessions an audit read, and up to when."""

    relying_party: str
    site: str | None  # None: every site
    until: datetime


@dataclass(frozen=True, slots=True)
class Basis:
    """What an audit looked at: what a finding rests on, and what must be looked at again before it is gone."""

    audit: str  # its name: audits of other folders say nothing of this one's findings
    sources: tuple[SourcesOfKind, ...]
    watched: tuple[Watched, ...]


@dataclass(frozen=True, slots=True)
class KeptFinding:
    """A finding from audit to audit. What people decided about it stands beside it, not in it."""

    id: str
    rule: str
    severity: Severity
    title: str
    subjects: tuple[Subject, ...]
    state: FindingState
    first_seen_at: datetime  # as-of time of the first audit that found it
    opened_at: datetime  # of the audit that opened it, or opened it again: its age counts from here
    last_seen_at: datetime  # of the last audit that found it
    resolved_at: datetime | None  # of the audit that looked and did not find it; None while it is open
    basis: Basis  # of the last audit that found it


@dataclass(frozen=True, slots=True)
class Opened:
    now: KeptFinding


@dataclass(frozen=True, slots=True)
class SeenAgain:
    """Still open. ``now`` equals ``was`` where the same audit is kept twice."""

    was: KeptFinding
    now: KeptFinding


@dataclass(frozen=True, slots=True)
class Resolved:
    was: KeptFinding
    now: KeptFinding


@dataclass(frozen=True, slots=True)
class Reopened:
    was: KeptFinding
    now: KeptFinding


@dataclass(frozen=True, slots=True)
class NotLookedAt:
    """Not found, and nobody can say that it is gone: it stays as it was."""

    was: KeptFinding
    why: str


Change: TypeAlias = Opened | SeenAgain | Resolved | Reopened | NotLookedAt


def basis_of(result: AuditResult, audit: str) -> Basis:
    """What this audit looked at. Sources that were cut short count: a finding may rest on the part that was read."""
    return Basis(
        audit,
        tuple(_of_kind(kind, [s for s in result.sources if s.kind == kind]) for kind in sorted({s.kind for s in result.sources})),
        tuple(sorted({_watched(c) for c in result.coverage}, key=lambda w: (w.relying_party, w.site or "", w.until))),
    )


def changes(kept: Mapping[str, KeptFinding], result: AuditResult, audit: str) -> tuple[Change, ...]:
    """What an audit changes, by finding id. ``kept`` holds every finding by id, resolved ones too.

    The same result gives the same changes, and once they are kept, none but ``SeenAgain`` with nothing new.
    """
    basis = basis_of(result, audit)
    found = {finding.id: finding for finding in result.findings}
    outcomes = {outcome.id: outcome for outcome in result.rules}
    told: list[Change] = []
    for identifier in sorted({*kept, *found}):
        was, finding = kept.get(identifier), found.get(identifier)
        if was is None and finding is not None:
            told.append(Opened(_opened(finding, result.as_of, basis)))
        elif was is not None and finding is not None:
            told.append(_seen(was, finding, result.as_of, basis))
        elif was is not None and was.state.is_open:
            told.append(_missed(was, result, basis, outcomes.get(was.rule)))
    return tuple(told)


def _of_kind(kind: str, sources: list[SourceSummary]) -> SourcesOfKind:
    said = [s.speaks_as_of for s in sources if s.speaks_as_of is not None]
    logs = all("log_span" in s.records for s in sources)
    return SourcesOfKind(kind, 1 if logs else len(sources), max(said, default=None))


def _watched(coverage: CoverageSummary) -> Watched:
    return Watched(coverage.relying_party, coverage.site, coverage.until)


def _opened(finding: Finding, as_of: datetime, basis: Basis) -> KeptFinding:
    return KeptFinding(
        id=finding.id,
        rule=finding.rule,
        severity=finding.severity,
        title=finding.title,
        subjects=finding.subjects,
        state=FindingState.OPEN,
        first_seen_at=as_of,
        opened_at=as_of,
        last_seen_at=as_of,
        resolved_at=None,
        basis=basis,
    )


def _seen(was: KeptFinding, finding: Finding, as_of: datetime, basis: Basis) -> Change:
    """An audit that speaks of a time before what is kept says nothing new of now; only the first sight may move back."""
    now = replace(was, first_seen_at=min(was.first_seen_at, as_of))
    if was.resolved_at is not None and as_of <= was.resolved_at:
        return NotLookedAt(was, _older(as_of))
    if as_of < was.last_seen_at:
        return SeenAgain(was, now)
    now = replace(now, severity=finding.severity, title=finding.title, subjects=finding.subjects, last_seen_at=as_of, basis=basis)
    if was.state.is_open:
        return SeenAgain(was, now)
    return Reopened(was, replace(now, state=FindingState.REOPENED, opened_at=as_of, resolved_at=None))


def _missed(was: KeptFinding, result: AuditResult, basis: Basis, outcome: RuleOutcome | None) -> Resolved | NotLookedAt:
    why = _unjudged(outcome) or next(_lacking(was.basis, basis, result.sources), "")
    if result.as_of <= was.last_seen_at:
        why = _older(result.as_of)
    if why:
        return NotLookedAt(was, why)
    return Resolved(was, replace(was, state=FindingState.RESOLVED, resolved_at=result.as_of))


def _older(as_of: datetime) -> str:
    return f"the audit speaks as of {rfc3339(as_of)}, not after what is kept"


def _unjudged(outcome: RuleOutcome | None) -> str:
    if outcome is None:
        return "the audit has no such rule"
    if outcome.status is not RuleStatus.ASSESSED:
        return f"its rule is {outcome.status}" + (f": {outcome.reason}" if outcome.reason else "")
    if outcome.suppressed:
        return (
            f"the audit's own decisions hid {outcome.suppressed} of its rule, this may be one: keep audits made without decisions"
        )
    return ""


def _lacking(before: Basis, now: Basis, sources: Iterable[SourceSummary]) -> Iterator[str]:
    """What the earlier audit looked at and this one did not, or less of it."""
    if before.audit != now.audit:
        yield f"it was found by audit {before.audit}, this is {now.audit}"
    short = Counter(s.kind for s in sources if s.partial)
    read = {s.kind: s for s in now.sources}
    for was in before.sources:
        again = read.get(was.kind)
        if again is None:
            yield f"no source of kind {was.kind} was collected"
        elif short[was.kind]:
            yield f"a source of kind {was.kind} was cut short"
        elif again.number < was.number:
            yield f"{again.number} sources of kind {was.kind} were collected, {was.number} before"
        elif was.until is not None and (again.until is None or again.until < was.until):
            yield f"sources of kind {was.kind} speak up to an earlier time than before"
    for place in before.watched:
        if not any(_covers(w, place) for w in now.watched):
            yield f"sessions at {place.relying_party}{f', {place.site},' if place.site else ''} were not collected again"


def _covers(now: Watched, before: Watched) -> bool:
    same_place = now.relying_party == before.relying_party and now.site in (None, before.site)
    return same_place and now.until >= before.until
