"""The JSON Lines report: a header, findings, problems; nothing else and nothing less."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import jsonschema
from hypothesis import given, settings

from tenure.model.findings import AuditResult
from tenure.reports.jsonl import REPORT
from tests.reports.results import hostile, results, sample

SCHEMA: dict[str, Any] = json.loads((resources.files("tenure.reports") / "findings.schema.json").read_text("utf-8"))


def _records(result: AuditResult) -> list[dict[str, Any]]:
    text = REPORT.render(result)
    assert text.endswith("\n")
    return [json.loads(line) for line in text.removesuffix("\n").split("\n")]


def test_a_header_then_findings_then_problems() -> None:
    records = _records(sample())
    assert [r["record"] for r in records] == ["audit", *["finding"] * 7, *["problem"] * 3]
    header = records[0]
    assert header["as_of"] == "2026-11-01T00:00:00Z"
    assert (header["findings"], header["problems"]) == (7, 3)
    assert [s["name"] for s in header["sources"]] == ["cmdb.csv", "logs/broker.log"]
    assert records[1]["rule"] == "retired-device-still-trusted"


def test_a_name_with_a_newline_stays_on_its_line() -> None:
    records = _records(hostile())
    assert sum(r["record"] == "finding" for r in records) == records[0]["findings"]


@settings(max_examples=40, deadline=None)
@given(results)
def test_lines_hold_what_the_json_report_holds(result: AuditResult) -> None:
    header, *rest = _records(result)
    assert header["findings"] + header["problems"] == len(rest)
    for record in rest:
        kind = record.pop("record")
        jsonschema.Draft202012Validator({**SCHEMA["$defs"][kind], "$defs": SCHEMA["$defs"]}).validate(record)
