"""The comparison on the terminal and as JSON."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given, settings

from tenure.flows.diff import diff
from tenure.model.difference import Difference
from tenure.model.findings import AuditResult
from tenure.model.vocabulary import RuleStatus, Severity
from tenure.reports.difference import to_json, to_text
from tests.reports.results import finding, hostile, outcome, results, sample


def _differs() -> Difference:
    old = sample()
    first = old.findings[0]
    new = dataclasses.replace(
        old,
        findings=(
            dataclasses.replace(first, severity=Severity.LOW),
            *old.findings[2:5],
            finding(9, name="meter-0009"),
            finding(40, "weak-key", Severity.MEDIUM, "Weak key"),
        ),
        rules=(
            *(r for r in old.rules if r.id not in ("unowned-device", "weak-key", "key-shared-across-devices")),
            outcome("key-shared-across-devices", Severity.HIGH, "Shared", 0),
            outcome("unowned-device", Severity.LOW, "Unowned", 0, status=RuleStatus.NOT_ASSESSED, reason="needs a CMDB"),
            outcome("weak-key", Severity.MEDIUM, "Weak key", 1, parameters="bits=2048"),
        ),
        sources=old.sources[1:],
    )
    return diff(old, new)


def _words(text: str) -> str:
    return " ".join(text.split())


def test_the_terminal_tells_all_kinds_apart() -> None:
    text = _words(to_text(_differs(), width=100))
    for told in (
        "From 2026-11-01 00:00 UTC to 2026-11-01 00:00 UTC",
        "Incomplete: 2 appeared, 2 gone, 1 not assessed any more, 1 changed, 3 as before",
        "NEW read no source of kind cmdb, OLD did:",
        "Appeared (2) critical Retired device is still trusted: device meter-0009",
        "Gone, as far as the new audit could see (2)",
        "Not assessed any more: nobody knows whether these are mended (1) low Nobody answers for the device",
        "not assessed: needs a CMDB",
        "severity: critical -> low",
        "unowned-device: status assessed -> not assessed",
        "weak-key: parameters days=30 -> bits=2048",
        "cmdb cmdb.csv: only the old audit read it",
    ):
        assert told in text, told


def test_nothing_new_is_one_line() -> None:
    base = dataclasses.replace(sample(), sources=(), files=(), rules=sample().rules[:4])
    assert to_text(diff(base, base)).splitlines() == [
        "From 2026-11-01 00:00 UTC to 2026-11-01 00:00 UTC",
        "0 appeared, 0 gone, 0 changed, 7 as before",
    ]


def test_long_lists_are_cut_and_counted() -> None:
    base = sample()
    many = dataclasses.replace(base, findings=tuple(finding(n) for n in range(1, 101)))
    assert "and 78 more: --json shows all" in to_text(diff(base, many))


def test_json_holds_all_of_it() -> None:
    document = json.loads(to_json(_differs()))
    assert document["schema"] == "urn:tenure:difference:1"
    assert [f["id"] for f in document["appeared"]] == [f"{9:032x}", f"{40:032x}"]
    assert [f["rule"] for f in document["gone"]] == ["retired-device-still-trusted", "key-shared-across-devices"]
    (lost,) = document["not_assessed_any_more"]
    assert (lost["finding"]["rule"], lost["status"], lost["reason"]) == ("unowned-device", "not-assessed", "needs a CMDB")
    assert document["changed"][0]["changes"] == [{"member": "severity", "before": "critical", "after": "low"}]
    assert document["sources"][0]["new"] is None
    assert (document["unchanged"], document["incomplete"]) == (3, True)


@settings(max_examples=30, deadline=None)
@given(results, results)
def test_any_two_audits_can_be_compared_and_shown(old: AuditResult, new: AuditResult) -> None:
    told = diff(old, new)
    text = to_text(told, width=60)
    text.encode("utf-8")
    assert not set(text) & set("\x1b\x07\r\u202e")
    document = json.loads(to_json(told))
    assert len(document["appeared"]) + len(document["newly_assessed"]) == len(told.appeared) + len(told.newly_assessed)


@pytest.mark.parametrize("colour", [True, False])
def test_hostile_names_stay_names(colour: bool) -> None:
    text = to_text(diff(sample(), hostile()), width=200, colour=colour)
    assert "\\x1b[31mred" in text
    assert "\x1b]0;" not in text
