"""The JSON report: the promised shape, its schema, its bytes, and reading it back."""

from __future__ import annotations

import copy
import dataclasses
import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from tenure.model.findings import AuditResult
from tenure.reports.json_report import REPORT, ReportError, read
from tests.reports.results import big, hostile, results, sample

SCHEMA: dict[str, Any] = json.loads((resources.files("tenure.reports") / "findings.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_shape_others_build_on() -> None:
    document = json.loads(REPORT.render(sample()))
    assert {"as_of", "sources", "coverage", "problems", "findings", "rules"} <= document.keys()
    assert document["as_of"] == "2026-11-01T00:00:00Z"
    first = document["findings"][0]
    assert list(first) == ["id", "rule", "severity", "title", "grain", "subjects", "evidence", "since", "controls"]
    assert list(first["subjects"][0]) == ["kind", "id", "serial", "sha256", "spki_sha256", "name"]
    assert first["evidence"] == {
        "left_service_at": "2026-03-02T00:00:00Z",
        "state": "retired",
        "usable_credentials": 1,
        "origin": "ca/index.txt#1",
    }
    assert [(r["id"], r["status"], r["findings"]) for r in document["rules"]][:2] == [
        ("hidden-device", "not-assessed", 0),
        ("key-shared-across-devices", "assessed", 1),
    ]
    assert document["suppressed"] == 2
    assert [f["id"] for f in document["suppressed_findings"]] == [f"{n:032x}" for n in (901, 902)]
    hidden = document["suppressed_findings"][0]
    assert {k: hidden[k] for k in ("rule", "decision", "reason", "who", "until")} == {
        "rule": "retired-device-still-trusted", "decision": f"finding {901:032x}", "reason": "in the lab's vault",
        "who": "Operations", "until": "2027-01-31",
    }  # fmt: skip
    assert document["incomplete"] is True


@pytest.mark.parametrize("make", [sample, hostile])
def test_it_keeps_to_its_schema(make: Any) -> None:
    VALIDATOR.validate(json.loads(REPORT.render(make())))


@settings(max_examples=60, deadline=None)
@given(results)
def test_any_result_keeps_to_the_schema_and_reads_back(result: AuditResult) -> None:
    text = REPORT.render(result)
    text.encode("utf-8")
    VALIDATOR.validate(json.loads(text))
    assert REPORT.render(read(text)) == text


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("findings", 0, "severity"), "grave"),
        (("findings", 0, "since"), "2026-03-02 10:00"),
        (("findings", 0, "subjects", 0, "kind"), "person"),
        (("findings", 0, "evidence", "state"), {"nested": 1}),
        (("findings", 0, "surprise"), 1),
        (("rules", 0, "status"), "fine"),
        (("figures", "devices"), -1),
        (("problems", 0, "sha256"), "abc"),
        (("schema",), "urn:other"),
    ],
)
def test_the_schema_refuses_what_breaks_a_promise(path: tuple[str | int, ...], value: object) -> None:
    document = json.loads(REPORT.render(sample()))
    broken = copy.deepcopy(document)
    at = broken
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    VALIDATOR.validate(document)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(broken)


@pytest.mark.parametrize("member", sorted(SCHEMA["required"]))
def test_every_member_is_required(member: str) -> None:
    document = json.loads(REPORT.render(sample()))
    del document[member]
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(document)


def test_equal_results_give_equal_bytes_whatever_their_order_and_speed() -> None:
    result = sample()
    other = dataclasses.replace(
        result,
        findings=result.findings[::-1],
        rules=tuple(dataclasses.replace(r, seconds=9.75) for r in result.rules[::-1]),
        figures=dataclasses.replace(
            result.figures, devices_by_state=dict(reversed(list(result.figures.devices_by_state.items())))
        ),
    )
    assert REPORT.render(result) == REPORT.render(other)


def test_each_finding_has_a_line_of_its_own() -> None:
    lines = [line for line in REPORT.render(sample()).splitlines() if '"subjects"' in line and '"grain"' in line]
    assert len(lines) == len(sample().findings)
    assert json.loads(lines[0].strip().rstrip(","))["id"] == f"{1:032x}"


def test_reading_gives_the_result_again() -> None:
    result = sample()
    again = read(REPORT.render(result))
    assert again.as_of == result.as_of
    assert again.sources == result.sources
    assert again.figures == result.figures
    assert again.files == result.files
    assert [f.id for f in again.findings] == [f.id for f in result.findings]
    assert again.findings[0].since == result.findings[0].since
    assert [f.evidence for f in again.findings] == [f.evidence for f in result.findings]
    assert again.incomplete


def _changed(**members: object) -> str:
    return json.dumps({**json.loads(REPORT.render(sample())), **members})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not JSON: line 1"),
        ("{\n\n oops", "not JSON: line 3"),
        ("[1, 2]", "not a findings report"),
        ('{"runs": []}', "not a findings report"),
        ('{"schema": 3}', "not a findings report"),
        ("[" * 100_000, "not JSON"),
        ('{"schema": "urn:tenure:findings:1", "n": NaN}', "NaN"),
        ('{"schema": "urn:tenure:findings:2"}', "another format"),
        ('{"schema": "urn:tenure:findings:1"}', "as_of"),
        (_changed(as_of="yesterday"), "as_of"),
        (_changed(rules=[{"id": "x"}]), "rules.0.title"),
        (_changed(findings=[3]), "findings.0"),
    ],
)
def test_a_foreign_or_broken_file_is_refused_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(ReportError, match=problem.replace(".", r"\.")) as caught:
        read(text)
    assert "tenure audit --format json" in caught.value.fix or "make it again" in caught.value.fix


def test_the_document_names_the_schema_it_keeps_to() -> None:
    assert SCHEMA["$id"] == json.loads(REPORT.render(sample()))["schema"]


def test_every_member_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "findings.md").read_text("utf-8")
    schemas = [SCHEMA, *SCHEMA["$defs"].values()]
    schemas.append(SCHEMA["$defs"]["figures"]["properties"]["expiry_by_month"]["items"])
    for member in {name for schema in schemas for name in schema.get("properties", {})}:
        assert f"`{member}`" in page, member
    for word in SCHEMA["$defs"]["rule"]["properties"]["status"]["enum"] + SCHEMA["$defs"]["severity"]["enum"]:
        assert f"`{word}`" in page, word


def test_many_findings_are_all_there() -> None:
    assert len(json.loads(REPORT.render(big(5000)))["findings"]) == 5000
