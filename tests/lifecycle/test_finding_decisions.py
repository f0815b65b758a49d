"""Decisions on kept findings: what holds, what is overdue, and files that come back as they were."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tenure.errors import DeclarationError
from tenure.lifecycle.finding_decisions import (
    DEFAULT_TARGETS,
    Acknowledgement,
    Assignment,
    Import,
    Kept,
    Standing,
    Targets,
    plan_import,
    standings,
)
from tenure.lifecycle.findings import Basis, FindingState, KeptFinding
from tenure.model.decisions import FindingDecision, RuleDecision, SubjectDecision, format_decisions, parse_decisions
from tenure.model.findings import Subject
from tenure.model.vocabulary import Severity

OPENED = datetime(2026, 11, 1, tzinfo=UTC)
NOW = OPENED + timedelta(days=10)
LAST = date(2026, 11, 11)  # the day of NOW


def kept(number: int = 1, severity: Severity = Severity.CRITICAL) -> KeptFinding:
    return KeptFinding(
        id=f"{number:032x}",
        rule="weak-key",
        severity=severity,
        title="A weak key",
        subjects=(Subject("device", f"d{number}"),),
        state=FindingState.OPEN,
        first_seen_at=OPENED,
        opened_at=OPENED,
        last_seen_at=OPENED,
        resolved_at=None,
        basis=Basis("fleet", (), ()),
    )


def standing(finding: KeptFinding, decisions: Kept = Kept(), now: datetime = NOW) -> Standing:  # noqa: B008 - frozen
    (one,) = standings([finding], decisions, Targets(), now)
    return one


def test_a_finding_is_overdue_from_its_target_on() -> None:
    due = OPENED + timedelta(days=DEFAULT_TARGETS[Severity.CRITICAL])
    assert standing(kept()).due == due
    assert not standing(kept(), now=due - timedelta(microseconds=1)).overdue
    assert standing(kept(), now=due).overdue
    assert standing(kept()).age == timedelta(days=10)
    assert standing(kept(severity=Severity.INFO)).due is None
    assert not standing(kept(severity=Severity.INFO), now=NOW + timedelta(days=9999)).overdue


def test_a_resolved_finding_is_never_overdue_and_its_age_stands_still() -> None:
    done = replace(kept(), state=FindingState.RESOLVED, resolved_at=OPENED + timedelta(days=9))
    assert not standing(done, now=NOW + timedelta(days=99)).overdue
    assert standing(done, now=NOW + timedelta(days=99)).age == timedelta(days=9)


@pytest.mark.parametrize(
    "decision",
    [
        RuleDecision("weak-key", "bench", "security", LAST),
        FindingDecision(kept().id, "bench", "security", LAST),
        SubjectDecision("weak-key", "d1", "bench", "security", LAST),
    ],
)
def test_a_suppression_takes_a_finding_off_the_overdue_list_until_its_last_day_ends(
    decision: RuleDecision | FindingDecision | SubjectDecision,
) -> None:
    held = standing(kept(), Kept((decision,)))
    assert (held.suppressed, held.overdue) == (decision, False)
    ended = standing(kept(), Kept((decision,)), now=NOW + timedelta(days=1))
    assert (ended.suppressed, ended.overdue) == (None, True)
    assert standing(replace(kept(2), rule="another"), Kept((decision,))).suppressed is None


def test_an_acknowledged_finding_stays_overdue_and_the_word_ends() -> None:
    known = Acknowledgement(kept().id, "parts are on order", "plant operations", LAST)
    decisions = Kept(acknowledgements=(known,), assignments=(Assignment(kept().id, "network team", "security"),))
    held = standing(kept(), decisions)
    assert (held.acknowledged, held.assigned_to, held.overdue) == (known, "network team", True)
    assert standing(kept(), decisions, now=NOW + timedelta(days=1)).acknowledged is None
    assert standing(kept(2), decisions).assigned_to is None


def test_overdue_come_first_then_the_gravest_then_the_oldest_and_resolved_ones_last() -> None:
    low, high = kept(1, Severity.LOW), kept(2, Severity.HIGH)
    older = replace(kept(3, Severity.HIGH), opened_at=OPENED - timedelta(days=1))
    late = replace(kept(4, Severity.LOW), opened_at=OPENED - timedelta(days=400))
    done = replace(kept(5), state=FindingState.RESOLVED, resolved_at=NOW)
    assert [s.finding for s in standings([done, low, high, older, late], Kept(), Targets(), NOW)] == [
        late,
        older,
        high,
        low,
        done,
    ]


def test_targets_are_read_by_severity_and_keep_their_defaults() -> None:
    assert Targets.parse("").days == DEFAULT_TARGETS
    assert Targets.parse("critical=3, low=0").days == {Severity.CRITICAL: 3, Severity.HIGH: 30, Severity.MEDIUM: 90}
    for wrong in ("critical", "critical=-1", "grave=3", "high=1.5", "high=²", "high=999999"):
        with pytest.raises(DeclarationError):
            Targets.parse(wrong)


def test_a_file_that_was_exported_changes_nothing_when_it_is_imported() -> None:
    decisions = (
        RuleDecision("weak-key", 'a "bench"\\', "security", LAST),
        FindingDecision(kept().id, "replaced\nsoon", "ops", LAST),
        SubjectDecision("weak-key", "d1", "loan", "ops", LAST),
    )
    read = parse_decisions(format_decisions(decisions), "decisions.toml")
    assert plan_import(decisions, read) == Import((), (), 3)
    longer = replace(decisions[1], until=LAST + timedelta(days=1))
    assert plan_import(decisions, (longer,)) == Import((), ((decisions[1], longer),), 0)
    assert plan_import(decisions[:1], read) == Import(decisions[1:], (), 1)
