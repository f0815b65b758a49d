"""``tenure explain device``: found by any of its names, told for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from tests.cli.conftest import AT, Tenure


@pytest.mark.parametrize("wanted", ["SN100001", "sn100001", "02-00-00-00-00-01", "0200.0000.0001", "pump-1", "PUMP_1", "r1"])
def test_a_device_is_found_by_any_of_its_names(tenure: Tenure, exports: Path, wanted: str) -> None:
    assert tenure("audit", exports, *AT).code == 0
    ran = tenure("explain", "device", wanted, exports, "--json")
    assert (ran.code, ran.err) == (0, "")
    told = json.loads(ran.out)
    assert told["name"] == "pump-1"
    again = tenure("explain", "device", told["device_id"], exports)
    assert again.code == 0
    for text in ("pump-1", "cmdb.csv", "02:00:00:00:00:01", "tok-1", "broker"):
        assert text in again.out


def test_the_folder_is_here_by_default(tenure: Tenure, exports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tenure("audit", exports, *AT).code == 0
    monkeypatch.chdir(exports)
    assert "pump-4" in tenure("explain", "device", "pump-4").out


def test_before_an_audit_there_is_nothing_to_explain(tenure: Tenure, exports: Path) -> None:
    ran = tenure("explain", "device", "pump-1", exports)
    assert (ran.code, ran.out) == (2, "")
    assert f"run: tenure audit {exports}" in ran.err


def test_a_device_that_nobody_knows(tenure: Tenure, exports: Path) -> None:
    assert tenure("audit", exports, *AT).code == 0
    ran = tenure("explain", "device", "pump-99", exports)
    assert (ran.code, ran.out) == (2, "")
    assert "no device is known by 'pump-99'" in ran.err


@pytest.mark.parametrize("content", [b"half of a roll", None])
def test_a_roll_that_cannot_be_read_is_no_verdict(tenure: Tenure, exports: Path, store: Path, content: bytes | None) -> None:
    assert tenure("audit", exports, *AT).code == 0
    (roll,) = (store / "rolls").glob("*.duckdb")
    roll.unlink()
    if content is None:
        duckdb.connect(str(roll)).close()  # a roll of which nothing was made yet
    else:
        roll.write_bytes(content)
    ran = tenure("explain", "device", "pump-1", exports)
    assert (ran.code, ran.out) == (3, "")
    assert "cannot be read" in ran.err
    assert "Traceback" not in ran.err
