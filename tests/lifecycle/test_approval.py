"""Four eyes: two people, in time, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tenure.lifecycle.approval import Approved, approved, decided, requested, used
from tenure.lifecycle.commands import Forget
from tenure.lifecycle.verdict import Code, Refused
from tenure.model.access import Actor, Role
from tenure.model.approvals import Approval, ApprovalState
from tests.lifecycle.life import (
    ADMIN,
    APPROVER,
    DAY,
    DOMAIN,
    NOW,
    OPERATOR,
    OURS,
    REQUEST,
    THEIR_DOMAIN,
    THEIRS,
    VIEWER,
    approval,
    person,
    uid,
)

LAST = timedelta(microseconds=1)


def waiting(**fields: Any) -> Approval:
    return approval(Forget(), "why", **({"state": ApprovalState.WAITING} | fields))


@pytest.mark.parametrize(("consent", "state"), [(True, ApprovalState.APPROVED), (False, ApprovalState.REFUSED)])
@pytest.mark.parametrize("actor", [APPROVER, ADMIN, person(9, Role.APPROVER, OURS, DOMAIN)])
def test_a_second_person_decides(consent: bool, state: ApprovalState, actor: Actor) -> None:
    found = decided(waiting(), actor, consent, NOW)
    assert found == replace(waiting(), state=state, decided_by=actor.text, decided_by_person=actor.person, decided_at=NOW)


@pytest.mark.parametrize(
    "actor",
    [
        OPERATOR,
        VIEWER,
        person(9, Role.OPERATOR, OURS),
        person(9, Role.APPROVER, THEIRS),
        person(9, Role.APPROVER, OURS, THEIR_DOMAIN),
        replace(APPROVER, person=None),
        person(101, Role.APPROVER, OURS),
        replace(person(101, Role.ADMIN, None), name="another token of the same person"),
    ],
    ids=["asker", "viewer", "operator", "of others", "of another domain", "nobody", "the same person", "her other token"],
)
def test_nobody_else_decides(actor: Actor) -> None:
    found = decided(waiting(), actor, True, NOW)
    assert isinstance(found, Refused)
    assert (found.code, bool(found.fix)) == (Code.NOT_PERMITTED, True)


@pytest.mark.parametrize("state", [s for s in ApprovalState if s is not ApprovalState.WAITING])
def test_what_is_decided_is_not_decided_again(state: ApprovalState) -> None:
    found = decided(waiting(state=state), APPROVER, True, NOW)
    assert isinstance(found, Refused)
    assert found.code is Code.APPROVAL_INVALID


def test_in_time_to_the_last_moment() -> None:
    assert isinstance(decided(waiting(until=NOW + LAST), APPROVER, True, NOW), Approval)
    assert isinstance(decided(waiting(until=NOW), APPROVER, True, NOW), Refused)
    assert isinstance(approved(approval(Forget(), "why", until=NOW + LAST), NOW), Approved)
    assert isinstance(approved(approval(Forget(), "why", until=NOW), NOW), Refused)


@pytest.mark.parametrize("state", ApprovalState)
def test_only_what_was_approved_and_not_used_is_a_token(state: ApprovalState) -> None:
    given = approval(Forget(), "why", state=state)
    found = approved(given, NOW)
    if state is ApprovalState.APPROVED:
        assert isinstance(found, Approved)
        assert (found.id, found.request_digest) == (REQUEST, given.request_digest)
    else:
        assert isinstance(found, Refused)
        assert (found.code, bool(found.fix)) == (Code.APPROVAL_INVALID, True)


def test_it_is_used_once() -> None:
    spent = used(approval(Forget(), "why"))
    assert spent.state is ApprovalState.USED
    assert isinstance(approved(spent, NOW), Refused)


def test_behind_a_request_stands_a_person() -> None:
    assert requested(OPERATOR) == uid(101)
    found = requested(replace(OPERATOR, person=None))
    assert isinstance(found, Refused)
    assert (found.code, bool(found.fix)) == (Code.NOT_PERMITTED, True)


def test_a_token_is_not_made_by_hand() -> None:
    with pytest.raises(TypeError, match="by hand"):
        Approved(object(), REQUEST, b"")
    assert approval(Forget(), "why").requested_at == NOW - DAY
