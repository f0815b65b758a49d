"""Every rule carries over to Spark SQL as it is: nothing unsupported, nothing warned of, parameters by name."""

from __future__ import annotations

import logging
import re

import pytest
import sqlglot
from sqlglot import exp

from tenure.roll.rules import Rule, builtin_folder, load_rules

RULES = load_rules(builtin_folder())


def test_there_are_rules() -> None:
    assert len(RULES) >= 38


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_carries_over_to_spark(rule: Rule, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="sqlglot"):
        found = sqlglot.transpile(rule.query, read="duckdb", write="spark", unsupported_level=sqlglot.ErrorLevel.RAISE)
    assert caplog.records == []
    (text,) = found
    before, after = sqlglot.parse_one(rule.query, read="duckdb"), sqlglot.parse_one(text, read="spark")
    assert isinstance(before, exp.Query)
    assert isinstance(after, exp.Query)
    assert after.named_selects == before.named_selects


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_declares_the_parameters_it_uses_and_no_more(rule: Rule) -> None:
    uncommented = re.sub(r"--[^\n]*", "", rule.query)
    used = set(re.findall(r"\$([a-z_][a-z0-9_]*)", uncommented))
    assert used - {"as_of"} == set(rule.parameters)
