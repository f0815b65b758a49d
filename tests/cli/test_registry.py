"""The registry's database by the command line: made, brought up to date, looked at, pruned."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Tenure, script
from tests.cli.registry_world import Registered
from tests.databases import Cluster


def test_the_first_token_is_printed_once_and_opens_the_door(made: Registered) -> None:
    again = made.tenure("registry", "init")
    assert again.code == 0
    assert "tenure_" not in again.out
    file = made.secret("admin", made.token)
    assert "first administrator" in made.run("tokens", "list", "--token-file", file).out


def test_secrets_of_keys_are_for_their_user_alone(made: Registered) -> None:
    files = [path for path in (made.folder / "keys").rglob("*") if path.is_file()]
    secret = [path for path in files if stat.S_IMODE(path.stat().st_mode) == 0o600]
    assert secret
    assert all(b"PRIVATE" not in path.read_bytes() for path in set(files) - set(secret))


def test_a_folder_without_a_registry_does_not_get_an_empty_one(
    tenure: Tenure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (("devices", "list"), ("registry", "status"), ("registry", "upgrade"), ("ledger", "verify")):
        ran = tenure(*command)
        assert ran.code == 2
        assert "tenure registry init" in ran.err
    assert not list(tmp_path.glob("*.db"))


def test_status_says_what_waits(made: Registered) -> None:
    before = made.json("registry", "status")
    assert before["placed"] == 0
    assert before["waiting"] > 0
    made.run("ledger", "sequence")
    after = made.json("registry", "status")
    assert (after["placed"], after["waiting"]) == (before["waiting"], 0)
    assert after["restored"] == "no"


def test_postgresql_gets_its_schema_by_upgrade(
    tenure: Tenure, postgres: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = postgres.empty_database()
    monkeypatch.setenv("TENURE_KEYS", str(tmp_path / "keys"))
    url = postgres.url(name)
    ran = tenure("devices", "list", "--database", url)
    assert ran.code == 2
    assert "tenure registry upgrade" in ran.err
    assert tenure("registry", "upgrade", "--database", url).code == 0
    assert tenure("devices", "list", "--database", url).code == 0
    postgres.drop(name)


def test_a_database_that_does_not_answer_is_no_fault_of_the_call(
    tenure: Tenure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENURE_KEYS", str(tmp_path / "keys"))
    ran = tenure("devices", "list", "--database", f"postgresql://nobody:secret@/x?host={tmp_path}")
    assert ran.code == 3
    assert "secret" not in ran.err


def test_pruning_says_what_would_go_before_it_goes(made: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    assert made.json("registry", "prune") == {"rows": 0, "removed": False}
    made.run("owners", "add", "Plant", "--contact", "x@example.org")  # leaves the key of a repeated request
    from datetime import timedelta

    from tenure.wiring import registry as wiring

    now = wiring.now
    monkeypatch.setattr(wiring, "now", lambda: now() + timedelta(days=3))
    assert made.json("registry", "prune") == {"rows": 1, "removed": False}
    assert made.json("registry", "prune", "--delete") == {"rows": 1, "removed": True}
    assert made.json("registry", "prune", "--delete") == {"rows": 0, "removed": True}


def test_as_users_run_it(tmp_path: Path) -> None:
    env = {"TENURE_DATABASE": f"sqlite:///{tmp_path}/a/tenure.db", "TENURE_KEYS": str(tmp_path / "keys")}
    first = script("registry", "init", env=env)
    assert first.returncode == 0, first.stderr
    assert re.search(rb"shown this once: tenure_[0-9a-f]{32}_", first.stdout)
    assert b"Plant" in script("owners", "add", "Plant", "--contact", "x@example.org", env=env).stdout
    assert b"Plant" in script("owners", "list", env=env).stdout
