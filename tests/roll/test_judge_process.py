"""The parent believes nothing that the process which runs rules sends: garbage is the verdict of the rule it was asked."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tenure.roll import judge_process
from tenure.roll.judge_process import Failed, JudgeProcess, Rows
from tenure.roll.wire import Frame, Limits, Request, frame

QUESTION = Request("SELECT 1", "2026-11-01T00:00:00", {"days": 1, "word": "x"}, 0.3)
READY = frame(Frame.READY, b"{}")
DONE = frame(Frame.DONE, b'{"rows": 1, "seconds": 0.5}')


def stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def speaking(says: bytes, then: str = "sys.stdin.read()") -> str:
    """A program in the place of the real one: waits for the question where it has said ready, says its piece, goes on."""
    first, rest = (READY, says.removeprefix(READY)) if says.startswith(READY) else (b"", says)
    return (
        "import sys\n"
        f"sys.stdout.buffer.write({first!r}); sys.stdout.flush(); sys.stdin.readline()\n"
        f"sys.stdout.buffer.write({rest!r}); sys.stdout.flush()\n{then}"
    )


WHOLE = stream(pa.table({"finding": [1]}))
WRONG_UTF8 = pa.StringArray.from_buffers(1, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff"))
GARBAGE = {
    "no frame": (READY + b"Traceback (most recent call last): oh no", "its answer is no answer: "),
    "a frame without end": (READY + frame(Frame.ROWS, b"x" * 100)[:-1], "stopped: it took longer than 0.3 s"),
    "a frame too long": (READY + b"A" + b"\xff" * 8, "its answer is no answer: it sent a frame longer"),
    "more rows than it may": (READY + frame(Frame.ROWS, b"x" * 1000) * 40, "its answer is no answer: it sent more"),
    "no Arrow": (READY + frame(Frame.ROWS, b"not arrow at all") + DONE, "its answer is no answer: "),
    "half of an Arrow stream": (READY + frame(Frame.ROWS, WHOLE[: len(WHOLE) // 2]) + DONE, "its answer is no answer: "),
    "text that is no UTF-8": (
        READY + frame(Frame.ROWS, stream(pa.table({"a": WRONG_UTF8}))) + DONE,
        "its answer is no answer: ",
    ),
    "no JSON": (READY + frame(Frame.DONE, b"done"), "its answer is no answer: "),
    "other JSON": (READY + frame(Frame.FAILED, b"[]"), "its answer is no answer: "),
    "ready twice": (READY + READY, "its answer is no answer: it said ready twice"),
}


@pytest.mark.parametrize(("says", "reason"), GARBAGE.values(), ids=GARBAGE.keys())
def test_an_answer_that_is_none_is_told_and_the_process_ended(
    says: bytes, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge_process, "GRACE_SECONDS", 0.5)
    monkeypatch.setattr(judge_process, "_CHUNK", 1 << 12)
    monkeypatch.setattr(judge_process, "_BOOT", speaking(says))
    with JudgeProcess(tmp_path / "roll.duckdb", Limits(max_bytes=20_000)) as process:
        found = process.ask(QUESTION)
        assert isinstance(found, Failed)
        assert found.reason.startswith(reason)
        assert process.pid is None


def test_a_whole_answer_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = b"".join(frame(Frame.ROWS, WHOLE[at : at + 7]) for at in range(0, len(WHOLE), 7))
    monkeypatch.setattr(judge_process, "_BOOT", speaking(READY + pieces + DONE))
    with JudgeProcess(tmp_path / "roll.duckdb", Limits()) as process:
        found = process.ask(QUESTION)
    assert isinstance(found, Rows)
    assert found.table.to_pydict() == {"finding": [1]}
    assert found.seconds == 0.5


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        ("sys.exit(7)", "the process that ran it ended (code 7)"),
        ("import os; os.abort()", "the process that ran it was ended by SIGABRT"),
        ("import os; os.kill(os.getpid(), 40)", "the process that ran it was ended by signal 40"),
    ],
)
def test_how_a_process_ended_is_told(then: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge_process, "_BOOT", speaking(READY, then))
    with JudgeProcess(tmp_path / "roll.duckdb", Limits()) as process:
        found = process.ask(QUESTION)
    assert isinstance(found, Failed)
    assert found.reason == reason


def test_a_process_that_cannot_start_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge_process, "_BOOT", "raise SystemExit(9)")
    with JudgeProcess(tmp_path / "roll.duckdb", Limits()) as process:
        found = process.ask(QUESTION)
    assert isinstance(found, Failed)
    assert found.reason == "the process that runs rules did not start (code 9)"


def test_a_machine_that_starts_no_process_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge_process, "_BOOT", "x" * 10_000_000)
    with JudgeProcess(tmp_path / "roll.duckdb", Limits()) as process:
        found = process.ask(QUESTION)
    assert isinstance(found, Failed)
    assert found.reason.startswith("the process that runs rules did not start: ")
    assert "too long" in found.reason


def test_a_roll_that_is_no_database_is_told_as_such(tmp_path: Path) -> None:
    for name, content in (("missing", None), ("text", b"not a database" * 1000)):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with JudgeProcess(path, Limits()) as process:
            found = process.ask(QUESTION)
        assert isinstance(found, Failed)
        assert found.reason.startswith("the roll cannot be opened: ")


def test_a_request_is_the_same_on_the_other_side() -> None:
    line = QUESTION.line()
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert Request.read(line) == QUESTION
    assert set(QUESTION.bound(frozenset({"as_of", "days", "unknown"}))) == {"as_of", "days"}
