"""Comparing audits: nothing is called gone that was not looked for."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from tenure.flows.diff import diff
from tenure.model.findings import AuditResult, Finding
from tenure.model.vocabulary import RuleStatus, Severity
from tenure.reports.json_report import REPORT, read
from tests.reports.results import AS_OF, day, finding, outcome, results, sample

RULE = "retired-device-still-trusted"


def _result(*findings: Finding, status: RuleStatus | None = RuleStatus.ASSESSED, **rule: object) -> AuditResult:
    rules = () if status is None else (outcome(RULE, Severity.CRITICAL, "Retired", len(findings), status=status, **rule),)
    return AuditResult(AS_OF, sample().sources[:1], (), (), findings, rules)


def test_appeared_gone_and_as_before() -> None:
    told = diff(_result(finding(1), finding(2)), _result(finding(2), finding(3)))
    assert [f.id for f in told.appeared] == [f"{3:032x}"]
    assert [f.id for f in told.gone] == [f"{1:032x}"]
    assert (told.unchanged, told.changed, told.incomplete, told.notes) == (1, (), False, ())


@pytest.mark.parametrize("status", [RuleStatus.UNKNOWN, RuleStatus.NOT_ASSESSED, RuleStatus.SWITCHED_OFF, None])
def test_what_new_did_not_look_for_is_not_gone(status: RuleStatus | None) -> None:
    told = diff(_result(finding(1)), _result(status=status, reason="needs a CMDB"))
    assert told.gone == ()
    (lost,) = told.not_assessed_any_more
    assert lost.finding.id == f"{1:032x}"
    assert lost.status is status
    assert lost.reason == ("needs a CMDB" if status else "the new audit has no such rule")
    assert told.incomplete is (status is not RuleStatus.SWITCHED_OFF)


@pytest.mark.parametrize("status", [RuleStatus.UNKNOWN, RuleStatus.NOT_ASSESSED, RuleStatus.SWITCHED_OFF, None])
def test_what_old_did_not_look_for_is_not_said_to_have_appeared(status: RuleStatus | None) -> None:
    told = diff(_result(status=status), _result(finding(1)))
    assert told.appeared == ()
    assert [f.id for f in told.newly_assessed] == [f"{1:032x}"]


def test_a_changed_severity_and_changed_evidence_are_told() -> None:
    old = finding(1, evidence={"sessions": 3, "last_at": day(10, 1), "was": True, "members": [{"x": 1}, {"x": 2}]})
    new = dataclasses.replace(
        finding(
            1, severity=Severity.LOW, evidence={"sessions": 4, "last_at": day(10, 2), "is": None, "members": [{"x": 2}, {"x": 3}]}
        ),
        since=None,
    )
    (changed,) = diff(_result(old), _result(new)).changed
    assert {(c.member, c.before, c.after) for c in changed.changes} == {
        ("severity", "critical", "low"),
        ("since", "2026-03-02T10:00:00Z", "none"),
        ("evidence.sessions", "3", "4"),
        ("evidence.last_at", "2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z"),
        ("evidence.was", "yes", "absent"),
        ("evidence.is", "absent", "none"),
        ("evidence.members", "x=1; x=2", "x=2; x=3"),
    }


def test_the_order_of_rows_and_the_names_of_subjects_are_no_change() -> None:
    old = finding(1, name="old-name", evidence={"members": [{"x": 1}, {"x": 2}]})
    new = finding(1, name="new-name", evidence={"members": [{"x": 2}, {"x": 1}]})
    told = diff(_result(old), _result(new))
    assert (told.changed, told.unchanged) == ((), 1)


@pytest.mark.parametrize("side", ["old", "new", "both"])
def test_evidence_that_moves_with_time_is_no_change(side: str) -> None:
    """Either report may be of a version that did not name such columns yet."""
    old = finding(1, evidence={"days_left": 9.5, "members": [{"x": 1, "days_left": 9.5}, {"x": 2, "days_left": 9}]})
    new = finding(1, evidence={"days_left": 8.5, "members": [{"x": 1, "days_left": 8.5}, {"x": 2, "days_left": 8}]})
    moving: dict[str, Any] = {"moves_with_time": ("days_left",)}
    told = diff(_result(old, **(moving if side != "new" else {})), _result(new, **(moving if side != "old" else {})))
    assert (told.changed, told.unchanged) == ((), 1)
    grown = dataclasses.replace(new, evidence={**new.evidence, "sessions": 2})
    (changed,) = diff(_result(old, **moving), _result(grown, **moving)).changed
    assert [(c.member, c.before, c.after) for c in changed.changes] == [("evidence.sessions", "absent", "2")]
    assert len(diff(_result(old), _result(new)).changed) == 1


def test_sources_and_times_that_differ_are_told() -> None:
    old, new = sample(), sample()
    moved = dataclasses.replace(
        new,
        as_of=AS_OF + timedelta(days=7),
        sources=(dataclasses.replace(new.sources[0], content_id="99" * 32), dataclasses.replace(new.sources[1], kind="zeek")),
    )
    told = diff(old, moved)
    assert (told.old_as_of, told.new_as_of) == (AS_OF, AS_OF + timedelta(days=7))
    assert [(s.kind, s.old is None, s.new is None) for s in told.sources] == [
        ("cmdb", False, False),
        ("mosquitto-log", False, True),
        ("zeek", True, False),
    ]
    assert any("NEW read no source of kind mosquitto-log, OLD did" in note for note in told.notes)


def test_what_went_together_with_a_kind_of_source_is_in_doubt() -> None:
    without = dataclasses.replace(_result(), sources=())
    assert diff(_result(finding(1)), without).incomplete
    assert not diff(_result(), without).incomplete
    renamed = tuple(dataclasses.replace(s, name="cmdb-november.csv") for s in sample().sources[:1])
    assert not diff(_result(finding(1)), dataclasses.replace(_result(), sources=renamed)).incomplete


def test_the_wrong_way_round_is_asked_about() -> None:
    base = sample()
    told = diff(dataclasses.replace(base, as_of=AS_OF + timedelta(days=1)), base)
    assert any("the wrong way round" in note for note in told.notes)


def test_what_decisions_may_hide_is_not_simply_gone() -> None:
    told = diff(_result(finding(1)), _result(suppressed=1))
    assert len(told.gone) == 1
    assert told.notes == (f"{RULE}: decisions suppress 1 more than before; what is gone there may be suppressed, not mended.",)
    assert [rule.id for rule in told.rules] == [RULE]


def test_other_parameters_are_told() -> None:
    told = diff(_result(parameters="days=30"), _result(parameters="days=90"))
    ((changed),) = told.rules
    assert changed.old is not None
    assert changed.new is not None
    assert (changed.old.parameters, changed.new.parameters) == ("days=30", "days=90")


@settings(max_examples=50, deadline=None)
@given(results)
def test_a_result_differs_in_nothing_from_itself(result: AuditResult) -> None:
    again = read(REPORT.render(result))
    told = diff(again, again)
    assert (told.appeared, told.newly_assessed, told.gone, told.changed, told.not_assessed_any_more) == ((), (), (), (), ())
    assert (told.unchanged, told.rules, told.sources, told.incomplete) == (len(result.findings), (), (), result.incomplete)


def test_an_audit_of_now_equals_its_report_of_then() -> None:
    told = diff(sample(), read(REPORT.render(sample())))
    assert (told.unchanged, told.rules, told.sources, told.changed) == (7, (), (), ())


@settings(max_examples=50, deadline=None)
@given(results, results)
def test_every_finding_of_both_is_accounted_for_once(old: AuditResult, new: AuditResult) -> None:
    told = diff(old, new)
    now = [f.id for f in (*told.appeared, *told.newly_assessed, *(c.new for c in told.changed))]
    was = [f.id for f in (*told.gone, *(entry.finding for entry in told.not_assessed_any_more), *(c.old for c in told.changed))]
    assert len(now) + told.unchanged == len(new.findings)
    assert len(was) + told.unchanged == len(old.findings)
    assessed = {r.id for r in new.rules if r.status is RuleStatus.ASSESSED}
    assert {f.rule for f in told.gone} <= assessed
