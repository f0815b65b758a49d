"""A healthy registry in small: two tenants, their domains, and devices with roots."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import uuid_utils.compat

from tenure.model.access import EVERYTHING, Actor, ActorKind, Area, Role, RoleAssignment, Scope
from tenure.model.devices import Device, HardwareRoot, RootKind
from tenure.model.events import Cause
from tenure.model.parties import Owner, TrustDomain
from tenure.model.vocabulary import DeviceState
from tenure.registry import parties
from tenure.registry.device_changes import change_device, insert_device
from tenure.registry.devices import hold
from tenure.registry.registry import Registry

THEN = datetime(2026, 1, 1, tzinfo=UTC)
OPERATOR = Actor(ActorKind.SYSTEM, "test", (RoleAssignment(Role.ADMIN, Area()),))
BECAUSE = Cause("test", "because a test wants it")


def new_id() -> UUID:
    return uuid_utils.compat.uuid7()


def a_root(kind: RootKind = RootKind.IDEVID) -> HardwareRoot:
    return HardwareRoot(kind, os.urandom(32))


def a_device(**changed: Any) -> Device:
    return replace(Device(new_id(), DeviceState.CLAIMED, THEN, THEN), **changed)


@dataclass(frozen=True)
class Tenant:
    owner: UUID
    domain: UUID

    @property
    def scope(self) -> Scope:
        return Scope(frozenset({Area(owner=self.owner)}))


def a_tenant(registry: Registry, name: str) -> Tenant:
    tenant = Tenant(new_id(), new_id())
    with registry.change(OPERATOR) as work:
        parties.add(work, Owner(tenant.owner, name, f"{name}@example.org", THEN), BECAUSE)
        parties.add(work, TrustDomain(tenant.domain, f"{name}.example.org", THEN), BECAUSE)
    return tenant


def put(registry: Registry, *devices: Device) -> None:
    with registry.change(OPERATOR) as work:
        for device in devices:
            insert_device(work, device, BECAUSE)


def change(registry: Registry, id: UUID, **changed: Any) -> Device:
    with registry.change(OPERATOR) as work:
        held = hold(work, EVERYTHING, id)
        return change_device(work, held, replace(held.device, **changed), BECAUSE)
