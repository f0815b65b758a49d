"""A database restored from an old copy: Tenure says so, lets nothing happen, and makes good what it can."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from tenure.flows.restore import settle as settling
from tenure.flows.restore.missing import Outcome
from tenure.flows.restore.settle import Settled, dismiss, missing, settle
from tenure.flows.restore.standing import Latest, Older, OtherPast, look, require_latest
from tenure.ledger.folder_shelf import FolderShelf
from tenure.ledger.refusals import DamageError, RewindError
from tenure.lifecycle.commands import Quarantine, ReportLost, Retire
from tenure.lifecycle.verdict import Code, VerbRefusedError
from tenure.model.access import EVERYTHING, Actor, ActorKind, Area, Role, RoleAssignment, Token
from tenure.model.credentials import Credential, KeyState
from tenure.model.devices import Device
from tenure.model.events import Cause
from tenure.model.obligations import ObligationKind
from tenure.model.vocabulary import CredentialKind, CredentialRole, DeviceState
from tenure.registry import credentials, high_water, obligations, people, tombstones
from tenure.registry.device_changes import change_device
from tenure.registry.devices import hold
from tenure.registry.faults import UnsettledError
from tenure.registry.gate import open_gap
from tenure.registry.tables.ledger import event, instance
from tenure.registry.work import World, counted
from tests.ledger.world import IDENTITY
from tests.proof.restored import Fleet
from tests.registry.healthy import BECAUSE, OPERATOR, THEN, Tenant, a_root, a_tenant, new_id


@pytest.fixture
def fleet(database_url: str, world: World, tmp_path: Path) -> Iterator[Fleet]:
    (tmp_path / "shelf").mkdir()
    opened = Fleet(database_url, world, FolderShelf(tmp_path / "shelf"), tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def ours(fleet: Fleet) -> Tenant:
    return a_tenant(fleet.registry, "ours")


def settled(fleet: Fleet) -> Settled:
    done = settle(fleet.registry, fleet.ledger, fleet.shelf, IDENTITY, OPERATOR, "the disk broke")
    assert done is not None
    return done


def outcomes(done: Settled, verb: str, kind: str = "device") -> list[Outcome]:
    return [each.outcome for each in done.happened if (each.verb, each.subject_kind) == (verb, kind)]


def older(fleet: Fleet) -> Older:
    standing = look(fleet.registry, fleet.ledger, fleet.shelf, IDENTITY)
    assert isinstance(standing, Older)
    return standing


def a_credential(fleet: Fleet, device: Device, spki: bytes) -> Credential:
    given = Credential(
        new_id(),
        CredentialKind.CERTIFICATE,
        CredentialRole.OPERATIONAL,
        KeyState.ACTIVE,
        THEN,
        device.id,
        spki=spki,
        subject="CN=pump of Jane Roe",
    )
    with fleet.registry.change(OPERATOR) as work:
        return credentials.record(work, given, Cause("issue"))


def revoke(fleet: Fleet, credential: Credential) -> None:
    with fleet.registry.change(OPERATOR) as work:
        now = replace(credential, state=KeyState.COMPROMISED, ended_at=work.at, end_reason="keyCompromise")
        credentials.change(work, now, Cause("revoke", "stolen"))


def test_hardware_retired_after_the_backup_stays_out_before_and_after_settling(fleet: Fleet, ours: Tenant) -> None:
    root = a_root()
    given = fleet.register(ours, root)
    credential = a_credential(fleet, given, b"\5" * 32)
    fleet.ship()
    fleet.back_up()
    fleet.do(given.id, Retire())
    fleet.ship()
    fleet.restore()
    assert fleet.device(given.id).state is DeviceState.ACTIVE  # what the old copy believes

    gap = older(fleet).gap
    assert [each.verb for each in missing(fleet.shelf, IDENTITY, gap) if each.subject_kind == "device"] == ["retire"]
    with pytest.raises((UnsettledError, VerbRefusedError)):
        fleet.register(ours, root)
    with pytest.raises(UnsettledError):
        fleet.register(ours, a_root())
    with pytest.raises(UnsettledError):
        fleet.do(given.id, Quarantine())

    assert outcomes(settled(fleet), "retire") == [Outcome.REPLAYED]
    assert fleet.device(given.id).state is DeviceState.RETIRED
    with pytest.raises(VerbRefusedError) as refused:
        fleet.register(ours, root)
    assert refused.value.code is Code.ROOT_NOT_FREE
    with fleet.registry.read() as reading:
        assert {stone.spki for stone in tombstones.of_device(reading, given.id)} == {root.spki, b"\5" * 32}
        owed = obligations.of_device(reading, given.id, only_open=True)
    assert credential.id in {o.target for o in owed if o.kind is ObligationKind.END_CREDENTIAL}
    fleet.ship()
    assert fleet.verify().sound
    assert isinstance(look(fleet.registry, fleet.ledger, fleet.shelf, IDENTITY), Latest)


def test_hardware_registered_and_retired_within_the_gap_is_barred(fleet: Fleet, ours: Tenant) -> None:
    fleet.ship()
    fleet.back_up()
    root = a_root()
    gone = fleet.register(ours, root)
    fleet.do(gone.id, ReportLost())
    fleet.ship()
    fleet.restore()
    older(fleet)
    done = settled(fleet)
    assert outcomes(done, "report-lost") == [Outcome.LISTED]  # the device is not known here
    assert outcomes(done, "report-lost", "tombstone") == [Outcome.REPLAYED]
    with pytest.raises(VerbRefusedError) as refused:
        fleet.register(ours, root)
    assert refused.value.code is Code.ROOT_NOT_FREE


def test_ends_of_every_kind_come_back_and_numbers_go_on_above(fleet: Fleet, ours: Tenant) -> None:
    given = fleet.register(ours, a_root())
    before, admin = a_credential(fleet, given, b"\6" * 32), RoleAssignment(Role.ADMIN, Area())
    token = Token(new_id(), "stolen", THEN, THEN.replace(year=2030), b"\1" * 32, "k1", assignments=(admin,))
    with fleet.registry.change(OPERATOR) as work:
        people.add_token(work, token, BECAUSE)
        first = high_water.next_number(work, "crl:x:0", Cause("publish"))
    fleet.ship()
    fleet.back_up()
    revoke(fleet, before)
    within = a_credential(fleet, given, b"\7" * 32)
    revoke(fleet, within)
    with fleet.registry.change(OPERATOR) as work:
        people.end_token(work, token.id, Cause("end"))
        last = [high_water.next_number(work, f"crl:{name}:0", Cause("publish")) for name in "xy"]
    fleet.ship()
    fleet.restore()
    older(fleet)
    done = settled(fleet)
    assert (first, last) == (1, [2, 1])
    assert outcomes(done, "revoke", "credential") == [Outcome.REPLAYED] * 2
    assert outcomes(done, "end", "token") == [Outcome.REPLAYED]
    with fleet.registry.read() as reading:
        for each in (before, within):
            now = credentials.get(reading, EVERYTHING, each.id)
            assert (now.state, now.end_reason, now.device) == (KeyState.COMPROMISED, "keyCompromise", given.id)
        assert people.get_token(reading, token.id).ended_at is not None  # type: ignore[union-attr] # it is there
    with fleet.registry.change(OPERATOR) as work:
        assert [high_water.next_number(work, f"crl:{name}:0", Cause("publish")) for name in "xy"] == [
            high_water.MARGIN + 3,
            high_water.MARGIN + 2,
        ]


def test_nothing_shipped_names_a_person(fleet: Fleet, ours: Tenant, tmp_path: Path) -> None:
    given = fleet.register(ours, a_root())
    revoke(fleet, a_credential(fleet, given, b"\6" * 32))
    fleet.ship()
    shelved = b"".join(file.read_bytes() for file in (tmp_path / "shelf").rglob("*") if file.is_file())
    assert b"revocation" in shelved
    for name in (b"Jane Roe", b"Jane Roe".hex().encode(), b"stolen"):
        assert name not in shelved
    assert fleet.verify().sound


def test_a_device_that_was_changed_otherwise_is_held(fleet: Fleet, ours: Tenant) -> None:
    touched, quiet, away = (fleet.register(ours, a_root()) for _ in range(3))
    fleet.ship()
    fleet.back_up()
    with fleet.registry.change(OPERATOR) as work:
        held = hold(work, EVERYTHING, touched.id)
        change_device(work, held, replace(held.device, name="other"), Cause("describe"))
    fleet.do(away.id, Quarantine())
    fleet.ship()
    fleet.restore()
    older(fleet)
    done = settled(fleet)
    assert outcomes(done, "describe") == outcomes(done, "quarantine") == [Outcome.HELD]
    states = [fleet.device(each.id).state for each in (touched, quiet, away)]
    assert states == [DeviceState.QUARANTINED, DeviceState.ACTIVE, DeviceState.QUARANTINED]


def test_what_was_written_before_anybody_looked_moves_aside(fleet: Fleet, ours: Tenant) -> None:
    """A process that did not compare wrote over the numbers of the gap. It keeps its change, under other numbers."""
    given = fleet.register(ours, a_root())
    fleet.ship()
    early = fleet.register(ours, a_root())  # pending when the backup is made, shipped afterwards
    fleet.back_up()
    fleet.do(given.id, Retire())
    fleet.ship()
    size = len(list(fleet.ledger.placed()))
    fleet.restore()
    unaware = fleet.register(ours, a_root())
    older(fleet)
    assert outcomes(settled(fleet), "register") == [Outcome.KNOWN]
    fleet.ship()
    assert fleet.verify().sound
    assert {fleet.device(each.id).state for each in (unaware, early)} == {DeviceState.ACTIVE}
    with fleet.registry.read() as reading:
        rows = reading.rows(select(event.c.instance, event.c.sequence))
        lanes: dict[object, list[int]] = {}
        for row in rows:
            lanes.setdefault(row.instance, []).append(row.sequence)
        assert all(sorted(numbers) == list(range(1, len(numbers) + 1)) for numbers in lanes.values())
        kept = {row.id: row.sequence for row in reading.rows(select(instance))}
        assert kept == {lane: len(numbers) for lane, numbers in lanes.items()}
    assert len(list(fleet.ledger.placed())) > size


def test_a_lane_of_before_is_never_used_again(fleet: Fleet, ours: Tenant) -> None:
    fleet.ship()
    fleet.back_up()
    fleet.register(ours, a_root())
    fleet.ship()
    fleet.restore()
    with fleet.registry.read() as reading:
        before = {row.id for row in reading.rows(select(instance))}
    older(fleet)
    settled(fleet)
    fleet.register(ours, a_root())
    with fleet.registry.read() as reading:
        open_ones = {row.id for row in reading.rows(select(instance).where(instance.c.closed_at.is_(None)))}
    assert len(open_ones) == 1
    assert not open_ones & before


def test_sequencer_and_shipping_find_it_too_and_go_no_further(fleet: Fleet, ours: Tenant) -> None:
    fleet.ship()
    fleet.back_up()
    fleet.register(ours, a_root())
    fleet.ship()
    published = fleet.shelf.read("checkpoint")
    for act in (fleet.sequence, fleet.ship):
        fleet.restore()
        require_latest(fleet.registry)
        with pytest.raises(UnsettledError):
            act()
        with pytest.raises(UnsettledError):
            require_latest(fleet.registry)
    assert fleet.shelf.read("checkpoint") == published


class KilledError(Exception):
    """The process ended here."""


@pytest.mark.parametrize("step", ["written_back.write_back", "ledger_gap.replay", "made_good.bury_missing"])
@pytest.mark.parametrize("late", [False, True])
def test_killed_while_settling_it_is_begun_again(
    fleet: Fleet, ours: Tenant, monkeypatch: pytest.MonkeyPatch, step: str, late: bool
) -> None:
    root = a_root()
    given = fleet.register(ours, root)
    fleet.ship()
    fleet.back_up()
    fleet.do(given.id, Retire())
    fleet.ship()
    fleet.restore()
    older(fleet)
    module, name = step.split(".")
    real: Callable[..., object] = getattr(getattr(settling, module), name)

    def die(*given: object) -> None:
        if late:
            real(*given)
        raise KilledError

    with monkeypatch.context() as broken:
        broken.setattr(getattr(settling, module), name, die)
        with pytest.raises(KilledError):
            settled(fleet)
    with pytest.raises(UnsettledError):
        fleet.register(ours, a_root())
    settled(fleet)
    assert fleet.device(given.id).state is DeviceState.RETIRED
    fleet.ship()
    assert fleet.verify().sound


def test_a_shelf_that_is_not_whole_settles_nothing(fleet: Fleet, ours: Tenant, tmp_path: Path) -> None:
    given = fleet.register(ours, a_root())
    fleet.ship()
    fleet.back_up()
    fleet.do(given.id, Retire())
    fleet.ship()
    fleet.restore()
    older(fleet)
    for records in (tmp_path / "shelf" / "records").rglob("000"):
        records.write_bytes(records.read_bytes().replace(b'"content":"7b', b'"content":"7c'))
    with pytest.raises(DamageError):
        settled(fleet)
    with pytest.raises(UnsettledError):
        fleet.register(ours, a_root())


def test_another_past_is_not_settled(fleet: Fleet, ours: Tenant, tmp_path: Path) -> None:
    """Somebody ran the restored copy on a shelf of its own, and comes back to the true one."""
    fleet.ship()
    fleet.back_up()
    fleet.register(ours, a_root())
    fleet.ship()
    fleet.restore()
    true, fleet.shelf = fleet.shelf, FolderShelf(tmp_path / "other")
    fleet.register(ours, a_root())
    fleet.ship()
    other, fleet.shelf = fleet.shelf, true
    assert isinstance(look(fleet.registry, fleet.ledger, fleet.shelf, IDENTITY), OtherPast)
    with pytest.raises(RewindError):
        settled(fleet)
    with pytest.raises(RewindError):
        dismiss(fleet.registry, fleet.ledger, true, IDENTITY, OPERATOR, "no")
    with pytest.raises(UnsettledError):
        fleet.register(ours, a_root())
    assert dismiss(fleet.registry, fleet.ledger, other, IDENTITY, OPERATOR, "the wrong shelf was named")
    fleet.register(ours, a_root())


def test_only_an_administrator_of_everything_settles(fleet: Fleet, ours: Tenant) -> None:
    fleet.ship()
    fleet.back_up()
    fleet.register(ours, a_root())
    fleet.ship()
    fleet.restore()
    older(fleet)
    local = Actor(ActorKind.SYSTEM, "local", (RoleAssignment(Role.ADMIN, next(iter(ours.scope.areas))),))
    for act in (settle, dismiss):
        with pytest.raises(VerbRefusedError) as refused:
            act(fleet.registry, fleet.ledger, fleet.shelf, IDENTITY, local, "why not")
        assert refused.value.code is Code.NOT_PERMITTED
    with fleet.registry.read() as reading:
        assert open_gap(reading) is not None


def test_a_healthy_database_has_nothing_to_settle(fleet: Fleet, ours: Tenant) -> None:
    fleet.register(ours, a_root())
    window = fleet.ship()
    assert (window.events, window.seconds) == (0, 0)
    fleet.register(ours, a_root())
    assert look(fleet.registry, fleet.ledger, fleet.shelf, IDENTITY) == Latest(0)
    assert settle(fleet.registry, fleet.ledger, fleet.shelf, IDENTITY, OPERATOR, "nothing") is None
    require_latest(fleet.registry)
    with fleet.registry.read() as reading:
        assert counted(reading, event) > 0


def test_a_key_that_was_shared_within_the_gap_is_not_buried_by_the_restore(fleet: Fleet, ours: Tenant) -> None:
    """The sibling's credential is of the gap, so the old copy takes the key for the retired device's alone. It was not."""
    gone, sibling = fleet.register(ours, a_root()), fleet.register(ours, a_root())
    shared, alone = b"\6" * 32, b"\7" * 32
    for key in (shared, alone):
        a_credential(fleet, gone, key)
    fleet.ship()
    fleet.back_up()
    a_credential(fleet, sibling, shared)
    fleet.do(gone.id, Retire())
    fleet.ship()
    fleet.restore()
    older(fleet)
    assert outcomes(settled(fleet), "retire") == [Outcome.REPLAYED]
    with fleet.registry.read() as reading:
        assert {stone.spki for stone in tombstones.barring(reading, [shared, alone])} == {alone}
    assert a_credential(fleet, sibling, shared).spki == shared  # it is found in use again
