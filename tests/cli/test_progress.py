"""The progress bar: after two seconds, where somebody looks, with rate and time left."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tenure.cli.progress import PATIENCE_SECONDS, Bar, rate
from tests.cli.conftest import AT, Watched, script


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_short_work_shows_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Bar(wanted=True, clock=clock) as bar:
        bar.step("collecting", 1000, "bytes")
        clock.now = PATIENCE_SECONDS - 0.1
        bar.done(500)
        bar.step("linking")
    assert capsys.readouterr() == ("", "")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_longer_work_shows_one_on_standard_error(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    clock = Clock()
    with Bar(wanted=True, clock=clock) as bar:
        bar.step("collecting", 1000, "bytes")
        bar.done(400)
        clock.now = PATIENCE_SECONDS
        bar.done(100)
        bar.step("linking")
        bar.step("judging", 38, "rules")
        bar.done(19)
    assert capsys.readouterr().out == ""
    assert "collecting" in terminal.getvalue()
    assert "judging" in terminal.getvalue()
    assert " 50%" in terminal.getvalue()


@pytest.mark.parametrize("wanted", [False, None])
def test_none_where_nobody_looks(capsys: pytest.CaptureFixture[str], wanted: bool | None) -> None:
    clock = Clock()
    with Bar(wanted=wanted, clock=clock) as bar:  # None: as the terminal is, and here is none
        clock.now = 10
        bar.step("collecting", 1000, "bytes")
        bar.done(500)
    assert capsys.readouterr() == ("", "")
    assert not sys.stderr.isatty()


@pytest.mark.parametrize(
    ("speed", "unit", "text"),
    [
        (None, "bytes", ""),
        (0.0, "bytes", ""),
        (12.0, "", ""),
        (999.4, "bytes", "999 B/s"),
        (1_500.0, "bytes", "1.5 kB/s"),
        (12_340_000.0, "bytes", "12.3 MB/s"),
        (2_500_000_000.0, "bytes", "2.5 GB/s"),
        (3.21, "rules", "3.2 rules/s"),
        (12_345.0, "files", "12,345 files/s"),
    ],
)
def test_a_rate_for_people(speed: float | None, unit: str, text: str) -> None:
    assert rate(speed, unit) == text


def test_a_terminal_sees_it_while_there_is_work(exports: Path, tmp_path: Path) -> None:
    """At a terminal, with the patience taken away: the bar comes, and the report is whole on standard output."""
    env = {"TENURE_STORE": str(tmp_path / "s"), "TERM": "xterm", "PYTHONPATH": str(_impatient(tmp_path))}
    with Watched() as watched:
        ran = script("audit", exports, *AT, "-f", "json", env=env, capture_output=False, stdout=-1, stderr=watched.terminal)
    assert ran.returncode == 0
    assert ran.stdout.startswith(b"{")
    assert b"judging" in watched.seen


def _impatient(folder: Path) -> Path:
    path = folder / "impatient"
    path.mkdir()
    (path / "sitecustomize.py").write_text("import tenure.cli.progress as p\np.PATIENCE_SECONDS = 0.0\n")
    return path
