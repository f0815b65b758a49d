"""What lies outside: complete at each size, whole after each death, and never rewritten by our own hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenure.ledger.folder_shelf import FolderShelf
from tenure.ledger.refusals import DamageError, NoteError, RewindError, ShelfError
from tenure.ledger.shipping import outside, ship
from tenure.ledger.tiles import bundle_path, decode_bundle, past_path, tile_path, tiles_between, width_at
from tenure.ledger.verify import verify
from tests.ledger.world import IDENTITY, FailingShelf, KilledError, World, leaf, world


def check(w: World) -> None:
    """The shelf holds all that its checkpoint needs, and the partial files of sizes long past are gone."""
    head = outside(w.shelf, IDENTITY)
    assert head is not None
    for index in range(-(-head.size // 256)):
        width = width_at(0, index, head.size)
        content = w.shelf.read(bundle_path(index, width))
        assert content is not None
        assert decode_bundle(content) == [leaf(n) for n in range(index * 256, index * 256 + width)]
    for tile, width in tiles_between(0, head.size):
        content = w.shelf.read(tile_path(tile, width))
        assert content is not None
        assert len(content) == 32 * width
    assert verify(w.store, IDENTITY, w.shelf).sound


@pytest.mark.parametrize("sizes", [[1], [255, 256], [256, 257], [3, 3], [100, 700], [65530, 65536, 65540]])
def test_each_checkpoint_finds_its_files(tmp_path: Path, sizes: list[int]) -> None:
    w = world(tmp_path)
    for size in sizes:
        w.place(size - len(w.store.rows))
        assert w.ship() == size
    check(w)
    full = {path.name.removesuffix(".p") for path in tmp_path.rglob("*.p") if path.with_suffix("").exists()}
    assert not full, "partial files whose full one is there"


def test_nothing_to_ship(tmp_path: Path) -> None:
    w = world(tmp_path)
    assert w.ship() == 0
    assert w.shelf.read("checkpoint") is None


def test_the_window_is_what_the_shelf_does_not_cover(tmp_path: Path) -> None:
    w = world(tmp_path, shipped=10, more=5)
    w.store.add(2)
    assert w.store.unshipped(10).events == 7
    w.ship()
    assert w.store.unshipped(15).events == 2


@pytest.mark.parametrize("after", [False, True])
def test_dead_at_each_write(tmp_path: Path, after: bool) -> None:
    """Whatever was written when we died: the old checkpoint still holds, or the new one does; the next one finishes."""
    deaths = 0
    for at in range(1, 40):
        w = world(tmp_path / f"{at}", shipped=250, more=300)
        failing = FailingShelf(w.shelf, at, after)
        try:
            ship(w.store, failing, IDENTITY)
        except KilledError:
            deaths += 1
            there = outside(w.shelf, IDENTITY)
            assert there is not None
            assert there.size in (250, 550)
            assert verify(w.store, IDENTITY, w.shelf).sound
            w.place(10)
            assert w.ship() == 560
            check(w)
        else:
            break
    assert deaths > 8


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 300), st.booleans(), st.integers(0, 12)), min_size=1, max_size=6))
def test_any_order_of_growth_shipping_and_death(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, bool, int]]
) -> None:
    w = world(tmp_path_factory.mktemp("shelf"))
    for count, after, die_at in steps:
        w.place(count)
        try:
            ship(w.store, FailingShelf(w.shelf, die_at, after), IDENTITY)
        except KilledError:
            assert verify(w.store, IDENTITY, w.shelf).sound
    w.place(1)
    w.ship()
    check(w)


def test_a_changed_row_is_not_carried_out(tmp_path: Path) -> None:
    w = world(tmp_path, shipped=10, more=10)
    w.store.at(15).leaf = b"changed"
    with pytest.raises(DamageError):
        w.ship()
    w.store.recompute()
    with pytest.raises(DamageError):
        w.ship()
    there = outside(w.shelf, IDENTITY)
    assert there is not None
    assert there.size == 10


def test_a_changed_row_that_was_shipped_stops_the_rest(tmp_path: Path) -> None:
    w = world(tmp_path, shipped=10, more=10)
    w.store.at(5).leaf = b"changed"
    with pytest.raises(DamageError):
        w.ship()
    w.store.recompute()
    with pytest.raises(RewindError):
        w.ship()


@pytest.mark.parametrize("place", [12, 3])
def test_a_missing_row_stops_it(tmp_path: Path, place: int) -> None:
    w = world(tmp_path, shipped=10, more=10)
    w.store.rows.remove(w.store.at(place))
    with pytest.raises(DamageError, match="missing"):
        w.ship()


def test_an_old_database_ships_nothing(tmp_path: Path) -> None:
    w = world(tmp_path, shipped=10)
    backup = w.store.copy()
    w.place(10)
    w.ship()
    w.store = backup
    with pytest.raises(RewindError, match="older"):
        w.ship()


def test_the_shelf_of_another_ledger_is_not_touched(tmp_path: Path) -> None:
    w = world(tmp_path, shipped=10, more=1)
    before = w.shelf.read("checkpoint")
    assert before is not None
    w.shelf.put("checkpoint", before.replace(b"ledger.example", b"another.example"))
    with pytest.raises(NoteError):
        w.ship()


def test_records_go_out_with_their_entries_and_stay(tmp_path: Path) -> None:
    w = world(tmp_path, shipped=10)
    w.store.add(1)
    w.store.rows[-1].records = (("tombstone", b"root of a device"),)
    w.place()
    w.ship()
    assert b'"kind":"tombstone"' in (w.shelf.read("records/000") or b"")
    w.store.rows[-1].records = ()
    w.place(1)
    with pytest.raises(DamageError, match="tombstone made at place 10 is gone"):
        w.ship()
    w.store.at(10).records = (("tombstone", b"another root"),)
    with pytest.raises(DamageError, match="tombstone made at place 10 is gone or changed"):
        w.ship()


def test_past_checkpoints_stay_one_for_each_bundle(tmp_path: Path) -> None:
    w = world(tmp_path)
    for _ in range(6):
        w.place(100)
        w.ship()
    kept = [IDENTITY.open(w.shelf.read(past_path(n)) or b"").size for n in (1, 257, 513)]
    assert kept == [200, 500, 600]


def test_of_two_who_ship_at_once_one_publishes(tmp_path: Path) -> None:
    w = world(tmp_path, shipped=10, more=10)
    with pytest.raises(ShelfError, match="another process"):
        ship(w.store, FailingShelf(w.shelf, 0, False, meanwhile=w.ship), IDENTITY)
    check(w)


def test_a_folder_shelf_stays_within_its_folder(tmp_path: Path) -> None:
    shelf = FolderShelf(tmp_path / "shelf")
    for path in ("../out", "/etc/out", "a/../../out", ""):
        with pytest.raises(ShelfError):
            shelf.put(path, b"x")
        with pytest.raises(ShelfError):
            shelf.read(path)


def test_a_folder_shelf_swaps_only_what_is_there(tmp_path: Path) -> None:
    shelf = FolderShelf(tmp_path / "shelf")
    assert not shelf.swap("checkpoint", b"old", b"new")
    assert shelf.swap("checkpoint", None, b"new")
    assert not shelf.swap("checkpoint", None, b"newer")
    assert shelf.swap("checkpoint", b"new", b"newer")
    assert shelf.read("checkpoint") == b"newer"
    assert sorted(p.name for p in (tmp_path / "shelf").iterdir()) == [".lock", "checkpoint"]


def test_a_folder_shelf_says_what_it_cannot_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    shelf = FolderShelf(tmp_path / "file")
    with pytest.raises(ShelfError, match="cannot be written"):
        shelf.put("a", b"x")
    with pytest.raises(ShelfError):
        shelf.swap("a", None, b"x")
    with pytest.raises(ShelfError, match="cannot be read"):
        shelf.read("a")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ShelfError, match="cannot be written"):
        FolderShelf(tmp_path).put("folder", b"x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]
