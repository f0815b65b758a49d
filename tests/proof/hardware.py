"""What people and machines do with hardware, each by the flow that really does it: the moves of the lifecycle proof."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import TypeVar
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tenure.flows.devices import approvals
from tenure.flows.devices.act import Order, RootAnswer, act
from tenure.flows.devices.arrive import register
from tenure.flows.imports.devices import Mode, import_devices
from tenure.flows.imports.devices import Order as ImportOrder
from tenure.flows.imports.table import FileKind
from tenure.lifecycle.commands import Command, Register, Return
from tenure.lifecycle.eligibility import barred_from_issue
from tenure.lifecycle.verdict import VerbRefusedError
from tenure.model.access import EVERYTHING, Actor, ActorKind, Area, Person, Role, RoleAssignment
from tenure.model.credentials import Credential, KeyState
from tenure.model.devices import Device, HardwareRoot, RootKind
from tenure.model.events import Cause
from tenure.model.vocabulary import CredentialKind, CredentialRole, DeviceState
from tenure.registry import credentials, devices, people, tombstones
from tenure.registry.facts import taken
from tenure.registry.faults import RegistryError
from tenure.registry.registry import Registry
from tenure.registry.work import Work
from tests.registry.healthy import BECAUSE, OPERATOR, THEN, Tenant, new_id

WHY = "a proof wants it"
A_DAY = timedelta(days=1)
T = TypeVar("T")


@dataclass(frozen=True)
class Hardware:
    """A thing with a key that it keeps, the same in each run."""

    number: int

    @property
    def key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(bytes([self.number + 1]) * 32)

    @property
    def spki(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def root(self) -> bytes:
        return sha256(self.spki).digest()


def a_person(registry: Registry, name: str) -> Actor:
    """An administrator of everything, behind whose token somebody stands."""
    id = new_id()
    with registry.change(OPERATOR) as work:
        people.add_person(work, Person(id, name, f"{name}@example.org", THEN), BECAUSE)
    return Actor(ActorKind.TOKEN, str(new_id()), (RoleAssignment(Role.ADMIN, Area()),), id)


def tried(move: Callable[[], T]) -> T | None:
    """What came of it; None: it was refused."""
    try:
        return move()
    except (VerbRefusedError, RegistryError):
        return None


@dataclass
class Hands:
    """Two people, and all they can do with hardware in a registry."""

    asker: Actor
    approver: Actor
    keys: int = field(default=0)

    def new_key(self) -> bytes:
        self.keys += 1
        return sha256(b"key %d" % self.keys).digest()

    def register(self, registry: Registry, part: Hardware, state: DeviceState, tenant: Tenant, actor: Actor) -> Device | None:
        """Under a new id, whatever was there before."""
        root = HardwareRoot(RootKind.IDEVID, part.root)
        command = Register(new_id(), (root,), state, tenant.owner, trust_domain=tenant.domain, maker="M", serial=str(part.number))
        done = tried(lambda: register(registry, actor, command, WHY))
        return done.device if done else None

    def bring_file(self, registry: Registry, parts: Sequence[Hardware], state: DeviceState, tenant: Tenant, mode: Mode) -> None:
        rows = (
            {"idevid": part.root.hex(), "state": state.value, "owner": str(tenant.owner), "trust_domain": str(tenant.domain)}
            for part in parts
        )
        file = io.BytesIO("".join(json.dumps(row) + "\n" for row in rows).encode())
        order = ImportOrder("parts.jsonl", FileKind.JSONL, mode, WHY)
        tried(lambda: import_devices(registry, self.asker, file, order, lambda _: None, lambda _: None))

    def issue(self, registry: Registry, device: UUID, key: bytes) -> Credential | None:
        """A certificate for a key, past the gate that every issuing path asks."""

        def move() -> Credential | None:
            with registry.change(self.asker) as work:
                held = devices.hold(work, EVERYTHING, device).device
                barring = tombstones.barring(work, [key, *(root.spki for root in held.roots)])
                former = credentials.former_keys(work, device, held.term)
                others = {each.spki for each in taken(work, EVERYTHING, [key]) if each.device != device}
                if barred_from_issue(held, key, barring, former, others):
                    return None
                return _recorded(work, held, key)

        return tried(move)

    def adopt(self, registry: Registry, device: UUID, key: bytes) -> Credential | None:
        """A certificate that was found in use: it is what it is, siblings may have its key."""

        def move() -> Credential:
            with registry.change(self.asker) as work:
                return _recorded(work, devices.hold(work, EVERYTHING, device).device, key)

        return tried(move)

    def act(self, registry: Registry, device: UUID, command: Command, approval: UUID | None = None) -> Device | None:
        return tried(lambda: act(registry, self.asker, Order(device, command, WHY, approval=approval)))

    def approved(self, registry: Registry, device: UUID, command: Command) -> approvals.Requested | None:
        """What the one asked for and the other agreed to."""
        asked = tried(lambda: approvals.request(registry, self.asker, device, command, WHY, A_DAY))
        if asked:
            approvals.decide(registry, self.approver, asked.approval.id, consent=True, version=None, reason=WHY)
        return asked

    def bring_back(self, registry: Registry, device: UUID, part: Hardware, tenant: Tenant) -> Device | None:
        """A return that is approved, and answered by ``part``: the right one, or another."""
        command = Return(tenant.owner, tenant.domain)
        asked = self.approved(registry, device, command)
        if asked is None or asked.challenge is None:
            return None
        answer = RootAnswer(part.spki, part.key.sign(asked.challenge))
        order = Order(device, command, WHY, approval=asked.approval.id, answer=answer)
        return tried(lambda: act(registry, self.asker, order))


def _recorded(work: Work, device: Device, key: bytes) -> Credential:
    role = CredentialRole.OPERATIONAL
    given = Credential(
        new_id(), CredentialKind.CERTIFICATE, role, KeyState.ACTIVE, work.at, device.id, device.term, spki=key, fingerprint=None
    )
    return credentials.record(work, given, Cause("issue", WHY))
