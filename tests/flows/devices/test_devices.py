"""Verbs as transactions: what a refusal leaves (nothing), replacement, forgetting, and requests whose time is over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from tenure.flows.devices import approvals, transfers
from tenure.flows.devices.act import Order, act
from tenure.flows.devices.arrive import register
from tenure.lifecycle.commands import Claim, Command, Forget, Quarantine, Register, Replace, Retire, Return
from tenure.lifecycle.verdict import Code, VerbRefusedError
from tenure.model.access import EVERYTHING, Actor, ActorKind, Area, Person, Role, RoleAssignment
from tenure.model.approvals import ApprovalState
from tenure.model.devices import Device, HardwareRoot
from tenure.model.events import Cause
from tenure.model.obligations import ObligationState
from tenure.model.vocabulary import DeviceState
from tenure.registry import approvals as kept
from tenure.registry import devices, obligations, people
from tenure.registry.faults import ConflictError, NotFoundError
from tenure.registry.registry import Registry
from tenure.registry.tables.ledger import event, event_text
from tests.lifecycle.parties import GIVER
from tests.registry.healthy import BECAUSE, OPERATOR, Tenant, a_root, a_tenant, new_id

DAY = timedelta(days=1)


@dataclass
class Fleet:
    """One tenant's devices, and two people who act for it."""

    registry: Registry
    ours: Tenant
    operator: Actor
    approver: Actor

    def device(self, *roots: HardwareRoot, state: DeviceState = DeviceState.ACTIVE) -> Device:
        command = Register(
            new_id(), roots, state, self.ours.owner, trust_domain=self.ours.domain, maker="m", serial="s", name="pump 4"
        )
        return register(self.registry, self.operator, command).device

    def do(self, device: UUID, command: Command, **brings: object) -> Device:
        return act(self.registry, self.operator, Order(device, command, **({"reason": "why"} | brings)))  # type: ignore[arg-type]  # of a test

    def agreed(self, device: UUID, command: Command, reason: str = "why") -> UUID:
        """A request that a second person has consented to."""
        asked = approvals.request(self.registry, self.operator, device, command, reason, DAY).approval
        approvals.decide(self.registry, self.approver, asked.id, consent=True, version=1, reason="")
        return asked.id

    def events(self) -> int:
        with self.registry.read() as reading:
            return len(reading.rows(select(event.c.id)))


@pytest.fixture
def fleet(registry: Registry) -> Fleet:
    ours = a_tenant(registry, "ours")
    return Fleet(registry, ours, _actor(registry, ours, Role.OPERATOR), _actor(registry, ours, Role.APPROVER))


def _actor(registry: Registry, tenant: Tenant, role: Role) -> Actor:
    person = new_id()
    with registry.change(OPERATOR) as work:
        people.add_person(work, Person(person, role, "x", work.at), Cause("add"))
    return Actor(ActorKind.PERSON, str(person), (RoleAssignment(role, Area(owner=tenant.owner)),), person)


def refused(code: Code) -> pytest.RaisesExc[VerbRefusedError]:
    return pytest.RaisesExc(VerbRefusedError, check=lambda error: error.code is code)


def test_a_refusal_leaves_nothing(fleet: Fleet) -> None:
    device = fleet.device(a_root())
    before = fleet.events()
    with refused(Code.REASON_MISSING):
        fleet.do(device.id, Retire(), reason="")
    with refused(Code.SUCCESSOR_INVALID):
        fleet.do(device.id, Replace(new_id()))
    with pytest.raises(ConflictError):
        fleet.do(device.id, Retire(), version=7)
    with pytest.raises(NotFoundError):
        fleet.do(new_id(), Retire())
    assert fleet.events() == before


def test_the_successor_takes_the_role_and_never_the_identity(fleet: Fleet) -> None:
    old, new = fleet.device(a_root()), fleet.device(a_root(), state=DeviceState.MANUFACTURED)
    gone = fleet.do(old.id, Replace(new.id))
    with fleet.registry.read() as reading:
        after = devices.get(reading, EVERYTHING, new.id)
    assert (gone.state, after.state, after.replaces, after.name) == (DeviceState.RETIRED, DeviceState.CLAIMED, old.id, old.name)
    assert after.roots == new.roots
    assert after.id != old.id


def test_a_foreign_successor_is_none(fleet: Fleet) -> None:
    theirs = a_tenant(fleet.registry, "theirs")
    other = Fleet(fleet.registry, theirs, _actor(fleet.registry, theirs, Role.OPERATOR), fleet.approver)
    old, foreign = fleet.device(), other.device(state=DeviceState.CLAIMED)
    with refused(Code.SUCCESSOR_INVALID):
        fleet.do(old.id, Replace(foreign.id))


def test_what_was_approved_is_done_once_and_to_the_letter(fleet: Fleet) -> None:
    device = fleet.device(a_root())
    fleet.do(device.id, Retire())
    _settle(fleet, device.id)
    approval = fleet.agreed(device.id, Forget())
    for brings in ({"reason": "other"}, {"command": Return()}):
        with refused(Code.APPROVAL_INVALID):
            command = brings.get("command", Forget())
            fleet.do(device.id, command, approval=approval, reason=brings.get("reason", "why"))  # type: ignore[arg-type]  # of a test
    forgotten = fleet.do(device.id, Forget(), approval=approval)
    assert (forgotten.maker, forgotten.serial, forgotten.name) == (None, None, None)
    assert forgotten.roots == device.roots
    with refused(Code.APPROVAL_INVALID):
        fleet.do(device.id, Forget(), approval=approval)
    with fleet.registry.read() as reading:
        theirs = select(event_text.c.text).join(event, event.c.id == event_text.c.event).where(event.c.subject == str(device.id))
        assert [row.text for row in reading.rows(theirs)] == ["why"]  # of the forgetting itself


def _settle(fleet: Fleet, device: UUID) -> None:
    with fleet.registry.change(OPERATOR) as work:
        opened = obligations.of_device(work, device, only_open=True)
        obligations.void(work, [replace(each, state=ObligationState.VOID, settled_at=work.at) for each in opened], BECAUSE)


def test_requests_whose_time_is_over_end(fleet: Fleet) -> None:
    device = fleet.device(a_root())
    fleet.do(device.id, Retire())
    waiting = approvals.request(fleet.registry, fleet.operator, device.id, Forget(), "why", DAY).approval.id
    agreed = fleet.agreed(device.id, Return())
    young = approvals.request(fleet.registry, fleet.operator, device.id, Forget(), "why", 3 * DAY).approval.id
    assert approvals.lapse(fleet.registry) == 0
    fleet.registry.world.now.pass_by(hours=25)  # type: ignore[attr-defined]  # the clock of the test
    with refused(Code.APPROVAL_INVALID):
        approvals.decide(fleet.registry, fleet.approver, waiting, consent=True, version=None, reason="")
    assert approvals.lapse(fleet.registry) == 2
    assert approvals.lapse(fleet.registry) == 0
    with fleet.registry.read() as reading:
        states = {id: kept.get(reading, EVERYTHING, id).state for id in (waiting, agreed, young)}
    assert states == {waiting: ApprovalState.LAPSED, agreed: ApprovalState.LAPSED, young: ApprovalState.WAITING}


def test_who_claims_acts_for_the_owner(fleet: Fleet) -> None:
    theirs = a_tenant(fleet.registry, "theirs")
    device = fleet.device(state=DeviceState.MANUFACTURED)
    with refused(Code.FOREIGN_OWNER):
        fleet.do(device.id, Claim(theirs.owner, theirs.domain))
    assert fleet.do(device.id, Claim(fleet.ours.owner, fleet.ours.domain)).state is DeviceState.CLAIMED


def test_a_device_that_leaves_an_offer_is_not_handed_over(fleet: Fleet) -> None:
    theirs = a_tenant(fleet.registry, "theirs")
    receiver = _actor(fleet.registry, theirs, Role.OPERATOR)
    stays, goes = fleet.device(), fleet.device()
    until = fleet.registry.world.now() + DAY
    offer = transfers.offer(fleet.registry, fleet.operator, [stays.id, goes.id], theirs.owner, None, until, "", 10)
    fleet.do(stays.id, Quarantine())
    after = transfers.accept(fleet.registry, receiver, GIVER, offer.id, theirs.domain, None, "")
    assert [device.id for device in after] == [goes.id]
    assert fleet.do(stays.id, Retire()).owner == fleet.ours.owner
