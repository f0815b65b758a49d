"""SARIF 2.1.0 (OASIS, errata 01): findings for tools that collect results of many scanners.

A device is a logical location; the line of the export that shows the defect is its physical one, where the rule's
evidence names it, else the audited folder (some consumers refuse a result without a physical location). The id of a
finding is its partial fingerprint, so that a consumer matches runs as Tenure does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from tenure import __version__
from tenure.model.findings import AuditResult, Finding, RuleOutcome, Subject
from tenure.model.vocabulary import RuleStatus, Severity
from tenure.reports import Report, _document, _tally
from tenure.reports._document import Json
from tenure.reports._sarif_invocation import descriptors, invocation
from tenure.reports._sarif_pieces import BASE, Object, artifact, described, distinct, message, physical
from tenure.reports._wording import encodable, gist, moment, scalars, shown, who

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "tenureFindingId/v1"

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
        "notifications": descriptors(),
        "supportedTaxonomies": [{"name": name, "index": place} for place, name in enumerate(frames)],
    }
    return {
        "tool": {"driver": driver},
        "taxonomies": [{"name": name, "taxa": [{"id": clause} for clause in clauses]} for name, clauses in frames.items()],
        "invocations": [invocation(result, index, notifications)],
        "automationDetails": {"id": "tenure/audit/"},
        "originalUriBaseIds": {BASE: {"description": {"text": "the audited folder of exports"}}},
        "columnKind": "unicodeCodePoints",
        "artifacts": distinct(
            {"location": artifact(f.path), "description": {"text": message(f.kind or "not recognised")}} for f in result.files
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
        **described(title, of.why or title, told or title),
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
    logical = distinct(_logical(s) for s in of.subjects)
    places = list(dict.fromkeys(_origins(of)))
    locations: list[Json] = [
        {"physicalLocation": physical(place), **({"logicalLocations": logical} if logical and not n else {})}
        for n, place in enumerate(places[:10])
    ] or [{"physicalLocation": {"artifactLocation": artifact("")}, **({"logicalLocations": logical} if logical else {})}]
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


REPORT: Report = SarifReport()
