"""The ledger by the command line: checked, proved, handed to an auditor; and what is said when somebody changed a row."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import update

from tenure.registry.opening import engine_for
from tenure.registry.tables.ledger import event
from tests.cli.registry_world import Registered


@pytest.fixture
def written(made: Registered, fleet: list[str]) -> Registered:
    """A registry with a handful of events, all placed and shipped."""
    ran = made.run("ledger", "sequence")
    assert ran.code == 0, ran
    assert "0 do not yet" in ran.out
    return made


def test_a_healthy_ledger_verifies(written: Registered) -> None:
    ran = written.run("ledger", "verify")
    assert ran.code == 0
    assert "every row is what it was" in ran.out
    told = written.json("ledger", "verify")
    assert told["sound"]
    assert told["rows"] == told["vouched"] > 0


def test_a_changed_row_is_named(written: Registered, database_url: str) -> None:
    engine = engine_for(database_url)
    with engine.begin() as connection:
        connection.execute(update(event).where(event.c.verb == "import").values(verb="register"))
    engine.dispose()
    ran = written.run("ledger", "verify")
    assert ran.code == 1
    assert "the first row changed is that of place" in ran.out


def test_a_checkpoint_that_was_kept_is_held_against_it(written: Registered) -> None:
    kept = written.folder / "kept"
    kept.write_text(written.run("ledger", "checkpoint").out, "utf-8")
    assert written.run("ledger", "verify", "--checkpoint", kept).code == 0
    kept.write_text("not one", "utf-8")
    assert written.run("ledger", "verify", "--checkpoint", kept).code == 1


def test_an_event_is_proved_and_checked_offline(written: Registered) -> None:
    [device, *_] = written.json("devices", "list")
    key = written.run("ledger", "keys").out.strip()
    proof = written.folder / "proof.json"
    assert written.run("ledger", "prove-import", device["id"], "--out", proof).code == 0
    ran = written.tenure("ledger", "check", proof, "--key", key)
    assert ran.code == 0
    assert '"verb":"import"' in ran.out
    assert "of 3 of its import" in ran.out
    assert written.tenure("ledger", "check", proof).code == 2
    changed = json.loads(proof.read_text("utf-8"))
    changed["row"]["index"] = (changed["row"]["index"] + 1) % 3
    proof.write_text(json.dumps(changed), "utf-8")
    assert written.tenure("ledger", "check", proof, "--key", key).code == 2


def test_the_event_of_a_change_is_proved(written: Registered) -> None:
    engine = engine_for(written.url)
    with engine.begin() as connection:
        [first, *_] = [row.id for row in connection.execute(event.select().where(event.c.verb == "import"))]
    engine.dispose()
    proof = written.folder / "event.json"
    assert written.run("ledger", "prove", first, "--out", proof).code == 0
    key = written.run("ledger", "keys").out.strip()
    assert written.tenure("ledger", "check", proof, "--key", key).code == 0


def test_the_bundle_is_checked_without_tenure(written: Registered) -> None:
    folder, archive = written.folder / "bundle", written.folder / "bundle.zip"
    assert written.run("ledger", "export", folder).code == 0
    key = written.run("ledger", "keys").out.strip()
    ran = subprocess.run([sys.executable, "checker.py", "--key", key, "."], cwd=folder, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert written.run("ledger", "export", archive).code == 0
    with zipfile.ZipFile(archive) as opened:
        assert {*opened.namelist()} == {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} - {"__pycache__"}
    for there in (folder, archive):
        assert written.run("ledger", "export", there).code == 2


def test_a_ledger_without_anything_has_no_bundle(made: Registered) -> None:
    ran = made.run("ledger", "export", made.folder / "none.zip")
    assert ran.code == 2
    assert not list(made.folder.glob("*none*"))


def test_without_a_shelf_it_says_so(made: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TENURE_LEDGER__SHELF")
    assert "names no folder" in made.run("ledger", "sequence").out
    told = made.json("ledger", "verify")
    assert (told["vouched"], told["sound"]) == (0, True)


def test_a_device_that_came_by_itself_is_in_no_import(made: Registered, tmp_path: Path) -> None:
    ran = made.run("ledger", "prove-import", "00000000-0000-7000-8000-000000000000", "--out", tmp_path / "x")
    assert ran.code == 2
    assert "no device" in ran.err
