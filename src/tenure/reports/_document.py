"""An audit's result as plain JSON values, member by member as ``findings.schema.json`` describes them.

Members are named as the fields of ``model.findings``, so that a reader can fill those again. Dictionaries of counts are
sorted, findings ordered, and how long a rule ran is left out: equal results give equal bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

from tenure import __version__
from tenure.clock import rfc3339
from tenure.model.findings import (
    AuditResult,
    CoverageSummary,
    Evidence,
    FileVerdict,
    Finding,
    FleetFigures,
    ProblemSummary,
    RuleOutcome,
    Scalar,
    SourceSummary,
    Subject,
    SuppressedFinding,
)
from tenure.reports._tally import suppressed
from tenure.reports._wording import encodable

SCHEMA = "urn:tenure:findings:1"

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


def audit(result: AuditResult) -> dict[str, Json]:
    """What holds for the audit as a whole: everything but its sources, rules, findings and problems."""
    return {
        "schema": SCHEMA,
        "tenure": __version__,
        "as_of": rfc3339(result.as_of),
        "incomplete": result.incomplete,
        "suppressed": suppressed(result),
        "notes": [encodable(note) for note in result.notes],
        "figures": figures(result.figures),
    }


def source(of: SourceSummary) -> dict[str, Json]:
    return {
        "kind": of.kind,
        "name": encodable(of.name),
        "content_id": of.content_id,
        "collected_at": rfc3339(of.collected_at),
        "speaks_as_of": _when(of.speaks_as_of),
        "partial": of.partial,
        "records": _counts(of.records),
        "problems": of.problems,
    }


def coverage(of: CoverageSummary) -> dict[str, Json]:
    return {
        "relying_party": encodable(of.relying_party),
        "site": _text(of.site),
        "since": rfc3339(of.since),
        "until": rfc3339(of.until),
        "declared": of.declared,
    }


def problem(of: ProblemSummary) -> dict[str, Json]:
    return {
        "source": encodable(of.source),
        "file": encodable(of.file),
        "place": encodable(of.place),
        "reason": encodable(of.reason),
        "sha256": of.sha256,
    }


def finding(of: Finding) -> dict[str, Json]:
    return {
        "id": encodable(of.id),
        "rule": encodable(of.rule),
        "severity": of.severity.value,
        "title": encodable(of.title),
        "grain": of.grain,
        "subjects": [subject(s) for s in of.subjects],
        "evidence": evidence(of.evidence),
        "since": _when(of.since),
        "controls": [encodable(c) for c in of.controls],
    }


def suppressed_finding(of: SuppressedFinding) -> dict[str, Json]:
    return {
        "id": encodable(of.id),
        "rule": encodable(of.rule),
        "severity": of.severity.value,
        "title": encodable(of.title),
        "subjects": [subject(s) for s in of.subjects],
        "decision": encodable(of.decision),
        "reason": encodable(of.reason),
        "who": encodable(of.who),
        "until": of.until.isoformat(),
    }


def subject(of: Subject) -> dict[str, Json]:
    return {
        "kind": of.kind,
        "id": encodable(of.id),
        "serial": _text(of.serial),
        "sha256": of.sha256,
        "spki_sha256": of.spki_sha256,
        "name": _text(of.name),
    }


def evidence(of: Evidence) -> dict[str, Json]:
    """Evidence with its datetimes as RFC 3339 text."""
    return {encodable(column): _rows(cell) if isinstance(cell, list) else scalar(cell) for column, cell in of.items()}


def _rows(of: list[dict[str, Scalar]]) -> list[Json]:
    return [{encodable(column): scalar(cell) for column, cell in row.items()} for row in of]


def scalar(cell: Scalar) -> Json:
    """One cell. What JSON has no number for (NaN, infinities) becomes its name."""
    if isinstance(cell, datetime):
        return rfc3339(cell)
    if isinstance(cell, float) and not math.isfinite(cell):
        return str(cell)
    return encodable(cell) if isinstance(cell, str) else cell


def rule(of: RuleOutcome) -> dict[str, Json]:
    return {
        "id": encodable(of.id),
        "title": encodable(of.title),
        "severity": of.severity.value,
        "status": of.status.value,
        "findings": of.findings,
        "suppressed": of.suppressed,
        "reason": encodable(of.reason),
        "why": encodable(of.why),
        "fix": encodable(of.fix),
        "reference": encodable(of.reference),
        "parameters": encodable(of.parameters),
        "moves_with_time": [encodable(column) for column in of.moves_with_time],
    }


def figures(of: FleetFigures) -> dict[str, Json]:
    return {
        "devices": of.devices,
        "devices_by_state": _counts(of.devices_by_state),
        "credentials_by_kind": _counts(of.credentials_by_kind),
        "usable_credentials": of.usable_credentials,
        "expiry_by_month": [{"day": point.day, "count": point.count} for point in of.expiry_by_month],
        "usable_by_issuer": _counts(of.usable_by_issuer),
        "assurance_by_domain": {name: _counts(levels) for name, levels in _sorted(of.assurance_by_domain)},
    }


def file(of: FileVerdict) -> dict[str, Json]:
    return {"path": encodable(of.path), "kind": of.kind, "why": encodable(of.why), "unread": of.unread}


def _counts(of: Mapping[str, int]) -> dict[str, Json]:
    return dict(sorted((encodable(name), number) for name, number in of.items()))


def _sorted(of: Mapping[str, Mapping[str, int]]) -> list[tuple[str, Mapping[str, int]]]:
    return sorted(((encodable(name), counts) for name, counts in of.items()), key=lambda item: item[0])


def _text(of: str | None) -> str | None:
    return None if of is None else encodable(of)


def _when(of: datetime | None) -> str | None:
    return None if of is None else rfc3339(of)
