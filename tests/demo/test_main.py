"""``python -m tenure.demo``: writes, audits, shows, says what to do next; touches nothing it did not make."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tenure.cli.main import app
from tenure.demo.__main__ import MARK, main
from tenure.errors import TenureError


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "out"


@pytest.fixture(scope="module")
def shown(out: Path) -> str:
    """What the demo printed, run into a folder of its own."""
    import contextlib
    import io

    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        assert main(["--out", str(out), "--devices", "120", "--as-of", "2026-11-01"]) == 0
    return text.getvalue()


def test_it_prints_the_report_and_where_the_others_lie(shown: str, out: Path) -> None:
    assert "Audit of machine identities as of 2026-11-01 00:00 UTC" in shown
    assert "38 of 38 rules assessed" in shown
    assert "all that was planted was found" in shown
    assert f"{out / 'report.html'}" in shown
    assert (out / "report.html").read_text("utf-8").startswith("<!doctype html>")
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert len(report["findings"]) == len(json.loads((out / MARK).read_text("utf-8")))


def test_the_commands_it_names_work(shown: str, out: Path) -> None:
    line = next(line for line in shown.splitlines() if " explain device " in line)
    command = line[line.index("explain") :]
    explained = CliRunner().invoke(app, shlex.split(command))
    assert explained.exit_code == 0, explained.output
    assert "gw-" in explained.output


def test_the_command_line_finds_the_same(shown: str, out: Path) -> None:
    result = CliRunner().invoke(
        app,
        ["audit", str(out / "exports"), "--as-of", "2026-11-01", "--store", str(out / "store"), "--format", "json", "--quiet"],
    )
    again, first = json.loads(result.stdout), json.loads((out / "report.json").read_text("utf-8"))
    assert [(f["id"], f["rule"], f["subjects"]) for f in again["findings"]] == [
        (f["id"], f["rule"], f["subjects"]) for f in first["findings"]
    ]


def test_it_runs_again_in_its_own_folder_and_refuses_a_foreign_one(shown: str, out: Path, tmp_path: Path) -> None:
    stray = out / "exports" / "aws" / "list-things.old.json"
    stray.write_text("{}")
    assert main(["--out", str(out), "--devices", "100", "--as-of", "2026-11-01"]) == 0
    assert not stray.exists()
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(TenureError, match="not empty"):
        main(["--out", str(tmp_path)])
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_too_few_devices_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(TenureError, match="no room"):
        main(["--out", str(tmp_path / "out"), "--devices", "3"])
    assert not (tmp_path / "out").exists()
