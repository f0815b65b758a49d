"""Where reports go: to standard output in its encoding, to files whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tenure.cli import screen


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "deep" / "report.json"
    screen.save("old", target)

    def full(self: Path, *_args: object, **_more: object) -> int:
        self.write_bytes(b"ne")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        screen.save("new", target)
    assert target.read_bytes() == b"old"
    assert [p.name for p in target.parent.iterdir()] == ["report.json"]


def test_what_is_no_file_is_written_to_and_stays_what_it_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    screen.save("report", tmp_path / "pipe")
    assert os.read(reader, 100) == b"report"
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize(("columns", "width"), [("20", 60), ("90", 90), ("400", 140)])
def test_the_width_is_one_that_can_be_read(monkeypatch: pytest.MonkeyPatch, columns: str, width: int) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert screen.width() == width


def test_text_for_programs_is_utf8_and_text_for_people_what_the_terminal_takes(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    screen.show("ä→\n", exact=True)
    assert capfdbinary.readouterr().out == "ä→\n".encode()
