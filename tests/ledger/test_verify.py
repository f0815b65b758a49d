"""Somebody writes to the database: what was done is found, and the first bad row is named."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenure.ledger import checkpoint
from tenure.ledger.verdict import BadRow, BadSpan, Deed, Intact, Verdict
from tenure.ledger.verify import verify
from tenure.model.ledger import TileId
from tests.ledger.world import IDENTITY, ORIGIN, SIGNER, STRANGER, MemoryStore, Row, World, leaf, world

NEW = UUID(int=10**9)


def asked(w: World) -> Verdict:
    return verify(w.store, IDENTITY, w.shelf)


def change(store: MemoryStore, place: int, other: int) -> None:
    store.at(place).leaf = b"changed %d" % other


def remove(store: MemoryStore, place: int, _other: int) -> None:
    store.rows.remove(store.at(place))


def remove_and_close(store: MemoryStore, place: int, other: int) -> None:
    remove(store, place, other)
    for row in store.rows:
        if row.position is not None and row.position > place:
            row.position -= 1


def insert(store: MemoryStore, place: int, _other: int) -> None:
    for row in store.rows:
        if row.position is not None and row.position >= place:
            row.position += 1
    store.rows.append(Row(NEW, b"inserted", place))


def double(store: MemoryStore, place: int, _other: int) -> None:
    store.rows.append(Row(NEW, b"inserted", place))


def swap(store: MemoryStore, place: int, other: int) -> None:
    one, two = store.at(place), store.at(other)
    one.position, two.position = other, place


def unplace(store: MemoryStore, place: int, _other: int) -> None:
    store.at(place).position = None


def banish(store: MemoryStore, place: int, _other: int) -> None:
    """To where no row can be."""
    store.at(place).position = 10**12


def ruin(store: MemoryStore, place: int, _other: int) -> None:
    """A row that no leaf can be made of."""
    store.at(place).leaf = b""


DEEDS: dict[Callable[[MemoryStore, int, int], None], Deed] = {
    change: Deed.CHANGED,
    ruin: Deed.CHANGED,
    remove: Deed.REMOVED,
    remove_and_close: Deed.REMOVED,
    unplace: Deed.REMOVED,
    insert: Deed.INSERTED,
    double: Deed.INSERTED,
    swap: Deed.REORDERED,
    banish: Deed.REORDERED,
}


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 600])
@pytest.mark.parametrize("more", [0, 1, 300])
def test_a_healthy_ledger_is_sound(tmp_path: Path, size: int, more: int) -> None:
    w = world(tmp_path, shipped=size, more=more)
    assert asked(w) == Verdict(size + more, size, Intact(), ())


def test_it_tells_how_far_it_is(tmp_path: Path) -> None:
    told: list[int] = []
    verify(world(tmp_path, shipped=600).store, IDENTITY, progress=told.append)
    assert told == [256, 512, 600]


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_first_bad_row_is_named(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Any deed at any place, with or without a tree that was recomputed to fit."""
    size = data.draw(st.sampled_from([2, 7, 255, 256, 257, 520]), "size")
    w = world(tmp_path_factory.mktemp("shelf"), shipped=size, more=data.draw(st.sampled_from([0, 3, 260]), "more"))
    place = data.draw(st.integers(0, size - 2), "place")
    other = data.draw(st.integers(place + 1, size - 1), "other")
    deed = data.draw(st.sampled_from(list(DEEDS)), "deed")
    deed(w.store, place, other)
    if data.draw(st.booleans(), "recomputed"):
        w.store.recompute()
    verdict = asked(w)
    assert not verdict.sound
    assert isinstance(verdict.finding, BadRow)
    assert (verdict.finding.position, verdict.finding.deed) == (place, DEEDS[deed])
    assert verdict.finding.was == leaf(place)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_many_deeds_at_once_do_not_hide_the_first(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    w = world(tmp_path_factory.mktemp("shelf"), shipped=300, more=5)
    places = data.draw(st.lists(st.integers(0, 299), min_size=1, max_size=6, unique=True))
    for place in places:
        change(w.store, place, place)
    if data.draw(st.booleans()):
        w.store.recompute()
    finding = asked(w).finding
    assert isinstance(finding, BadRow)
    assert (finding.position, finding.deed) == (min(places), Deed.CHANGED)


@pytest.mark.parametrize("deed", DEEDS)
def test_in_the_window_the_tiles_of_the_database_still_tell(
    tmp_path: Path, deed: Callable[[MemoryStore, int, int], None]
) -> None:
    w = world(tmp_path, shipped=300, more=20)
    deed(w.store, 305, 312)
    finding = asked(w).finding
    assert isinstance(finding, BadRow)
    assert (finding.position, finding.deed, finding.was) == (305, DEEDS[deed], None)


@pytest.mark.parametrize("deed", DEEDS)
def test_in_the_window_with_new_tiles_the_span_is_told(tmp_path: Path, deed: Callable[[MemoryStore, int, int], None]) -> None:
    w = world(tmp_path, shipped=300, more=20)
    deed(w.store, 305, 312)
    w.store.recompute()
    finding = asked(w).finding
    assert isinstance(finding, BadSpan)
    assert finding.start == 300
    assert 305 < finding.stop <= 320


@pytest.mark.parametrize("deed", DEEDS)
def test_without_copies_past_checkpoints_narrow_it(tmp_path: Path, deed: Callable[[MemoryStore, int, int], None]) -> None:
    """Tiles on the shelf are lost too; only signed checkpoints are left."""
    w = world(tmp_path)
    for _ in range(20):
        w.place(100)
        w.ship()
    deed(w.store, 1000, 1500)
    w.store.recompute()
    w.shelf.drop("tile")
    finding = asked(w).finding
    assert isinstance(finding, BadSpan)
    assert finding.start == 1000
    assert finding.stop <= 1200


def test_a_checkpoint_that_an_auditor_kept_is_enough(tmp_path: Path) -> None:
    w = world(tmp_path, more=300)
    kept = w.store.signed
    assert kept
    w.place(200)
    change(w.store, 17, 0)
    rewritten = world(tmp_path / "other")
    rewritten.store.rows = [Row(row.event, row.leaf) for row in w.store.rows]
    rewritten.place()
    assert verify(rewritten.store, IDENTITY).sound, "somebody who has the key as well can tell any story"
    verdict = verify(rewritten.store, IDENTITY, kept=[kept])
    assert verdict.finding == BadSpan(0, 300)
    assert verdict.vouched == 300


def test_the_end_cut_off(tmp_path: Path) -> None:
    """Rows, tiles and checkpoint of an older state, as a restored backup has them."""
    w = world(tmp_path, shipped=20)
    old = w.store.copy()
    w.place(10)
    w.ship()
    w.store = old
    verdict = asked(w)
    assert verdict.finding == BadRow(20, Deed.REMOVED, None, leaf(20))
    assert "the database ends at 20 entries, outside are 30" in verdict.problems[0]


@pytest.mark.parametrize("place", [20, 25, 10**15])
def test_a_row_beyond_the_tree(tmp_path: Path, place: int) -> None:
    w = world(tmp_path, shipped=15, more=5)
    w.store.rows.append(Row(NEW, b"beyond", place))
    assert asked(w).finding == BadRow(place, Deed.INSERTED, NEW, None)


@pytest.mark.parametrize("ours", [True, False])
def test_a_negative_place(tmp_path: Path, ours: bool) -> None:
    w = world(tmp_path, shipped=20)
    if ours:
        w.store.at(4).position = -3
    else:
        w.store.rows.append(Row(NEW, b"before", -3))
    finding = asked(w).finding
    assert isinstance(finding, BadRow)
    assert (finding.position, finding.deed) == (-3, Deed.REORDERED if ours else Deed.INSERTED)


def test_the_copy_beside_the_right_row(tmp_path: Path) -> None:
    """The same leaf twice at one place."""
    w = world(tmp_path, shipped=20)
    w.store.rows.append(Row(NEW, leaf(4), 4))
    finding = asked(w).finding
    assert isinstance(finding, BadRow)
    assert (finding.position, finding.deed, finding.found) == (4, Deed.INSERTED, NEW)


def test_a_row_overwritten_by_a_copy_of_an_earlier_one(tmp_path: Path) -> None:
    w = world(tmp_path, shipped=20)
    w.store.at(10).leaf = leaf(3)
    assert asked(w).finding == BadRow(10, Deed.CHANGED, w.store.at(10).event, leaf(10))


def test_two_rows_at_one_place_in_the_old_order(tmp_path: Path) -> None:
    """The leaves in their order still give the signed root; only the numbers are wrong."""
    w = world(tmp_path, shipped=20)
    w.store.at(4).position = 3
    finding = asked(w).finding
    assert isinstance(finding, BadRow)
    assert (finding.position, finding.deed, finding.found) == (3, Deed.REORDERED, UUID(int=5))


def test_a_kept_checkpoint_needs_no_files_of_its_size(tmp_path: Path) -> None:
    """The shelf has gone on, and dropped the partial files of that time."""
    w = world(tmp_path, shipped=300)
    kept = w.store.signed
    assert kept
    w.place(300)
    w.ship()
    assert verify(w.store, IDENTITY, w.shelf, [kept]) == Verdict(600, 600, Intact(), ())


def test_what_is_placed_while_it_reads_is_not_accused(tmp_path: Path) -> None:
    w = world(tmp_path, shipped=300)
    assert verify(w.store, IDENTITY, w.shelf, progress=lambda _: w.place(1)).sound


def test_events_without_a_checkpoint(tmp_path: Path) -> None:
    w = world(tmp_path, more=3)
    w.store.signed = None
    assert asked(w).finding == BadRow(0, Deed.INSERTED, UUID(int=1), None)


@pytest.mark.parametrize("shipped", [0, 2])
def test_a_forged_checkpoint_in_the_database(tmp_path: Path, shipped: int) -> None:
    w = world(tmp_path, shipped=shipped, more=3)
    w.store.signed = checkpoint.sign(ORIGIN, w.head.size, w.head.root, [STRANGER]).note
    verdict = asked(w)
    assert not verdict.sound
    assert verdict.finding == Intact()
    assert "the checkpoint in the database cannot be trusted" in verdict.problems[0]


def test_a_forged_checkpoint_on_the_shelf(tmp_path: Path) -> None:
    w = world(tmp_path, shipped=3)
    w.shelf.put("checkpoint", checkpoint.sign(ORIGIN, 3, w.head.root, [STRANGER]).note)
    verdict = asked(w)
    assert "the checkpoint on the shelf cannot be trusted" in verdict.problems[0]
    assert verdict.vouched == 0


def test_a_key_that_signed_two_pasts(tmp_path: Path) -> None:
    w = world(tmp_path, shipped=3)
    other = checkpoint.sign(ORIGIN, 3, bytes(32), [SIGNER]).note
    assert "two pasts" in verify(w.store, IDENTITY, w.shelf, [other]).problems[0]


def test_tiles_of_the_database_that_are_wrong_are_told(tmp_path: Path) -> None:
    w = world(tmp_path, shipped=600)
    w.store.tiles[TileId(0, 1)] = bytes(8192)
    del w.store.tiles[TileId(1, 0)]
    verdict = asked(w)
    assert verdict.finding == Intact()
    assert verdict.problems == (
        "tile/0/001 in the database is not what the rows give",
        "tile/1/000.p/2 in the database is missing",
    )


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/001", "tile/entries/002.p/88"])
def test_files_on_the_shelf_that_are_wrong_are_told(tmp_path: Path, path: str) -> None:
    w = world(tmp_path, shipped=600, more=50)
    content = w.shelf.read(path)
    assert content
    w.shelf.put(path, content[:-1] + b"!")
    assert asked(w).problems == (f"{path} on the shelf is not what the rows give",)
    (tmp_path / path).unlink()
    assert asked(w).problems == (f"{path} on the shelf is missing",)


def test_wrong_rows_and_a_wrong_shelf(tmp_path: Path) -> None:
    """The shelf gives no signed root, the tiles of the database do: they name the row."""
    w = world(tmp_path, shipped=600)
    w.shelf.put("tile/0/000", bytes(8192))
    change(w.store, 300, 0)
    finding = asked(w).finding
    assert isinstance(finding, BadRow)
    assert (finding.position, finding.was) == (300, leaf(300))
    w.shelf.put("tile/entries/001", b"\xff\xff")
    finding = asked(w).finding
    assert isinstance(finding, BadRow)
    assert (finding.position, finding.was) == (300, None)


def test_many_wrong_copies_are_counted(tmp_path: Path) -> None:
    w = world(tmp_path, shipped=256 * 30)
    for index in range(30):
        w.store.tiles[TileId(0, index)] = b""
    assert asked(w).problems[-1] == "and 10 more copies that are wrong"


def named(content: bytes) -> bytes:
    return b'{"evidence":["%s"]}' % sha256(content).hexdigest().encode()


def test_records_are_held_against_the_shelf_and_their_events(tmp_path: Path) -> None:
    w = world(tmp_path)
    w.store.rows = [Row(UUID(int=n), named(b"%d" % n), None, (("tombstone", b"%d" % n),)) for n in range(4)]
    w.place()
    w.ship()
    assert asked(w).sound
    w.store.rows[1].records = ()
    w.store.rows[2].records = (("tombstone", b"another"),)
    w.store.rows[3].records += (("revocation", b"3"),)
    assert asked(w).problems == (
        "the tombstone made at place 1 is gone from the database or changed",
        "the tombstone made at place 2 is gone from the database or changed",
        "the tombstone made at place 2 is not on the shelf",
        "the revocation made at place 3 is not on the shelf",
        "the tombstone at place 2 is not what its event names",
    )
    w.shelf.put("records/000", b"{}")
    assert "records/000 on the shelf: a file of records that cannot be read" in asked(w).problems


def test_it_says_what_it_found_in_words() -> None:
    bad = BadRow(7, Deed.CHANGED, NEW, b'{"verb":"retire"}')
    assert str(bad) == f'the first row changed is that of place 7; event {NEW} stands there; it was {{"verb":"retire"}}'
    assert "7 to 9" in str(BadSpan(7, 10))
    assert str(Intact()) == "every row is what it was"
