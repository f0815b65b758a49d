"""JSON Lines: a header, then one finding per line, then one problem per line. Cut it, grep it, load it by the line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tenure.model.findings import AuditResult
from tenure.reports import Report, _document, _tally


@dataclass(frozen=True, slots=True)
class JsonLinesReport:
    """Every line is an object whose ``record`` says what it is: ``audit`` (the first line), ``finding`` or ``problem``.

    The header counts the lines of each, so that a file cut short is seen as one.
    """

    name: ClassVar[str] = "jsonl"
    media_type: ClassVar[str] = "application/jsonl"
    suffix: ClassVar[str] = ".jsonl"

    def render(self, result: AuditResult) -> str:
        return "".join(lines(result))


def lines(result: AuditResult) -> Iterator[str]:
    """The report line by line, each with its newline."""
    yield _line("audit", header(result))
    for finding in _tally.ordered(result.findings):
        yield _line("finding", _document.finding(finding))
    for problem in result.problems:
        yield _line("problem", _document.problem(problem))


def header(result: AuditResult) -> dict[str, _document.Json]:
    """All that is neither finding nor problem, and how many of both follow."""
    return {
        **_document.audit(result),
        "findings": len(result.findings),
        "problems": len(result.problems),
        "sources": [_document.source(s) for s in result.sources],
        "coverage": [_document.coverage(c) for c in result.coverage],
        "rules": [_document.rule(r) for r in sorted(result.rules, key=lambda r: r.id)],
        "files": [_document.file(f) for f in result.files],
    }


def _line(record: str, members: dict[str, _document.Json]) -> str:
    return json.dumps({"record": record, **members}, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


REPORT: Report = JsonLinesReport()
