"""Snapshots: named by their content, whole or not there at all, and never quietly changed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tenure.errors import SnapshotError
from tenure.evidence import snapshot as snapshots
from tenure.evidence.schemas import SCHEMA_VERSION, TABLES
from tenure.evidence.snapshot import BATCH_ROWS, MANIFEST, Manifest, Snapshot, SnapshotDraft, open_snapshot

AT = datetime(2026, 11, 1, tzinfo=UTC)
SITES = ("north", "south")


def taken(
    store: Path,
    *sites: str,
    kind: str = "cmdb",
    version: int = 1,
    name: str = "cmdb.csv",
    options: dict[str, str] | None = None,
    cut_short: str = "",
    at: datetime = AT,
    note: str = "",
) -> Snapshot:
    with SnapshotDraft(store, kind, version, name, options) as draft:
        for site in sites or SITES:
            draft.describe("site", site)
        if cut_short:
            draft.cut_short(cut_short)
        if note:
            draft.note(note)
        return draft.finish(at)


def test_the_same_content_has_the_same_id(tmp_path: Path) -> None:
    first = taken(tmp_path / "a")
    assert first.manifest.content_id == taken(tmp_path / "b").manifest.content_id == first.folder.name
    assert first.manifest.content_id == taken(tmp_path / "a", options={}).manifest.content_id
    turned = {"b": "2", "a": "1"}, {"a": "1", "b": "2"}
    assert len({taken(tmp_path / "a", options=o).manifest.content_id for o in turned}) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"sites": ("north",)},
        {"sites": ("south", "north")},
        {"kind": "aws-iot"},
        {"version": 2},
        {"options": {"time_zone": "Europe/Berlin"}},
        {"cut_short": "the disk was pulled"},
    ],
)
def test_other_content_has_another_id(tmp_path: Path, other: dict[str, object]) -> None:
    sites = other.pop("sites", SITES)
    assert isinstance(sites, tuple)
    changed = taken(tmp_path, *sites, **other)  # type: ignore[arg-type]  # one of the arguments of taken
    assert changed.manifest.content_id != taken(tmp_path).manifest.content_id
    assert len(list(tmp_path.iterdir())) == 2


def test_another_schema_is_other_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = taken(tmp_path).manifest.content_id
    monkeypatch.setattr(snapshots, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    assert taken(tmp_path).manifest.content_id != before


def test_where_when_and_what_is_noted_is_no_content(tmp_path: Path) -> None:
    first = taken(tmp_path, note="times were taken for UTC")
    again = taken(tmp_path, name="other.csv", at=AT + timedelta(days=1))
    assert again.folder == first.folder
    assert (again.manifest.name, again.manifest.collected_at, again.manifest.notes) == ("other.csv", AT + timedelta(days=1), ())
    assert open_snapshot(first.folder, check=True).manifest == first.manifest, "what was kept stays as it was"
    assert [p.name for p in tmp_path.iterdir()] == [first.folder.name]


def test_a_snapshot_reads_back_what_was_written(tmp_path: Path) -> None:
    with SnapshotDraft(tmp_path, "cmdb", 3, "x.csv", {"a": "1"}) as draft:
        draft.add("description", ref=1, kind="site", text="ü → \U0001f512")
        draft.add_row("description", (2, "owner", "Ops"))
        draft.add_rows("description", [(3, "owner", "IT"), (4, "manager", "")])
        draft.add_columns("description", {"ref": [5, 6], "kind": ["site", "site"], "text": pa.array(["e", "f"])})
        draft.add_columns("takeover", {})
        draft.add("description", ref=7, kind="site", text="g")
        draft.problem("x.csv", "line 3", "torn", "torn-record", b"bytes")
        draft.problem("x.csv", "line 4", "torn", "torn-record")
        draft.speaks_until(AT - timedelta(days=2))
        draft.speaks_until(AT - timedelta(days=1))
        draft.speaks_until(AT - timedelta(days=3))
        draft.speaks_until(None)
        draft.note("a default")
        draft.note("a default")
        assert draft.counts == {"description": 7, "problem": 2}
        made = draft.finish(AT)
    read = open_snapshot(made.folder, check=True)
    assert read.manifest == made.manifest
    assert (read.manifest.speaks_as_of, read.manifest.notes) == (AT - timedelta(days=1), ("a default",))
    assert (read.manifest.partial, read.manifest.partial_reason) == (False, "")
    assert [row["ref"] for row in read.rows("description")] == [1, 2, 3, 4, 5, 6, 7]
    assert next(read.rows("description"))["text"] == "ü → \U0001f512"
    assert [row["sha256"] is None for row in read.rows("problem")] == [False, True]
    assert read.parquet("takeover") is None
    assert list(read.rows("takeover")) == []
    assert pq.read_schema(read.folder / "description.parquet").equals(TABLES["description"].schema)


def test_names_of_people_and_places_lie_in_one_file_and_once(tmp_path: Path) -> None:
    with SnapshotDraft(tmp_path, "cmdb", 1, "x") as draft:
        refs = [draft.describe(*d) for d in (("owner", "Ops"), ("site", "Ops"), ("owner", "Ops"), ("owner", None), ("owner", ""))]
        draft.add("device_record", record_id="1", owner_ref=refs[0], site_ref=refs[1], origin="x")
        made = draft.finish(AT)
    assert refs == [1, 2, 1, None, None]
    assert len(list(made.rows("description"))) == 2
    assert b"Ops" not in (made.folder / "device_record.parquet").read_bytes()


def test_a_source_cut_short_says_so_and_keeps_the_first_reason(tmp_path: Path) -> None:
    with SnapshotDraft(tmp_path, "cmdb", 1, "x") as draft:
        draft.cut_short("the first")
        draft.cut_short("the second")
        made = draft.finish(AT)
    assert (made.manifest.partial, made.manifest.partial_reason) == (True, "the first")
    assert open_snapshot(made.folder).manifest.partial


def test_a_snapshot_may_be_empty(tmp_path: Path) -> None:
    with SnapshotDraft(tmp_path, "cmdb", 1, "x") as draft:
        made = draft.finish(AT)
    assert (made.manifest.rows, made.manifest.files) == ({}, {})
    assert open_snapshot(made.folder, check=True).manifest.content_id == made.manifest.content_id


def test_columns_that_a_table_does_not_have_are_refused(tmp_path: Path) -> None:
    with SnapshotDraft(tmp_path, "cmdb", 1, "x") as draft, pytest.raises(KeyError, match="no column colour"):
        draft.add("description", colour="red")


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    with SnapshotDraft(tmp_path, "cmdb", 1, "x") as draft:
        for number in range(BATCH_ROWS * 2 + 5):
            draft.add_row("description", (number, "site", "s"))
        assert sum(len(rows) for rows in draft._rows.values()) == 5
        made = draft.finish(AT)
    assert made.manifest.rows == {"description": BATCH_ROWS * 2 + 5}
    assert [row["ref"] for row in made.rows("description")] == list(range(BATCH_ROWS * 2 + 5))


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with SnapshotDraft(tmp_path, "cmdb", 1, "x") as draft:
            draft.describe("site", "north")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


_DIES = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from tenure.evidence import snapshot
from tenure.evidence.snapshot import SnapshotDraft
when = sys.argv[2]
rename = Path.rename
def dies(self, target):
    os.kill(os.getpid(), signal.SIGKILL)
if when == "before the rename":
    Path.rename = dies
with SnapshotDraft(Path(sys.argv[1]), "cmdb", 1, "cmdb.csv") as draft:
    draft.describe("site", "north")
    draft.describe("site", "south")
    if when == "while writing":
        dies(None, None)
    draft.finish(datetime(2026, 11, 1, tzinfo=UTC))
"""


@pytest.mark.parametrize("when", ["while writing", "before the rename"])
def test_dying_leaves_a_draft_that_nobody_reads_and_the_next_collection_is_whole(tmp_path: Path, when: str) -> None:
    ran = subprocess.run([sys.executable, "-c", _DIES, str(tmp_path), when], check=False, timeout=60)
    assert ran.returncode == -signal.SIGKILL
    (draft,) = tmp_path.iterdir()
    assert draft.name.startswith(".draft-")
    made = taken(tmp_path)
    assert open_snapshot(made.folder, check=True).manifest == made.manifest
    assert {p.name for p in tmp_path.iterdir()} == {draft.name, made.folder.name}


def test_what_was_changed_is_found(tmp_path: Path) -> None:
    made = taken(tmp_path)
    path = made.folder / "description.parquet"
    pq.write_table(pq.read_table(path).slice(0, 1), path)
    assert open_snapshot(made.folder).manifest == made.manifest, "a plain opening trusts the store"
    with pytest.raises(SnapshotError, match="not what the manifest says") as error:
        open_snapshot(made.folder, check=True)
    assert error.value.fix == "collect the source again"


def test_what_is_missing_is_found(tmp_path: Path) -> None:
    made = taken(tmp_path)
    (made.folder / "description.parquet").unlink()
    with pytest.raises(SnapshotError, match="missing"):
        open_snapshot(made.folder)


def test_a_damaged_snapshot_is_replaced_by_the_next_collection(tmp_path: Path) -> None:
    made = taken(tmp_path)
    (made.folder / "description.parquet").unlink()
    again = taken(tmp_path)
    assert again.folder == made.folder
    assert [row["text"] for row in open_snapshot(again.folder, check=True).rows("description")] == list(SITES)


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"content_id": 1}', "\x00"])
def test_what_is_no_snapshot_is_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(SnapshotError, match="is no snapshot") as error:
        open_snapshot(tmp_path)
    assert error.value.fix


def test_a_snapshot_of_another_schema_is_refused(tmp_path: Path) -> None:
    made = taken(tmp_path)
    plain = json.loads((made.folder / MANIFEST).read_text())
    (made.folder / MANIFEST).write_text(json.dumps({**plain, "schema_version": SCHEMA_VERSION + 1}))
    with pytest.raises(SnapshotError, match=f"schema version {SCHEMA_VERSION + 1}"):
        open_snapshot(made.folder)


def test_a_manifest_survives_its_text(tmp_path: Path) -> None:
    manifest = taken(tmp_path, options={"a": "ü"}, cut_short="x", note="n").manifest
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_two_that_keep_the_same_content_at_once_keep_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.rename

    def late(self: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", rename)
        taken(tmp_path)  # somebody else is quicker
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", late)
    made = taken(tmp_path, name="mine.csv")
    assert made.manifest.name == "mine.csv"
    assert open_snapshot(made.folder, check=True).manifest.name == "cmdb.csv"
    assert [p.name for p in tmp_path.iterdir()] == [made.folder.name]


def test_what_the_system_refuses_is_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Path, target: Path) -> Path:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(PermissionError):
        taken(tmp_path)
    assert list(tmp_path.iterdir()) == []
