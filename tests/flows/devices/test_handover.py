"""A device goes from one Tenure to another by two files, end to end on two databases; no other file passes for one of them."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from tenure.errors import TenureError
from tenure.flows.devices.handover import accept_file, complete, offer_away, ourselves
from tenure.lifecycle.commands import Activate
from tenure.lifecycle.eligibility import barred_from_issue
from tenure.lifecycle.handover import Party
from tenure.lifecycle.verdict import Code, VerbRefusedError
from tenure.model.devices import Device
from tenure.model.vocabulary import DeviceState
from tenure.registry import credentials, tombstones
from tenure.registry.opening import open_registry
from tenure.registry.registry import Registry
from tenure.registry.work import World
from tests.databases import START
from tests.flows.devices.plant import Plant, an_operator
from tests.lifecycle.parties import GIVER, RECEIVER, STRANGER, Keyholder
from tests.proof.hardware import WHY, Hands, a_person
from tests.registry.healthy import a_tenant

UNTIL = START + timedelta(days=7)


@dataclass
class Elsewhere:
    """The receiver's Tenure, on a database of its own, and the two parties as they met."""

    here: Plant
    there: Plant
    sent: list[bytes] = field(default_factory=list)

    def party(self, plant: Plant, key: Keyholder) -> Party:
        with plant.registry.read() as reading:
            return ourselves(reading, key)

    @property
    def giver(self) -> Party:
        return self.party(self.here, GIVER)

    @property
    def receiver(self) -> Party:
        return self.party(self.there, RECEIVER)

    def offer(self, *ids: UUID) -> bytes:
        offer_away(self.here.registry, self.here.our_operator, GIVER, ids, self.receiver, UNTIL, WHY, self.sent.append)
        return self.sent[-1]

    def accept(self, file: bytes) -> tuple[tuple[Device, ...], bytes]:
        into = (self.there.ours.owner, self.there.ours.domain)
        taken = accept_file(self.there.registry, self.there.our_operator, RECEIVER, file, self.giver, into, WHY, self.sent.append)
        return taken, self.sent[-1]

    def complete(self, offer: bytes, acceptance: bytes) -> tuple[Device, ...]:
        return complete(self.here.registry, self.here.our_operator, GIVER, offer, acceptance, WHY)


@pytest.fixture
def two(plant: Plant, world: World, sqlite_template: Path, tmp_path: Path) -> Iterator[Elsewhere]:
    shutil.copy(sqlite_template, tmp_path / "there.db")
    registry: Registry = open_registry(f"sqlite:///{tmp_path / 'there.db'}", world)
    ours = a_tenant(registry, "buyer")
    hands = Hands(a_person(registry, "one"), a_person(registry, "two"), keys=1000)
    yield Elsewhere(plant, Plant(registry, ours, ours, hands, an_operator(ours), an_operator(ours)))
    registry.close()


def test_a_device_goes_over(two: Elsewhere) -> None:
    given, part = two.here.device()
    old = two.here.issued(given).spki
    assert old
    file = two.offer(given.id)
    assert two.here.now(given.id).state is DeviceState.TRANSFERRING
    told = base64.b64decode(json.loads(file)["payload"]).decode()
    assert part.root.hex() in told
    assert str(given.id) not in told
    assert "pump" not in told
    [taken], acceptance = two.accept(file)
    assert (taken.state, taken.must_rekey, taken.maker) == (DeviceState.CLAIMED, True, "M")
    assert taken.id != given.id
    [left] = two.complete(file, acceptance)
    assert left.state is DeviceState.RETIRED
    with two.here.registry.read() as reading:
        assert {each.spki for each in tombstones.barring(reading, [part.root, old])} == {part.root, old}
    with two.there.registry.read() as reading:
        former = credentials.former_keys(reading, taken.id, taken.term)
        assert barred_from_issue(taken, old, (), former, ())
        assert tombstones.barring(reading, [part.root]) == ()
    assert two.there.hands.act(two.there.registry, taken.id, Activate()) is None  # no new key yet
    two.there.issued(taken)
    assert two.there.hands.act(two.there.registry, taken.id, Activate())


def test_no_step_is_done_twice(two: Elsewhere) -> None:
    given, _ = two.here.device()
    file = two.offer(given.id)
    _, acceptance = two.accept(file)
    before = two.there.events()
    with pytest.raises(VerbRefusedError) as again:
        two.accept(file)
    assert again.value.code is Code.ROOT_NOT_FREE
    assert two.there.events() == before
    two.complete(file, acceptance)
    with pytest.raises(VerbRefusedError):
        two.complete(file, acceptance)
    with pytest.raises(VerbRefusedError):
        two.offer(given.id)


def test_an_altered_file_is_refused(two: Elsewhere) -> None:
    given, _ = two.here.device()
    file = two.offer(given.id)
    document = json.loads(file)
    document["payload"] = document["payload"][:-8] + "AAAAfQ=="
    before = two.there.events()
    with pytest.raises(TenureError):
        two.accept(json.dumps(document).encode())
    assert two.there.events() == before
    _, acceptance = two.accept(file)
    for other in (file, acceptance[:-40], acceptance.replace(b'"payload": "', b'"payload": "AAAA')):
        with pytest.raises(TenureError):
            two.complete(file, other)
    assert two.here.now(given.id).state is DeviceState.TRANSFERRING


def test_an_acceptance_of_another_offer_is_refused(two: Elsewhere) -> None:
    (one, _), (other, _) = two.here.device(), two.here.device()
    first, second = two.offer(one.id), two.offer(other.id)
    _, acceptance = two.accept(second)
    with pytest.raises(TenureError, match="another offer"):
        two.complete(first, acceptance)
    assert two.here.now(one.id).state is DeviceState.TRANSFERRING


def test_an_offer_that_has_ended_or_is_a_strangers(two: Elsewhere) -> None:
    given, _ = two.here.device()
    file = two.offer(given.id)
    into = (two.there.ours.owner, two.there.ours.domain)
    strange = Party(two.giver.instance, STRANGER.public_key)
    with pytest.raises(TenureError, match="did not sign"):
        accept_file(two.there.registry, two.there.our_operator, RECEIVER, file, strange, into, WHY, two.sent.append)
    with pytest.raises(TenureError, match="somebody else"):
        accept_file(two.there.registry, two.there.our_operator, STRANGER, file, two.giver, into, WHY, two.sent.append)
    two.here.registry.world.now.pass_by(days=8)  # type: ignore[attr-defined] # the clock of the tests
    with pytest.raises(TenureError, match="ended"):
        two.accept(file)
    assert len(two.sent) == 1


def test_a_file_that_cannot_be_written_leaves_nothing(two: Elsewhere) -> None:
    given, _ = two.here.device()

    def full(_: bytes) -> None:
        raise OSError("no space left")

    before = two.here.events()
    with pytest.raises(OSError, match="no space"):
        offer_away(two.here.registry, two.here.our_operator, GIVER, [given.id], two.receiver, UNTIL, WHY, full)
    assert two.here.now(given.id) == given
    assert two.here.events() == before
