"""A transfer is one transaction for all its devices: one that is refused refuses the whole."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID

import pytest

from tenure.flows.devices import transfers
from tenure.flows.devices.act import Order, act
from tenure.lifecycle.commands import Activate, Quarantine
from tenure.lifecycle.envelope import opened
from tenure.lifecycle.statements import HANDOVER
from tenure.lifecycle.verdict import Code, VerbRefusedError
from tenure.model.access import EVERYTHING, Area, Scope
from tenure.model.devices import TransferOffer
from tenure.model.obligations import ObligationKind, ObligationState
from tenure.model.vocabulary import DeviceState
from tenure.registry import custody, obligations
from tenure.registry.faults import NotFoundError
from tests.databases import START
from tests.flows.devices.plant import Plant, an_operator
from tests.lifecycle.parties import GIVER
from tests.proof.hardware import WHY
from tests.registry.healthy import a_tenant

UNTIL = START + timedelta(days=7)


def offered(plant: Plant, *ids: UUID, most: int = 10) -> TransferOffer:
    return transfers.offer(plant.registry, plant.our_operator, ids, plant.theirs.owner, None, UNTIL, WHY, most)


def test_offered_and_accepted(plant: Plant) -> None:
    (one, _), (two, _) = plant.device(), plant.device()
    credential = plant.issued(one)
    offer = offered(plant, one.id, two.id)
    assert {plant.now(each.id).state for each in (one, two)} == {DeviceState.TRANSFERRING}
    taken = transfers.accept(plant.registry, plant.their_operator, GIVER, offer.id, plant.theirs.domain, None, WHY)
    assert {each.id for each in taken} == {one.id, two.id}
    assert {(each.owner, each.state, each.name) for each in taken} == {(plant.theirs.owner, DeviceState.CLAIMED, None)}
    with pytest.raises(NotFoundError):
        act(plant.registry, plant.our_operator, Order(one.id, Quarantine(), WHY))
    with plant.registry.read() as reading:
        owed = obligations.of_device(reading, one.id, only_open=True)
    assert {(each.kind, each.term) for each in owed} >= {
        (ObligationKind.END_CREDENTIAL, 1), (ObligationKind.REPLACE_KEY, 2),
    }  # fmt: skip
    assert credential.id in {each.target for each in owed}
    with pytest.raises(VerbRefusedError) as refused:
        act(plant.registry, plant.their_operator, Order(one.id, Activate()))
    assert refused.value.code is Code.KEY_MISSING


@pytest.mark.parametrize("by_receiver", [True, False])
def test_taken_back_or_declined(plant: Plant, by_receiver: bool) -> None:
    given, _ = plant.device()
    offer = offered(plant, given.id)
    actor = plant.their_operator if by_receiver else plant.our_operator
    [back] = transfers.cancel(plant.registry, actor, offer.id, WHY)
    assert (back.state, back.owner, back.offer) == (DeviceState.ACTIVE, plant.ours.owner, None)
    with pytest.raises(VerbRefusedError):
        transfers.accept(plant.registry, plant.their_operator, GIVER, offer.id, plant.theirs.domain, None, WHY)


def test_one_that_is_refused_refuses_all(plant: Plant) -> None:
    (good, _), (held, _) = plant.device(), plant.device(DeviceState.LOST)
    before = plant.events()
    with pytest.raises(VerbRefusedError) as refused:
        offered(plant, good.id, held.id)
    assert refused.value.code is Code.WRONG_STATE
    assert plant.now(good.id) == good
    assert plant.events() == before


def test_what_cannot_be_offered(plant: Plant) -> None:
    (ours, _), (more, _), (theirs, _) = plant.device(), plant.device(), plant.device(tenant=plant.theirs)
    with pytest.raises(NotFoundError):
        offered(plant, ours.id, theirs.id)
    with pytest.raises(VerbRefusedError, match="1 devices at most"):
        offered(plant, ours.id, more.id, most=1)
    assert plant.now(ours.id) == ours


def test_an_offer_is_for_its_receiver_and_its_time(plant: Plant) -> None:
    given, _ = plant.device()
    offer = offered(plant, given.id)
    with pytest.raises(VerbRefusedError) as refused:
        transfers.accept(plant.registry, plant.our_operator, GIVER, offer.id, plant.ours.domain, None, WHY)
    assert refused.value.code is Code.NOT_PERMITTED
    third = a_tenant(plant.registry, "third")
    with pytest.raises(NotFoundError):
        transfers.accept(plant.registry, an_operator(third), GIVER, offer.id, third.domain, None, WHY)
    plant.registry.world.now.pass_by(days=8)  # type: ignore[attr-defined] # the clock of the tests
    with pytest.raises(VerbRefusedError, match="ended"):
        transfers.accept(plant.registry, plant.their_operator, GIVER, offer.id, plant.theirs.domain, None, WHY)
    [back] = transfers.cancel(plant.registry, plant.their_operator, offer.id, WHY)
    assert back.state is DeviceState.ACTIVE


def test_each_owner_sees_what_arose_in_its_own_term(plant: Plant) -> None:
    device, _ = plant.device()
    plant.issued(device)
    transfers.accept(plant.registry, plant.their_operator, GIVER, offered(plant, device.id).id, plant.theirs.domain, None, WHY)
    old, new, foreign = (Scope(frozenset({Area(owner=owner)})) for owner in (plant.ours.owner, plant.theirs.owner, UUID(int=9)))
    with plant.registry.read() as reading:
        seen = [{each.term for each in obligations.listed_open(reading, scope)} for scope in (old, new, foreign)]
        assert seen == [{1}, {2}, set()]
        assert {each.term for each in obligations.seen_of_device(reading, new, device.id)} == {2}
        assert {each.term for each in obligations.seen_of_device(reading, EVERYTHING, device.id)} == {1, 2}


def test_each_side_gets_a_signed_statement_of_its_own(plant: Plant) -> None:
    (one, part), (two, _) = plant.device(), plant.device()
    plant.issued(one)
    offer = offered(plant, one.id, two.id)
    whose = {
        name: Scope(frozenset({Area(owner=o)})) for name, o in (("giver", plant.ours.owner), ("receiver", plant.theirs.owner))
    }
    with plant.registry.read() as reading:
        assert transfers.statements(reading, EVERYTHING, offer.id) == ()
    transfers.accept(plant.registry, plant.their_operator, GIVER, offer.id, plant.theirs.domain, None, WHY)
    for side, scope in whose.items():
        with plant.registry.read() as reading:
            files = transfers.statements(reading, scope, offer.id)
        told = {t["device"]: t for t in (json.loads(opened(file, HANDOVER, GIVER.public_key).payload) for file in files)}
        assert told.keys() == {str(one.id), str(two.id)}
        said = told[str(one.id)]
        assert (said["side"], said["transfer"], said["to"]) == (side, str(offer.id), str(plant.theirs.owner))
        assert [root["key"] for root in said["roots"]] == [part.root.hex()]
        if side == "giver":
            assert {each["kind"] for each in said["to_end"]} == {"end-credential"}
            assert "custody" not in said
        else:
            with plant.registry.read() as reading:
                [(_, before), _] = custody.spans(reading, one.id)
            assert said["custody"] == [before.hex()]
            assert "to_end" not in said
    with plant.registry.read() as reading:
        states = {o.state for o in obligations.of_device(reading, one.id) if o.kind is ObligationKind.STATE_HANDOVER}
        assert states == {ObligationState.CLOSED}
        with pytest.raises(NotFoundError):
            transfers.statements(reading, Scope(frozenset({Area(owner=UUID(int=9))})), offer.id)


def test_without_a_signature_nothing_is_accepted(plant: Plant) -> None:
    class Broken:
        public_key = GIVER.public_key

        def sign(self, message: bytes) -> bytes:
            raise OSError("the token is gone")

    given, _ = plant.device()
    offer = offered(plant, given.id)
    before = plant.events()
    with pytest.raises(OSError, match="gone"):
        transfers.accept(plant.registry, plant.their_operator, Broken(), offer.id, plant.theirs.domain, None, WHY)
    assert plant.events() == before
    assert plant.now(given.id).state is DeviceState.TRANSFERRING
