"""Random histories of hardware on both databases: what is gone never serves again, and no sibling is cut off with it.

Every verb, and every other way in: registration under another id, import of a file, arrival just in time, another process
with another owner's rights, an old copy of the database brought back. The truth is kept beside, in plain sets, by what
was acknowledged; after each step the database is held against it.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from tenure.flows.devices import transfers
from tenure.flows.imports.devices import Mode
from tenure.flows.restore.settle import settle
from tenure.flows.restore.standing import Latest, look
from tenure.ledger.folder_shelf import FolderShelf
from tenure.lifecycle.commands import Activate, Claim, Command, Forget, Quarantine, Release, Replace, ReportLost, Retire
from tenure.lifecycle.eligibility import in_force
from tenure.model.access import EVERYTHING, Actor, ActorKind, Area, Role, RoleAssignment
from tenure.model.credentials import Credential
from tenure.model.obligations import ObligationKind
from tenure.model.vocabulary import DeviceState
from tenure.registry import credentials, devices, obligations, tombstones
from tenure.registry.opening import open_registry
from tenure.registry.tables.devices import device, hardware_root
from tenure.registry.work import World
from tests.databases import Clock, Cluster
from tests.ledger.world import IDENTITY
from tests.lifecycle.parties import GIVER
from tests.proof.hardware import WHY, Hands, Hardware, a_person, tried
from tests.proof.restored import Fleet
from tests.registry.healthy import OPERATOR, a_tenant, new_id

PARTS = tuple(Hardware(number) for number in range(4))
FAMILY = (b"\xfa" * 32, b"\xfb" * 32)  # keys that a maker burnt into more than one device
SECONDS, STEPS, RESTORES = 40, 35, 2

_any_part = st.sampled_from(PARTS)
_arriving = st.sampled_from([DeviceState.MANUFACTURED, DeviceState.CLAIMED, DeviceState.ACTIVE, DeviceState.ACTIVE])
_leaving = st.sampled_from([DeviceState.RETIRED, DeviceState.LOST])
_pick = st.integers(0, 11)


@dataclass
class Known:
    """One device, as it was acknowledged."""

    id: UUID
    part: Hardware
    out: bool  # retired or lost
    live: dict[UUID, bytes]  # its credentials of this term that nothing has ended, and their keys
    keys: set[bytes]  # all it ever had


class Lifecycle(RuleBasedStateMachine):
    """A registry, four pieces of hardware, two owners, and whatever can be done to them."""

    cluster: ClassVar[Cluster | None] = None  # None: SQLite
    template: ClassVar[Path]
    numbers: ClassVar[Any] = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="tenure-lifecycle-"))
        (self.folder / "shelf").mkdir()
        self.database = self.cluster.fresh_database() if self.cluster else None
        if self.cluster and self.database:
            url = self.cluster.url(self.database)
        else:
            shutil.copy(self.template, self.folder / "tenure.db")
            url = f"sqlite:///{self.folder / 'tenure.db'}"
        self.world = World(Clock(), new_id, lambda size: bytes(next(self.numbers) % 256 for _ in range(size)))
        self.fleet = Fleet(url, self.world, FolderShelf(self.folder / "shelf"), self.folder)
        self.known: list[Known] = []
        self.gone: set[Hardware] = set()  # ended, and not returned
        self.buried: set[bytes] = set()  # keys that were a device's alone when it ended
        self.offers: list[UUID] = []
        self.restores = 0
        self.copy: list[tuple[UUID, Hardware, bool, dict[UUID, bytes], set[bytes]]] | None = None

    @initialize()
    def open(self) -> None:
        registry = self.fleet.registry
        self.ours, self.theirs = a_tenant(registry, "ours"), a_tenant(registry, "theirs")
        self.hands = Hands(a_person(registry, "asker"), a_person(registry, "approver"))
        self.stranger = Actor(ActorKind.SYSTEM, "theirs", (RoleAssignment(Role.OPERATOR, Area(owner=self.theirs.owner)),))
        for part in PARTS[:2]:  # healthy, in service, with a key that their maker burnt into both; the others are yet to come
            given = self.hands.register(registry, part, DeviceState.ACTIVE, self.ours, self.hands.asker)
            assert given
            self._given(self._new(given.id, part), self.hands.adopt(registry, given.id, FAMILY[0]))

    def teardown(self) -> None:
        self.fleet.ship()
        assert self.fleet.verify().sound
        self.fleet.close()
        if self.cluster and self.database:
            self.cluster.drop(self.database)
        shutil.rmtree(self.folder)

    # ways in

    @rule(part=_any_part, state=_arriving)
    def register(self, part: Hardware, state: DeviceState) -> None:
        if given := self.hands.register(self.fleet.registry, part, state, self.ours, self.hands.asker):
            self._new(given.id, part)

    @rule(part=_any_part)
    def registered_by_another_process_for_another_owner(self, part: Hardware) -> None:
        other = open_registry(self.fleet.url, self.world)
        try:
            given = self.hands.register(other, part, DeviceState.ACTIVE, self.theirs, self.stranger)
        finally:
            other.close()
        if given:
            self._new(given.id, part)

    @rule(part=_any_part, state=_leaving)
    def registered_as_gone(self, part: Hardware, state: DeviceState) -> None:
        if given := self.hands.register(self.fleet.registry, part, state, self.ours, self.hands.asker):
            self._new(given.id, part).out = True
            self.gone.add(part)

    @rule(parts=st.lists(_any_part, min_size=1, max_size=3, unique=True), state=_arriving, mode=st.sampled_from(Mode))
    def a_file_is_imported(self, parts: list[Hardware], state: DeviceState, mode: Mode) -> None:
        before = {each.id for each in self.known}
        self.hands.bring_file(self.fleet.registry, parts, state, self.ours, mode)
        for part in parts:
            if (id := self._by_root(part)) and id not in before:
                self._new(id, part)

    @rule(part=_any_part)
    def hardware_connects_just_in_time(self, part: Hardware) -> None:
        id = self._by_root(part)
        if id is None and (
            given := self.hands.register(self.fleet.registry, part, DeviceState.ACTIVE, self.ours, self.hands.asker)
        ):
            self._new(given.id, part)
            id = given.id
        if id is not None and (held := self._known(id)):
            self._given(held, self.hands.issue(self.fleet.registry, id, self.hands.new_key()))

    # keys

    @precondition(lambda self: self.known)
    @rule(pick=_pick, key=st.sampled_from([*FAMILY, *(part.root for part in PARTS)]))
    def a_key_is_asked_for_that_others_may_have(self, pick: int, key: bytes) -> None:
        held = self._picked(pick)
        self._given(held, self.hands.issue(self.fleet.registry, held.id, key))

    @precondition(lambda self: any(not each.out for each in self.known))
    @rule(pick=_pick, key=st.sampled_from(FAMILY))
    def a_family_key_is_found_in_use(self, pick: int, key: bytes) -> None:
        serving = [each for each in self.known if not each.out]
        held = serving[pick % len(serving)]
        self._given(held, self.hands.adopt(self.fleet.registry, held.id, key))

    # verbs

    @precondition(lambda self: self.known)
    @rule(pick=_pick, verb=st.sampled_from(["activate", "quarantine", "release", "claim"]))
    def in_service(self, pick: int, verb: str) -> None:
        commands: dict[str, Command] = {
            "activate": Activate(),
            "quarantine": Quarantine(),
            "release": Release(),
            "claim": Claim(self.ours.owner, self.ours.domain),
        }
        self.hands.act(self.fleet.registry, self._picked(pick).id, commands[verb])

    @precondition(lambda self: self.known)
    @rule(pick=_pick, command=st.sampled_from([Retire(), ReportLost()]))
    def it_ends(self, pick: int, command: Command) -> None:
        held = self._picked(pick)
        if self.hands.act(self.fleet.registry, held.id, command):
            self._ended(held)

    @precondition(lambda self: self.known)
    @rule(pick=_pick, other=_pick)
    def it_is_replaced(self, pick: int, other: int) -> None:
        held = self._picked(pick)
        if self.hands.act(self.fleet.registry, held.id, Replace(self._picked(other).id)):
            self._ended(held)

    @precondition(lambda self: self.known)
    @rule(pick=_pick, answer=_any_part, honest=st.booleans())
    def it_is_brought_back(self, pick: int, answer: Hardware, honest: bool) -> None:
        held = self._picked(pick)
        part = held.part if honest else answer
        if self.hands.bring_back(self.fleet.registry, held.id, part, self.ours):
            assert part == held.part, "other hardware answered for it"
            held.out = False
            self.gone.discard(held.part)
            self.buried.discard(held.part.root)  # a root that was certified too is buried as a root; as a key it is of old

    @precondition(lambda self: self.known)
    @rule(pick=_pick)
    def it_is_forgotten(self, pick: int) -> None:
        held = self._picked(pick)
        if asked := self.hands.approved(self.fleet.registry, held.id, Forget()):
            self.hands.act(self.fleet.registry, held.id, Forget(), asked.approval.id)

    @precondition(lambda self: self.known)
    @rule(pick=_pick)
    def it_is_offered(self, pick: int) -> None:
        held, until = self._picked(pick), self.world.now() + timedelta(days=1)
        wanted = (self.fleet.registry, self.hands.asker, [held.id], self.theirs.owner, None, until, WHY, 10)
        if offer := tried(lambda: transfers.offer(*wanted)):
            self.offers.append(offer.id)

    @precondition(lambda self: self.offers)
    @rule(pick=_pick, accepted=st.booleans())
    def an_offer_is_answered(self, pick: int, accepted: bool) -> None:
        id = self.offers[pick % len(self.offers)]
        registry, asker = self.fleet.registry, self.hands.asker
        if not accepted:
            tried(lambda: transfers.cancel(registry, asker, id, WHY))
            return
        for each in tried(lambda: transfers.accept(registry, asker, GIVER, id, self.theirs.domain, None, WHY)) or ():
            if held := self._known(each.id):
                held.live.clear()  # the old owner's are to end

    # the disk

    @precondition(lambda self: self.copy is None and self.restores < RESTORES)
    @rule()
    def it_is_backed_up(self) -> None:
        self.fleet.back_up()
        self.copy = [(each.id, each.part, each.out, dict(each.live), set(each.keys)) for each in self.known]

    @precondition(lambda self: self.copy is not None)  # a restore costs as much as ten other steps, so there are few
    @rule()
    def an_old_copy_is_restored(self) -> None:
        """What ended stays ended. What began since is not known here, and nothing is claimed of it."""
        self.fleet.ship()
        self.fleet.restore()
        now = {each.id: each for each in self.known}
        self.known = []
        for id, part, out, live, keys in self.copy or ():
            current = now[id] if id in now else Known(id, part, out=True, live={}, keys=keys)
            kept = {one: key for one, key in live.items() if one in current.live}
            self.known.append(Known(id, part, out or current.out, kept, keys))
        self.copy, self.restores = None, self.restores + 1
        if not isinstance(look(self.fleet.registry, self.fleet.ledger, self.fleet.shelf, IDENTITY), Latest):
            assert self.hands.register(self.fleet.registry, PARTS[0], DeviceState.ACTIVE, self.ours, self.hands.asker) is None
            settle(self.fleet.registry, self.fleet.ledger, self.fleet.shelf, IDENTITY, OPERATOR, WHY)
        self.fleet.ship()

    # what always holds

    @invariant()
    def gone_hardware_stays_out(self) -> None:
        roots = [part.root for part in self.gone]
        with self.fleet.registry.read() as reading:
            found = select(device.c.id, device.c.state).join(hardware_root, hardware_root.c.device == device.c.id)
            for row in reading.rows(found.where(hardware_root.c.spki.in_(roots))):
                assert row.state.gone, f"{row.id} is {row.state}"
                body = devices.get(reading, EVERYTHING, row.id)
                held = credentials.of_device(reading, row.id)
                assert not any(in_force(body, each, self._stones(reading, held, body)) for each in held)
            assert {stone.spki for stone in tombstones.barring(reading, roots)} == set(roots)

    @invariant()
    def buried_keys_stay_buried(self) -> None:
        with self.fleet.registry.read() as reading:
            assert {stone.spki for stone in tombstones.barring(reading, list(self.buried))} == self.buried

    @invariant()
    def siblings_keep_their_credentials(self) -> None:
        with self.fleet.registry.read() as reading:
            for each in self.known:
                if each.out or not each.live:
                    continue
                body = devices.get(reading, EVERYTHING, each.id)
                held = {one.id: one for one in credentials.of_device(reading, each.id)}
                assert not tombstones.barring(reading, list(each.live.values())), "a key in use is buried"
                owed = obligations.of_device(reading, each.id, only_open=True)
                ending = {one.target for one in owed if one.kind is ObligationKind.END_CREDENTIAL}
                assert not ending & each.live.keys(), "an innocent credential is to end"
                for id in each.live:
                    assert held[id].state.usable
                    if body.state is DeviceState.ACTIVE:
                        assert in_force(body, held[id], self._stones(reading, [held[id]], body))

    # the truth

    def _stones(self, reading: Any, held: Any, body: Any) -> Any:
        keys = [*(one.spki for one in held if one.spki), *(root.spki for root in body.roots)]
        return tombstones.barring(reading, keys)

    def _picked(self, pick: int) -> Known:
        return self.known[pick % len(self.known)]

    def _known(self, id: UUID) -> Known | None:
        return next((each for each in self.known if each.id == id), None)

    def _new(self, id: UUID, part: Hardware) -> Known:
        self.known.append(Known(id, part, out=False, live={}, keys=set()))
        return self.known[-1]

    def _by_root(self, part: Hardware) -> UUID | None:
        with self.fleet.registry.read() as reading:
            found = devices.by_root(reading, EVERYTHING, part.root)
        return found.id if found else None

    def _given(self, held: Known, credential: Credential | None) -> None:
        if credential and credential.spki:
            assert not held.out, "gone hardware was given a credential"
            held.live[credential.id] = credential.spki
            held.keys.add(credential.spki)

    def _ended(self, held: Known) -> None:
        """Its keys are buried, but for those a device in service has too."""
        others = {key for each in self.known if each is not held and not each.out for key in each.live.values()}
        held.out = True
        held.live.clear()
        self.gone.add(held.part)
        self.buried |= held.keys - others


def _run() -> None:
    """One history after another until the time is over; one that fails is told as it was, step by step."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        run_state_machine_as_test(
            Lifecycle,
            settings=settings(
                max_examples=4,
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_on_sqlite(sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lifecycle, "cluster", None)
    monkeypatch.setattr(Lifecycle, "template", sqlite_template, raising=False)
    _run()


def test_on_postgresql(postgres: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lifecycle, "cluster", postgres)
    _run()
