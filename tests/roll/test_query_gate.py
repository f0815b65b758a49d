"""What a rule's query may be: one SELECT over the roll's tables that answers the same each time. All else is refused in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tenure.errors import RuleError
from tenure.roll import query_gate
from tenure.roll.judge_worker import open_roll
from tenure.roll.wire import Limits
from tests.roll.written_roll import fleet, write_roll


@pytest.fixture(scope="module")
def roll(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    path = write_roll(tmp_path_factory.mktemp("roll") / "roll.duckdb", fleet())
    with open_roll(str(path), Limits()) as connection:
        yield connection


ALLOWED = [
    "SELECT 1 AS finding",
    "SELECT device_key FROM device;",
    "-- a comment\nSELECT $as_of - INTERVAL 1 DAY * $days AS t FROM device /* another */",
    "WITH a AS (SELECT * FROM Device), b AS (SELECT * FROM a) SELECT * FROM b UNION ALL SELECT * FROM A",
    "SELECT d.* FROM device AS d LEFT JOIN credential USING (device_key) WHERE EXISTS (SELECT 1 FROM binding)",
    "SELECT row_number() OVER (PARTITION BY site_key ORDER BY device_key) AS n FROM device",
    "SELECT site_key, count(*) FILTER (WHERE active) AS c FROM device GROUP BY site_key HAVING count(*) > 1",
    "SELECT string_agg(name, ', ' ORDER BY name) AS names, count(DISTINCT serial) AS n FROM device",
    "SELECT CASE WHEN active THEN lower(name) ELSE coalesce(serial, '-') END AS x FROM device",
    "SELECT date_diff('day', installed_at, $as_of) AS y FROM device",
    "SELECT v.a FROM (VALUES (1), (2)) AS v(a) CROSS JOIN (SELECT 1) AS w",
    "SELECT 'read_csv(now())' AS text FROM device ORDER BY 1 LIMIT 5",
]

REFUSED = [
    ("", "0 statements"),
    ("SELECT 1; SELECT 2", "2 statements"),
    ("SELEC 1", "cannot be read"),
    ("COPY device TO '/tmp/stolen.csv'", "COPY"),
    ("ATTACH '/tmp/other.duckdb'", "ATTACH"),
    ("INSTALL httpfs", "no SELECT"),
    ("PRAGMA database_list", "PRAGMA"),
    ("SET threads = 1", "SET"),
    ("SET VARIABLE x = 1", "SET"),
    ("CREATE TEMP TABLE mine AS SELECT 1", "CREATE"),
    ("INSERT INTO device (device_key) VALUES (1)", "INSERT"),
    ("DELETE FROM device", "DELETE"),
    ("CALL pragma_version()", "CALL"),
    ("EXPLAIN SELECT 1", "EXPLAIN"),
    ("PIVOT device ON state USING count(*)", "no SELECT"),
    ("SHOW TABLES", "SHOW_REF"),
    ("SUMMARIZE device", "SHOW_REF"),
    ("WITH RECURSIVE r AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM r) SELECT * FROM r", "RECURSIVE"),
    ("SELECT * FROM read_csv('/etc/passwd')", "TABLE_FUNCTION"),
    ("SELECT * FROM read_text('/etc/passwd')", "TABLE_FUNCTION"),
    ("SELECT * FROM glob('/etc/*')", "TABLE_FUNCTION"),
    ("SELECT * FROM duckdb_secrets()", "TABLE_FUNCTION"),
    ("SELECT * FROM device, unnest([1])", "TABLE_FUNCTION"),
    ("SELECT (SELECT count(*) FROM query('SELECT 1')) AS a FROM device", "TABLE_FUNCTION"),
    ("SELECT * FROM '/etc/passwd'", "/etc/passwd, no table"),
    ('SELECT * FROM "/etc/passwd"', "/etc/passwd, no table"),
    ("SELECT * FROM information_schema.tables", "information_schema.tables"),
    ("SELECT * FROM duckdb_settings", "duckdb_settings, no table"),
    ("SELECT * FROM devices", "devices, no table"),
    ("SELECT 1 WHERE EXISTS (SELECT 1 FROM sqlite_master)", "sqlite_master, no table"),
    ("SELECT * FROM device ASOF JOIN session ON device.installed_at >= session.started_at", "ASOF"),
    ("SELECT * FROM device POSITIONAL JOIN site", "POSITIONAL"),
    ("SELECT * FROM device USING SAMPLE 10 ROWS", "sample"),
    ("SELECT * FROM device TABLESAMPLE 10%", "sample"),
    ("SELECT now() AS t", "now()"),
    ("SELECT current_date AS t", "same twice"),
    ("SELECT random() AS r FROM device", "random()"),
    ("SELECT any_value(name) AS n FROM device", "any_value()"),
    ("SELECT string_agg(name, ',') AS n FROM device", "string_agg()"),
    ("SELECT getenv('HOME') AS h", "getenv()"),
    ("SELECT current_setting('memory_limit') AS m", "current_setting()"),
    ("SELECT to_json(name) AS j FROM device", "to_json()"),
    ("SELECT name ->> 'x' AS j FROM device", "->>()"),
    ("SELECT 1 FROM device WHERE name ~ '^a'", "regexp_matches()"),
    ("SELECT 1 FROM device WHERE name SIMILAR TO 'a'", "regexp_full_match()"),
    ("SELECT 1 FROM device WHERE regexp_matches(name, 'a')", "regexp_matches()"),
    ("SELECT list(name) AS n FROM device", "list()"),
    ("SELECT array_agg(name) AS n FROM device", "array_agg()"),
    ("SELECT {'a': 1} AS n FROM device", "struct_pack()"),
    ("SELECT [1, 2][1] AS n", "takes lists"),
    ("SELECT MAP {'a': 1} AS n", "lists or structures"),
]  # fmt: skip


@pytest.mark.parametrize("query", ALLOWED)
def test_what_rules_are_made_of_passes(query: str, roll: duckdb.DuckDBPyConnection) -> None:
    query_gate.check(query, roll)


@pytest.mark.parametrize(("query", "said"), REFUSED)
def test_what_no_rule_may_do_is_refused_and_named(query: str, said: str, roll: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(RuleError) as caught:
        query_gate.check(query, roll)
    assert said in caught.value.problem
    assert caught.value.fix


def test_the_names_of_parameters_are_told(roll: duckdb.DuckDBPyConnection) -> None:
    found = query_gate.check("SELECT $days AS a, $as_of AS b, '$text' AS c -- $comment\nFROM device", roll)
    assert found == {"days", "as_of"}


def test_a_query_nested_beyond_reason_is_refused_and_nothing_breaks(roll: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(RuleError, match=r"cannot be (read|taken apart)"):
        query_gate.check("SELECT " + "(" * 5000 + "1" + ")" * 5000 + " AS finding", roll)
    query_gate.check("SELECT 1 AS finding", roll)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_blob('/proc/self/environ')",
        "SELECT * FROM parquet_metadata('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM '/etc/passwd'",
        "COPY device TO '/tmp/stolen.csv'",
        "EXPORT DATABASE '/tmp/stolen'",
        "ATTACH '/tmp/other.duckdb' AS other",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
        "RESET lock_configuration",
        "SELECT getenv('HOME')",
        "CREATE TABLE mine AS SELECT 1 AS a",
        "DELETE FROM device",
        "DROP TABLE device",
        "SELECT * FROM roll_of_python_variables",
    ],
)
def test_the_connection_refuses_by_itself_what_the_gate_would_have(statement: str, roll: duckdb.DuckDBPyConnection) -> None:
    roll_of_python_variables = [1]
    with roll.cursor() as own, pytest.raises(duckdb.Error):
        own.execute(statement).fetchall()
    assert roll_of_python_variables
    assert not list(Path("/tmp").glob("stolen*"))
