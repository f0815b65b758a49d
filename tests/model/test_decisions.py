"""Decisions: what a file may say, until when it holds, and what it takes out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.errors import DeclarationError
from tenure.model.decisions import (
    Decision,
    Decisions,
    FindingDecision,
    RuleDecision,
    SubjectDecision,
    format_decisions,
    in_force,
    parse_decisions,
)
from tenure.model.findings import Finding, Subject
from tenure.model.vocabulary import Severity

FILE = """
[[decision]]
rule = "weak-key"
reason = "test bench"
who = "security@example"
until = 2026-12-31

[[decision]]
finding = "0123456789abcdef0123456789abcdef"
reason = "replaced next month"
who = "ops"
until = 2026-11-30

[[decision]]
rule = "unowned-device"
subject = "dev-1"
reason = "loan"
who = "ops"
until = 2026-11-30
"""
DAY = date(2026, 11, 30)


def finding(identifier: str, rule: str, *subjects: str) -> Finding:
    named = tuple(Subject("device", name) for name in subjects)
    return Finding(identifier, rule, Severity.HIGH, "t", "device", named, {}, None, ())


def test_a_file_says_rules_findings_and_subjects_of_rules() -> None:
    assert parse_decisions(FILE, "decisions.toml") == (
        RuleDecision("weak-key", "test bench", "security@example", date(2026, 12, 31)),
        FindingDecision("0123456789abcdef0123456789abcdef", "replaced next month", "ops", DAY),
        SubjectDecision("unowned-device", "dev-1", "loan", "ops", DAY),
    )
    assert parse_decisions("", "decisions.toml") == ()


WHOLE = 'rule = "a"\nreason = "r"\nwho = "w"\nuntil = 2026-12-31'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[decision]", "no TOML"),
        ("[[decisions]]\n" + WHOLE, "unknown key decisions"),
        ("[decision]\n" + WHOLE, "not a list of entries"),
        ("decision = [1]", "not a list of entries"),
        (f"[[decision]]\n{WHOLE}\nwhy = 1", "d.toml, decision 1: unknown key why"),
        ("[[decision]]\n" + WHOLE.replace('reason = "r"', ""), "reason is not a text"),
        ("[[decision]]\n" + WHOLE.replace('"r"', '" "'), "reason is not a text"),
        ("[[decision]]\n" + WHOLE.replace('who = "w"', ""), "who is not a text"),
        ("[[decision]]\n" + WHOLE.replace("until = 2026-12-31", ""), "until is not a day"),
        ("[[decision]]\n" + WHOLE.replace("2026-12-31", '"2026-12-31"'), "until is not a day"),
        ("[[decision]]\n" + WHOLE.replace("2026-12-31", "2026-12-31T00:00:00Z"), "until is not a day"),
        ("[[decision]]\n" + WHOLE.replace('rule = "a"', ""), "does not say on what"),
        ("[[decision]]\n" + WHOLE.replace('rule = "a"', 'subject = "x"'), "does not say on what"),
        (f'[[decision]]\n{WHOLE}\nfinding = "f"', "does not say on what"),
        (f"[[decision]]\n{WHOLE}\n[[decision]]\n{WHOLE}", "decision 2: rule a was decided before"),
    ],
)
def test_a_mistake_names_the_entry_and_what_to_write(text: str, said: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        parse_decisions(text, "d.toml")
    assert said in caught.value.problem
    assert caught.value.problem.startswith("d.toml")
    assert caught.value.fix


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda t: t.strip() == t and t != "")
days = st.dates(date(1, 1, 1), date(9999, 12, 31))
decisions: st.SearchStrategy[Decision] = st.one_of(
    st.builds(RuleDecision, texts, texts, texts, days),
    st.builds(FindingDecision, texts, texts, texts, days),
    st.builds(SubjectDecision, texts, texts, texts, texts, days),
)


@given(st.lists(decisions, unique_by=lambda d: d.target, max_size=4))
def test_what_is_written_is_read_again(given_decisions: list[Decision]) -> None:
    assert parse_decisions(format_decisions(given_decisions), "x") == tuple(given_decisions)


@pytest.mark.parametrize(
    ("as_of", "holds"),
    [
        (datetime(2026, 11, 1, tzinfo=UTC), True),
        (datetime(2026, 11, 30, 23, 59, 59, 999_999, tzinfo=UTC), True),
        (datetime(2026, 12, 1, tzinfo=UTC), False),
        (datetime(2026, 12, 1, 1, tzinfo=timezone(timedelta(hours=2))), True),
        (datetime(2027, 12, 1, tzinfo=UTC), False),
    ],
)
def test_a_decision_holds_to_the_end_of_its_last_day_in_utc(as_of: datetime, holds: bool) -> None:
    decision = RuleDecision("a", "r", "w", DAY)
    found = in_force([decision], as_of)
    assert (found.rules, found.ended) == (({"a": decision}, ()) if holds else ({}, (decision,)))


def test_one_that_lasts_more_than_a_year_holds_and_is_named() -> None:
    as_of = datetime(2026, 11, 1, tzinfo=UTC)
    year, longer = RuleDecision("a", "r", "w", date(2027, 11, 1)), RuleDecision("b", "r", "w", date(2027, 11, 3))
    found = in_force([year, longer], as_of)
    assert set(found.rules) == {"a", "b"}
    assert found.long == (longer,)


def test_a_finding_is_met_by_its_id_or_by_rule_and_subject_and_by_nothing_else() -> None:
    by_id = FindingDecision("f1", "r", "w", DAY)
    by_subject = SubjectDecision("odd", "dev-1", "r", "w", DAY)
    held = in_force([by_id, by_subject, RuleDecision("even", "r", "w", DAY)], datetime(2026, 11, 1, tzinfo=UTC))
    assert held.on(finding("f1", "any")) is by_id
    assert held.on(finding("f2", "odd", "dev-2", "dev-1")) is by_subject
    assert held.on(finding("f2", "odd", "dev-2")) is None
    assert held.on(finding("f2", "even", "dev-1")) is None
    assert Decisions().on(finding("f1", "odd", "dev-1")) is None
