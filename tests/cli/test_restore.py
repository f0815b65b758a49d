"""After a backup was restored, by the command line: found, shut, settled. The flows are tested on both databases elsewhere."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.cli.registry_world import Registered


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """A file, which is a backup by being copied."""
    return f"sqlite:///{tmp_path}/tenure.db"


@pytest.fixture
def restored(made: Registered) -> Registered:
    """A registry that was shipped, and then taken back to where it was before a device was retired."""
    owner = made.json("owners", "add", "ours", "--contact", "x@example.org")["id"]
    domain = made.json("domains", "add", "plant.example")["id"]
    device = made.json("devices", "register", "--owner", owner, "--trust-domain", domain, "--state", "claimed")["id"]
    made.run("ledger", "sequence")
    file = Path(make_url(made.url).database or "")
    with sqlite3.connect(file) as here, sqlite3.connect(made.folder / "backup.db") as there:
        here.backup(there)
    assert made.run("devices", "retire", device, "--reason", "scrapped", "--yes").code == 0
    made.run("ledger", "sequence")
    for left in made.folder.glob("tenure.db*"):
        left.unlink()
    (made.folder / "backup.db").rename(file)
    return made


def test_the_latest_is_told(made: Registered) -> None:
    assert "this is the latest" in made.run("registry", "restore", "check").out
    assert made.run("registry", "restore", "settle", "--reason", "x").code == 0
    assert made.run("registry", "restore", "dismiss", "--reason", "x").code == 2  # nothing lies on the shelf yet


def test_a_gap_is_found_shut_and_settled(restored: Registered) -> None:
    [device] = restored.json("devices", "list")
    assert device["state"] == "claimed"
    checked = restored.run("registry", "restore", "check")
    assert checked.code == 1
    assert f"retire device {device['id']}" in checked.out
    assert restored.json("registry", "status")["restored"].startswith("yes")
    assert restored.run("owners", "add", "x", "--contact", "x@example.org").code != 0
    assert restored.run("registry", "restore", "dismiss", "--reason", "x").code == 2
    settled = restored.json("registry", "restore", "settle", "--reason", "the disk failed")
    assert any(entry["outcome"] == "replayed" and entry["subject"] == device["id"] for entry in settled["entries"])
    assert restored.json("devices", "show", device["id"])["state"] == "retired"
    assert restored.json("registry", "status")["restored"] == "no"
    restored.run("ledger", "sequence")
    assert restored.run("ledger", "verify").code == 0


def test_a_gap_is_found_before_the_first_change_is_made(restored: Registered) -> None:
    refused = restored.run("owners", "add", "x", "--contact", "x@example.org")
    assert refused.code != 0
    assert "tenure registry restore" in refused.err


def test_without_a_shelf_nothing_can_be_compared(made: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TENURE_LEDGER__SHELF")
    ran = made.run("registry", "restore", "check")
    assert ran.code == 2
    assert "ledger.shelf" in ran.err
