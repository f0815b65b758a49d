"""A verb is one transaction: done with its events, or refused with nothing left behind."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from tenure.flows.devices.act import Order, RootAnswer, act
from tenure.flows.devices.arrive import register
from tenure.lifecycle.commands import (
    Activate,
    Claim,
    Command,
    Quarantine,
    Register,
    Release,
    Replace,
    ReportLost,
    Retire,
    Return,
)
from tenure.lifecycle.verdict import Code, VerbRefusedError
from tenure.model.access import EVERYTHING, NOTHING
from tenure.model.devices import HardwareRoot, RootKind, TombstoneKind
from tenure.model.events import Cause
from tenure.model.vocabulary import DeviceState
from tenure.registry import devices, tombstones
from tenure.registry.device_changes import change_device
from tenure.registry.faults import ConflictError, NotFoundError
from tests.flows.devices.plant import Plant
from tests.proof.hardware import WHY
from tests.registry.healthy import OPERATOR, new_id

_S = DeviceState


def refusal(plant: Plant, order: Order) -> Code:
    """Why it was refused; nothing was written."""
    before, device = plant.events(), plant.now(order.device)
    with pytest.raises(VerbRefusedError) as refused:
        act(plant.registry, plant.hands.asker, order)
    assert refused.value.fix
    assert plant.events() == before
    assert plant.now(order.device) == device
    return refused.value.code


@pytest.mark.parametrize(
    ("start", "command", "target"),
    [
        (_S.CLAIMED, Activate(), _S.ACTIVE),
        (_S.ACTIVE, Quarantine(), _S.QUARANTINED),
        (_S.ACTIVE, ReportLost(), _S.LOST),
        (_S.ACTIVE, Retire(), _S.RETIRED),
        (_S.LOST, Retire(), _S.RETIRED),
    ],
)
def test_a_verb_by_the_operator_of_the_owner(plant: Plant, start: DeviceState, command: Command, target: DeviceState) -> None:
    given, _ = plant.device(start)
    done = act(plant.registry, plant.our_operator, Order(given.id, command, WHY, version=given.version))
    assert (done.state, done.version) == (target, given.version + 1)
    assert plant.now(given.id) == done
    assert (command.verb, str(given.id)) in plant.events()


def test_claimed_quarantined_and_released(plant: Plant) -> None:
    given, _ = plant.device(_S.MANUFACTURED)
    unowned = register(plant.registry, plant.hands.asker, Register(new_id())).device
    claim = Claim(plant.ours.owner, plant.ours.domain)
    assert act(plant.registry, plant.hands.asker, Order(unowned.id, claim)).owner == plant.ours.owner
    for command, state in ((claim, _S.CLAIMED), (Activate(), _S.ACTIVE), (Quarantine(), _S.QUARANTINED), (Release(), _S.ACTIVE)):
        assert act(plant.registry, plant.our_operator, Order(given.id, command, WHY)).state is state


def test_an_end_buries_what_was_the_devices_alone(plant: Plant) -> None:
    (given, part), (sibling, _) = plant.device(), plant.device()
    alone = plant.issued(given).spki
    shared = b"\xfa" * 32
    for each in (given, sibling):
        assert plant.hands.adopt(plant.registry, each.id, shared)
    act(plant.registry, plant.our_operator, Order(given.id, Retire(), WHY))
    with plant.registry.read() as reading:
        stones = {stone.spki: stone.kind for stone in tombstones.of_device(reading, given.id)}
    assert stones == {part.root: TombstoneKind.ROOT, alone: TombstoneKind.KEY}


def test_a_version_that_is_not_the_present_one(plant: Plant) -> None:
    given, _ = plant.device()
    act(plant.registry, plant.our_operator, Order(given.id, Quarantine(), WHY, version=given.version))
    before = plant.events()
    with pytest.raises(ConflictError):
        act(plant.registry, plant.our_operator, Order(given.id, Release(), WHY, version=given.version))
    assert plant.events() == before
    assert plant.now(given.id).state is _S.QUARANTINED


def test_a_foreign_device_is_answered_as_one_that_is_not_there(plant: Plant) -> None:
    given, _ = plant.device()
    told = []
    for id in (given.id, nowhere := new_id()):
        with pytest.raises(NotFoundError) as refused:
            act(plant.registry, plant.their_operator, Order(id, Retire(), WHY))
        told.append((refused.value.problem.replace(str(id), "ID"), refused.value.fix))
    assert told[0] == told[1], nowhere
    assert plant.now(given.id) == given


def test_hardware_comes_back_by_its_own_answer(plant: Plant) -> None:
    given, part = plant.device(_S.LOST)
    _, other = plant.device()
    command = Return()
    asked = plant.hands.approved(plant.registry, given.id, command)
    assert asked
    assert asked.challenge
    order = Order(given.id, command, WHY, approval=asked.approval.id)
    assert refusal(plant, order) is Code.PROOF_INVALID
    foreign = RootAnswer(other.spki, other.key.sign(asked.challenge))
    assert refusal(plant, replace(order, answer=foreign)) is Code.PROOF_INVALID
    stale = RootAnswer(part.spki, part.key.sign(asked.challenge + b"."))
    assert refusal(plant, replace(order, answer=stale)) is Code.PROOF_INVALID
    answer = RootAnswer(part.spki, part.key.sign(asked.challenge))
    assert refusal(plant, replace(order, approval=None, answer=answer)) is Code.APPROVAL_MISSING
    back = act(plant.registry, plant.hands.asker, replace(order, answer=answer))
    assert (back.state, back.term, back.must_rekey) == (_S.CLAIMED, 2, True)
    assert refusal(plant, Order(given.id, Activate())) is Code.KEY_MISSING
    plant.issued(back)
    assert act(plant.registry, plant.our_operator, Order(given.id, Activate())).state is _S.ACTIVE


def test_a_replacement_waits_for_who_holds_the_successor(plant: Plant) -> None:
    """What it decides on is the successor as the other has left it."""
    (given, _), (spare, _) = plant.device(), plant.device(_S.MANUFACTURED)
    told: list[Code] = []

    def replacing() -> None:
        try:
            act(plant.registry, plant.our_operator, Order(given.id, Replace(spare.id), WHY))
        except VerbRefusedError as refused:
            told.append(refused.code)

    waiting = threading.Thread(target=replacing)
    with plant.registry.change(OPERATOR) as work:
        held = devices.hold(work, EVERYTHING, spare.id)
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        change_device(work, held, replace(held.device, state=_S.QUARANTINED), Cause("test"))
    waiting.join(20)
    assert told == [Code.SUCCESSOR_INVALID]
    assert plant.now(given.id) == given


def test_a_root_is_pointed_to_for_who_may_see_it(plant: Plant) -> None:
    given, part = plant.device()
    told = []
    for actor, tenant in ((plant.our_operator, plant.ours), (plant.their_operator, plant.theirs)):
        root = HardwareRoot(RootKind.IDEVID, part.root)
        command = Register(new_id(), (root,), owner=tenant.owner, trust_domain=tenant.domain)
        with pytest.raises(VerbRefusedError) as refused:
            register(plant.registry, actor, command)
        told.append((refused.value.code, refused.value.see))
    assert told == [(Code.ROOT_NOT_FREE, (given.id,)), (Code.ROOT_NOT_FREE, ())]
    with plant.registry.read() as reading, pytest.raises(NotFoundError):
        devices.get(reading, NOTHING, given.id)
