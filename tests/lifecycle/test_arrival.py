"""Arrival: roots that are nobody's, answers that tell a stranger nothing, and hardware that is known to be gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from tenure.lifecycle.arrival import judge_arrival
from tenure.lifecycle.commands import Asked, Register
from tenure.lifecycle.facts import ArrivalFacts, Taken
from tenure.lifecycle.handover import OfferedDevice, OfferedRoot
from tenure.lifecycle.verdict import ClaimConflict, Code, Permitted, Refused
from tenure.model.devices import Device, TombstoneKind
from tenure.model.vocabulary import DeviceState
from tests.lifecycle.life import (
    ADMIN,
    CLASS,
    DEVICE,
    DOMAIN,
    EK,
    IDEVID,
    NOW,
    OPERATOR,
    OURS,
    SITE,
    SUCCESSOR,
    THEIR_DOMAIN,
    THEIRS,
    VIEWER,
    counted,
    key,
    uid,
)

_S = DeviceState
NEW = Register(
    DEVICE,
    (IDEVID, EK),
    owner=OURS,
    site=SITE,
    trust_domain=DOMAIN,
    device_class=CLASS,
    maker="Maker",
    model="M-1",
    serial="S1",
    name="north gate",
)
ANOTHER, FOREIGN = uid(201), uid(202)
NOBODY = ArrivalFacts()  # has any of it
BY_US = Asked(OPERATOR, "why")


def arrive(command: Register = NEW, facts: ArrivalFacts = NOBODY, asked: Asked = BY_US) -> Permitted | Refused:
    return judge_arrival(facts, command, asked, NOW, counted())


def come(command: Register = NEW, facts: ArrivalFacts = NOBODY) -> Permitted:
    found = arrive(command, facts)
    assert isinstance(found, Permitted), found
    return found


def refusal(command: Register = NEW, facts: ArrivalFacts = NOBODY, asked: Asked = BY_US) -> Refused:
    found = arrive(command, facts, asked)
    assert isinstance(found, Refused)
    assert found.fix
    return found


def test_a_new_device_is_as_it_was_told() -> None:
    found = come()
    assert found.device == Device(
        id=DEVICE,
        state=_S.MANUFACTURED,
        created_at=NOW,
        state_since=NOW,
        owner=OURS,
        site=SITE,
        trust_domain=DOMAIN,
        device_class=CLASS,
        maker="Maker",
        model="M-1",
        serial="S1",
        name="north gate",
        roots=(IDEVID, EK),
    )
    assert found.changes[0].before is None
    assert (found.at, found.cause) == (NOW, uid(1000))
    assert (found.tombstones, found.opened, found.former_keys, found.conflicts) == ((), (), (), ())


@pytest.mark.parametrize("state", DeviceState)
def test_an_import_may_bring_it_in_these_states(state: DeviceState) -> None:
    if state in (_S.MANUFACTURED, _S.CLAIMED, _S.ACTIVE, _S.RETIRED, _S.LOST):
        assert come(replace(NEW, state=state)).device.state is state
    else:
        assert refusal(replace(NEW, state=state)).code is Code.WRONG_STATE


@pytest.mark.parametrize("state", [_S.RETIRED, _S.LOST])
def test_hardware_that_is_known_to_be_gone_is_barred_at_once(state: DeviceState) -> None:
    stones = come(replace(NEW, state=state)).tombstones
    assert {(s.spki, s.kind, s.device, s.state, s.at, s.term) for s in stones} == {
        (root.spki, TombstoneKind.ROOT, DEVICE, state, NOW, 1) for root in (IDEVID, EK)
    }
    assert refusal(replace(NEW, state=state), asked=Asked(OPERATOR, " ")).code is Code.REASON_MISSING


def test_no_reason_is_needed_for_what_is_not_gone() -> None:
    assert isinstance(arrive(asked=Asked(OPERATOR)), Permitted)


@pytest.mark.parametrize("state", [_S.CLAIMED, _S.ACTIVE])
@pytest.mark.parametrize("missing", [{"owner": None}, {"trust_domain": None}])
def test_what_is_in_service_is_somebodys_somewhere(state: DeviceState, missing: dict[str, Any]) -> None:
    found = refusal(replace(NEW, state=state, **missing), asked=Asked(ADMIN))
    assert found.code is Code.OWNER_MISSING


@pytest.mark.parametrize("fields", [{"owner": THEIRS}, {"owner": None}])
def test_nobody_registers_for_others(fields: dict[str, Any]) -> None:
    assert refusal(replace(NEW, **fields)).code is Code.NOT_PERMITTED


def test_a_viewer_registers_nothing() -> None:
    assert refusal(asked=Asked(VIEWER)).code is Code.NOT_PERMITTED


def test_what_is_in_stock_may_be_nobodys() -> None:
    assert isinstance(arrive(replace(NEW, owner=None, trust_domain=None), asked=Asked(ADMIN)), Permitted)


def taken(device: UUID = ANOTHER, spki: bytes = EK.spki, *, visible: bool = True, gone: bool = False) -> Taken:
    return Taken(spki, device, visible, gone)


@pytest.mark.parametrize("gone", [False, True])
def test_a_root_that_is_anothers_is_refused_with_a_pointer_for_who_may_see(gone: bool) -> None:
    found = refusal(facts=ArrivalFacts((taken(gone=gone),)))
    assert (found.code, found.see) == (Code.ROOT_NOT_FREE, (ANOTHER,))
    assert ("return" in found.fix) is gone


def test_a_stranger_is_answered_alike_whatever_the_root_belongs_to() -> None:
    answers = {
        refusal(facts=ArrivalFacts((taken(device, spki, visible=False, gone=gone),)))
        for device in (ANOTHER, FOREIGN)
        for gone in (False, True)
        for spki in (IDEVID.spki, EK.spki)
    }
    [answer] = answers
    assert (answer.see, "cannot see" in answer.fix) == ((), True)


def test_only_what_may_be_seen_is_pointed_to_or_spoken_of() -> None:
    seen = taken(ANOTHER)
    unseen = taken(FOREIGN, IDEVID.spki, visible=False, gone=True)
    assert refusal(facts=ArrivalFacts((unseen, seen))) == refusal(facts=ArrivalFacts((seen,)))


def test_pointers_are_sorted_and_named_once() -> None:
    both = (taken(FOREIGN), taken(ANOTHER, IDEVID.spki), taken(ANOTHER))
    assert refusal(facts=ArrivalFacts(both)).see == (ANOTHER, FOREIGN)


def test_what_is_taken_of_other_roots_does_not_matter() -> None:
    assert isinstance(arrive(facts=ArrivalFacts((taken(spki=key("else")),))), Permitted)


def test_a_root_is_named_once() -> None:
    assert refusal(replace(NEW, roots=(EK, IDEVID, EK))).code is Code.ROOT_NOT_FREE


def test_who_may_not_register_learns_nothing_of_a_root() -> None:
    held = ArrivalFacts((taken(visible=False),))
    assert refusal(facts=held, asked=Asked(VIEWER)) == refusal(asked=Asked(VIEWER))


def test_same_maker_and_serial_is_a_finding_and_no_refusal() -> None:
    found = come(facts=ArrivalFacts(namesakes=(SUCCESSOR, ANOTHER, uid(3))))
    assert found.conflicts == (ClaimConflict("Maker", "S1", (uid(3), SUCCESSOR, ANOTHER)),)


@pytest.mark.parametrize("missing", [{"maker": None}, {"serial": None}])
def test_without_maker_or_serial_nothing_is_claimed(missing: dict[str, Any]) -> None:
    assert come(replace(NEW, **missing), ArrivalFacts(namesakes=(ANOTHER,))).conflicts == ()


OFFERED = OfferedDevice(
    (OfferedRoot("ek-rsa", EK.spki), OfferedRoot("idevid", IDEVID.spki)), "Maker", "M-1", "S1", (key("old"),), ()
)


def test_a_device_from_another_tenure_needs_new_keys_and_its_old_ones_are_known() -> None:
    found = come(replace(NEW, state=_S.CLAIMED, handed_over=OFFERED))
    assert (found.device.state, found.device.must_rekey) == (_S.CLAIMED, True)
    assert found.former_keys == (key("old"),)
    assert found.tombstones == ()  # the giver's word bars nobody here


@pytest.mark.parametrize(
    "fields",
    [{"state": _S.ACTIVE}, {"state": _S.MANUFACTURED}, {"roots": (EK,)}, {"roots": ()}],
)
def test_it_is_the_device_that_was_offered(fields: dict[str, Any]) -> None:
    offered = replace(NEW, state=_S.CLAIMED, handed_over=OFFERED)
    assert refusal(replace(offered, **fields)).code is Code.OFFER_INVALID


def test_a_handover_brings_no_gone_hardware_back() -> None:
    held = ArrivalFacts((taken(gone=True),))
    assert refusal(replace(NEW, state=_S.CLAIMED, handed_over=OFFERED), held).code is Code.ROOT_NOT_FREE


def test_places_of_others_do_not_help() -> None:
    assert refusal(replace(NEW, owner=THEIRS, trust_domain=THEIR_DOMAIN)).code is Code.NOT_PERMITTED
