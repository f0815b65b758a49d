"""Lines of logs in chunks: whole lines whatever the size, the same from a gzip file, and helpers that may die."""

from __future__ import annotations

import gc
import gzip
import multiprocessing
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenure.evidence.snapshot import SnapshotDraft
from tenure.sources import _lines
from tenure.sources._chunk_parsing import helpers_for, no_search_for_cycles, parsed
from tenure.sources._lines import LogFile, age_order, chunks, logs_of, plain_head, stem
from tests.closed import closed


@pytest.fixture
def draft(tmp_path: Path) -> Iterator[SnapshotDraft]:
    with SnapshotDraft(tmp_path / "store", "mosquitto-log", 1, "logs") as draft:
        yield draft


def counted(data: bytes, ended: bool, argument: str) -> tuple[int, bytes, bool, str]:
    """Lines of a chunk, and what came in."""
    return data.count(b"\n") + (not ended), data, ended, argument


def deadly(data: bytes, ended: bool, argument: str) -> tuple[int, bytes, bool, str]:
    """Kills the helper it runs in."""
    if multiprocessing.parent_process() is not None:
        os._exit(7)
    return counted(data, ended, argument)


def of(path: Path, size: int) -> list[tuple[bytes, bool]]:
    return [(c.read(), c.ended) for c in chunks(LogFile(path, path.name), lambda _n: None, pytest.fail, size)]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"")), max_size=30),
    ended=st.booleans(),
    size=st.integers(1, 60),
)
def test_chunks_hold_whole_lines_and_together_the_file(tmp_path: Path, lines: list[bytes], ended: bool, size: int) -> None:
    data = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    path = tmp_path / "x.log"
    path.write_bytes(b"x" + data)  # never a gzip file
    found = of(path, size)
    assert b"".join(d for d, _ in found) == b"x" + data
    assert all(e and d.endswith(b"\n") for d, e in found[:-1])
    assert not found or found[-1][1] == found[-1][0].endswith(b"\n")
    path.write_bytes(gzip.compress(b"x" + data))
    packed = of(path, size)
    assert b"".join(d for d, _ in packed) == b"x" + data
    assert all(e and d.endswith(b"\n") for d, e in packed[:-1])


def test_a_line_without_end_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lines, "LONGEST_LINE", 100_000)
    monkeypatch.setattr(_lines, "_WINDOW", 1_000)
    path = tmp_path / "x.log"
    path.write_bytes(b"x" * 350_000 + b"\nlast\n")
    found = of(path, 10_000)
    assert max(len(d) for d, _ in found) < 112_000
    assert sum(len(d) for d, _ in found) == 350_006
    assert not found[0][1]


def test_results_come_in_order_with_the_numbers_of_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"".join(b"line %d\n" % n for n in range(1000)))
    file = LogFile(path, "x.log")
    for helpers in (0, 2):
        source = ((c, "a") for c in chunks(file, lambda _n: None, pytest.fail, 700))
        found = list(parsed(source, counted, helpers))
        assert b"".join(p.result[1] for p in found) == path.read_bytes()
        assert all(p.result[1].startswith(b"line %d\n" % (p.first_line - 1)) for p in found)
        assert {p.result[3] for p in found} == {"a"}


def test_a_helper_that_dies_costs_nothing_but_time(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"line\n" * 1000)
    source = ((c, "a") for c in chunks(LogFile(path, "x.log"), lambda _n: None, pytest.fail, 500))
    found = list(parsed(source, deadly, 2))
    assert b"".join(p.result[1] for p in found) == path.read_bytes()


def test_the_search_for_cycles_is_as_before_afterwards() -> None:
    assert gc.isenabled()
    with no_search_for_cycles():
        assert not gc.isenabled()
    with pytest.raises(ZeroDivisionError), no_search_for_cycles():
        raise ZeroDivisionError
    assert gc.isenabled()
    gc.disable()
    try:
        with no_search_for_cycles():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_small_logs_need_no_helpers(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_bytes(b"x")
    assert helpers_for([LogFile(tmp_path / "x.log", "x.log")]) == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mosquitto.log", "mosquitto"), ("mosquitto.log.1", "mosquitto"), ("mosquitto.log.2.gz", "mosquitto"),
        ("mosquitto.log-20231111.gz", "mosquitto"), ("mosquitto-20231111.log", "mosquitto"),
        ("mosquitto.2023-11-11.log", "mosquitto"), ("syslog.1", "syslog"), ("broker-2.log", "broker-2"), ("cloud.jsonl", "cloud"),
    ],
)  # fmt: skip
def test_what_a_log_is_called(name: str, expected: str) -> None:
    assert stem(name) == expected


def test_rotated_files_from_old_to_new(tmp_path: Path, draft: SnapshotDraft) -> None:
    names = ["a.log", "a.log.1", "a.log.10.gz", "a.log.2.gz", "b.log-20260502", "b.log-20260501.gz", "b.log", ".hidden.log"]
    logs = tmp_path / "logs"
    logs.mkdir()
    for name in names:
        (logs / name).write_bytes(b"")
    assert [[f.relative for f in log] for log in logs_of(logs, "logs", draft)] == [
        ["a.log.10.gz", "a.log.2.gz", "a.log.1", "a.log"], ["b.log-20260501.gz", "b.log-20260502", "b.log"],
    ]  # fmt: skip
    assert sorted(["x.log", "x.log.3"], key=age_order) == ["x.log.3", "x.log"]


def test_what_cannot_be_read_keeps_no_other_log_from_being_read(tmp_path: Path, draft: SnapshotDraft) -> None:
    logs = tmp_path / "logs"
    (logs / "closed").mkdir(parents=True)
    for name in ("a.log", "a.log.1", "b.log"):
        (logs / name).write_bytes(b"x")
    (logs / "gone.log").symlink_to("nowhere")
    os.mkfifo(logs / "pipe.log")
    with closed(logs / "a.log.1", logs / "closed"):
        assert [[f.relative for f in log] for log in logs_of(logs, "logs", draft)] == [["a.log"], ["b.log"]]
    snapshot = draft.finish(datetime(2026, 11, 1, tzinfo=UTC))
    told = {(row["file"], row["place"], row["reason"], row["code"]) for row in snapshot.rows("problem")}
    assert told == {
        ("closed", "folder", "the folder cannot be read: Permission denied", "unreadable-file"),
        ("a.log.1", "file", "cannot be read: Permission denied", "unreadable-file"),
        ("gone.log", "file", "no regular file, or a link to nothing", "unreadable-file"),
        ("pipe.log", "file", "no regular file, or a link to nothing", "unreadable-file"),
    }
    assert snapshot.manifest.partial


def test_the_head_of_a_gzip_file() -> None:
    assert plain_head(b"text") == b"text"
    assert plain_head(gzip.compress(b"text" * 1000)[:40]).startswith(b"text")
    assert plain_head(b"\x1f\x8bjunk") == b""
