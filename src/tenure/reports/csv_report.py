"""CSV (RFC 4180): one row per finding and subject, for spreadsheets and ticket imports.

Cells come from devices: one that a spreadsheet would take for a formula gets an apostrophe before it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tenure.clock import rfc3339
from tenure.model.findings import AuditResult, Finding, Subject
from tenure.reports import Report, _document, _tally
from tenure.reports._wording import encodable, gist

COLUMNS = (
    "finding", "rule", "severity", "title", "grain", "since",
    "subject_kind", "subject_id", "subject_name", "subject_serial", "subject_sha256", "subject_spki_sha256",
    "summary", "evidence", "controls", "fix", "as_of",
)  # fmt: skip

FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
"""What spreadsheets take for the beginning of a formula, or skip to find one; full-width forms too."""


@dataclass(frozen=True, slots=True)
class CsvReport:
    """UTF-8 without a byte order mark, lines end in CRLF, a header line. A finding without subjects is one row."""

    name: ClassVar[str] = "csv"
    media_type: ClassVar[str] = "text/csv"
    suffix: ClassVar[str] = ".csv"

    def render(self, result: AuditResult) -> str:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        for row in rows(result):
            writer.writerow([defused(cell) for cell in row])
        return text.getvalue()


def rows(result: AuditResult) -> Iterator[tuple[str, ...]]:
    """The cells of ``COLUMNS``, as they are before they are made safe for spreadsheets."""
    fixes = {rule.id: rule.fix for rule in result.rules}
    for finding in _tally.ordered(result.findings):
        before, after = _before(finding), _after(finding, fixes.get(finding.rule, ""), rfc3339(result.as_of))
        for subject in finding.subjects or (None,):
            yield (*before, *_subject(subject), *after)


def _before(of: Finding) -> tuple[str, ...]:
    return (of.id, of.rule, of.severity.value, of.title, of.grain, rfc3339(of.since) if of.since else "")


def _subject(of: Subject | None) -> tuple[str, ...]:
    if of is None:
        return ("",) * 6
    return (of.kind, of.id, of.name or "", of.serial or "", of.sha256 or "", of.spki_sha256 or "")


def _after(of: Finding, fix: str, as_of: str) -> tuple[str, ...]:
    whole = json.dumps(_document.evidence(of.evidence), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return (gist(of.evidence, 4), whole, " ".join(of.controls), fix, as_of)


def defused(cell: str) -> str:
    """The cell, with an apostrophe before what begins like a formula (leading spaces do not hide one)."""
    cell = encodable(cell).replace("\x00", "\\x00")
    start = cell.lstrip(" \u00a0")[:1]
    return f"'{cell}" if start and start in FORMULA else cell


REPORT: Report = CsvReport()
