"""A fleet with a ledger and a shelf, and a real old copy of its database to restore."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from tenure.flows.sequence import Sequencing, sequence
from tenure.flows.ship import Shipping, Window, ship
from tenure.ledger.folder_shelf import FolderShelf
from tenure.ledger.sequencer import Sequencer, Terms
from tenure.ledger.verdict import Verdict
from tenure.ledger.verify import verify
from tenure.lifecycle.arrival import judge_arrival
from tenure.lifecycle.commands import Asked, Command, Register
from tenure.lifecycle.verbs import judge
from tenure.lifecycle.verdict import permitted
from tenure.model.access import EVERYTHING
from tenure.model.devices import Device, HardwareRoot
from tenure.model.events import Cause
from tenure.model.vocabulary import DeviceState
from tenure.registry import devices
from tenure.registry.facts import arrival_facts, facts_of
from tenure.registry.ledger_store import RegistryLedger
from tenure.registry.opening import open_registry
from tenure.registry.registry import Registry
from tenure.registry.verdicts import carry_out
from tenure.registry.work import World
from tests.ledger.world import IDENTITY, SIGNER
from tests.registry.healthy import OPERATOR, Tenant, new_id

ASKED = Asked(OPERATOR, "a test wants it")


@dataclass
class Fleet:
    """A registry that is shipped, and its database as it was when ``back_up`` was called."""

    url: str
    world: World
    shelf: FolderShelf
    copies: Path
    registry: Registry = field(init=False)

    def __post_init__(self) -> None:
        self.registry = open_registry(self.url, self.world)

    @property
    def ledger(self) -> RegistryLedger:
        return RegistryLedger(self.registry)

    def sequence(self) -> int:
        sequencer = Sequencer(self.ledger, self.shelf, IDENTITY, [SIGNER], Terms("proof"))
        return sequence(Sequencing(self.registry, self.ledger, self.shelf, IDENTITY, sequencer, self.world.now))

    def ship(self) -> Window:
        self.sequence()
        return ship(Shipping(self.registry, self.ledger, self.shelf, IDENTITY, self.world.now))

    def verify(self) -> Verdict:
        return verify(self.ledger, IDENTITY, self.shelf)

    def back_up(self) -> None:
        """SQLite's own online copy; a template database of PostgreSQL."""
        if self.url.startswith("sqlite"):
            with sqlite3.connect(make_url(self.url).database or "") as here, sqlite3.connect(self.copies / "backup.db") as there:
                here.backup(there)
            return
        with self._closed():
            self._admin("DROP DATABASE IF EXISTS {backup}", "CREATE DATABASE {backup} TEMPLATE {name}")

    def restore(self) -> None:
        """The disk is gone; the old copy takes its place."""
        with self._closed():
            if self.url.startswith("sqlite"):
                place = Path(make_url(self.url).database or "")
                for left in place.parent.glob(f"{place.name}*"):
                    left.unlink()
                with sqlite3.connect(self.copies / "backup.db") as here, sqlite3.connect(place) as there:
                    here.backup(there)
            else:
                self._admin("DROP DATABASE {name} WITH (FORCE)", "CREATE DATABASE {name} TEMPLATE {backup}")

    def close(self) -> None:
        self.registry.close()
        if not self.url.startswith("sqlite"):
            self._admin("DROP DATABASE IF EXISTS {backup}")

    @contextmanager
    def _closed(self) -> Iterator[None]:
        self.registry.close()
        yield
        self.registry = open_registry(self.url, self.world)

    def _admin(self, *statements: str) -> None:
        parsed = make_url(self.url)
        name = sql.Identifier(parsed.database or "")
        backup = sql.Identifier(f"{parsed.database}_backup")
        with psycopg.connect(parsed.set(database="postgres").render_as_string(False), autocommit=True) as connection:
            for statement in statements:
                connection.execute(sql.SQL(statement).format(name=name, backup=backup))

    def register(self, tenant: Tenant, *roots: HardwareRoot, state: DeviceState = DeviceState.ACTIVE) -> Device:
        command = Register(new_id(), roots, state, tenant.owner, trust_domain=tenant.domain)
        with self.registry.change(OPERATOR) as work:
            facts = arrival_facts(work, EVERYTHING, [root.spki for root in roots], None, None)
            verdict = permitted(judge_arrival(facts, command, ASKED, work.at, new_id))
            return carry_out(work, [], verdict, Cause(command.verb, ASKED.reason))[0]

    def do(self, id: UUID, command: Command) -> Device:
        with self.registry.change(OPERATOR) as work:
            held = devices.hold(work, EVERYTHING, id)
            verdict = permitted(judge(facts_of(work, held), command, ASKED, work.at, new_id))
            return carry_out(work, [held], verdict, Cause(command.verb, ASKED.reason))[0]

    def device(self, id: UUID) -> Device:
        with self.registry.read() as reading:
            return devices.get(reading, EVERYTHING, id)
