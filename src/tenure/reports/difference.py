"""A comparison of two audits, for the terminal and as JSON: what appeared, went, changed, or is no longer looked at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from tenure import __version__
from tenure.clock import rfc3339
from tenure.model.difference import ChangedFinding, Difference, LostFinding, RuleChange, SourceChange
from tenure.model.findings import Finding, RuleOutcome
from tenure.reports import _document
from tenure.reports._document import Json
from tenure.reports._screen import SEVERITY_STYLES, Screen
from tenure.reports._wording import STATUS_WORDS, abridged, count, encodable, gist, label, moment, who

SCHEMA = "urn:tenure:difference:1"


def to_text(difference: Difference, *, width: int = 80, colour: bool = False, rows: int = 15) -> str:
    """The comparison for the person at the keyboard; ``rows`` bounds each list, and what is cut is counted."""
    screen = Screen(width, colour)
    screen.title(f"From {moment(difference.old_as_of)} to {moment(difference.new_as_of)}")
    screen.say(_counts(difference))
    for note in difference.notes:
        screen.item(note)
    lists = _Lists(screen, rows)
    lists.findings("Appeared", difference.appeared)
    lists.findings("First assessed now, perhaps there before", difference.newly_assessed)
    gone = "Gone, as far as the new audit could see" if difference.incomplete else "Gone: looked for and not found any more"
    lists.findings(gone, difference.gone)
    lists.lost(difference.not_assessed_any_more)
    lists.changed(difference.changed)
    lists.lines("Rules that are not as they were", [_rule(r) for r in difference.rules])
    lists.lines("Sources that are not as they were", [_source(s) for s in difference.sources])
    return screen.text


@dataclass(frozen=True, slots=True)
class _Lists:
    """The lists of a comparison on a screen, each with a heading, at most ``rows`` entries and a count of the rest."""

    screen: Screen
    rows: int

    def findings(self, title: str, findings: Sequence[Finding]) -> None:
        if not findings:
            return
        self.screen.heading(f"{title} ({len(findings):,})")
        for finding in findings[: self.rows]:
            _line(self.screen, finding)
            if told := gist(finding.evidence, 3):
                self.screen.say(abridged(told, 200), indent=4, style="dim")
        self._more(len(findings))

    def lost(self, lost: Sequence[LostFinding]) -> None:
        if not lost:
            return
        self.screen.heading(f"Not assessed any more: nobody knows whether these are mended ({len(lost):,})")
        for entry in lost[: self.rows]:
            _line(self.screen, entry.finding)
            status = STATUS_WORDS[entry.status] if entry.status else "no longer a rule"
            self.screen.say(": ".join(filter(None, (status, entry.reason))), indent=4, style="dim")
        self._more(len(lost))

    def changed(self, changed: Sequence[ChangedFinding]) -> None:
        if not changed:
            return
        self.screen.heading(f"Changed ({len(changed):,})")
        graver_first = sorted(changed, key=lambda c: c.old.severity is c.new.severity)
        for entry in graver_first[: self.rows]:
            _line(self.screen, entry.new)
            for change in entry.changes[:4]:
                told = f"{abridged(change.before, 60)} -> {abridged(change.after, 60)}"
                self.screen.say(f"{label(change.member.removeprefix('evidence.'))}: {told}", indent=4, style="dim")
        self._more(len(changed))

    def lines(self, title: str, lines: Sequence[str]) -> None:
        if not lines:
            return
        self.screen.heading(f"{title} ({len(lines):,})")
        for line in lines[: self.rows]:
            self.screen.item(line)
        self._more(len(lines))

    def _more(self, total: int) -> None:
        if (more := total - self.rows) > 0:
            self.screen.say(f"and {more:,} more: --json shows all", indent=2, style="dim")


def _counts(of: Difference) -> str:
    told = [
        f"{len(of.appeared):,} appeared",
        f"{len(of.newly_assessed):,} first assessed now" if of.newly_assessed else "",
        f"{len(of.gone):,} gone",
        f"{len(of.not_assessed_any_more):,} not assessed any more" if of.not_assessed_any_more else "",
        f"{len(of.changed):,} changed",
        f"{of.unchanged:,} as before",
    ]
    return f"{'Incomplete: ' if of.incomplete else ''}{', '.join(filter(None, told))}"


def _line(screen: Screen, finding: Finding) -> None:
    style = SEVERITY_STYLES[finding.severity]
    screen.pieces([(f" {finding.severity.value} ", style), (f" {finding.title}: ", ""), (who(finding), "bold")], indent=1)


def _rule(of: RuleChange) -> str:
    if of.old is None or of.new is None:
        return f"{of.id}: only {'the new' if of.old is None else 'the old'} audit has it"
    pairs = ((_terms(of.old)[name], _terms(of.new)[name], name) for name in _terms(of.new))
    return f"{of.id}: " + ", ".join(f"{name} {before} -> {after}" for before, after, name in pairs if before != after)


def _terms(of: RuleOutcome) -> dict[str, str]:
    return {
        "status": STATUS_WORDS[of.status],
        "severity": of.severity.value,
        "parameters": of.parameters or "none",
        "suppressed": f"{of.suppressed:,}",
    }


def _source(of: SourceChange) -> str:
    name = f"{of.kind} {of.name}"
    if of.old is None or of.new is None:
        return f"{name}: only the {'new' if of.old is None else 'old'} audit read it"
    rows = [count(sum(side.records.values()), "row") + (" (cut short)" if side.partial else "") for side in (of.old, of.new)]
    return f"{name}: other content, {rows[0]} -> {rows[1]}"


def to_json(difference: Difference) -> str:
    """One JSON object; findings as in the JSON report. Equal comparisons give equal bytes."""
    return json.dumps(document(difference), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def document(of: Difference) -> dict[str, Json]:
    """The comparison as JSON values."""
    return {
        "schema": SCHEMA,
        "tenure": __version__,
        "old_as_of": rfc3339(of.old_as_of),
        "new_as_of": rfc3339(of.new_as_of),
        "incomplete": of.incomplete,
        "unchanged": of.unchanged,
        "notes": [encodable(note) for note in of.notes],
        "appeared": [_document.finding(f) for f in of.appeared],
        "newly_assessed": [_document.finding(f) for f in of.newly_assessed],
        "gone": [_document.finding(f) for f in of.gone],
        "not_assessed_any_more": [
            {
                "finding": _document.finding(entry.finding),
                "status": entry.status.value if entry.status else None,
                "reason": encodable(entry.reason),
            }
            for entry in of.not_assessed_any_more
        ],
        "changed": [
            {
                "finding": _document.finding(entry.new),
                "changes": [
                    {"member": encodable(c.member), "before": encodable(c.before), "after": encodable(c.after)}
                    for c in entry.changes
                ],
            }
            for entry in of.changed
        ],
        "rules": [
            {
                "id": encodable(r.id),
                "old": _document.rule(r.old) if r.old else None,
                "new": _document.rule(r.new) if r.new else None,
            }
            for r in of.rules
        ],
        "sources": [
            {
                "kind": s.kind,
                "name": encodable(s.name),
                "old": _document.source(s.old) if s.old else None,
                "new": _document.source(s.new) if s.new else None,
            }
            for s in of.sources
        ],
    }
