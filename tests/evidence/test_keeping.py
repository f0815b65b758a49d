"""What a store keeps: drafts of writers that died are cleared, those in use never; snapshots are listed and removed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tenure.errors import SnapshotError
from tenure.evidence.keeping import UNREADABLE, clear_abandoned, kept, reading, remove, removing
from tenure.evidence.snapshot import MANIFEST, Snapshot, SnapshotDraft

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)

WRITER = """
import sys
from pathlib import Path
from tenure.evidence.snapshot import SnapshotDraft
with SnapshotDraft(Path(sys.argv[1]), "cmdb", 1, "cmdb.csv") as draft:
    print("writing", flush=True)
    sys.stdin.read()
"""


def aged(folder: Path, at: datetime) -> None:
    """As if all in a folder had last been written then."""
    for path in (*folder.iterdir(), folder):
        os.utime(path, (at.timestamp(), at.timestamp()))


def snapshot(store: Path, name: str = "cmdb.csv", at: datetime = NOW, row: str = "r1") -> Snapshot:
    with SnapshotDraft(store, "cmdb", 1, name) as draft:
        draft.add("device_record", record_id=row, origin="cmdb.csv#2")
        made = draft.finish(at)
    aged(made.folder, at)
    return made


def drafts(store: Path) -> list[Path]:
    return list(store.glob(".draft-*"))


def test_a_draft_in_use_stays_and_goes_when_its_writer_has_died(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        (draft,) = drafts(tmp_path)
        aged(draft, NOW - 30 * DAY)
        assert clear_abandoned(tmp_path, NOW) == 0
        assert draft.is_dir()
        writer.send_signal(signal.SIGKILL)
    assert draft.is_dir()
    assert clear_abandoned(tmp_path, NOW) == 1
    assert drafts(tmp_path) == []


@pytest.mark.parametrize(("age", "cleared"), [(DAY - timedelta(minutes=1), 0), (DAY + timedelta(minutes=1), 1)])
def test_a_draft_of_nobody_goes_after_a_day(tmp_path: Path, age: timedelta, cleared: int) -> None:
    draft = tmp_path / ".draft-0123"
    draft.mkdir()
    (draft / "cmdb.parquet").write_bytes(b"PAR1")
    aged(draft, NOW - 9 * DAY)
    os.utime(draft / "cmdb.parquet", ((NOW - age).timestamp(),) * 2)  # the youngest file counts
    snapshot(tmp_path, at=NOW - 99 * DAY)
    assert clear_abandoned(tmp_path, NOW) == cleared
    assert len(drafts(tmp_path)) == 1 - cleared
    assert len(kept(tmp_path)) == 1


def test_snapshots_by_source_the_newest_first(tmp_path: Path) -> None:
    for name, days, row in (("b.csv", 1, "r1"), ("a.csv", 3, "r2"), ("a.csv", 2, "r3")):
        snapshot(tmp_path, name, NOW - days * DAY, row)
    damaged = snapshot(tmp_path, "c.csv", NOW, "r4").folder
    (damaged / MANIFEST).write_text("{")
    found = kept(tmp_path)
    assert [(k.kind, k.name, (NOW - k.collected_at).days) for k in found[1:]] == [
        ("cmdb", "a.csv", 2), ("cmdb", "a.csv", 3), ("cmdb", "b.csv", 1),
    ]  # fmt: skip
    assert (found[0].kind, found[0].name) == (UNREADABLE, damaged.name)
    assert [k.size for k in found] == [sum(p.stat().st_size for p in k.folder.iterdir()) for k in found]
    assert kept(tmp_path / "nowhere") == []


def test_what_is_collected_again_is_young_again(tmp_path: Path) -> None:
    first = snapshot(tmp_path, at=NOW - 99 * DAY)
    before = datetime.now(UTC) - timedelta(minutes=1)
    with SnapshotDraft(tmp_path, "cmdb", 1, "cmdb.csv") as draft:
        draft.add("device_record", record_id="r1", origin="cmdb.csv#2")
        again = draft.finish(NOW)
    assert again.folder == first.folder
    (only,) = kept(tmp_path)
    assert only.collected_at > before


def test_removing_leaves_nothing_and_dying_on_the_way_only_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot(tmp_path, at=NOW - 9 * DAY)
    snapshot(tmp_path, at=NOW - 9 * DAY, row="r2")
    one, two = kept(tmp_path)
    remove(one)
    assert kept(tmp_path) == [two]
    with monkeypatch.context() as dying:
        dying.setattr("shutil.rmtree", lambda _folder: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            remove(two)
    assert kept(tmp_path) == []
    assert clear_abandoned(tmp_path, NOW) == 1
    assert list(tmp_path.iterdir()) == []


def test_nobody_removes_while_somebody_reads(tmp_path: Path) -> None:
    with reading(tmp_path), reading(tmp_path), pytest.raises(SnapshotError, match="an audit reads"), removing(tmp_path):
        pytest.fail("both at once")
    with removing(tmp_path):
        pass
