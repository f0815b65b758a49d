"""What every rule owes: silence on a healthy fleet, a full header, columns of the contract, SQL that Spark understands."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
import sqlglot

from tenure.roll import query_gate
from tenure.roll.rules import GRAINS, builtin_folder
from tenure.roll.subjects import SUBJECT_COLUMNS
from tests.rules.world import World, healthy_world, rule_text

ALL = sorted(path.stem for path in builtin_folder().glob("*.sql"))


@pytest.fixture(scope="module")
def world() -> World:
    return healthy_world(datetime.fromisoformat("2026-11-01T00:00:00+00:00"))


def test_the_healthy_world_is_no_empty_one(world: World) -> None:
    assert len(world.tables["device"]) >= 10
    assert len(world.tables["credential"]) >= 15
    assert len(world.tables["session"]) >= 25


@pytest.mark.parametrize("rule", ALL)
def test_is_silent_on_a_healthy_fleet(rule: str, world: World) -> None:
    assert world.run(rule) == []


@pytest.mark.parametrize("rule", ALL)
def test_has_a_full_header(rule: str) -> None:
    text = rule_text(rule)
    assert text.title
    assert text.why
    assert text.fix
    assert text.reference
    assert text.needs


@pytest.mark.parametrize("rule", ALL)
def test_returns_the_columns_of_the_contract(rule: str, world: World) -> None:
    text = rule_text(rule)
    given = {"as_of": world.as_of.replace(tzinfo=None), **text.parameters}
    with world.connect() as connection:
        used = {name: given[name] for name in query_gate.check(text.query, connection)}
        columns = {name: str(kind) for name, kind, *_ in connection.execute(text.query, used).description or ()}
    assert "INT" in columns["finding"] or columns["finding"] == "NUMBER"
    assert "since" in columns
    subjects = {re.sub("_[2-9]$", "", name) for name in columns if name.startswith("subject_")}
    assert subjects
    assert subjects <= SUBJECT_COLUMNS
    assert set(GRAINS[text.grain]) & columns.keys()
    assert text.parameters.keys() <= used.keys(), "a parameter that the query does not use"
    assert set(text.moves_with_time) <= columns.keys() - {"finding", "since"}


@pytest.mark.parametrize("rule", ALL)
def test_is_sql_that_carries_over_to_spark(rule: str) -> None:
    (statement,) = sqlglot.transpile(
        rule_text(rule).query, read="duckdb", write="spark", unsupported_level=sqlglot.ErrorLevel.RAISE
    )
    assert statement
