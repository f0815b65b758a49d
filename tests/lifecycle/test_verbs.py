"""What every verb asks of everybody: who, from where, why, and with whom. The whole matrix of verbs and states."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from tenure.lifecycle.commands import Asked, CancelTransfer, Forget, Quarantine, Retire, Return, request_digest
from tenure.lifecycle.transitions import STATES, TABLE
from tenure.lifecycle.verdict import SEAL, Change, Code, Permitted, Refused, VerbRefusedError, permitted
from tenure.model.access import Actor, Role
from tenure.model.devices import Verb
from tenure.model.vocabulary import DeviceState
from tests.lifecycle.life import (
    ADMIN,
    APPROVER,
    DEVICE,
    DOMAIN,
    HEALTHY,
    NOW,
    OPERATOR,
    OURS,
    SUCCESSOR,
    THEIR_DOMAIN,
    THEIR_OPERATOR,
    VIEWER,
    agreed,
    allowed,
    asked,
    device,
    facts,
    key,
    person,
    refused,
    uid,
)

_S = DeviceState

LEADS_TO: dict[Verb, dict[DeviceState, DeviceState]] = {
    Verb.CLAIM: {_S.MANUFACTURED: _S.CLAIMED},
    Verb.ACTIVATE: {_S.CLAIMED: _S.ACTIVE},
    Verb.QUARANTINE: {_S.ACTIVE: _S.QUARANTINED, _S.TRANSFERRING: _S.QUARANTINED},
    Verb.RELEASE: {_S.QUARANTINED: _S.ACTIVE},
    Verb.OFFER: dict.fromkeys((_S.MANUFACTURED, _S.CLAIMED, _S.ACTIVE), _S.TRANSFERRING),
    Verb.ACCEPT: {_S.TRANSFERRING: _S.CLAIMED},
    Verb.CANCEL: {_S.TRANSFERRING: _S.ACTIVE},
    Verb.REPLACE: dict.fromkeys((_S.CLAIMED, _S.ACTIVE, _S.QUARANTINED, _S.LOST), _S.RETIRED),
    Verb.REPORT_LOST: dict.fromkeys((_S.MANUFACTURED, _S.CLAIMED, _S.ACTIVE, _S.QUARANTINED, _S.TRANSFERRING), _S.LOST),
    Verb.RETURN: {_S.LOST: _S.CLAIMED, _S.RETIRED: _S.CLAIMED},
    Verb.RETIRE: dict.fromkeys((_S.MANUFACTURED, _S.CLAIMED, _S.ACTIVE, _S.QUARANTINED, _S.TRANSFERRING, _S.LOST), _S.RETIRED),
    Verb.FORGET: {_S.RETIRED: _S.RETIRED},
}
"""Written down by hand, so that a slip in the table is seen."""

MATRIX = list(itertools.product(HEALTHY, DeviceState))


@pytest.mark.parametrize(("verb", "state"), MATRIX)
def test_each_verb_leads_from_its_states_only(verb: Verb, state: DeviceState) -> None:
    given = facts(state)
    if verb is Verb.OFFER and state is _S.MANUFACTURED:  # in stock, and somebody's
        given = facts(device=replace(device(state), owner=OURS, trust_domain=DOMAIN))
    if target := LEADS_TO[verb].get(state):
        found = allowed(given, HEALTHY[verb])
        assert found.device.state is target
        assert (found.verb, found.at, found.device.id) == (verb, NOW, DEVICE)
        assert found.changes[0].before == given.device
        assert found.device.state_since == (given.device.state_since if verb is Verb.FORGET else NOW)
    else:
        told = refused(given, HEALTHY[verb])
        assert told.code is Code.WRONG_STATE
        assert all(onward in told.fix for onward, targets in LEADS_TO.items() if state in targets)


def test_the_states_of_the_registry_are_those_that_verbs_lead_from_or_to() -> None:
    reached = {s for targets in LEADS_TO.values() for pair in targets.items() for s in pair}
    assert reached == set(STATES)


REASONED = {Verb.QUARANTINE, Verb.RELEASE, Verb.REPLACE, Verb.REPORT_LOST, Verb.RETURN, Verb.RETIRE, Verb.FORGET}


@pytest.mark.parametrize("verb", HEALTHY)
def test_a_reason_is_given_where_it_is_demanded(verb: Verb) -> None:
    state = next(iter(LEADS_TO[verb]))
    given = facts(device=device(state, owner=OURS, trust_domain=DOMAIN), offer=facts(_S.TRANSFERRING).offer)
    actor = THEIR_OPERATOR if verb is Verb.ACCEPT else OPERATOR
    if verb in REASONED:
        assert refused(given, HEALTHY[verb], asked(HEALTHY[verb], actor, " \n")).code is Code.REASON_MISSING
    else:
        allowed(given, HEALTHY[verb], asked(HEALTHY[verb], actor, ""))


ONE_SIDED = [verb for verb in HEALTHY if verb not in (Verb.ACCEPT, Verb.CANCEL)]


@pytest.mark.parametrize("verb", ONE_SIDED)
@pytest.mark.parametrize(
    "actor",
    [
        VIEWER,
        APPROVER,
        person(1, Role.AUDITOR, OURS),
        THEIR_OPERATOR,
        person(1, Role.OPERATOR, OURS, THEIR_DOMAIN),
        replace(OPERATOR, assignments=()),
    ],
)
def test_a_verb_takes_an_operator_of_this_owner_and_domain(verb: Verb, actor: Actor) -> None:
    state = next(iter(LEADS_TO[verb]))
    given = facts(device=device(state, owner=OURS, trust_domain=DOMAIN))
    assert refused(given, HEALTHY[verb], asked(HEALTHY[verb], actor)).code is Code.NOT_PERMITTED


@pytest.mark.parametrize("verb", ONE_SIDED)
@pytest.mark.parametrize("actor", [ADMIN, person(1, Role.OPERATOR, OURS, DOMAIN), person(1, Role.ADMIN, OURS)])
def test_an_operator_or_admin_of_just_this_area_is_enough(verb: Verb, actor: Actor) -> None:
    state = next(iter(LEADS_TO[verb]))
    allowed(facts(device=device(state, owner=OURS, trust_domain=DOMAIN)), HEALTHY[verb], asked(HEALTHY[verb], actor))


def test_who_may_not_is_told_nothing_of_the_state() -> None:
    told = [refused(facts(state), Quarantine(), asked(Quarantine(), VIEWER)) for state in (_S.ACTIVE, _S.RETIRED)]
    assert told[0] == told[1]


@pytest.mark.parametrize("verb", [Verb.RETURN, Verb.FORGET])
def test_a_second_person_approved_this_very_request(verb: Verb) -> None:
    given, command = facts(_S.RETIRED), HEALTHY[verb]
    healthy = asked(command)
    assert allowed(given, command, healthy).approval == healthy.approved.id if healthy.approved else False
    assert refused(given, command, replace(healthy, approved=None)).code is Code.APPROVAL_MISSING
    assert refused(given, command, replace(healthy, reason="another")).code is Code.APPROVAL_INVALID
    other = agreed(Return() if verb is Verb.FORGET else Forget())
    assert refused(given, command, replace(healthy, approved=other)).code is Code.APPROVAL_INVALID


def test_an_approval_that_is_brought_where_none_is_needed_still_fits_or_refuses() -> None:
    """Over many devices a second person is asked for any verb: what was approved is what is done."""
    fitting = Asked(OPERATOR, "why", (), agreed(Retire()))
    assert allowed(facts(), Retire(), fitting).approval == agreed(Retire()).id
    assert refused(facts(), Retire(), Asked(OPERATOR, "why", (), agreed(Forget()))).code is Code.APPROVAL_INVALID
    assert allowed(facts(), Retire()).approval is None


def test_a_request_is_named_by_all_of_it() -> None:
    same = request_digest(Return(), DEVICE, "why")
    assert request_digest(Return(), DEVICE, "why") == same
    others = [
        request_digest(Return(), SUCCESSOR, "why"),
        request_digest(Return(), DEVICE, "why not"),
        request_digest(Return(owner=OURS), DEVICE, "why"),
        request_digest(Forget(), DEVICE, "why"),
    ]
    assert len({same, *others}) == 5


def test_what_cannot_be_taken_back_is_marked() -> None:
    final = {Verb.ACCEPT, Verb.REPLACE, Verb.REPORT_LOST, Verb.RETURN, Verb.RETIRE, Verb.FORGET}
    assert {verb for verb, rule in TABLE.items() if rule.irreversible} == final


def test_a_permission_is_not_made_or_changed_by_hand() -> None:
    found = allowed(facts(), Retire())
    with pytest.raises(TypeError, match="by hand"):
        Permitted(object(), Verb.RETIRE, NOW, uid(1), (Change(None, device()),))
    with pytest.raises((TypeError, ValueError)):
        replace(found, tombstones=())  # type: ignore[call-arg]  # what a forger would write
    assert Permitted(SEAL, Verb.RETIRE, NOW, uid(1), (Change(None, device()),)).device == device()


def test_a_refusal_becomes_an_error_that_keeps_code_advice_and_pointer() -> None:
    no = Refused(Code.ROOT_NOT_FREE, "problem", "advice", (DEVICE,))
    with pytest.raises(VerbRefusedError, match="problem") as error:
        permitted(no)
    assert (error.value.code, error.value.fix, error.value.see) == (no.code, "advice", (DEVICE,))
    found = allowed(facts(), Retire())
    assert permitted(found) is found


def test_nothing_of_the_judgement_depends_on_anything_else() -> None:
    given = facts(ties=replace(facts().ties, shared=frozenset({key("key 31")})))
    assert allowed(given, Retire()) == allowed(given, Retire())
    assert allowed(facts(_S.TRANSFERRING), CancelTransfer()) == allowed(facts(_S.TRANSFERRING), CancelTransfer())
