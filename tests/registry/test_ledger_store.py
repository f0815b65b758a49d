"""The ledger over the registry: every committed event gets one place, and what is done to the rows afterwards is found."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from tenure.ledger.folder_shelf import FolderShelf
from tenure.ledger.note import Signer
from tenure.ledger.sequencer import Placed, Sequencer, Terms
from tenure.ledger.shipping import ship
from tenure.ledger.verdict import BadRow, Deed
from tenure.ledger.verify import verify
from tenure.model.devices import Tombstone, TombstoneKind
from tenure.model.events import Cause, canonical
from tenure.model.ledger import Batch, Record, TileId
from tenure.model.vocabulary import DeviceState
from tenure.registry import tombstones
from tenure.registry.ledger_runs import positions
from tenure.registry.ledger_store import RegistryLedger
from tenure.registry.registry import Registry
from tenure.registry.tables.ledger import event, event_text, instance, ledger_run
from tenure.registry.work import Work, counted
from tests.ledger.world import IDENTITY, SIGNER
from tests.registry.healthy import OPERATOR, THEN, new_id

NOW = datetime(2026, 11, 2, tzinfo=UTC)
SIGNERS: list[Signer] = [SIGNER]


def note(work: Work, count: int = 1, subject: str = "thing") -> None:
    for number in range(count):
        work.note(Cause("test", "why"), "thing", f"{subject}-{number}", None, bytes([number % 256]) * 32)


def write(registry: Registry, count: int = 1) -> None:
    with registry.change(OPERATOR) as work:
        note(work, count)


def sequencer(registry: Registry, shelf: FolderShelf, batch: int = 4096) -> Sequencer:
    return Sequencer(RegistryLedger(registry), shelf, IDENTITY, SIGNERS, Terms("one", batch))


def place_all(registry: Registry, shelf: FolderShelf, batch: int = 4096) -> int:
    one, total = sequencer(registry, shelf, batch), 0
    while (step := one.place(NOW)) and isinstance(step, Placed) and step.events:
        total += step.events
    return total


@pytest.fixture
def shelf(tmp_path: Path) -> FolderShelf:
    (tmp_path / "shelf").mkdir()
    return FolderShelf(tmp_path / "shelf")


def two_lanes(registry: Registry, count: int) -> None:
    """Writers at the same time, each in a lane of its own; on SQLite the lane of a writer that never came back."""
    if registry.engine.dialect.name == "postgresql":
        with registry.change(OPERATOR) as one:
            note(one, count, "one")
            one.settle()
            with registry.change(OPERATOR) as two:
                note(two, count, "two")
        return
    write(registry, count)
    with registry.engine.begin() as connection:
        connection.execute(text("UPDATE instance SET closed_at = 1"))
    write(registry, count)


def test_events_of_all_lanes_get_places_once_and_the_tree_verifies(registry: Registry, shelf: FolderShelf) -> None:
    two_lanes(registry, 300)
    assert place_all(registry, shelf, batch=70) == 600
    write(registry, 5)
    assert place_all(registry, shelf) == 5
    with registry.read() as reading:
        assert counted(reading, instance) == 2
        everything = [row.id for row in reading.rows(select(event.c.id))]
        assert sorted(positions(reading, everything).values()) == list(range(605))
    ship(RegistryLedger(registry), shelf, IDENTITY)
    assert verify(RegistryLedger(registry), IDENTITY, shelf).sound


def test_one_writer_needs_one_run(registry: Registry, shelf: FolderShelf) -> None:
    for _ in range(5):
        write(registry, 3)
        place_all(registry, shelf)
    with registry.read() as reading:
        assert counted(reading, ledger_run) == 1


def test_what_was_rolled_back_leaves_no_gap(registry: Registry, shelf: FolderShelf) -> None:
    write(registry)
    with registry.change(OPERATOR) as work:
        note(work, 3)
        work.settle()
        work.connection.rollback()
    write(registry)
    with registry.read() as reading:
        assert [row.sequence for row in reading.rows(select(event.c.sequence).order_by(event.c.sequence))] == [1, 2]
    assert place_all(registry, shelf) == 2


def test_writers_at_once_leave_no_gap_and_everything_is_placed(registry: Registry, shelf: FolderShelf) -> None:
    def work_hard() -> None:
        for _ in range(25):
            write(registry, 2)

    threads = [threading.Thread(target=work_hard) for _ in range(6)]
    for thread in threads:
        thread.start()
    placed = 0
    while any(thread.is_alive() for thread in threads):
        placed += place_all(registry, shelf)
    for thread in threads:
        thread.join()
    assert placed + place_all(registry, shelf) == 300
    with registry.read() as reading:
        lanes: dict[object, list[int]] = {}
        for row in reading.rows(select(event.c.instance, event.c.sequence).order_by(event.c.sequence)):
            lanes.setdefault(row.instance, []).append(row.sequence)
        assert counted(reading, event_text) == 300
    assert len(lanes) < 30  # about as many as writers, not as many as transactions
    assert all(sequences == list(range(1, len(sequences) + 1)) for sequences in lanes.values())
    ship(RegistryLedger(registry), shelf, IDENTITY)
    assert verify(RegistryLedger(registry), IDENTITY, shelf).sound


def changed(registry: Registry, statement: str) -> None:
    with registry.engine.begin() as connection:
        if registry.engine.dialect.name == "sqlite":
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "deed"),
    [
        ("UPDATE event SET verb = 'forged' WHERE sequence = 8", Deed.CHANGED),
        ("DELETE FROM event WHERE sequence = 8", Deed.REMOVED),
    ],
)
def test_the_first_bad_row_is_named(registry: Registry, shelf: FolderShelf, statement: str, deed: Deed) -> None:
    write(registry, 20)
    place_all(registry, shelf)
    ship(RegistryLedger(registry), shelf, IDENTITY)
    changed(registry, statement)
    bad = verify(RegistryLedger(registry), IDENTITY, shelf).finding
    assert isinstance(bad, BadRow)
    assert (bad.position, bad.deed) == (7, deed)


def test_re_ordered_runs_are_found(registry: Registry, shelf: FolderShelf) -> None:
    two_lanes(registry, 4)
    place_all(registry, shelf)
    ship(RegistryLedger(registry), shelf, IDENTITY)
    with registry.read() as reading:
        first, second = [row.first for row in reading.rows(select(ledger_run).order_by(ledger_run.c.first))][:2]
    for before, after in ((first, 90), (second, first), (90, second)):
        changed(registry, f"UPDATE ledger_run SET first = {after} WHERE first = {before}")
    assert not verify(RegistryLedger(registry), IDENTITY, shelf).sound


def test_rows_that_hold_what_no_event_can_are_placed_without_a_leaf(registry: Registry, shelf: FolderShelf) -> None:
    write(registry, 20)
    place_all(registry, shelf)
    junk = "'infinity'" if registry.engine.dialect.name == "postgresql" else "'yesterday'"
    changed(registry, f"UPDATE event SET at = {junk} WHERE sequence = 8")
    leaves = {placed.position: placed.leaf for placed in RegistryLedger(registry).placed()}
    assert sorted(leaves) == list(range(20))
    assert [position for position, leaf in leaves.items() if not leaf] == [7]


def test_rows_where_no_honest_writer_puts_any_come_too(registry: Registry, shelf: FolderShelf) -> None:
    write(registry, 3)
    place_all(registry, shelf)
    changed(registry, "UPDATE event SET sequence = -5 WHERE sequence = 2")
    ledger = RegistryLedger(registry)
    assert [placed.position for placed in ledger.placed()] == [-6, 0, 2]
    assert [placed.position for placed in ledger.placed(0, 2)] == [0]
    changed(registry, "UPDATE ledger_run SET length = 999999")
    assert b"" in [placed.leaf for placed in ledger.placed()]


def a_batch(registry: Registry, before: bytes | None, after: bytes, first: int) -> Batch:
    events = [pending.event for pending in RegistryLedger(registry).pending(10)]
    return Batch(first, events, {TileId(0, 0): b"\1" * 32}, before, after)


def test_a_batch_is_appended_once_and_only_on_the_head_it_was_made_for(registry: Registry) -> None:
    ledger = RegistryLedger(registry)
    write(registry)
    batch = a_batch(registry, None, b"first", 0)
    assert ledger.append(batch)
    assert (ledger.checkpoint(), ledger.tile(TileId(0, 0)), ledger.tile(TileId(1, 0))) == (b"first", b"\1" * 32, b"")
    assert not ledger.append(batch)  # the head moved on
    again = Batch(1, batch.events, {TileId(0, 0): b"\2" * 64}, b"first", b"second")
    assert not ledger.append(again)  # the event has a place
    gone = Batch(1, [new_id()], {TileId(0, 0): b"\2" * 64}, b"first", b"second")
    assert not ledger.append(gone)
    assert (ledger.checkpoint(), ledger.tile(TileId(0, 0))) == (b"first", b"\1" * 32)
    write(registry)
    assert ledger.append(a_batch(registry, b"first", b"second", 1))
    assert ledger.checkpoint() == b"second"


def test_one_holds_the_lease_until_it_ends(registry: Registry) -> None:
    ledger = RegistryLedger(registry)
    later = NOW + timedelta(seconds=15)
    assert ledger.lease("one", NOW, later)
    assert ledger.lease("one", NOW, later)
    assert not ledger.lease("two", NOW, later)
    assert ledger.lease("two", later, later + timedelta(seconds=15))
    assert ledger.lease("two", later, later)  # given back
    assert ledger.lease("one", later, later + timedelta(seconds=1))


def test_the_window_is_counted_and_dated(registry: Registry, shelf: FolderShelf) -> None:
    ledger = RegistryLedger(registry)
    assert (ledger.unshipped(0).events, ledger.unshipped(0).oldest) == (0, None)
    write(registry, 2)
    place_all(registry, shelf)
    write(registry, 3)
    with registry.read() as reading:
        first, *_, last = [row.at for row in reading.rows(select(event.c.at).order_by(event.c.sequence))]
    assert (ledger.unshipped(0).events, ledger.unshipped(0).oldest) == (5, first)
    assert (ledger.unshipped(2).events, ledger.unshipped(2).oldest) == (3, last)


def test_tombstones_are_records_at_the_place_of_their_event(registry: Registry, shelf: FolderShelf) -> None:
    stone = Tombstone(b"\7" * 32, TombstoneKind.ROOT, new_id(), 1, DeviceState.RETIRED, THEN)
    write(registry, 4)
    with registry.change(OPERATOR) as work:
        tombstones.bury(work, [stone], Cause("retire", "scrapped"))
    place_all(registry, shelf)
    ledger = RegistryLedger(registry)
    assert list(ledger.records(0, 5)) == [Record("tombstone", 4, canonical(stone))]
    assert list(ledger.records(0, 4)) == []
    assert list(ledger.records(4, 5)) == list(ledger.records(0, 100))


def test_what_was_done_upon_a_change_never_gets_a_place_before_it(registry: Registry) -> None:
    """The second writer saw the first one's commit, in whichever lanes the two wrote."""
    two_lanes(registry, 3)
    for _ in range(3):
        write(registry)
    pending = RegistryLedger(registry).pending(100)
    assert [one.event for one in pending] == sorted(one.event for one in pending)
    assert [one.event for one in RegistryLedger(registry).pending(4)] == [one.event for one in pending[:4]]
