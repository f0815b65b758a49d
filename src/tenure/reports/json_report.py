"""JSON: the whole result as one document of ``findings.schema.json``, and its reader."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar, NoReturn

from pydantic import TypeAdapter, ValidationError

from tenure.clock import instant, rfc3339
from tenure.errors import TenureError
from tenure.model.findings import AuditResult, Evidence, Scalar
from tenure.reports import Report, _document, _tally


class ReportError(TenureError):
    """A file is not a findings report that this version reads."""


@dataclass(frozen=True, slots=True)
class JsonReport:
    """One JSON object; each source, problem, finding, rule and file on a line of its own. Equal results give equal bytes."""

    name: ClassVar[str] = "json"
    media_type: ClassVar[str] = "application/json"
    suffix: ClassVar[str] = ".json"

    def render(self, result: AuditResult) -> str:
        members = ",\n".join(f" {_dumped(name)}: {_laid_out(value)}" for name, value in document(result).items())
        return f"{{\n{members}\n}}\n"


def _laid_out(value: _document.Json) -> str:
    """A list with one entry a line, anything else on one line: quick to write, and a diff of two files reads well."""
    if not isinstance(value, list) or not value:
        return _dumped(value)
    return "[\n  " + ",\n  ".join(map(_dumped, value)) + "\n ]"


def _dumped(value: _document.Json) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def document(result: AuditResult) -> dict[str, _document.Json]:
    """The result as JSON values, findings gravest first."""
    return {
        **_document.audit(result),
        "sources": [_document.source(s) for s in result.sources],
        "coverage": [_document.coverage(c) for c in result.coverage],
        "problems": [_document.problem(p) for p in result.problems],
        "findings": [_document.finding(f) for f in _tally.ordered(result.findings)],
        "suppressed_findings": [_document.suppressed_finding(f) for f in _tally.ordered(result.suppressed_findings)],
        "rules": [_document.rule(r) for r in sorted(result.rules, key=lambda r: r.id)],
        "files": [_document.file(f) for f in result.files],
    }


def read(text: str) -> AuditResult:
    """The result that a JSON report tells of; only how long each rule ran is not in it. Written again it is the same text.

    Raises ReportError for what is not such a report, and says where it goes wrong.
    """
    try:
        whole: Any = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        place = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else str(error)[:80]
        raise ReportError(f"not JSON: {place}", _FIX) from error
    if not isinstance(whole, dict) or not str(whole.get("schema", "")).startswith(_FAMILY):
        raise ReportError("JSON, but not a findings report of Tenure", _FIX)
    if whole["schema"] != _document.SCHEMA:
        raise ReportError(
            f"a findings report in another format: {whole['schema']!r}", f"this version reads {_document.SCHEMA}: make it again"
        )
    try:
        result = _adapter().validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise ReportError(f"a findings report, but {place}: {first['msg']}", _FIX) from error
    return replace(result, findings=tuple(replace(f, evidence=_with_instants(f.evidence)) for f in result.findings))


def _with_instants(evidence: Evidence) -> Evidence:
    """Evidence whose RFC 3339 texts, as this report writes instants, are instants again."""
    return {
        column: [{k: _instant(v) for k, v in row.items()} for row in cell] if isinstance(cell, list) else _instant(cell)
        for column, cell in evidence.items()
    }


def _instant(cell: Scalar) -> Scalar:
    if not isinstance(cell, str) or not _INSTANT.fullmatch(cell):
        return cell
    try:
        when = instant(cell)
    except TenureError:
        return cell
    return when if rfc3339(when) == cell else cell


_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", re.ASCII)
_FAMILY = "urn:tenure:findings:"
_FIX = "give a file that tenure audit --format json wrote"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


@cache
def _adapter() -> TypeAdapter[AuditResult]:
    return TypeAdapter(AuditResult)


REPORT: Report = JsonReport()
