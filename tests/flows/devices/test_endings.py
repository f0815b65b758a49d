"""What an end leaves: a campaign for a key that siblings share; of who is forgotten, nothing that describes it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from tenure.flows.devices.act import Order, act
from tenure.ledger.folder_shelf import FolderShelf
from tenure.lifecycle.commands import Forget, Quarantine, Release, Retire
from tenure.registry.campaigns import shared_key
from tenure.registry.tables.devices import device
from tenure.registry.tables.enforcement import obligation
from tenure.registry.tables.ledger import event, event_text
from tenure.registry.work import World
from tests.flows.devices.plant import Plant
from tests.proof.hardware import WHY
from tests.proof.restored import Fleet

SHARED = b"\xfa" * 32


def waiting(plant: Plant) -> set[object]:
    with plant.registry.read() as reading:
        found = shared_key(reading, SHARED)
    return set(found.devices) if found else set()


def test_a_shared_key_is_a_campaign_of_those_who_still_have_it(plant: Plant) -> None:
    gone, also, sibling, stranger = (plant.device()[0] for _ in range(4))
    for each in (gone, also, sibling):
        assert plant.hands.adopt(plant.registry, each.id, SHARED)
    plant.issued(stranger)
    assert not waiting(plant)
    act(plant.registry, plant.our_operator, Order(gone.id, Retire(), WHY))
    assert waiting(plant) == {also.id, sibling.id}
    late, _ = plant.device()
    assert plant.hands.adopt(plant.registry, late.id, SHARED)
    act(plant.registry, plant.our_operator, Order(also.id, Retire(), WHY))
    assert waiting(plant) == {sibling.id, late.id}
    assert [subject for verb, subject in plant.events() if verb == "retire"].count(str(gone.id)) == 1


def test_who_is_forgotten_is_described_nowhere(plant: Plant, database_url: str, world: World, tmp_path: Path) -> None:
    """The ledger, which holds digests, is as whole as before."""
    (tmp_path / "shelf").mkdir()
    given, _ = plant.device()
    for command in (Quarantine(), Release()):
        act(plant.registry, plant.our_operator, Order(given.id, command, "Jane Roe asked for it"))
    hidden = plant.registry
    fleet = Fleet(database_url, world, FolderShelf(tmp_path / "shelf"), tmp_path)
    fleet.ship()
    act(hidden, plant.our_operator, Order(given.id, Retire(), "Jane Roe sold it"))
    asked = plant.hands.approved(hidden, given.id, Forget())
    assert asked
    assert plant.hands.act(hidden, given.id, Forget(), asked.approval.id) is None  # its data is still to be wiped
    with hidden.change(plant.hands.asker) as work:
        work.write(obligation.update().where(obligation.c.device == given.id).values(state="closed"))
    asked = plant.hands.approved(hidden, given.id, Forget())
    assert asked
    assert plant.hands.act(hidden, given.id, Forget(), asked.approval.id)
    with hidden.read() as reading:
        row = reading.row(select(device).where(device.c.id == given.id))
        assert row
        described = (row.maker, row.model, row.serial, row.maker_key, row.serial_key, row.name, row.site, row.device_class)
        assert described == (None,) * 8
        assert not row.salt
        theirs = select(event_text.c.text).join(event, event.c.id == event_text.c.event).where(event.c.subject == str(given.id))
        assert {each.text for each in reading.rows(theirs)} <= {WHY}
        everywhere = [each.text for each in reading.rows(select(event_text.c.text))]
    assert not [text for text in everywhere if "Jane Roe" in text]
    fleet.ship()
    assert fleet.verify().sound
    fleet.close()
