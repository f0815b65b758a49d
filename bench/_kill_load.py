"""What runs until it is killed: writers that acknowledge to a log of their own, and who places and ships events."""

from __future__ import annotations

import os
import random
import time
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import uuid_utils.compat
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenure.flows.sequence import Sequencing, sequence
from tenure.flows.ship import Shipping, ship
from tenure.ledger.checkpoint import Identity
from tenure.ledger.folder_shelf import FolderShelf
from tenure.ledger.note import KeySigner
from tenure.ledger.refusals import ShelfError
from tenure.ledger.sequencer import Sequencer, Terms
from tenure.lifecycle.arrival import judge_arrival
from tenure.lifecycle.commands import Asked, Command, Quarantine, Register, Release, ReportLost, Retire
from tenure.lifecycle.verbs import judge
from tenure.lifecycle.verdict import Permitted
from tenure.model.access import EVERYTHING, Actor, ActorKind, Area, Role, RoleAssignment
from tenure.model.devices import HardwareRoot, RootKind
from tenure.model.events import Cause
from tenure.model.parties import Owner, TrustDomain
from tenure.model.vocabulary import DeviceState
from tenure.registry import devices, parties
from tenure.registry.facts import arrival_facts, facts_of
from tenure.registry.faults import RegistryError
from tenure.registry.ledger_store import RegistryLedger
from tenure.registry.opening import open_registry
from tenure.registry.registry import Registry
from tenure.registry.verdicts import carry_out
from tenure.registry.work import Work, World

ORIGIN = "ledger.example/kill"
SIGNER = KeySigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
IDENTITY = Identity(ORIGIN, (SIGNER.verifier,))
ACTOR = Actor(ActorKind.SYSTEM, "kill", (RoleAssignment(Role.ADMIN, Area()),))
ASKED = Asked(ACTOR, "under load")
OWNER, DOMAIN = UUID(int=1), UUID(int=2)
VERBS: dict[DeviceState, tuple[Command, ...]] = {
    DeviceState.ACTIVE: (Quarantine(), Quarantine(), Retire(), ReportLost()),
    DeviceState.QUARANTINED: (Release(), Release(), Retire()),
    DeviceState.LOST: (Retire(),),
}


def now() -> datetime:
    return datetime.now(UTC)


def opened(url: str) -> Registry:
    return open_registry(url, World(now, uuid_utils.compat.uuid7, os.urandom), wait=5.0)


def reached(url: str) -> Registry:
    """As ``opened``, but a server that was just killed is waited for."""
    while True:
        try:
            return opened(url)
        except RegistryError:
            time.sleep(0.02)


def founded(url: str) -> None:
    """The owner and trust domain that all devices of a round have."""
    registry = opened(url)
    with registry.change(ACTOR) as work:
        parties.add(work, Owner(OWNER, "owner", "owner@example.org", now()), Cause("add"))
        parties.add(work, TrustDomain(DOMAIN, "example.org", now()), Cause("add"))
    registry.close()


def write(url: str, acknowledged: Path, seed: int) -> None:
    """Registers devices and does verbs on them, one to three in a transaction, until killed.

    A change is acknowledged when the registry said it is done: the digests of its events go to ``acknowledged``, on disk.
    """
    registry, chance = reached(url), random.Random(seed)
    mine: list[UUID] = []
    log = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:  # until killed
        new: list[UUID] = []
        try:
            with registry.change(ACTOR) as work:
                for _ in range(chance.randint(1, 3)):
                    if not mine or chance.random() < 0.4:
                        new.append(_register(registry, work))
                    else:
                        _verb(work, chance.choice(mine), chance)
        except RegistryError:  # busy, or the server was killed: not acknowledged
            time.sleep(0.01)
            continue
        mine += new
        lines = b"".join(sha256(event.leaf()).hexdigest().encode() + b"\n" for event in work.events)
        os.write(log, lines)
        os.fsync(log)


def _register(registry: Registry, work: Work) -> UUID:
    root = HardwareRoot(RootKind.IDEVID, os.urandom(32))
    command = Register(registry.world.ids(), (root,), DeviceState.ACTIVE, OWNER, trust_domain=DOMAIN)
    verdict = judge_arrival(arrival_facts(work, EVERYTHING, [root.spki], None, None), command, ASKED, work.at, registry.world.ids)
    assert isinstance(verdict, Permitted)
    carry_out(work, [], verdict, Cause(command.verb, ASKED.reason))
    return command.id


def _verb(work: Work, id: UUID, chance: random.Random) -> None:
    held = devices.hold_many(work, EVERYTHING, [id])
    commands = VERBS.get(held[0].device.state) if held else None
    if commands is None:
        return
    command = chance.choice(commands)
    verdict = judge(facts_of(work, held[0]), command, ASKED, work.at, work.world.ids)
    assert isinstance(verdict, Permitted)
    carry_out(work, held, verdict, Cause(command.verb, ASKED.reason))


def place(url: str, shelf: FolderShelf, name: str) -> None:
    """Places and ships, until killed."""
    registry = reached(url)
    ledger = RegistryLedger(registry)
    terms = replace(Terms(name), batch=64)
    sequencing = Sequencing(registry, ledger, shelf, IDENTITY, Sequencer(ledger, shelf, IDENTITY, [SIGNER], terms), now)
    shipping = Shipping(registry, ledger, shelf, IDENTITY, now)
    while True:
        try:
            sequence(sequencing)
            ship(shipping)
        except (RegistryError, ShelfError):  # busy, or the other one published meanwhile
            time.sleep(0.01)
