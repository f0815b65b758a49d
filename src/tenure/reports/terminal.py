"""Terminal: the result for the person at the keyboard. What is grave comes first, what was cut says where the rest is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tenure.model.findings import AuditResult, Finding, RuleOutcome, SourceSummary
from tenure.model.vocabulary import RuleStatus, Severity
from tenure.reports import Report, _tally
from tenure.reports._screen import SEVERITY_STYLES, Screen
from tenure.reports._wording import STATUS_WORDS, abridged, brief, count, gist, minute, moment, sentences, value, who

ELSEWHERE = "--format html or json shows all"


@dataclass(frozen=True, slots=True)
class TerminalReport:
    """Width in columns and colour are the caller's; ``rules``, ``per_rule`` and ``rows`` bound what lists show."""

    name: ClassVar[str] = "terminal"
    media_type: ClassVar[str] = "text/plain"
    suffix: ClassVar[str] = ".txt"

    width: int = 80
    colour: bool = False
    rules: int = 12
    per_rule: int = 3
    rows: int = 12

    def render(self, result: AuditResult) -> str:
        screen = Screen(self.width, self.colour)
        _head(screen, result)
        self._by_rule(screen, result)
        self._first(screen, result)
        self._not_judged(screen, result)
        self._suppressed(screen, result)
        self._coverage(screen, result)
        self._problems(screen, result)
        self._sources(screen, result)
        self._files(screen, result)
        _notes(screen, result)
        _foot(screen, result)
        return screen.text

    def _by_rule(self, screen: Screen, result: AuditResult) -> None:
        groups = _tally.by_rule(result)
        if not groups:
            return
        screen.heading("Findings by rule")
        rows: list[tuple[str | Severity, ...]] = [
            (g.severity, f"{len(g.findings):,}", f"{g.outcome.suppressed:,}" if g.outcome.suppressed else "", g.outcome.id)
            for g in groups
        ]
        screen.table(("severity", "findings", "suppressed", "rule"), rows, numbers=("findings", "suppressed"))

    def _first(self, screen: Screen, result: AuditResult) -> None:
        """The gravest rules with their first findings and the next step, told once per rule."""
        groups = _tally.by_rule(result)
        if not groups:
            return
        screen.heading("What to look at first")
        for number, group in enumerate(groups[: self.rules]):
            if number:
                screen.gap()
            screen.pieces([(f" {group.severity.value} ", SEVERITY_STYLES[group.severity]), (f" {group.outcome.title}", "bold")])
            screen.say(group.outcome.id, indent=2, style="dim")
            for finding in group.findings[: self.per_rule]:
                _finding(screen, finding)
            if (more := len(group.findings) - self.per_rule) > 0:
                screen.say(f"and {more:,} more: {ELSEWHERE}", indent=2, style="dim")
            if group.outcome.fix:
                screen.say(f"next step: {group.outcome.fix}", indent=2)
        if (more := len(groups) - self.rules) > 0:
            screen.say(f"and findings of {count(more, 'more rule')} (see the table above): {ELSEWHERE}", style="dim")

    def _not_judged(self, screen: Screen, result: AuditResult) -> None:
        """Rules without a verdict, those with the same status and reason together."""
        for status in (RuleStatus.UNKNOWN, RuleStatus.NOT_ASSESSED, RuleStatus.SWITCHED_OFF):
            outcomes = _tally.with_status(result, status)
            if not outcomes:
                continue
            screen.heading(f"{STATUS_WORDS[status].capitalize()}: {count(len(outcomes), 'rule')}")
            for reason, those in _by_reason(outcomes):
                screen.say(f"{reason or 'no reason given'}: {', '.join(r.id for r in those)}", indent=2)

    def _suppressed(self, screen: Screen, result: AuditResult) -> None:
        hidden = _tally.ordered(result.suppressed_findings)
        if not hidden:
            return
        screen.heading(f"Suppressed by decisions: {count(len(hidden), 'finding')}")
        for finding in hidden[: self.rows]:
            screen.item(f"{finding.severity.value} {finding.rule}: {who(finding)}")
            told = f"until {finding.until.isoformat()} by {finding.who}: {finding.reason}"
            screen.say(abridged(told, 300), indent=4, style="dim")
        self._more(screen, len(hidden), "finding")

    def _coverage(self, screen: Screen, result: AuditResult) -> None:
        screen.heading("Coverage: where and when nobody can connect unseen")
        if not result.coverage:
            screen.say("none: no log says who connected, so rules that need one are not assessed", indent=2)
            return
        rows = [
            (c.relying_party, "all sites" if c.site is None else c.site, minute(c.since), minute(c.until), value(c.declared))
            for c in result.coverage[: self.rows]
        ]
        screen.table(("relying party", "site", "since (UTC)", "until (UTC)", "declared"), rows)
        self._more(screen, len(result.coverage), "place")

    def _problems(self, screen: Screen, result: AuditResult) -> None:
        screen.heading(f"Problems: {count(len(result.problems), 'thing')} that could not be read or understood")
        groups = _tally.by_reason(result.problems)
        for group in groups[: self.rows]:
            first = group.problems[0]
            at = f"{first.file} {first.place}".strip()
            often = f"{len(group.problems):,} times, first at " if len(group.problems) > 1 else ""
            screen.say(f"{group.source}: {group.reason} ({often}{at})", indent=2)
        self._more(screen, len(groups), "kind of problem", "kinds of problem")

    def _sources(self, screen: Screen, result: AuditResult) -> None:
        screen.heading("Sources")
        rows = [_source(s) for s in result.sources[: self.rows]]
        if rows:
            columns = ("kind", "collected from", "rows", "problems", "up to (UTC)", "")
            screen.table(columns, rows, numbers=("rows", "problems"))
        else:
            screen.say("none", indent=2)
        self._more(screen, len(result.sources), "source")

    def _files(self, screen: Screen, result: AuditResult) -> None:
        """What each file was taken for; those nothing recognised come first."""
        if not result.files:
            return
        screen.heading("What each file was taken for")
        files = sorted(result.files, key=lambda f: (f.kind is not None, f.path))
        screen.table(("taken for", "path", "why"), [(f.kind or "nothing", f.path, f.why) for f in files[: self.rows]])
        self._more(screen, len(files), "file")

    def _more(self, screen: Screen, total: int, one: str, many: str = "") -> None:
        if (more := total - self.rows) > 0:
            left = (many or one + "s") if more > 1 else one
            screen.say(f"and {more:,} more {left}: {ELSEWHERE}", indent=2, style="dim")


def _head(screen: Screen, result: AuditResult) -> None:
    screen.title(f"Audit of machine identities as of {moment(result.as_of)} (all times are UTC)")
    if result.incomplete:
        screen.say(_incomplete(result), style="bold red")
    figures = result.figures
    about = f"{count(figures.devices, 'device')}, {count(figures.usable_credentials, 'usable credential')}"
    hidden = f"; {_tally.suppressed(result):,} suppressed by decisions" if _tally.suppressed(result) else ""
    screen.say(f"{count(len(result.findings), 'finding')} over {about}{hidden}")
    states = [f"{number:,} {state}" for state, number in sorted(figures.devices_by_state.items())]
    if states:
        screen.say(f"devices: {', '.join(states)}")
    screen.pieces(
        [
            piece
            for severity, number in _tally.by_severity(result.findings).items()
            for piece in ((f" {severity.value} ", SEVERITY_STYLES[severity]), (f" {number:,}   ", "bold" if number else ""))
        ],
        indent=2,
    )


def _incomplete(result: AuditResult) -> str:
    partial = [s.name for s in result.sources if s.partial]
    unread = [f.path for f in result.files if f.unread]
    unknown = [r.id for r in _tally.with_status(result, RuleStatus.UNKNOWN)]
    parts = [
        f"cut short: {abridged(', '.join(partial), 200)}" if partial else "",
        f"not read: {abridged(', '.join(unread), 200)}" if unread else "",
        f"unknown: {abridged(', '.join(unknown), 200)}" if unknown else "",
    ]
    return f"INCOMPLETE: the findings are not the whole truth ({sentences(parts)})."


def _finding(screen: Screen, finding: Finding) -> None:
    facts = [f"since {brief(finding.since)}" if finding.since else "", gist(finding.evidence, 4)]
    screen.item(who(finding))
    if told := "; ".join(filter(None, facts)):
        screen.say(abridged(told, 300), indent=4)


def _by_reason(outcomes: list[RuleOutcome]) -> list[tuple[str, list[RuleOutcome]]]:
    reasons = dict.fromkeys(r.reason for r in outcomes)
    return [(reason, [r for r in outcomes if r.reason == reason]) for reason in reasons]


def _source(of: SourceSummary) -> tuple[str, ...]:
    rows = f"{sum(of.records.values()):,}"
    return (of.kind, of.name, rows, f"{of.problems:,}", minute(of.speaks_as_of), "cut short" if of.partial else "")


def _notes(screen: Screen, result: AuditResult) -> None:
    if result.notes:
        screen.heading("Notes")
    for note in result.notes:
        screen.item(note)


def _foot(screen: Screen, result: AuditResult) -> None:
    """The verdict once more, since the end is what a terminal shows."""
    graves = [f"{n:,} {s.value}" for s, n in _tally.by_severity(result.findings).items() if n]
    judged = len(_tally.with_status(result, RuleStatus.ASSESSED))
    screen.heading("In short")
    screen.say(
        f"{'incomplete; ' if result.incomplete else ''}{sentences(graves) or 'no findings'}; "
        f"{judged:,} of {count(len(result.rules), 'rule')} assessed; {count(len(result.problems), 'problem')}"
    )
    screen.say("Everything: --format html (to read) or json, csv, sarif (to process), with --output FILE.", style="dim")


REPORT: Report = TerminalReport()
