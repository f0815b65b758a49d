"""After a restore: what the database does not know any more is listed, proved, and gets its old places back."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest

from tenure.ledger.gap import Agreed, Behind, Forked, compare, missed, replay
from tenure.ledger.refusals import DamageError, RewindError
from tenure.ledger.verify import verify
from tests.ledger.world import IDENTITY, NOW, Row, World, world


def event_of(content: bytes) -> UUID:
    """The world numbers its events from one, its leaves from zero."""
    return UUID(int=json.loads(content)["event"] + 1)


def restored(tmp_path: Path, before: int, after: int) -> tuple[World, World]:
    """A ledger, and the same with a database as it was at ``before``."""
    w = world(tmp_path, shipped=before)
    old = w.store.copy()
    w.place(after - before)
    w.ship()
    return w, World(old, w.shelf, w.folder)


def test_a_healthy_pair_agrees(tmp_path: Path) -> None:
    assert compare(world(tmp_path / "a").store, world(tmp_path / "a").shelf, IDENTITY) == Agreed(0)
    w = world(tmp_path / "b", shipped=10, more=4)
    assert compare(w.store, w.shelf, IDENTITY) == Agreed(4)
    only = world(tmp_path / "c", more=4)
    assert compare(only.store, only.shelf, IDENTITY) == Agreed(4)


@pytest.mark.parametrize(("before", "after"), [(0, 1), (0, 700), (10, 11), (255, 256), (256, 257), (300, 900), (255, 65537)])
def test_the_gap_is_listed_and_closed(tmp_path: Path, before: int, after: int) -> None:
    whole, old = restored(tmp_path, before, after)
    behind = compare(old.store, old.shelf, IDENTITY)
    assert behind == Behind(before, whole.head)
    entries = list(missed(old.shelf, behind))
    assert [entry.position for entry in entries] == list(range(before, after))
    old.store.rows += [Row(event_of(entry.leaf), entry.leaf) for entry in entries]
    with pytest.raises(RewindError):
        old.sequencer().place(NOW)
    replay(old.store, old.shelf, behind, event_of)
    assert compare(old.store, old.shelf, IDENTITY) == Agreed(0)
    assert old.store.rows == whole.store.rows
    old.place(300)
    old.ship()
    assert verify(old.store, IDENTITY, old.shelf).sound


def test_records_of_the_gap_come_with_their_entries(tmp_path: Path) -> None:
    w = world(tmp_path, shipped=10)
    old = w.store.copy()
    good, bad = b"hardware root", b"not what the event says"
    w.store.rows.append(Row(UUID(int=50), b'{"evidence":["%s"]}' % sha256(good).hexdigest().encode()))
    w.store.rows[-1].records = (("tombstone", good), ("tombstone", bad))
    w.place(2)
    w.ship()
    behind = compare(old, w.shelf, IDENTITY)
    assert isinstance(behind, Behind)
    entries = list(missed(w.shelf, behind))
    assert [[r.content for r in entry.records] for entry in entries] == [[good], [], []]
    assert [[r.content for r in entry.refused] for entry in entries] == [[bad], [], []]


@pytest.mark.parametrize("more", [1, 5, 300])
def test_a_database_that_was_written_to_after_a_restore(tmp_path: Path, more: int) -> None:
    """Shorter, as long or longer than what lies outside: it is another past."""
    w, old = restored(tmp_path, 10, 15)
    other = world(tmp_path / "other")
    old.shelf = other.shelf  # somebody pointed it to an empty shelf, and it went on
    old.store.rows += [Row(UUID(int=1000 + n), b"other %d" % n) for n in range(more)]
    old.place()
    forked = compare(old.store, w.shelf, IDENTITY)
    assert forked == Forked(10 + more, w.head)


def test_a_shelf_that_was_changed_is_not_replayed(tmp_path: Path) -> None:
    _, old = restored(tmp_path, 10, 600)
    behind = compare(old.store, old.shelf, IDENTITY)
    assert isinstance(behind, Behind)
    content = old.shelf.read("tile/entries/001")
    assert content
    old.shelf.put("tile/entries/001", content[:-1] + b"!")
    for act in (lambda: missed(old.shelf, behind), lambda: replay(old.store, old.shelf, behind, lambda _: UUID(int=1))):
        with pytest.raises(DamageError):
            act()
    (old.folder / "tile/entries/001").unlink()
    with pytest.raises(DamageError, match="missing or incomplete"):
        missed(old.shelf, behind)


def test_replay_needs_the_events_to_be_there(tmp_path: Path) -> None:
    _, old = restored(tmp_path, 10, 12)
    behind = compare(old.store, old.shelf, IDENTITY)
    assert isinstance(behind, Behind)
    with pytest.raises(RewindError, match="not all there"):
        replay(old.store, old.shelf, behind, event_of)
