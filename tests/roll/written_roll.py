"""A small linked roll written to a file under the roll's own DDL, and rules to ask it, for the tests of judging."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from tenure.roll.rules import Rule, parse_rule
from tenure.roll.tables import ROLL_TABLES

HEADER = """\
-- title = "Device is odd"
-- severity = "{severity}"
-- grain = "{grain}"
-- why = "Odd devices do odd things."
-- fix = "Make it even."
-- needs = {needs}
{more}"""

SHA = {name: (name * 64)[:64] for name in "abcdef"}

SOURCES = [
    {"source_key": 1, "kind": "cmdb", "name": "cmdb.csv", "partial": False},
    {"source_key": 2, "kind": "mosquitto-log", "name": "broker/mosquitto.log", "partial": False},
]
DEVICES = [{"device_key": n, "device_id": f"dev-{n}", "name": f"sensor {n}", "serial": f"S{n}"} for n in (1, 2, 3)]


def write_roll(path: Path, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> Path:
    """A closed DuckDB file with every table of the roll and these rows."""
    with duckdb.connect(str(path)) as connection:
        for table in ROLL_TABLES:
            connection.execute(table.ddl)
        for name, rows in tables.items():
            for row in rows:
                marks = ", ".join(f"${i}" for i in range(1, len(row) + 1))
                connection.execute(f"INSERT INTO {name} ({', '.join(row)}) VALUES ({marks})", list(row.values()))
    return path


def fleet(**more: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[Mapping[str, Any]]]:
    """Three devices of one inventory, and whatever else a test needs."""
    return {"source": SOURCES, "device": DEVICES, **more}


def rule(
    name: str, query: str, *, severity: str = "high", grain: str = "device", needs: str = '["device"]', more: str = ""
) -> Rule:
    """A rule as its file would give it. ``more`` is further TOML for the header."""
    further = "".join(f"-- {line}\n" for line in more.splitlines())
    return parse_rule(HEADER.format(severity=severity, grain=grain, needs=needs, more=further) + query, f"{name}.sql")


EACH_DEVICE = "SELECT device_key AS finding, device_key AS subject_device, serial AS marking FROM device"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")
