"""Compare two audits: what appeared, what went, what changed, and what NEW did not look at.

A finding is the same when its id is (rule and subjects' strong ids). Absence proves something only where the rule was
assessed in NEW; otherwise the finding is lost from sight, not gone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from tenure.clock import rfc3339
from tenure.model.difference import ChangedFinding, Difference, LostFinding, MemberChange, RuleChange, SourceChange
from tenure.model.findings import AuditResult, Finding, RuleOutcome, Scalar, SourceSummary
from tenure.model.vocabulary import RuleStatus


def diff(old: AuditResult, new: AuditResult) -> Difference:
    """OLD against NEW. Findings keep the order gravest first; pure, so the same two audits give the same answer."""
    was, now = {f.id: f for f in _ordered(old.findings)}, {f.id: f for f in _ordered(new.findings)}
    old_rules, new_rules = {r.id: r for r in old.rules}, {r.id: r for r in new.rules}
    came = [f for id_, f in now.items() if id_ not in was]
    left = [f for id_, f in was.items() if id_ not in now]
    moving: defaultdict[str, set[str]] = defaultdict(set)
    for rule in (*old.rules, *new.rules):  # either report may be of a version that did not name such columns yet
        moving[rule.id].update(rule.moves_with_time)
    changed = tuple(c for id_, f in now.items() if id_ in was and (c := _changed(was[id_], f, moving[f.rule])).changes)
    gone = tuple(f for f in left if _assessed(new_rules.get(f.rule)))
    lost = tuple(_lost(f, new_rules.get(f.rule)) for f in left if not _assessed(new_rules.get(f.rule)))
    return Difference(
        old_as_of=old.as_of,
        new_as_of=new.as_of,
        appeared=tuple(f for f in came if _assessed(old_rules.get(f.rule))),
        newly_assessed=tuple(f for f in came if not _assessed(old_rules.get(f.rule))),
        gone=gone,
        changed=changed,
        not_assessed_any_more=lost,
        unchanged=len(now) - len(came) - len(changed),
        rules=tuple(_rule_changes(old_rules, new_rules)),
        sources=tuple(_source_changes(old.sources, new.sources)),
        notes=tuple(_notes(old, new, left)),
        incomplete=new.incomplete
        or any(entry.status is not RuleStatus.SWITCHED_OFF for entry in lost)
        or bool(gone and _missing_kinds(old, new)),
    )


def _ordered(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda f: (f.severity.rank, f.rule, f.id))


def _assessed(outcome: RuleOutcome | None) -> bool:
    return outcome is not None and outcome.status is RuleStatus.ASSESSED


def _missing_kinds(old: AuditResult, new: AuditResult) -> set[str]:
    """Kinds of source that OLD read and NEW did not (names of exports may differ from month to month, kinds do not)."""
    return {s.kind for s in old.sources} - {s.kind for s in new.sources}


def _lost(finding: Finding, outcome: RuleOutcome | None) -> LostFinding:
    if outcome is None:
        return LostFinding(finding, None, "the new audit has no such rule")
    return LostFinding(finding, outcome.status, outcome.reason)


def _changed(old: Finding, new: Finding, moving: Collection[str]) -> ChangedFinding:
    """The finding with the members that differ; none where nothing does. Names of subjects are labels, not changes, and so is
    evidence that moves with the as-of time (``moving``): how many days are left is another number every day."""
    before, after = _members(old, moving), _members(new, moving)
    names = dict.fromkeys([*before, *after])
    changes = (MemberChange(name, before.get(name, "absent"), after.get(name, "absent")) for name in names)
    return ChangedFinding(old, new, tuple(c for c in changes if c.before != c.after))


def _members(finding: Finding, moving: Collection[str]) -> dict[str, str]:
    """What can change in a finding, as text: a datetime equals its RFC 3339 form, since a report read back holds that."""
    told = {"severity": finding.severity.value, "since": _text(finding.since)}
    for column, cell in finding.evidence.items():
        if isinstance(cell, list):
            rows = (", ".join(f"{k}={_text(v)}" for k, v in row.items() if k not in moving) for row in cell)
            told[f"evidence.{column}"] = "; ".join(sorted(rows))
        elif column not in moving:
            told[f"evidence.{column}"] = _text(cell)
    return told


def _text(cell: Scalar) -> str:
    if isinstance(cell, datetime):
        return rfc3339(cell)
    return {None: "none", True: "yes", False: "no"}[cell] if cell is None or isinstance(cell, bool) else str(cell)


def _rule_changes(old: dict[str, RuleOutcome], new: dict[str, RuleOutcome]) -> Iterator[RuleChange]:
    """Rules judged otherwise than before; how many findings they have is told by the findings."""
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if before is None or after is None or _terms(before) != _terms(after):
            yield RuleChange(name, before, after)


def _terms(outcome: RuleOutcome) -> tuple[str, ...]:
    return (outcome.status, outcome.severity, outcome.parameters, str(outcome.suppressed))


def _source_changes(old: Iterable[SourceSummary], new: Iterable[SourceSummary]) -> Iterator[SourceChange]:
    """Sources only one side read, or of other content; the same export unchanged is no news."""
    before, after = {(s.kind, s.name): s for s in old}, {(s.kind, s.name): s for s in new}
    for kind, name in sorted({*before, *after}):
        was, now = before.get((kind, name)), after.get((kind, name))
        if was is None or now is None or (was.content_id, was.partial) != (now.content_id, now.partial):
            yield SourceChange(kind, name, was, now)


def _notes(old: AuditResult, new: AuditResult, left: list[Finding]) -> Iterator[str]:
    """What makes the rest less than it seems: order of the two, what only one read, what decisions may hide."""
    if new.as_of < old.as_of:
        yield f"NEW speaks as of {rfc3339(new.as_of)}, before OLD ({rfc3339(old.as_of)}): are the two the wrong way round?"
    if old.incomplete:
        yield "OLD was incomplete: what appeared may have been there before."
    if new.incomplete:
        yield "NEW is incomplete: what is gone may only not have been seen."
    if missing := sorted(_missing_kinds(old, new)):
        yield f"NEW read no source of kind {', '.join(missing)}, OLD did: what rested on it may be gone for that reason."
    before = {r.id: r.suppressed for r in old.rules}
    gone = {f.rule for f in left}
    for rule in sorted(new.rules, key=lambda r: r.id):
        more = rule.suppressed - before.get(rule.id, 0)
        if more > 0 and rule.id in gone:
            yield f"{rule.id}: decisions suppress {more} more than before; what is gone there may be suppressed, not mended."
