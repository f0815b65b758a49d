"""What must hold after a kill: what was acknowledged is there, each event has its change and the reverse, the ledger is sound."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select

from bench._kill_load import IDENTITY, SIGNER, now, opened
from tenure.ledger.folder_shelf import FolderShelf
from tenure.ledger.sequencer import Placed, Sequencer, Terms
from tenure.ledger.shipping import ship
from tenure.ledger.verify import verify
from tenure.model.events import value_digest
from tenure.registry.device_rows import COLUMNS, read_devices
from tenure.registry.ledger_store import RegistryLedger
from tenure.registry.registry import Registry
from tenure.registry.tables.devices import device, tombstone
from tenure.registry.tables.enforcement import obligation
from tenure.registry.tables.ledger import event, instance, ledger_record
from tenure.registry.work import Reading, event_of


def check(url: str, shelf: FolderShelf, acknowledged: Path) -> tuple[int, int]:
    """How many changes were acknowledged, and how many events there are. AssertionError says what does not hold."""
    registry = opened(url)
    try:
        with registry.read() as reading:
            events = reading.rows(select(event).order_by(event.c.instance, event.c.sequence))
            _acknowledged_are_there(events, acknowledged)
            _lanes_have_no_holes(reading, events)
            _devices_are_what_their_events_say(reading, events)
            _others_have_their_events(reading, events)
        _everything_gets_a_place(registry, shelf, len(events))
    finally:
        registry.close()
    return sum(len(file.read_bytes().splitlines()) for file in acknowledged.iterdir()), len(events)


def _acknowledged_are_there(events: Any, folder: Path) -> None:
    there = {sha256(event_of(row).leaf()).hexdigest() for row in events}
    for file in folder.iterdir():
        whole, _, _torn = file.read_text().rpartition("\n")
        lost = set(whole.split()) - there
        assert not lost, f"{len(lost)} acknowledged events of {file.name} are lost"


def _lanes_have_no_holes(reading: Reading, events: Any) -> None:
    lanes = defaultdict(list)
    for row in events:
        lanes[row.instance].append(row.sequence)
    for row in reading.rows(select(instance)):
        assert lanes.pop(row.id, []) == list(range(1, row.sequence + 1)), f"lane {row.id} has holes"
    assert not lanes, "events of no lane"


def _devices_are_what_their_events_say(reading: Reading, events: Any) -> None:
    told: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in events:
        if row.subject_kind == "device":
            told[row.subject].append(row)
    rows = reading.rows(select(*COLUMNS, device.c.salt))
    for start in range(0, len(rows), 500):
        for found, row in zip(read_devices(reading, rows[start : start + 500]), rows[start : start + 500], strict=True):
            changes = {change.before: change for change in told.pop(str(found.id), [])}
            assert len(changes) == found.version, f"device {found.id} at version {found.version} has {len(changes)} events"
            digest = None
            while changes:
                assert digest in changes, f"the events of device {found.id} do not follow one another"
                digest = changes.pop(digest).after
            assert digest == value_digest(row.salt, found), f"device {found.id} is not what its last event says"
            gone = reading.rows(select(tombstone).where(tombstone.c.device == found.id)) if found.state.gone else ["none needed"]
            assert gone, f"device {found.id} is {found.state} and has no tombstone"
    assert not told, f"{len(told)} devices are in events only"


def _others_have_their_events(reading: Reading, events: Any) -> None:
    def subjects(kind: str) -> set[str]:
        return {row.subject for row in events if row.subject_kind == kind}

    assert subjects("obligation") == {str(row.id) for row in reading.rows(select(obligation.c.id))}, "obligations"
    stones = {row.spki.hex() for row in reading.rows(select(tombstone.c.spki))}
    assert subjects("tombstone") == stones, "tombstones"
    assert len(reading.rows(select(ledger_record))) == sum(row.subject_kind == "tombstone" for row in events), "records"


def _everything_gets_a_place(registry: Registry, shelf: FolderShelf, count: int) -> None:
    """The next sequencer begins where the killed one was; its lease is waited for by looking an hour ahead."""
    ledger = RegistryLedger(registry)
    sequencer = Sequencer(ledger, shelf, IDENTITY, [SIGNER], Terms("check"))
    while isinstance(step := sequencer.place(now() + timedelta(hours=1)), Placed) and step.events:
        pass
    assert isinstance(step, Placed), "the lease is not free after an hour"
    sequencer.stop(now())
    ship(ledger, shelf, IDENTITY)
    verdict = verify(ledger, IDENTITY, shelf)
    assert verdict.sound, f"the ledger does not verify: {verdict}"
    assert sum(1 for _ in ledger.placed()) == count, "events without a place"
