"""``tenure rules``: the catalogue at the command line."""

from __future__ import annotations

import json
from pathlib import Path

from tenure.roll.rules import builtin_folder, load_rules
from tests.cli.conftest import Tenure


def test_all_rules_gravest_first(tenure: Tenure) -> None:
    ran = tenure("rules")
    rules = sorted(load_rules(builtin_folder()), key=lambda r: (r.severity.rank, r.id))
    assert (ran.code, ran.err) == (0, "")
    assert [line.split()[:2] for line in ran.out.splitlines()] == [[r.severity.value, r.id] for r in rules]


def test_one_rule_with_all_it_says(tenure: Tenure) -> None:
    ran = tenure("rules", "anchor-expires-soon")
    for text in ("anchor-expires-soon: ", "why: ", "fix: ", "parameter: days = 180", "SELECT"):
        assert text in ran.out


def test_for_programs(tenure: Tenure) -> None:
    told = {rule["id"]: rule for rule in json.loads(tenure("rules", "--json").out)}
    assert set(told) == {r.id for r in load_rules(builtin_folder())}
    assert told["anchor-expires-soon"]["parameters"] == {"days": 180}


def test_a_rule_of_ones_own(tenure: Tenure, tmp_path: Path) -> None:
    header = '-- title = "Own"\n-- severity = "low"\n-- grain = "device"\n-- why = "w"\n-- fix = "f"\n-- needs = ["device"]\n'
    (tmp_path / "own-rule.sql").write_text(f"{header}SELECT device_key AS finding, device_key AS subject_device FROM device")
    assert "own-rule" in tenure("rules", "--rules", tmp_path).out
    (tmp_path / "own-rule.sql").write_text("SELECT 1")
    ran = tenure("rules", "--rules", tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert "there is no header" in ran.err


def test_a_rule_that_does_not_exist(tenure: Tenure) -> None:
    ran = tenure("rules", "no-such-rule")
    assert (ran.code, ran.out) == (2, "")
    assert "no rule is called 'no-such-rule'" in ran.err
