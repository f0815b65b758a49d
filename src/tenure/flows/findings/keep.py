"""An audit's result is kept: what it opens, sees again, resolves and reopens, as one transaction.

1. Alone: nobody else keeps an audit meanwhile.
2. Known: every open finding, and of the resolved those the audit found.
3. Judge: pure. Gone is only what was looked for again over all that it rested on.
4. Whose: the device each is about, where that is certain, so that its owner sees it and nobody else.
5. Write: the run, the findings, an event for each that opened, was resolved or reopened; each names the report's digest.
6. Decisions whose last day is over are ended.

Dead before the commit: nothing was kept, keep the report again. Kept twice, the second time changes no finding.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from tenure.clock import rfc3339
from tenure.errors import TenureError
from tenure.lifecycle import finding_decisions, findings
from tenure.lifecycle.findings import Change, NotLookedAt, Opened, Reopened, Resolved, SeenAgain
from tenure.model.access import Actor
from tenure.model.events import Cause
from tenure.model.findings import AuditResult
from tenure.registry import finding_decisions as decisions
from tenure.registry import findings as records
from tenure.registry.finding_places import places
from tenure.registry.registry import Registry
from tenure.registry.work import Work


class NotKeptError(TenureError):
    """A report that cannot be kept as it is."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the findings of one audit."""

    opened: int = 0
    seen_again: int = 0
    resolved: int = 0
    reopened: int = 0
    not_looked_at: int = 0
    why: dict[str, int] = field(default_factory=dict)  # why nobody can say that they are gone -> of how many
    lapsed: int = 0  # decisions whose last day was over


def keep(registry: Registry, actor: Actor, result: AuditResult, audit: str, digest: bytes) -> Tally:
    """``audit`` names what is audited again and again; ``digest`` is SHA-256 of the report. Raises NotKeptError."""
    with registry.change(actor) as work:
        if result.as_of > work.at:
            problem = f"the report speaks as of {rfc3339(result.as_of)}, a time to come: no later audit could resolve anything"
            raise NotKeptError(problem, "audit as of now, or mend the clock")
        records.hold(work)
        known = records.known(work, {finding.id for finding in result.findings})
        changes = findings.changes(known, result, audit)
        told = [change.now for change in changes if not isinstance(change, NotLookedAt)]
        whose = places(work, {finding.id: finding.subjects for finding in told})
        records.add_run(work, _run(work, result, audit), Cause("keep", evidence=(digest,)))
        records.write(work, changes, whose, (digest,))
        lapsed = _end_lapsed(work)
    return _tally(changes, lapsed)


def _run(work: Work, result: AuditResult, audit: str) -> records.AuditRun:
    started = min((source.collected_at for source in result.sources), default=result.as_of)
    snapshots = tuple(sorted({source.content_id for source in result.sources}))
    rules = tuple(sorted((rule.id, rule.status.value) for rule in result.rules))
    return records.AuditRun(work.world.ids(), audit, result.as_of, started, work.at, snapshots, rules)


def _end_lapsed(work: Work) -> int:
    decisions.hold(work)
    over = [held for held in decisions.held(work) if held.record.until and not _holds(work, held.record.until)]
    for held in over:
        decisions.end(work, held, Cause("lapse"))
    return len(over)


def _holds(work: Work, until: str) -> bool:
    return finding_decisions.holds(date.fromisoformat(until), work.at)


def _tally(changes: tuple[Change, ...], lapsed: int) -> Tally:
    number = Counter(type(change) for change in changes)
    why = Counter(change.why for change in changes if isinstance(change, NotLookedAt))
    return Tally(number[Opened], number[SeenAgain], number[Resolved], number[Reopened], number[NotLookedAt], dict(why), lapsed)
