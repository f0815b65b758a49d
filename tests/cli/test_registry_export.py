"""`tenure registry export`: what is in the registry is what the audit's source reads, and an older export is replaced."""

from __future__ import annotations

import json
from typing import Any

from tests.cli.registry_world import Registered


def lines(made: Registered, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (made.folder / "out" / name).read_text("utf-8").splitlines()]


def test_devices_are_told_with_names_roots_and_states(made: Registered, fleet: list[str]) -> None:
    ran = made.run("registry", "export", made.folder / "out")
    assert ran.code == 0, ran
    assert "3 devices, 0 credentials" in ran.out
    told = {row["name"]: row for row in lines(made, "devices.jsonl")}
    claimed = {"owner": "Plant operations", "trust_domain": "plant.example", "serial": "00001001", "state": "claimed"}
    assert claimed.items() <= told["pump-1"].items()
    assert [told[f"pump-{n}"]["roots"] for n in (1, 2, 3)] == [[root] for root in fleet]
    assert "owner" not in told["pump-2"]


def test_what_is_buried_is_told_and_the_older_export_replaced(made: Registered, fleet: list[str]) -> None:
    assert made.run("registry", "export", made.folder / "out").code == 0
    gone = made.json("devices", "find", "--root", fleet[1])[0]["id"]
    assert made.run("devices", "retire", gone, "--reason", "scrapped", "--yes").code == 0
    counts = made.json("registry", "export", made.folder / "out")["rows"]
    assert counts == {"devices": 3, "credentials": 0, "anchors": 0, "issuers": 0, "tombstones": 1}
    (stone,) = lines(made, "tombstones.jsonl")
    assert (stone["spki"], stone["kind"], stone["device"], stone["state"]) == (fleet[1], "root", gone, "retired")
    assert stone["holder"] == {"kind": "hardware-key", "value": fleet[1]}


def test_a_folder_of_something_else_stays_as_it_is(made: Registered, fleet: list[str]) -> None:
    (made.folder / "out").mkdir()
    (made.folder / "out" / "letters.txt").write_text("dear", "utf-8")
    ran = made.run("registry", "export", made.folder / "out")
    assert ran.code == 2
    assert "is no export of a registry" in ran.err
    assert [path.name for path in (made.folder / "out").iterdir()] == ["letters.txt"]
