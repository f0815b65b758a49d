"""A healthy registry of two owners with two people, and devices with keys of their own."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import select

from tenure.flows.devices.arrive import register
from tenure.lifecycle.commands import Register
from tenure.model.access import EVERYTHING, Actor, ActorKind, Area, Role, RoleAssignment
from tenure.model.credentials import Credential
from tenure.model.devices import Device, HardwareRoot, RootKind
from tenure.model.vocabulary import DeviceState
from tenure.registry import devices
from tenure.registry.registry import Registry
from tenure.registry.tables.ledger import event
from tests.proof.hardware import Hands, Hardware, a_person
from tests.registry.healthy import Tenant, a_tenant, new_id


@dataclass
class Plant:
    """A healthy registry: ours and theirs, an operator of each, and two administrators with names."""

    registry: Registry
    ours: Tenant
    theirs: Tenant
    hands: Hands
    our_operator: Actor
    their_operator: Actor
    made: int = 0

    def device(self, state: DeviceState = DeviceState.ACTIVE, tenant: Tenant | None = None) -> tuple[Device, Hardware]:
        part, whose = Hardware(self.made), tenant or self.ours
        self.made += 1
        root = HardwareRoot(RootKind.IDEVID, part.root)
        command = Register(new_id(), (root,), state, whose.owner, trust_domain=whose.domain, maker="M", serial="S", name="pump")
        return register(self.registry, self.hands.asker, command, "it is here").device, part

    def now(self, id: UUID) -> Device:
        with self.registry.read() as reading:
            return devices.get(reading, EVERYTHING, id)

    def issued(self, device: Device, key: bytes | None = None) -> Credential:
        given = self.hands.issue(self.registry, device.id, key or self.hands.new_key())
        assert given
        return given

    def events(self) -> list[tuple[str, str]]:
        """Verb and subject of each, in their order."""
        with self.registry.read() as reading:
            return [(row.verb, row.subject) for row in reading.rows(select(event.c.verb, event.c.subject).order_by(event.c.id))]


def an_operator(tenant: Tenant) -> Actor:
    return Actor(ActorKind.TOKEN, str(new_id()), (RoleAssignment(Role.OPERATOR, Area(owner=tenant.owner)),))


@pytest.fixture
def plant(registry: Registry) -> Plant:
    ours, theirs = a_tenant(registry, "ours"), a_tenant(registry, "theirs")
    hands = Hands(a_person(registry, "asker"), a_person(registry, "approver"))
    return Plant(registry, ours, theirs, hands, an_operator(ours), an_operator(theirs))
