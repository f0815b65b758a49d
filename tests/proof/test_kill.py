"""Killed at random moments under load, nothing acknowledged is lost. ``python -m bench.kill_rounds`` does it 200 times."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from bench._kill_check import check
from sqlalchemy import text

from tenure.ledger.folder_shelf import FolderShelf
from tenure.registry.device_changes import insert_device
from tenure.registry.registry import Registry
from tests.registry.healthy import BECAUSE, OPERATOR, a_device, a_root


def test_nothing_acknowledged_is_lost_and_nothing_is_half(database_url: str) -> None:
    """The rounds check themselves. A fresh process forks the writers, as this one has threads and connections."""
    command = [sys.executable, "-m", "bench.kill_rounds", "--rounds", "5", "--url", database_url, "--seed", "7"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    acknowledged = int(ran.stdout.split("rounds: ")[1].split(" ")[0].replace(",", ""))
    assert acknowledged > 10


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SELECT 1", None),
        ("DELETE FROM event", "acknowledged events of 0 are lost"),
        ("UPDATE instance SET sequence = 2", "has holes"),
        ("UPDATE device SET name = 'other'", "not what its last event says"),
        ("UPDATE device SET version = 2", "has 1 events"),
        ("DELETE FROM device", "in events only"),
        ("DELETE FROM hardware_root", "not what its last event says"),
    ],
)
def test_the_check_of_the_rounds_finds_what_is_half(
    registry: Registry, database_url: str, tmp_path: Path, statement: str, told: str | None
) -> None:
    shelf, acknowledged = tmp_path / "shelf", tmp_path / "acknowledged"
    acknowledged.mkdir()
    with registry.change(OPERATOR) as work:
        insert_device(work, a_device(roots=(a_root(),)), BECAUSE)
    (acknowledged / "0").write_text(f"{sha256(work.events[0].leaf()).hexdigest()}\n")
    with registry.engine.begin() as connection:
        if registry.engine.dialect.name == "sqlite":
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        else:
            connection.execute(text("SET session_replication_role = replica"))  # no references held, as on a torn disk
        if statement == "DELETE FROM device":
            connection.execute(text("DELETE FROM hardware_root"))
        connection.execute(text(statement))
    if told is None:
        assert check(database_url, FolderShelf(shelf), acknowledged) == (1, 1)
        return
    with pytest.raises(AssertionError, match=told):
        check(database_url, FolderShelf(shelf), acknowledged)
