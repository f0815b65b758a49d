"""Import of devices on both databases: the rules of registration hold, all or nothing, row by row, and after a crash."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from tenure.flows.imports import devices as flow
from tenure.flows.imports.devices import Imported, Mode, Order, import_devices
from tenure.flows.imports.table import FileKind, ImportFileError, Reject
from tenure.ledger.rows import check_row, prove_row
from tenure.model.access import EVERYTHING, Actor, ActorKind, Area, Role, RoleAssignment
from tenure.model.credentials import Credential, KeyState
from tenure.model.devices import HardwareRoot, RootKind, Tombstone, TombstoneKind
from tenure.model.parties import Owner, Site
from tenure.model.vocabulary import CredentialKind, CredentialRole, DeviceState
from tenure.registry import credentials, device_lists, facts, parties, tombstones
from tenure.registry import devices as found_devices
from tenure.registry.bulk import batch_row
from tenure.registry.device_lists import DeviceFilter
from tenure.registry.registry import Registry
from tenure.registry.tables.devices import device as device_table
from tenure.registry.tables.ledger import event
from tenure.registry.work import counted, event_of
from tests.registry.healthy import BECAUSE, OPERATOR, THEN, Tenant, a_device, a_root, a_tenant, new_id, put

Rows = list[dict[str, Any]]


def root() -> str:
    return os.urandom(32).hex()


@dataclass
class Desk:
    """A registry with one tenant, and somebody who imports."""

    registry: Registry
    ours: Tenant
    rejects: list[Reject] = field(default_factory=list)
    progress: list[int] = field(default_factory=list)

    def run(self, rows: Rows, mode: Mode = Mode.WHOLE, actor: Actor = OPERATOR, reason: str = "from the maker") -> Imported:
        file = io.BytesIO("\n".join(map(json.dumps, rows)).encode())
        order = Order("fleet.jsonl", FileKind.JSONL, mode, reason)
        self.rejects.clear()
        return import_devices(self.registry, actor, file, order, self.rejects.append, self.progress.append)

    def row(self, **changed: Any) -> dict[str, Any]:
        return {"state": "claimed", "owner": "ours", "trust_domain": "ours.example.org", "idevid": root()} | changed

    @property
    def said(self) -> list[tuple[int, str]]:
        return [(reject.line, reject.problem) for reject in self.rejects]

    def counted(self) -> int:
        with self.registry.read() as reading:
            return counted(reading, device_table)


@pytest.fixture
def desk(registry: Registry) -> Desk:
    return Desk(registry, a_tenant(registry, "ours"))


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "CHUNK", 2)


def test_devices_come_in_as_the_file_says(desk: Desk) -> None:
    spki = root()
    done = desk.run([desk.row(**{"name": "pump-4", "serial": 42, "ek-rsa": [spki], "state": "active"})])
    assert done == Imported(1, 0, done.batches)
    with desk.registry.read() as reading:
        found = found_devices.by_root(reading, desk.ours.scope, bytes.fromhex(spki))
    assert found
    assert (found.name, found.serial, found.state, found.owner) == ("pump-4", "42", DeviceState.ACTIVE, desk.ours.owner)
    assert {r.kind for r in found.roots} == {RootKind.EK_RSA, RootKind.IDEVID}


@pytest.mark.usefixtures("small_chunks")
def test_each_batch_is_an_event_that_proves_each_of_its_rows(desk: Desk) -> None:
    done = desk.run([desk.row() for _ in range(5)])
    assert len(done.batches) == 3
    with desk.registry.read() as reading:
        imports = [event_of(row) for row in reading.rows(event.select().where(event.c.verb == "import"))]
        assert {e.subject for e in imports} == {str(batch) for batch in done.batches}
        page = device_lists.page(reading, EVERYTHING, DeviceFilter())
        for device in page.items:
            row = batch_row(reading, EVERYTHING, device.id)
            assert row
            [told] = [e for e in imports if e.subject == str(row.batch)]
            check_row(prove_row(row.digests, row.number), told.leaf())


def _foreign(desk: Desk) -> dict[str, Any]:
    theirs = a_tenant(desk.registry, "theirs")
    held = a_root()
    put(desk.registry, a_device(owner=theirs.owner, trust_domain=theirs.domain, roots=(held,)))
    return desk.row(idevid=held.spki.hex())


def _tombstoned(desk: Desk) -> dict[str, Any]:
    spki = os.urandom(32)
    with desk.registry.change(OPERATOR) as work:
        tombstones.bury(work, [Tombstone(spki, TombstoneKind.ROOT, new_id(), 1, DeviceState.LOST, THEN)], BECAUSE)
    return desk.row(idevid=spki.hex())


def _serial_there(desk: Desk) -> dict[str, Any]:
    put(desk.registry, a_device(owner=desk.ours.owner, trust_domain=desk.ours.domain, maker="Maker", serial="007"))
    return desk.row(idevid=None, maker="MAKER", serial="7")


def _ended(desk: Desk) -> dict[str, Any]:
    with desk.registry.change(OPERATOR) as work:
        parties.add(work, Owner(new_id(), "gone", "x@example.org", THEN, THEN), BECAUSE)
    return desk.row(owner="gone")


def _others_site(desk: Desk) -> dict[str, Any]:
    theirs = a_tenant(desk.registry, "theirs")
    site = new_id()
    with desk.registry.change(OPERATOR) as work:
        parties.add(work, Site(site, "hall", theirs.owner, THEN), BECAUSE)
    return desk.row(site=str(site))


BAD: dict[str, Callable[[Desk], dict[str, Any]]] = {
    "a hardware root of this device is not free": _foreign,
    "hardware root of this device is not free": _tombstoned,
    "of this maker and serial is there": _serial_there,
    "has ended": _ended,
    "there is no site": _others_site,
    "there is no owner 'nobody'": lambda d: d.row(owner="nobody"),
    "has an owner and a trust domain": lambda d: d.row(owner=None),
    "is no state of a device": lambda d: d.row(state="broken"),
    "cannot be registered as quarantined": lambda d: d.row(state="quarantined"),
    "is no SHA-256": lambda d: d.row(idevid="00"),
    "is named twice": lambda d: d.row(**{"idevid": "ab" * 32, "ek-ecc": "ab" * 32}),
    "name is no text": lambda d: d.row(name={"a": 1}),
    "holds control characters": lambda d: d.row(name="a\x1b[2J"),
}


@pytest.mark.parametrize("said", BAD)
def test_one_bad_row_and_nothing_comes_in(desk: Desk, said: str) -> None:
    bad = BAD[said](desk)
    before = desk.counted()
    for mode in (Mode.DRY_RUN, Mode.WHOLE):
        done = desk.run([desk.row(), bad, desk.row()], mode)
        assert done.rejects == 1
        [(line, problem)] = desk.said
        assert line == 2
        assert said in problem
        assert desk.rejects[0].fix
    assert desk.counted() == before


@pytest.mark.parametrize("said", BAD)
def test_row_by_row_the_others_come_in(desk: Desk, said: str) -> None:
    bad = BAD[said](desk)
    before = desk.counted()
    done = desk.run([desk.row(), bad, desk.row()], Mode.ROW_BY_ROW)
    assert (done.devices, done.rejects) == (2, 1)
    assert desk.counted() == before + 2


def test_whose_a_foreign_root_is_stands_nowhere(desk: Desk) -> None:
    bad = _foreign(desk)
    actor = Actor(ActorKind.SYSTEM, "import", (RoleAssignment(Role.OPERATOR, Area(owner=desk.ours.owner)),))
    desk.run([bad], actor=actor)
    told = f"{desk.said} {desk.rejects[0].fix}"
    assert "see device" not in told
    desk.run([bad])
    assert "see device" in desk.said[0][1]


def test_who_acts_for_one_owner_imports_for_no_other(desk: Desk) -> None:
    a_tenant(desk.registry, "theirs")
    actor = Actor(ActorKind.SYSTEM, "import", (RoleAssignment(Role.OPERATOR, Area(owner=desk.ours.owner)),))
    done = desk.run([desk.row(), desk.row(owner="theirs"), desk.row(state="manufactured", owner=None)], Mode.ROW_BY_ROW, actor)
    assert (done.devices, done.rejects) == (1, 2)
    assert desk.said[0][1] == "there is no owner 'theirs'"
    viewer = Actor(ActorKind.SYSTEM, "import", (RoleAssignment(Role.VIEWER, Area()),))
    assert desk.run([desk.row()], Mode.ROW_BY_ROW, viewer).devices == 0


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("mode", Mode)
def test_nothing_comes_twice_out_of_one_file(desk: Desk, mode: Mode) -> None:
    spki = root()
    rows = [desk.row(idevid=spki), desk.row(), desk.row(), desk.row(idevid=spki)]
    rows += [desk.row(idevid=None, maker="M", serial="s 1"), desk.row(idevid=None, maker="m", serial="S1")]
    done = desk.run(rows, mode)
    assert done.rejects == 2
    assert [(line, "line 1" in p, "line 5" in p) for line, p in desk.said] == [(4, True, False), (6, False, True)]
    assert done.devices == {Mode.DRY_RUN: 4, Mode.WHOLE: 0, Mode.ROW_BY_ROW: 4}[mode]


def test_the_same_file_again_brings_only_what_is_missing(desk: Desk) -> None:
    rows = [desk.row(), desk.row(idevid=None, maker="M", serial="1")]
    desk.run(rows)
    new = desk.row()
    done = desk.run([*rows, new], Mode.ROW_BY_ROW)
    assert (done.devices, done.rejects) == (1, 2)
    assert desk.counted() == 3


def test_hardware_that_comes_in_as_gone_is_barred_from_then_on(desk: Desk) -> None:
    lost, retired = desk.row(state="lost"), desk.row(state="retired")
    assert desk.run([lost], reason="").rejects == 1
    assert "needs a reason" in desk.said[0][1]
    assert desk.run([lost, retired, desk.row()]).devices == 3
    with desk.registry.read() as reading:
        stones = tombstones.barring(reading, [bytes.fromhex(row["idevid"]) for row in (lost, retired)])
    assert {stone.state for stone in stones} == {DeviceState.LOST, DeviceState.RETIRED}
    assert desk.run([lost | {"state": "claimed"}], Mode.ROW_BY_ROW).rejects == 1
    assert "bring it back with return" in desk.rejects[0].fix


@pytest.mark.usefixtures("small_chunks")
def test_who_registers_the_same_hardware_meanwhile_wins_and_the_rest_of_the_chunk_comes_in(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between judgement and load only PostgreSQL lets others write; here the judgement is made to miss it once."""
    contested = a_root()
    put(desk.registry, a_device(owner=desk.ours.owner, trust_domain=desk.ours.domain, roots=(contested,)))
    honest, blind = facts.taken, [True]

    def taken(*arguments: Any) -> Any:
        return () if blind and blind.pop() else honest(*arguments)

    monkeypatch.setattr(facts, "taken", taken)
    done = desk.run([desk.row(), desk.row(idevid=contested.spki.hex())], Mode.ROW_BY_ROW)
    assert (done.devices, done.rejects) == (1, 1)
    assert desk.counted() == 2


@pytest.mark.usefixtures("small_chunks")
def test_a_file_that_ends_in_the_middle(desk: Desk) -> None:
    whole = b'name\na\nb\nc\n"'
    for mode, there in ((Mode.WHOLE, 0), (Mode.ROW_BY_ROW, 2)):
        order = Order("f", FileKind.CSV, mode)
        with pytest.raises(ImportFileError):
            import_devices(desk.registry, OPERATOR, io.BytesIO(whole), order, desk.rejects.append, desk.progress.append)
        assert desk.counted() == there


@pytest.mark.usefixtures("small_chunks")
def test_progress_counts_records(desk: Desk) -> None:
    desk.run([desk.row(), desk.row(owner="nobody"), desk.row()], Mode.ROW_BY_ROW)
    assert desk.progress == [2, 1]


def test_a_name_that_two_owners_have_is_not_guessed(desk: Desk) -> None:
    other = new_id()
    with desk.registry.change(OPERATOR) as work:
        parties.add(work, Owner(other, "ours", "x@example.org", THEN), BECAUSE)
    assert desk.run([desk.row()]).rejects == 1
    assert "2 are named 'ours'" in desk.said[0][1]
    assert desk.run([desk.row(owner=str(UUID(int=other.int)))]).devices == 1


def test_a_key_that_another_device_uses_is_no_root_of_a_new_one(desk: Desk) -> None:
    spki = HardwareRoot(RootKind.IDEVID, os.urandom(32)).spki
    device = a_device(owner=desk.ours.owner, trust_domain=desk.ours.domain)
    put(desk.registry, device)
    held = Credential(
        new_id(), CredentialKind.CERTIFICATE, CredentialRole.OPERATIONAL, KeyState.ACTIVE, THEN, device=device.id, spki=spki
    )
    with desk.registry.change(OPERATOR) as work:
        credentials.record(work, held, BECAUSE)
    assert desk.run([desk.row(idevid=spki.hex())], Mode.ROW_BY_ROW).rejects == 1
