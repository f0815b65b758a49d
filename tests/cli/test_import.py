"""`tenure devices import`: files into the registry, and what comes of rejects."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.registry_world import Registered


@pytest.fixture
def file(made: Registered) -> Path:
    """Three devices, one of which cannot come in."""
    path = made.folder / "fleet.csv"
    rows = [f"d{number},{state},{os.urandom(32).hex()}\n" for number, state in enumerate(["", "claimed", ""])]
    path.write_text("name,state,idevid\n" + "".join(rows), "utf-8")
    return path


def counted(made: Registered) -> int:
    return len(made.json("devices", "list"))


def test_all_or_nothing_is_what_it_does_unasked(made: Registered, file: Path) -> None:
    ran = made.run("devices", "import", file)
    assert ran.code == 1
    assert ran.out == "nothing was imported, 1 records rejected\n"
    assert "line 3: a device that is claimed has an owner" in ran.err
    assert counted(made) == 0


def test_a_dry_run_says_what_would_come(made: Registered, file: Path) -> None:
    assert made.json_of("devices", "import", file, "--dry-run") == {"mode": "dry-run", "devices": 2, "rejects": 1, "batches": []}
    assert counted(made) == 0


def test_rejects_are_mended_and_imported_as_they_are(made: Registered, file: Path) -> None:
    rejects = made.folder / "rejects.csv"
    assert made.run("devices", "import", file, "--row-by-row", "--rejects", rejects).code == 1
    assert counted(made) == 2
    rejects.write_text(rejects.read_text("utf-8").replace("claimed,", "manufactured,", 1), "utf-8")
    ran = made.run("devices", "import", rejects, "--rejects", made.folder / "none.csv")
    assert ran.code == 0, ran
    assert counted(made) == 3
    assert not (made.folder / "none.csv").exists()
    assert made.run("devices", "import", file, "--rejects", rejects).code == 2


def test_json_lines_and_what_cannot_be_told(made: Registered) -> None:
    path = made.folder / "fleet.txt"
    path.write_text(json.dumps({"name": "a"}) + "\n", "utf-8")
    ran = made.run("devices", "import", path)
    assert ran.code == 2
    assert "--format" in ran.err
    assert made.run("devices", "import", path, "--format", "jsonl").code == 0
    assert made.run("devices", "import", path, "--format", "jsonl", "--dry-run", "--row-by-row").code == 2
    assert made.run("devices", "import", made.folder / "none.csv").code == 2


def test_only_the_first_rejects_are_told_where_no_file_takes_them(made: Registered) -> None:
    path = made.folder / "fleet.csv"
    path.write_text("name,state\n" + "a,broken\n" * 12, "utf-8")
    ran = made.run("devices", "import", path)
    assert ran.err.count("is no state") == 10
    assert "--rejects FILE takes all" in ran.out


def test_hardware_that_comes_as_lost_needs_a_reason(made: Registered) -> None:
    path = made.folder / "fleet.csv"
    path.write_text(f"state,puf\nlost,{'ab' * 32}\n", "utf-8")
    assert made.run("devices", "import", path).code == 1
    assert made.run("devices", "import", path, "--reason", "stolen from the yard").code == 0
