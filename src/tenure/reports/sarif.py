"""SARIF 2.1.0 (OASIS, errata 01): findings for tools that collect results of many scanners.

A device is a logical location; the line of the export that shows the defect is its physical one, where the rule's
evidence names it, else the audited folder (some consumers refuse a result without a physical location). The id of a
finding is its partial fingerprint, so that a consumer matches runs as Tenure does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias
from urllib.parse import quote

from tenure import __version__
from tenure.clock import rfc3339
from tenure.model.findings import AuditResult, Finding, ProblemSummary, RuleOutcome, Subject
from tenure.model.vocabulary import RuleStatus, Severity
from tenure.reports import Report, _document, _tally
from tenure.reports._document import Json
from tenure.reports._wording import STATUS_WORDS, encodable, gist, moment, scalars, shown, who

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "tenureFindingId/v1"
BASE = "EXPORTS"

LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
RANKS = {Severity.CRITICAL: 100.0, Severity.HIGH: 80.0, Severity.MEDIUM: 50.0, Severity.LOW: 25.0, Severity.INFO: 5.0}
SECURITY_SEVERITY = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "0.1",
}
"""What code scanning services sort security results by: a score within the CVSS band of the severity."""

Object: TypeAlias = dict[str, Json]


@dataclass(frozen=True, slots=True)
class SarifReport:
    """One run. ``notifications`` bounds how many problems are told one by one; what is cut is told as a number."""

    name: ClassVar[str] = "sarif"
    media_type: ClassVar[str] = "application/sarif+json"
    suffix: ClassVar[str] = ".sarif"

    notifications: int = 1000

    def render(self, result: AuditResult) -> str:
        log: Object = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(result, self.notifications)]}
        return json.dumps(log, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def _run(result: AuditResult, notifications: int) -> Object:
    findings = _tally.ordered(result.findings)
    rules = _rules(result)
    index = {rule.id: position for position, rule in enumerate(rules)}
    frames = _frameworks(findings)
    controls = {group.outcome.id: group.controls for group in _tally.by_rule(result)}
    driver: Object = {
        "name": "Tenure",
        "semanticVersion": __version__,
        "rules": [_rule(rule, [_clause(c, frames) for c in controls.get(rule.id, ())]) for rule in rules],
        "notifications": [
            {"id": name, **_described(text, text, text), "defaultConfiguration": {"level": level}}
            for name, (level, text) in NOTIFICATIONS.items()
        ],
        "supportedTaxonomies": [{"name": name, "index": place} for place, name in enumerate(frames)],
    }
    return {
        "tool": {"driver": driver},
        "taxonomies": [{"name": name, "taxa": [{"id": clause} for clause in clauses]} for name, clauses in frames.items()],
        "invocations": [_invocation(result, index, notifications)],
        "automationDetails": {"id": "tenure/audit/"},
        "originalUriBaseIds": {BASE: {"description": {"text": "the audited folder of exports"}}},
        "columnKind": "unicodeCodePoints",
        "artifacts": _distinct(
            {"location": _artifact(f.path), "description": {"text": message(f.kind or "not recognised")}} for f in result.files
        ),
        "results": [_result(finding, index[finding.rule]) for finding in findings],
        "properties": _document.audit(result),
    }


def _rules(result: AuditResult) -> list[RuleOutcome]:
    """Every rule, by id; also one that found something and is not listed."""
    listed = {rule.id: rule for rule in result.rules}
    listed.update({g.outcome.id: g.outcome for g in _tally.by_rule(result) if g.outcome.id not in listed})
    return [listed[name] for name in sorted(listed)]


def _rule(of: RuleOutcome, clauses: list[Object]) -> Object:
    """A reportingDescriptor. Its title stands in for texts a rule does not have; help says why and what to do."""
    title = of.title or of.id
    told = "\n\n".join(filter(None, (of.why, of.fix and f"Next step: {of.fix}", of.reference and f"Reference: {of.reference}")))
    rule: Object = {
        "id": encodable(of.id),
        "name": "".join(part.capitalize() for part in shown(of.id).split("-")),
        **_described(title, of.why or title, told or title),
        "defaultConfiguration": {
            "level": LEVELS[of.severity],
            "rank": RANKS[of.severity],
            "enabled": of.status is not RuleStatus.SWITCHED_OFF,
        },
        "properties": {
            "tags": ["security", "machine-identity"],
            "security-severity": SECURITY_SEVERITY[of.severity],
            "precision": "very-high",
            **{k: v for k, v in _document.rule(of).items() if k not in ("id", "title", "why", "fix")},
        },
    }
    if clauses:
        rule["relationships"] = [{"target": clause, "kinds": ["relevant"]} for clause in clauses]
    return rule


def _described(short: str, full: str, help_text: str) -> Object:
    return {
        "shortDescription": {"text": message(short)},
        "fullDescription": {"text": message(full)},
        "help": {"text": message(help_text)},
    }


def _frameworks(findings: list[Finding]) -> dict[str, list[str]]:
    """The clauses that findings touch, by framework; both sorted."""
    frames: dict[str, list[str]] = {}
    for control in _tally.by_control(findings):
        name, clause = _split(control)
        frames.setdefault(name, []).append(clause)
    return frames


def _split(control: str) -> tuple[str, str]:
    name, _, clause = encodable(control).partition(":")
    return (name, clause) if clause else ("control", name)


def _clause(control: str, frames: Mapping[str, list[str]]) -> Object:
    name, clause = _split(control)
    component: Object = {"name": name, "index": list(frames).index(name)}
    return {"id": clause, "index": frames[name].index(clause), "toolComponent": component}


def _result(of: Finding, rule_index: int) -> Object:
    facts = "; ".join(filter(None, (f"since {moment(of.since)}" if of.since else "", gist(of.evidence, 4))))
    logical = _distinct(_logical(s) for s in of.subjects)
    places = list(dict.fromkeys(_origins(of)))
    locations: list[Json] = [
        {"physicalLocation": _physical(place), **({"logicalLocations": logical} if logical and not n else {})}
        for n, place in enumerate(places[:10])
    ] or [{"physicalLocation": {"artifactLocation": _artifact("")}, **({"logicalLocations": logical} if logical else {})}]
    return {
        "ruleId": encodable(of.rule),
        "ruleIndex": rule_index,
        "kind": "fail",
        "level": LEVELS[of.severity],
        "rank": RANKS[of.severity],
        "message": {"text": message(f"{of.title}: {who(of)}" + (f" ({facts})" if facts else ""))},
        "locations": locations[:1],
        "relatedLocations": [{"id": n, **place} for n, place in enumerate(locations[1:], 1) if isinstance(place, dict)],
        "partialFingerprints": {FINGERPRINT: encodable(of.id)},
        "properties": _document.finding(of),
    }


def _distinct(objects: Iterable[Object]) -> list[Json]:
    """The objects without repetitions, as the schema wants many of its lists."""
    return list({json.dumps(entry): entry for entry in objects}.values())


def _logical(of: Subject) -> Object:
    """A device, certificate, ... as a logical location; its strong id makes the qualified name unique."""
    return {
        "name": shown(of.name or of.serial or of.id),
        "fullyQualifiedName": f"{of.kind}/{shown(of.id)}",
        "kind": of.kind,
    }


def _origins(of: Finding) -> Iterator[str]:
    """Where in the exports the evidence stands, of the finding and its rows: in columns named origin or bundle or ending
    so, and ``file#line`` in a column that ends in at (``seen_at``)."""
    rows = [dict(scalars(of.evidence)), *(row for cell in of.evidence.values() if isinstance(cell, list) for row in cell)]
    for row in rows:
        for column, cell in row.items():
            last = column.rpartition("_")[2]
            if isinstance(cell, str) and cell and (last in ("origin", "bundle") or (last == "at" and "#" in cell)):
                yield cell
    yield from (s.name or s.id for s in of.subjects if s.kind == "file" and (s.name or s.id))


def _physical(origin: str) -> Object:
    """``path#17`` is line 17 of the file; ``path#entry`` is the file, with the entry as a comment on the location."""
    path, _, entry = origin.partition("#")
    place: Object = {"artifactLocation": _artifact(path)}
    if entry.isascii() and entry.isdigit() and int(entry) > 0:
        place["region"] = {"startLine": int(entry)}
    elif entry:
        place["properties"] = {"entry": encodable(entry)}
    return place


def _artifact(path: str) -> Object:
    """A file below the audited folder. The path is quoted, so that it is a relative URI whatever it is called."""
    return {"uri": quote(encodable(path).lstrip("/") or ".", safe="/"), "uriBaseId": BASE}


NOTIFICATIONS = {
    "source-cut-short": ("error", "A source was cut short: what rests on it is not the whole truth."),
    "rule-unknown": ("error", "A rule could not be judged: that it found nothing says nothing."),
    "problem": ("warning", "Something in an export could not be read or understood."),
    "rule-not-assessed": ("note", "The inputs of a rule were not collected."),
    "rule-switched-off": ("note", "A decision switched the rule off."),
    "findings-suppressed": ("note", "Decisions suppress findings of a rule."),
    "note": ("note", "Something rests on a default because nothing was declared."),
}
"""What the run tells about itself: id -> level and text."""

_STATUS_NOTIFICATIONS = {
    RuleStatus.UNKNOWN: "rule-unknown",
    RuleStatus.NOT_ASSESSED: "rule-not-assessed",
    RuleStatus.SWITCHED_OFF: "rule-switched-off",
}


def _invocation(result: AuditResult, index: Mapping[str, int], most: int) -> Object:
    return {
        "executionSuccessful": not result.incomplete,
        "toolExecutionNotifications": [*_incomplete(result, index), *_problems(result.problems, most)],
        "toolConfigurationNotifications": [*_configuration(result, index)],
        "properties": {"as_of": rfc3339(result.as_of), "sources": [_document.source(s) for s in result.sources]},
    }


def _incomplete(result: AuditResult, index: Mapping[str, int]) -> Iterator[Object]:
    for source in result.sources:
        if source.partial:
            place: list[Json] = [{"physicalLocation": {"artifactLocation": _artifact(source.name)}}]
            yield {**_notification("source-cut-short", f"{source.kind} {source.name} was cut short"), "locations": place}
    for rule in _tally.with_status(result, RuleStatus.UNKNOWN):
        yield _of_rule("rule-unknown", rule, index)


def _problems(problems: tuple[ProblemSummary, ...], most: int) -> Iterator[Object]:
    for problem in problems[:most]:
        text = f"{problem.source}: {problem.reason} ({f'{problem.file} {problem.place}'.strip()})"
        place: list[Json] = [{"physicalLocation": {"artifactLocation": _artifact(_below(problem.source, problem.file))}}]
        yield {**_notification("problem", text), "locations": place}
    if (more := len(problems) - most) > 0:
        yield _notification("problem", f"and {more:,} more problems; the JSON report holds all")


def _below(source: str, file: str) -> str:
    """The path of a problem's file in the audited folder: a source's own name, or a file below it."""
    if not file or source == file or source.endswith(f"/{file}"):
        return source
    return file if file.startswith(f"{source}/") else f"{source}/{file}"


def _configuration(result: AuditResult, index: Mapping[str, int]) -> Iterator[Object]:
    for status in (RuleStatus.NOT_ASSESSED, RuleStatus.SWITCHED_OFF):
        for rule in _tally.with_status(result, status):
            yield _of_rule(_STATUS_NOTIFICATIONS[status], rule, index)
    for rule in sorted((r for r in result.rules if r.suppressed), key=lambda r: r.id):
        yield _notification("findings-suppressed", f"{rule.id}: {rule.suppressed:,} suppressed by decisions")
    for note in result.notes:
        yield _notification("note", note)


def _of_rule(name: str, rule: RuleOutcome, index: Mapping[str, int]) -> Object:
    text = f"{rule.id} is {STATUS_WORDS[rule.status]}: {rule.reason or 'no reason given'}"
    return {**_notification(name, text), "associatedRule": {"id": encodable(rule.id), "index": index[rule.id]}}


def _notification(name: str, text: str) -> Object:
    place = list(NOTIFICATIONS).index(name)
    return {"descriptor": {"id": name, "index": place}, "level": NOTIFICATIONS[name][0], "message": {"text": message(text)}}


def message(text: str) -> str:
    """Plain text of a message: braces doubled (3.11.5), and no ``[text](target)`` that a viewer makes a link (3.11.6)."""
    lines = "\n".join(shown(line) for line in text.split("\n"))
    return lines.replace("{", "{{").replace("}", "}}").replace("](", "] (")


REPORT: Report = SarifReport()
