"""A service to ask: the whole API over a registry, with two owners and a token for each role of each."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from tenure.api.app import create_app
from tenure.api.authentication import TokenDoor
from tenure.api.faults import TOLD
from tenure.api.health import Readiness
from tenure.api.limits import Rate
from tenure.api.logging import make_logger
from tenure.api.metrics import Metrics
from tenure.api.paging import Cursors
from tenure.api.parts import Frame, Parts
from tenure.api.remembered import RegistryCallers, RegistryKeys
from tenure.flows import tokens
from tenure.flows.tokens import DigestKeys, Wanted
from tenure.ledger.checkpoint import Identity
from tenure.ledger.folder_shelf import FolderShelf
from tenure.ledger.note import KeySigner
from tenure.ledger.sequencer import Sequencer, Terms
from tenure.model.access import Actor, ActorKind, Area, Person, Role, RoleAssignment
from tenure.model.events import Cause
from tenure.model.parties import Owner, TrustDomain
from tenure.registry import parties, people
from tenure.registry.ledger_store import RegistryLedger
from tenure.registry.registry import Registry
from tests.api.frames import ask
from tests.lifecycle.parties import GIVER

KEYS = DigestKeys({"d1": b"digest key of the test".ljust(32, b".")}, "d1")
SETUP = Actor(ActorKind.SYSTEM, "test")
SIGNER = KeySigner("tenure.example/test", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
IDENTITY = Identity("tenure.example/test", (SIGNER.verifier,))
MANY = Rate(1e6, 1_000_000)


@dataclass
class Service:
    """The app, its world, and whom the tests act as."""

    registry: Registry
    app: FastAPI
    log: io.StringIO
    ours: UUID  # owner
    theirs: UUID
    third: UUID  # an owner to whom both offer
    domain: UUID  # trust domain of ours
    their_domain: UUID
    admin: str  # a token of an administrator everywhere
    people: dict[str, UUID] = field(default_factory=dict)

    def ask(self, method: str, path: str, token: str | None = None, **sent: Any) -> httpx.Response:
        return ask(self.app, method, f"/api/v1{path}", self.admin if token is None else token, **sent)

    def token(self, *assignments: RoleAssignment, person: str = "") -> str:
        """A token in force; ``person`` names who answers for it, anew for each name."""
        who = self.person(person) if person else None
        wanted = Wanted("test", self.registry.world.now() + timedelta(days=1), assignments, who)
        return tokens.make(self.registry, SETUP, KEYS, wanted, timedelta(days=2), "").text

    def of_owner(self, role: Role, owner: UUID, person: str = "") -> str:
        return self.token(RoleAssignment(role, Area(owner=owner)), person=person)

    def sequence(self, shelf: Path) -> None:
        """Gives every pending event its place."""
        terms = Terms("test")
        Sequencer(RegistryLedger(self.registry), FolderShelf(shelf), IDENTITY, [SIGNER], terms).place(self.registry.world.now())

    def person(self, name: str) -> UUID:
        if name not in self.people:
            self.people[name] = self.registry.world.ids()
            with self.registry.change(SETUP) as work:
                people.add_person(work, Person(self.people[name], name, f"{name}@example.org", work.at), Cause("add"))
        return self.people[name]


def parts_of(registry: Registry, log: io.StringIO) -> Parts:
    frame = Frame(
        doors=(TokenDoor(RegistryCallers(registry), KEYS.keys),),
        keys_seen=RegistryKeys(registry),
        cursors=Cursors({"c1": bytes(range(32))}, "c1"),
        clock=registry.world.now,
        monotonic=lambda: registry.world.now().timestamp(),
        ids=registry.world.ids,
        log=make_logger(log),
        metrics=Metrics(),
        readiness=Readiness({}),
        told=TOLD,
        per_address=MANY,
        per_caller=MANY,
    )
    return Parts(
        frame,
        registry,
        RegistryLedger(registry),
        IDENTITY,
        KEYS,
        timedelta(days=90),
        timedelta(days=366),
        3,
        timedelta(hours=72),
        lambda: GIVER,
    )


def started(registry: Registry) -> Service:
    log = io.StringIO()
    ids, now = registry.world.ids, registry.world.now()
    ours, theirs, third, domain, their_domain = (ids() for _ in range(5))
    with registry.change(SETUP) as work:
        for value in (
            Owner(ours, "ours", "ours@example.org", now),
            Owner(theirs, "theirs", "theirs@example.org", now),
            Owner(third, "third", "third@example.org", now),
            TrustDomain(domain, "ours.example", now),
            TrustDomain(their_domain, "theirs.example", now),
        ):
            parties.add(work, value, Cause("add"))
    service = Service(registry, create_app(parts_of(registry, log)), log, ours, theirs, third, domain, their_domain, "")
    service.admin = service.token(RoleAssignment(Role.ADMIN, Area()), person="admin")
    return service
