"""One sequencer at a time, and no death that leaves half a batch."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from tenure.ledger.refusals import DamageError, NoteError, RewindError
from tenure.ledger.sequencer import NotOurs, Placed
from tenure.ledger.tiles import tiles_between
from tenure.ledger.tree import leaf_hash, root_of
from tenure.model.ledger import LEAF_LIMIT, TileId
from tests.ledger.world import NOW, KilledError, Row, World, leaf, world


def places(w: World) -> list[int | None]:
    return [row.position for row in w.store.rows]


def check(w: World) -> None:
    """Places are 0..n-1 without a gap, and the signed root is over exactly these leaves."""
    rows = list(w.store.placed())
    assert [row.position for row in rows] == list(range(w.head.size))
    assert root_of([leaf_hash(row.leaf) for row in rows]) == w.head.root
    widths = {tile: len(content) // 32 for tile, content in w.store.tiles.items()}
    assert widths == dict(tiles_between(0, w.head.size))


def test_events_get_places_in_batches(tmp_path: Path) -> None:
    w = world(tmp_path)
    w.store.add(700)
    sequencer = w.sequencer(batch=300)
    steps = [sequencer.place(NOW) for _ in range(4)]
    assert [step.events for step in steps if isinstance(step, Placed)] == [300, 300, 100, 0]
    assert places(w) == list(range(700))
    check(w)


def test_nothing_pending_signs_nothing(tmp_path: Path) -> None:
    w = world(tmp_path)
    assert w.sequencer().place(NOW) == Placed(0, None)
    assert w.store.signed is None


@pytest.mark.parametrize("size", [1, 255, 256, 257, 512, 65535, 65536, 65537])
def test_a_new_process_goes_on_where_the_last_one_was(tmp_path: Path, size: int) -> None:
    w = world(tmp_path, more=size)
    w.place(5)
    check(w)


def test_the_second_waits_for_the_lease(tmp_path: Path) -> None:
    w = world(tmp_path)
    w.store.add(2)
    one, two = w.sequencer("one", batch=1), w.sequencer("two", batch=1)
    assert one.place(NOW) != NotOurs()
    assert two.place(NOW) == NotOurs()
    assert two.place(NOW + timedelta(seconds=20)) != NotOurs()
    assert one.place(NOW + timedelta(seconds=20)) == NotOurs()
    check(w)


def test_a_lease_given_back_is_free_at_once(tmp_path: Path) -> None:
    w = world(tmp_path)
    w.store.add(2)
    one = w.sequencer("one")
    one.place(NOW)
    one.stop(NOW)
    assert w.sequencer("two").place(NOW) != NotOurs()


def test_two_who_both_hold_the_lease_never_give_a_place_twice(tmp_path: Path) -> None:
    w = world(tmp_path)
    w.store.add(100)
    one, two = w.sequencer("one", batch=7), w.sequencer("two", batch=5)
    lost = 0
    for turn in range(40):
        w.store.holder = None
        step = (one if turn % 3 else two).place(NOW)
        lost += step == NotOurs()
    assert places(w) == list(range(100))
    check(w)


def test_the_slower_of_two_sees_that_it_lost(tmp_path: Path) -> None:
    """Both have read the same head and the same events; the second append finds another checkpoint."""
    w = world(tmp_path, more=3)
    w.store.add(10)
    w.store.holder = None
    slow = w.sequencer("slow")

    def other() -> None:
        w.store.holder = None
        w.place(batch=4)

    w.store.meanwhile = other
    assert slow.place(NOW) == NotOurs()
    assert w.head.size == 13
    w.store.holder = None
    w.store.add(1)
    assert slow.place(NOW) == Placed(1, w.head)
    check(w)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_dead_around_the_append(tmp_path: Path, moment: str) -> None:
    w = world(tmp_path, more=250)
    w.store.add(10)
    w.store.die = moment
    with pytest.raises(KilledError):
        w.sequencer().place(NOW)
    w.store.die = ""
    assert w.head.size == (250 if moment == "before" else 260)
    w.place(10)
    assert w.head.size == 270
    check(w)


def test_the_cost_of_a_batch_does_not_grow_with_the_tree(tmp_path: Path) -> None:
    """Tiles read at start and written a batch: a few for each level, whatever the size."""
    w = world(tmp_path, more=70_000)
    w.store.add(20)
    sequencer = w.sequencer(batch=10)
    w.store.read.clear()
    sequencer.place(NOW)
    assert len(w.store.read) <= 3
    sequencer.place(NOW)
    assert len(w.store.read) <= 3


def test_it_will_not_build_on_tiles_that_were_changed(tmp_path: Path) -> None:
    w = world(tmp_path, more=300)
    w.store.tiles[TileId(0, 1)] = bytes(32) + w.store.tiles[TileId(0, 1)][32:]
    w.store.add(1)
    with pytest.raises(DamageError, match="root"):
        w.sequencer().place(NOW)


def test_it_will_not_build_on_a_checkpoint_it_has_not_signed(tmp_path: Path) -> None:
    w = world(tmp_path, more=3)
    assert w.store.signed
    w.store.signed = w.store.signed.replace(b"\n3\n", b"\n2\n")
    with pytest.raises(NoteError):
        w.sequencer().place(NOW)


def test_it_will_not_build_on_a_restored_backup(tmp_path: Path) -> None:
    w = world(tmp_path, shipped=20)
    backup = w.store.copy()
    w.place(5)
    w.ship()
    w.store = backup
    w.store.add(1)
    with pytest.raises(RewindError, match="older than the truth: 20 entries, outside are 25"):
        w.sequencer().place(NOW)
    assert w.head.size == 20


def test_a_restore_under_a_running_sequencer_is_seen(tmp_path: Path) -> None:
    w = world(tmp_path, shipped=20)
    backup = w.store.copy()
    sequencer = w.sequencer()
    w.store.add(5)
    sequencer.place(NOW)
    w.ship()
    w.store.rows, w.store.tiles, w.store.signed = backup.rows, backup.tiles, backup.signed
    w.store.add(1)
    with pytest.raises(RewindError):
        sequencer.place(NOW)


@pytest.mark.parametrize("content", [b"", b"x" * (LEAF_LIMIT + 1)])
def test_a_leaf_that_cannot_be_one_stops_it(tmp_path: Path, content: bytes) -> None:
    w = world(tmp_path, more=1)
    w.store.rows.append(Row(UUID(int=99), content))
    with pytest.raises(DamageError, match=str(UUID(int=99))):
        w.sequencer().place(NOW)
    assert w.head.size == 1


def test_the_longest_leaf_there_may_be(tmp_path: Path) -> None:
    w = world(tmp_path)
    w.store.rows.append(Row(UUID(int=99), b"x" * LEAF_LIMIT))
    w.place(1)
    assert w.ship() == 2
    assert leaf(1) == w.store.rows[1].leaf
