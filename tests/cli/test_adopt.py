"""`tenure adopt`: audited exports into the registry, and the registry's own export beside them: as many devices as before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.cli.conftest import AT
from tests.cli.registry_world import Registered

AFTER = ("--as-of", "2100-01-01T00:00:00Z")


@pytest.fixture
def audited(made: Registered, exports: Path) -> Path:
    """Four devices: one without an owner, one retired; a registry that knows their owner."""
    made.json("owners", "add", "Plant Operations", "--contact", "ops@plant.example")
    made.json("domains", "add", "plant.example")
    assert made.tenure("audit", exports, "-q", *AT).code == 0
    return exports


def adopt(made: Registered, folder: Path, *more: object) -> dict[str, Any]:
    given = ("--trust-domain", "plant.example", "--owner", "Plant Operations", "--reason", "first adoption")
    return dict(made.json_of("adopt", folder, *given, *more))


def roll(store: Path, query: str) -> list[tuple[Any, ...]]:
    (path,) = (store / "rolls").glob("*.duckdb")
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(query).fetchall()


IDS = "SELECT device_id FROM device ORDER BY 1"
STRONG = "SELECT DISTINCT kind, value, scope FROM identifier WHERE strong ORDER BY ALL"
SECRETS = "SELECT name, kind FROM credential WHERE kind = 'token' ORDER BY 1"


def test_the_next_audit_sees_one_device_and_one_credential(made: Registered, audited: Path, store: Path) -> None:
    before = [roll(store, query) for query in (IDS, STRONG, SECRETS)]
    done = adopt(made, audited)
    assert {"devices": 4, "known": 0, "credentials": 4, "left_out": 0}.items() <= done.items()
    assert made.run("registry", "export", audited / "registry").code == 0
    assert made.tenure("audit", audited, "-q", *AFTER).code in (0, 3)
    assert roll(store, "SELECT count(*) FROM device_record WHERE kind = 'registry'") == [(4,)]
    assert [roll(store, query) for query in (IDS, STRONG, SECRETS)] == before
    assert adopt(made, audited)["known"] == 4


def test_a_second_run_registers_nothing_new(made: Registered, audited: Path) -> None:
    adopt(made, audited)
    again = adopt(made, audited)
    assert {"devices": 0, "known": 4, "credentials": 0, "left_out": 0, "batches": []}.items() <= again.items()
    assert len(made.json("devices", "list")) == 4


def test_retired_hardware_comes_as_retired_and_owes_the_end_of_its_token(made: Registered, audited: Path) -> None:
    adopt(made, audited)
    (gone,) = made.json("devices", "list", "--state", "retired")
    assert gone["name"] == "pump-3"
    assert [o["kind"] for o in made.json("devices", "obligations", gone["id"])] == ["end-credential"]
    made.run("registry", "export", made.folder / "out")
    lines = (made.folder / "out" / "devices.jsonl").read_text("utf-8").splitlines()
    told = {row["name"]: row["state_since"] for row in map(json.loads, lines)}
    assert told["pump-3"].startswith("2026-06-0")


def test_a_dry_run_leaves_nothing(made: Registered, audited: Path) -> None:
    done = adopt(made, audited, "--dry-run")
    assert {"devices": 4, "credentials": 4, "dry_run": True, "batches": []}.items() <= done.items()
    assert made.json("devices", "list") == []


def test_what_is_left_out_is_told_and_the_rest_comes(made: Registered, audited: Path) -> None:
    rejects = made.folder / "left.jsonl"
    ran = made.run("adopt", audited, "--trust-domain", "plant.example", "--rejects", rejects)
    assert ran.code == 1
    assert "2 devices and 2 credentials adopted" in ran.out
    told = {row["name"]: row["problem"] for row in map(json.loads, rejects.read_text("utf-8").splitlines())}
    assert set(told) == {"pump-2", "pump-3"}
    assert "owner" in told["pump-2"]
    assert "needs a reason" in told["pump-3"]
    assert made.run("adopt", audited, "--rejects", rejects).code == 2


def test_names_are_mapped(made: Registered, audited: Path) -> None:
    made.json("owners", "add", "Pumps", "--contact", "pumps@plant.example")
    names = made.folder / "map.toml"
    names.write_text('[owner]\n"Plant Operations" = "Pumps"\n', "utf-8")
    done = adopt(made, audited, "--map", names)
    assert {"kind": "site", "name": "north", "devices": 3} in done["left_away"]
    by_name = {row["id"]: row["name"] for row in made.json("owners", "list")}
    owned = {row["name"]: by_name[row["owner"]] for row in made.json("devices", "list")}
    assert owned == {"pump-1": "Pumps", "pump-2": "Plant Operations", "pump-3": "Pumps", "pump-4": "Pumps"}
    names.write_text('[state]\nunknown = "transferring"\n', "utf-8")
    assert made.run("adopt", audited, "--map", names).code == 2


def test_a_folder_that_was_not_audited_is_refused(made: Registered, tmp_path: Path) -> None:
    ran = made.run("adopt", tmp_path / "nothing")
    assert ran.code == 2
    assert "run: tenure audit" in ran.err
