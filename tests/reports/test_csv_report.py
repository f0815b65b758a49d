"""The CSV report: rows of findings and subjects, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.model.findings import AuditResult
from tenure.reports.csv_report import COLUMNS, REPORT, defused
from tests.reports.results import HOSTILE, hostile, results, sample


def _rows(result: AuditResult) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(REPORT.render(result), newline="")))


def test_one_row_per_finding_and_subject() -> None:
    rows = _rows(sample())
    assert len(rows) == 14
    first, second = rows[:2]
    assert (first["subject_kind"], second["subject_kind"]) == ("device", "certificate")
    assert first["finding"] == second["finding"] == f"{1:032x}"
    assert first["since"] == "2026-03-02T10:00:00Z"
    assert json.loads(first["evidence"])["state"] == "retired"
    assert first["fix"].startswith("Revoke it")
    assert first["controls"] == "nist-csf-2.0:PR.AA-01 owasp-nhi-2025:NHI1"


def test_lines_end_as_rfc_4180_says() -> None:
    text = REPORT.render(sample())
    assert text.startswith(",".join(COLUMNS) + "\r\n")
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", " =", "\u00a0+"])
def test_what_begins_like_a_formula_is_text(start: str) -> None:
    assert defused(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("cell", ["", "meter-1", "1-2", "a=b", "'quoted", "{}"])
def test_what_is_no_formula_stays_as_it_is(cell: str) -> None:
    assert defused(cell) == cell


def test_hostile_names_come_through_as_text() -> None:
    names = {row["subject_name"] for row in _rows(hostile()) if row["subject_kind"] == "device"}
    assert "'=cmd|' /C calc'!A0" in names
    assert "<script>window.pwned=1</script>" in names
    assert len(names) == len(HOSTILE)


def test_a_finding_without_subjects_has_a_row() -> None:
    base = sample()
    alone = dataclasses.replace(base, findings=(dataclasses.replace(base.findings[0], subjects=()),))
    (row,) = _rows(alone)
    assert row["subject_kind"] == ""
    assert row["rule"] == "retired-device-still-trusted"


@settings(max_examples=60, deadline=None)
@given(results)
def test_no_cell_of_any_result_is_a_formula(result: AuditResult) -> None:
    text = REPORT.render(result)
    text.encode("utf-8")
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert all(len(row) == len(COLUMNS) for row in rows)
    assert len(rows) == 1 + sum(max(len(f.subjects), 1) for f in result.findings)
    for cell in (cell for row in rows for cell in row):
        assert cell.lstrip(" \u00a0")[:1] not in set("=+-@\t\r\n＝＋－＠") or not cell


@given(st.text())
def test_defusing_twice_is_defusing_once(cell: str) -> None:
    assert defused(defused(cell)) == defused(cell)


def test_every_column_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "findings.md").read_text("utf-8")
    assert [column for column in COLUMNS if f"`{column}`" not in page] == []
