"""Kept findings from audit to audit: what opens, resolves and reopens them, and what must not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.lifecycle.findings import (
    Basis,
    Change,
    FindingState,
    KeptFinding,
    NotLookedAt,
    Opened,
    Reopened,
    Resolved,
    SeenAgain,
    changes,
)
from tenure.model.findings import AuditResult, CoverageSummary, Finding, RuleOutcome, SourceSummary, Subject
from tenure.model.vocabulary import RuleStatus, Severity

DAY_1 = datetime(2026, 11, 1, tzinfo=UTC)
RULE = "retired-device-still-trusted"


def day(number: int) -> datetime:
    return DAY_1 + timedelta(days=number - 1)


def finding(number: int = 1, severity: Severity = Severity.HIGH, rule: str = RULE) -> Finding:
    return Finding(
        f"{number:032x}", rule, severity, "Retired and trusted", "device", (Subject("device", f"d{number}"),), {}, None, ()
    )


def source(kind: str, at: int, name: str = "", **members: object) -> SourceSummary:
    records = {"session": 5, "log_span": 1} if kind.endswith("log") else {"device_record": 5}
    whole = SourceSummary(kind, name or f"{kind}.csv", "00" * 32, day(at), day(at), False, records, 0)
    return replace(whole, **members)  # type: ignore[arg-type]  # members by name


def coverage(at: int, site: str | None = None, party: str = "broker") -> CoverageSummary:
    return CoverageSummary(party, site, day(at) - timedelta(days=30), day(at), False)


def audit(at: int, *findings: Finding, **members: object) -> AuditResult:
    """A whole audit of an inventory and a broker's log as of a day, both of that day."""
    outcome = RuleOutcome(RULE, "Retired and trusted", Severity.HIGH, RuleStatus.ASSESSED, len(findings))
    other = RuleOutcome("another", "Another", Severity.LOW, RuleStatus.ASSESSED, 0)
    sources = (source("cmdb", at), source("mosquitto-log", at))
    whole = AuditResult(day(at), sources, (coverage(at),), (), findings, (outcome, other))
    return replace(whole, **members)  # type: ignore[arg-type]  # members by name


def outcome(result: AuditResult, **members: object) -> tuple[RuleOutcome, ...]:
    return tuple(replace(o, **members) if o.id == RULE else o for o in result.rules)  # type: ignore[arg-type]  # members by name


Kept = dict[str, KeptFinding]


def keep(kept: Kept, result: AuditResult, name: str = "fleet") -> tuple[Kept, tuple[Change, ...]]:
    told = changes(kept, result, name)
    return kept | {c.now.id: c.now for c in told if not isinstance(c, NotLookedAt)}, told


def history(*results: AuditResult) -> tuple[Kept, tuple[Change, ...]]:
    kept: Kept = {}
    told: tuple[Change, ...] = ()
    for result in results:
        kept, told = keep(kept, result)
    return kept, told


def the(kept: Kept) -> KeptFinding:
    (one,) = kept.values()
    return one


def test_a_finding_opens_is_seen_again_is_resolved_and_reopens() -> None:
    kept, told = history(audit(1, finding()))
    assert [type(c) for c in told] == [Opened]
    assert (the(kept).state, the(kept).opened_at, the(kept).resolved_at) == (FindingState.OPEN, day(1), None)

    kept, told = keep(kept, audit(5, finding(severity=Severity.CRITICAL)))
    assert [type(c) for c in told] == [SeenAgain]
    assert (the(kept).opened_at, the(kept).last_seen_at, the(kept).severity) == (day(1), day(5), Severity.CRITICAL)

    kept, told = keep(kept, audit(8))
    assert [type(c) for c in told] == [Resolved]
    assert (the(kept).state, the(kept).resolved_at, the(kept).last_seen_at) == (FindingState.RESOLVED, day(8), day(5))

    assert keep(kept, audit(9))[1] == ()  # resolved stays resolved, and is no news

    kept, told = keep(kept, audit(12, finding()))
    assert [type(c) for c in told] == [Reopened]
    assert (the(kept).state, the(kept).first_seen_at, the(kept).opened_at) == (FindingState.REOPENED, day(1), day(12))
    assert the(kept).resolved_at is None

    kept, _ = keep(kept, audit(13, finding()))
    assert (the(kept).state, the(kept).opened_at) == (FindingState.REOPENED, day(12))


@pytest.mark.parametrize("status", [RuleStatus.NOT_ASSESSED, RuleStatus.UNKNOWN, RuleStatus.SWITCHED_OFF])
def test_a_rule_that_was_not_assessed_resolves_nothing(status: RuleStatus) -> None:
    later = audit(2)
    kept, told = history(audit(1, finding()), replace(later, rules=outcome(later, status=status, reason="needs device")))
    assert told == (NotLookedAt(the(kept), f"its rule is {status}: needs device"),)
    assert the(kept).state is FindingState.OPEN


def test_a_rule_that_is_gone_resolves_nothing() -> None:
    _, told = history(audit(1, finding()), audit(2, rules=()))
    assert [c.why for c in told if isinstance(c, NotLookedAt)] == ["the audit has no such rule"]


def test_what_the_audits_own_decisions_hid_is_not_taken_for_mended() -> None:
    later = audit(2)
    _, told = history(audit(1, finding()), replace(later, rules=outcome(later, suppressed=1)))
    assert isinstance(told[0], NotLookedAt)
    assert "hid 1 of its rule" in told[0].why


@pytest.mark.parametrize(
    ("sources", "why"),
    [
        ([source("mosquitto-log", 2)], "no source of kind cmdb was collected"),
        ([source("cmdb", 2)], "no source of kind mosquitto-log was collected"),
        ([source("cmdb", 2, partial=True), source("mosquitto-log", 2)], "a source of kind cmdb was cut short"),
        ([source("cmdb", 0), source("mosquitto-log", 2)], "sources of kind cmdb speak up to an earlier time than before"),
        (
            [source("cmdb", 2, speaks_as_of=None), source("mosquitto-log", 2)],
            "sources of kind cmdb speak up to an earlier time than before",
        ),
    ],
)
def test_a_source_that_was_not_read_again_whole_and_as_late_resolves_nothing(sources: Sequence[SourceSummary], why: str) -> None:
    _, told = history(audit(1, finding()), audit(2, sources=tuple(sources)))
    assert [c.why for c in told if isinstance(c, NotLookedAt)] == [why]


def test_fewer_inventories_than_before_resolve_nothing_and_fewer_log_files_do_no_harm() -> None:
    two = (source("cmdb", 1, "a.csv"), source("cmdb", 1, "b.csv"))
    logs = (source("mosquitto-log", 1, "1.log"), source("mosquitto-log", 1, "2.log"))
    _, told = history(audit(1, finding(), sources=(*two, *logs)), audit(2))
    assert [c.why for c in told if isinstance(c, NotLookedAt)] == ["1 sources of kind cmdb were collected, 2 before"]
    _, told = history(audit(1, finding(), sources=(source("cmdb", 1), *logs)), audit(2))
    assert [type(c) for c in told] == [Resolved]


@pytest.mark.parametrize(
    ("before", "now", "resolved"),
    [
        (coverage(1, "graz"), coverage(2, "graz"), True),
        (coverage(1, "graz"), coverage(2), True),  # every site covers one
        (coverage(1), coverage(2, "graz"), False),
        (coverage(1, "graz"), coverage(2, "linz"), False),
        (coverage(1, "graz", "east"), coverage(2, "graz", "west"), False),
        (coverage(1, "graz"), coverage(0, "graz"), False),  # a log that ends earlier
    ],
)
def test_a_relying_party_must_be_watched_again_at_the_same_place(
    before: CoverageSummary, now: CoverageSummary, resolved: bool
) -> None:
    kept, told = history(audit(1, finding(), coverage=(before,)), audit(2, coverage=(now,)))
    assert the(kept).state is (FindingState.RESOLVED if resolved else FindingState.OPEN)
    assert resolved or "were not collected again" in str(told)


def test_an_audit_of_another_folder_resolves_nothing() -> None:
    kept, _ = history(audit(1, finding()))
    kept, told = keep(kept, audit(2), "other plant")
    assert [c.why for c in told if isinstance(c, NotLookedAt)] == ["it was found by audit fleet, this is other plant"]
    kept, _ = keep(kept, audit(3, finding()), "other plant")  # found there too: now it rests on that audit
    assert the(kept).basis.audit == "other plant"


def test_an_older_audit_that_comes_late_changes_only_the_first_sight() -> None:
    kept, _ = history(audit(5, finding()))
    kept, told = keep(kept, audit(3, finding(severity=Severity.LOW)))
    assert (the(kept).first_seen_at, the(kept).last_seen_at, the(kept).severity) == (day(3), day(5), Severity.HIGH)
    _, told = keep(kept, audit(4))
    assert [type(c) for c in told] == [NotLookedAt]
    kept, _ = keep(kept, audit(8))
    assert the(kept).state is FindingState.RESOLVED
    _, told = keep(kept, audit(6, finding()))
    assert [type(c) for c in told] == [NotLookedAt]


def test_the_basis_is_that_of_the_last_audit_that_found_it() -> None:
    _, told = history(audit(1, finding()), audit(2, finding(), sources=(source("cmdb", 2),), coverage=()), audit(3))
    assert [type(c) for c in told] == [Resolved]
    kept, _ = history(audit(1, finding()))
    assert {s.kind for s in the(kept).basis.sources} == {"cmdb", "mosquitto-log"}
    assert isinstance(the(kept).basis, Basis)


def test_findings_of_several_rules_do_not_disturb_each_other() -> None:
    kept, told = history(audit(1, finding(1), finding(2), finding(3, rule="another")), audit(2, finding(2), finding(4)))
    assert {c.now.id[-1]: type(c) for c in told if not isinstance(c, NotLookedAt)} == {
        "1": Resolved, "2": SeenAgain, "3": Resolved, "4": Opened,
    }  # fmt: skip
    assert len(kept) == 4


@given(st.lists(st.tuples(st.integers(1, 6), st.sets(st.integers(1, 3)), st.sampled_from(RuleStatus)), max_size=8))
def test_any_sequence_of_audits_keeps_the_order_of_times_and_is_idempotent(steps: list[tuple[int, set[int], RuleStatus]]) -> None:
    kept: Kept = {}
    for at, numbers, status in steps:
        found = tuple(finding(n) for n in sorted(numbers))
        result = audit(at, *found)
        result = replace(result, rules=outcome(result, status=status))
        before = kept
        kept, _ = keep(kept, result)
        again, told = keep(kept, result)
        assert again == kept
        assert all(c.now == c.was for c in told if isinstance(c, SeenAgain))
        assert not any(isinstance(c, Opened | Resolved | Reopened) for c in told)
        assert before.keys() <= kept.keys()
        for one in kept.values():
            assert one.first_seen_at <= one.opened_at <= one.last_seen_at
            assert (one.resolved_at is None) == one.state.is_open
            assert one.resolved_at is None or one.resolved_at > one.last_seen_at
            if one.state is FindingState.RESOLVED and before.get(one.id, one).state is not FindingState.RESOLVED:
                assert status is RuleStatus.ASSESSED
