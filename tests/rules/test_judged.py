"""Every rule that comes with Tenure, run by the real engine: over an empty roll, and over a healthy one written to a file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tenure.model.vocabulary import RuleStatus
from tenure.roll.judge import judge
from tenure.roll.judge_process import JudgeProcess, Rows
from tenure.roll.packing import subject_columns
from tenure.roll.rules import Rule, builtin_controls_folder, builtin_folder, load_controls, load_rules
from tenure.roll.wire import Limits, Request
from tests.roll.written_roll import write_roll
from tests.rules.world import World

RULES = load_rules(builtin_folder())
TESTS = Path(__file__).parent


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JudgeProcess]:
    roll = write_roll(tmp_path_factory.mktemp("empty") / "roll.duckdb", {})
    with JudgeProcess(roll, Limits()) as process:
        yield process


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_runs_over_an_empty_roll_and_returns_the_columns_of_the_contract(rule: Rule, empty: JudgeProcess) -> None:
    found = empty.ask(Request(rule.query, "2026-11-01T00:00:00", dict(rule.parameters), 20.0))
    assert isinstance(found, Rows), found
    assert found.table.num_rows == 0
    assert subject_columns(found.table)
    assert "since" in found.table.column_names


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_mapped_and_has_tests_that_name_it(rule: Rule) -> None:
    assert load_controls(builtin_controls_folder()).of(rule.id)
    own = TESTS / f"test_{rule.id.replace('-', '_')}.py"
    assert own.exists() or any(f'"{rule.id}"' in path.read_text("utf-8") for path in TESTS.glob("test_*.py"))


def test_every_mapping_is_of_a_rule_that_exists() -> None:
    assert set(load_controls(builtin_controls_folder()).by_rule) <= {rule.id for rule in RULES}


def test_a_healthy_world_passes_the_whole_engine(world: World, as_of: datetime, tmp_path: Path) -> None:
    roll = tmp_path / "roll.duckdb"
    with world.connect() as connection:
        connection.execute(f"ATTACH '{roll}' AS kept")
        connection.execute(f"COPY FROM DATABASE {connection.sql('SELECT current_database()').fetchall()[0][0]} TO kept")
    found = judge(roll, RULES, as_of=as_of)
    assert found.findings == ()
    told = {one.id: one.status for one in found.outcomes}
    lacking = {rule.id for rule in RULES if any(not world.tables[table] for table in rule.needs)}
    assert {name for name, status in told.items() if status is RuleStatus.NOT_ASSESSED} <= lacking
    assert {name for name, status in told.items() if status is RuleStatus.ASSESSED} >= {rule.id for rule in RULES} - lacking
    assert len(told) == len(RULES)
    assert len(lacking) <= 4
