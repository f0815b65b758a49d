"""Obligations close on evidence of the right kinds, from after the change, that the party itself gave; on nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tenure.lifecycle.obligations import CLOSING, Closed, StillOpen, closers, judged
from tenure.model.obligations import EvidenceKind, Obligation, ObligationEvidence, ObligationKind, ObligationState
from tests.lifecycle.life import DAY, DEVICE, NOW, key, uid

_E, _K = EvidenceKind, ObligationKind
LAST = timedelta(microseconds=1)
OPENED = NOW - 10 * DAY
END = NOW - DAY


def obligation(kind: ObligationKind = _K.END_CREDENTIAL, **fields: Any) -> Obligation:
    bounded = fields.pop("bounded_until", END)
    made = Obligation(uid(1), DEVICE, 1, kind, uid(2), OPENED, closers(kind, bounded), bounded_until=bounded)
    return replace(made, **fields)


def evidence(kind: EvidenceKind, **fields: Any) -> ObligationEvidence:
    return replace(ObligationEvidence(uid(3), uid(1), kind, NOW - DAY, key("record"), "a broker"), **fields)


CLOSES: dict[ObligationKind, list[set[EvidenceKind]]] = {
    _K.END_CREDENTIAL: [{_E.CANARY_REFUSED, _E.TARGET_STATE}, {_E.TARGET_REFUSED}, {_E.EXPIRED}],
    _K.REFUSE_BIRTH: [{_E.TARGET_REFUSED}, {_E.TARGET_STATE}],
    _K.CUT_OFF: [{_E.TARGET_STATE}, {_E.TARGET_REFUSED}, {_E.EXPIRED}],
    _K.CLOSE_SESSIONS: [{_E.TARGET_STATE}],
    _K.END_GRANT: [{_E.TARGET_STATE}, {_E.TARGET_REFUSED}, {_E.EXPIRED}],
    _K.END_DELEGATION: [{_E.TARGET_STATE}, {_E.TARGET_REFUSED}, {_E.EXPIRED}],
    _K.END_REGISTRATION: [{_E.TARGET_STATE}],
    _K.REVIEW_ANCHOR: [{_E.TARGET_STATE}, {_E.STATEMENT}],
    _K.REPLACE_KEY: [{_E.TARGET_STATE}],
    _K.WIPE_DATA: [{_E.STATEMENT}, {_E.TARGET_STATE}],
    _K.STATE_HANDOVER: [{_E.STATEMENT}],
}
"""Written down by hand, for an obligation whose end by time is known."""


DUE = {
    _K.END_CREDENTIAL: 1,
    _K.CUT_OFF: 1,
    _K.CLOSE_SESSIONS: 1,
    _K.REFUSE_BIRTH: 7,
    _K.END_GRANT: 7,
    _K.END_DELEGATION: 7,
    _K.END_REGISTRATION: 7,
    _K.STATE_HANDOVER: 7,
    _K.REVIEW_ANCHOR: 30,
    _K.REPLACE_KEY: 30,
    _K.WIPE_DATA: 30,
}  # days


def subsets() -> list[set[EvidenceKind]]:
    kinds = list(_E)
    return [{k for i, k in enumerate(kinds) if mask >> i & 1} for mask in range(2 ** len(kinds))]


@pytest.mark.parametrize("kind", _K)
def test_these_kinds_of_evidence_close_it_and_no_others(kind: ObligationKind) -> None:
    """All 32 sets of kinds against the rule."""
    for shown in subsets():
        verdict = judged(obligation(kind), [evidence(k) for k in sorted(shown)], NOW)
        assert isinstance(verdict, Closed) is any(way <= shown for way in CLOSES[kind]), (kind, shown)


def test_what_is_closed_says_when_and_on_what_it_rests() -> None:
    canary, state, other = (evidence(k) for k in (_E.CANARY_REFUSED, _E.TARGET_STATE, _E.STATEMENT))
    verdict = judged(obligation(), [other, state, canary], NOW)
    assert isinstance(verdict, Closed)
    assert verdict.obligation == replace(obligation(), state=ObligationState.CLOSED, settled_at=NOW)
    assert verdict.rests_on == (state, canary)


def test_what_is_open_says_what_is_missing() -> None:
    verdict = judged(obligation(), [evidence(_E.CANARY_REFUSED)], NOW)
    assert isinstance(verdict, StillOpen)
    assert verdict.missing == {frozenset({_E.TARGET_STATE}), frozenset({_E.TARGET_REFUSED}), frozenset({_E.EXPIRED})}
    assert verdict.discounted == ()


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"obligation": uid(9)}, "another obligation"),
        ({"at": OPENED - LAST}, "older than the change"),
        ({"at": NOW + LAST}, "from the future"),
    ],
)
def test_evidence_that_does_not_count_is_named_with_the_reason(fields: dict[str, Any], why: str) -> None:
    bad = evidence(_E.TARGET_REFUSED, **fields)
    verdict = judged(obligation(), [bad], NOW)
    assert isinstance(verdict, StillOpen)
    [(item, reason)] = verdict.discounted
    assert (item, why in reason) == (bad, True)


@pytest.mark.parametrize("at", [OPENED, NOW])
def test_from_the_change_to_now_it_counts(at: Any) -> None:
    assert isinstance(judged(obligation(), [evidence(_E.TARGET_REFUSED, at=at)], NOW), Closed)


def test_the_word_of_a_point_that_lied_does_not_count() -> None:
    shown = [evidence(_E.TARGET_STATE), evidence(_E.CANARY_REFUSED)]
    for kind in (_K.CUT_OFF, _K.END_CREDENTIAL, _K.CLOSE_SESSIONS):
        assert isinstance(judged(obligation(kind), shown, NOW), Closed)
        verdict = judged(obligation(kind), shown, NOW, point_lied=True)
        assert isinstance(verdict, StillOpen)
        assert [item.kind for item, _ in verdict.discounted] == [_E.TARGET_STATE]
    for seen in (_E.TARGET_REFUSED, _E.EXPIRED):  # what others saw of it still does
        assert isinstance(judged(obligation(_K.CUT_OFF), [evidence(seen)], NOW, point_lied=True), Closed)


@pytest.mark.parametrize(
    ("bounded", "at", "closes"),
    [(END, END, True), (END, END - LAST, False), (END, NOW, True), (NOW + LAST, NOW, False), (OPENED - DAY, OPENED - DAY, True)],
)
def test_expiry_closes_once_it_is_over(bounded: Any, at: Any, closes: bool) -> None:
    given = obligation(bounded_until=bounded)
    assert isinstance(judged(given, [evidence(_E.EXPIRED, at=at)], NOW), Closed) is closes


def test_what_has_no_end_by_time_is_not_closed_by_time() -> None:
    endless = obligation(_K.CUT_OFF, bounded_until=None)
    assert frozenset({_E.EXPIRED}) not in endless.closed_by
    claimed = replace(endless, closed_by=frozenset({frozenset({_E.EXPIRED})}))  # by whoever wrote the row
    assert isinstance(judged(claimed, [evidence(_E.EXPIRED)], NOW), StillOpen)


@pytest.mark.parametrize("kind", _K)
def test_only_what_ends_by_itself_is_closed_by_time(kind: ObligationKind) -> None:
    by_time = frozenset({_E.EXPIRED}) in closers(kind, END)
    assert by_time is (kind in (_K.END_CREDENTIAL, _K.CUT_OFF, _K.END_GRANT, _K.END_DELEGATION))
    assert closers(kind, None) == closers(kind, END) - {frozenset({_E.EXPIRED})}
    assert CLOSING[kind].due == DUE[kind] * DAY


def test_nothing_demanded_is_nothing_shown() -> None:
    """An empty "all of" fails."""
    for closed_by in (frozenset[frozenset[EvidenceKind]](), frozenset({frozenset[EvidenceKind]()})):
        assert isinstance(judged(obligation(closed_by=closed_by), [evidence(_E.TARGET_REFUSED)], NOW), StillOpen)


@pytest.mark.parametrize("state", [ObligationState.CLOSED, ObligationState.VOID])
def test_what_is_settled_is_not_settled_again(state: ObligationState) -> None:
    assert isinstance(judged(obligation(state=state), [evidence(_E.TARGET_REFUSED)], NOW), StillOpen)


def test_the_obligations_own_word_counts_not_todays_rule() -> None:
    stricter = obligation(closed_by=frozenset({frozenset({_E.STATEMENT})}))
    assert isinstance(judged(stricter, [evidence(_E.TARGET_REFUSED)], NOW), StillOpen)
    assert isinstance(judged(stricter, [evidence(_E.STATEMENT)], NOW), Closed)


def test_it_is_not_closed_by_hand() -> None:
    with pytest.raises(TypeError, match="by hand"):
        Closed(object(), obligation(), ())
