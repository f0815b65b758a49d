"""Exit codes: incomplete before found, found only at or above the bar."""

from __future__ import annotations

import dataclasses

import pytest

from tenure.flows.diff import diff
from tenure.flows.verdict import difference_exit_code, exit_code
from tenure.model.findings import AuditResult
from tenure.model.vocabulary import RuleStatus, Severity
from tests.reports.results import AS_OF, finding, outcome, sample


def _result(*severities: Severity, status: RuleStatus = RuleStatus.ASSESSED, partial: bool = False) -> AuditResult:
    base = sample()
    return AuditResult(
        AS_OF,
        (dataclasses.replace(base.sources[0], partial=partial),),
        (),
        (),
        tuple(finding(n, "a-rule", severity) for n, severity in enumerate(severities)),
        (outcome("a-rule", Severity.MEDIUM, "A rule", len(severities), status=status),),
    )


@pytest.mark.parametrize(
    ("found", "fail_on", "code"),
    [
        ((), Severity.INFO, 0),
        ((Severity.LOW,), Severity.HIGH, 0),
        ((Severity.HIGH,), Severity.HIGH, 1),
        ((Severity.LOW, Severity.CRITICAL), Severity.HIGH, 1),
        ((Severity.INFO,), Severity.INFO, 1),
        ((Severity.CRITICAL,), None, 0),
    ],
)
def test_findings_at_or_above_the_bar(found: tuple[Severity, ...], fail_on: Severity | None, code: int) -> None:
    assert exit_code(_result(*found), fail_on) == code


def test_a_source_cut_short_is_incomplete_whatever_was_found() -> None:
    assert exit_code(_result(Severity.CRITICAL, partial=True), Severity.HIGH) == 3
    assert exit_code(_result(partial=True), None) == 3


def test_an_unknown_rule_is_incomplete() -> None:
    assert exit_code(_result(status=RuleStatus.UNKNOWN), Severity.HIGH) == 3


@pytest.mark.parametrize("status", [RuleStatus.NOT_ASSESSED, RuleStatus.SWITCHED_OFF])
def test_what_was_not_collected_or_is_off_is_not_incomplete(status: RuleStatus) -> None:
    assert exit_code(_result(status=status), Severity.HIGH) == 0


@pytest.mark.parametrize(
    ("old", "new", "fail_on", "code"),
    [
        (_result(), _result(), Severity.INFO, 0),
        (_result(), _result(Severity.HIGH), Severity.HIGH, 1),
        (_result(), _result(Severity.LOW), Severity.HIGH, 0),
        (_result(Severity.HIGH), _result(Severity.HIGH), Severity.HIGH, 0),
        (_result(Severity.HIGH), _result(), Severity.INFO, 0),
        (_result(Severity.LOW), _result(Severity.CRITICAL), Severity.HIGH, 1),
        (_result(Severity.CRITICAL), _result(Severity.HIGH), Severity.HIGH, 0),
        (_result(), _result(Severity.HIGH), None, 0),
        (_result(status=RuleStatus.NOT_ASSESSED), _result(Severity.HIGH), Severity.HIGH, 1),
        (_result(), _result(partial=True), Severity.HIGH, 3),
        (_result(Severity.LOW), _result(status=RuleStatus.NOT_ASSESSED), Severity.HIGH, 3),
        (_result(), _result(status=RuleStatus.NOT_ASSESSED), Severity.HIGH, 0),
        (_result(Severity.LOW), _result(status=RuleStatus.SWITCHED_OFF), Severity.HIGH, 0),
    ],
)
def test_a_comparison_fails_for_what_is_new(old: AuditResult, new: AuditResult, fail_on: Severity | None, code: int) -> None:
    assert difference_exit_code(diff(old, new), fail_on) == code
