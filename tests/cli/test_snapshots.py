"""``tenure snapshots``: listing, and removing only when told to."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.cli.conftest import AT, Tenure


def ages(store: Path, days: int) -> None:
    """As if all snapshots had been collected so many days earlier."""
    for manifest in (store / "evidence").glob("*/manifest.json"):
        when = manifest.stat().st_mtime - days * 86_400
        os.utime(manifest, (when, when))


def test_an_empty_store_has_none(tenure: Tenure) -> None:
    ran = tenure("snapshots")
    assert (ran.code, ran.out) == (0, "0 snapshots, 0.0 MB\n")


def test_snapshots_are_listed(tenure: Tenure, exports: Path, store: Path) -> None:
    tenure("audit", exports, *AT)
    ages(store, 5)
    told = json.loads(tenure("snapshots", "--json").out)
    assert [(k["kind"], k["name"]) for k in told] == [
        ("cmdb", "cmdb.csv"), ("mosquitto-log", "broker.log"), ("secrets", "keys/tokens.csv"),
    ]  # fmt: skip
    assert all((store / "evidence" / k["content_id"]).is_dir() for k in told)
    lines = tenure("snapshots").out.splitlines()
    assert lines[0].split() == ["5", "d", "0.0", "MB", told[0]["content_id"], "cmdb", "cmdb.csv"]
    assert lines[-1].startswith("3 snapshots, ")


def test_pruning_says_what_would_go_and_does_it_when_told_to(tenure: Tenure, exports: Path, store: Path) -> None:
    tenure("audit", exports, *AT)
    ages(store, 40)
    (exports / "cmdb.csv").write_text((exports / "cmdb.csv").read_text().replace("pump-1", "pump-one"))
    tenure("audit", exports, *AT)  # the log and the tokens are as they were: not old
    old = tenure("snapshots", "prune", "--older-than", 30)
    assert old.code == 0
    assert old.out.splitlines()[-1].startswith("would remove 1 snapshot, ")
    assert len(list((store / "evidence").iterdir())) == 4
    assert json.loads(tenure("snapshots", "prune", "--keep", 1, "--json").out)[0]["name"] == "cmdb.csv"
    assert tenure("snapshots", "prune", "--keep", 1, "--delete").out.splitlines()[-1].startswith("removed 1 snapshot, ")
    assert len(list((store / "evidence").iterdir())) == 3
    assert tenure("snapshots", "prune", "--keep", 1).out.startswith("would remove 0 snapshots, ")


def test_pruning_needs_to_be_told_what_may_go(tenure: Tenure) -> None:
    ran = tenure("snapshots", "prune", "--delete")
    assert ran.code == 2
    assert "give --keep N, --older-than DAYS or both" in ran.err


def test_an_audit_clears_what_a_dead_one_left(tenure: Tenure, exports: Path, store: Path) -> None:
    draft = store / "evidence" / ".draft-00"
    draft.mkdir(parents=True)
    os.utime(draft, (0, 0))
    tenure("audit", exports, *AT)
    assert not draft.exists()
