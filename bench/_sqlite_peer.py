"""The peer of the rules' bench: the same rule texts in SQLite, over the same rows. sqlglot carries the text over."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb
import sqlglot
from sqlglot import exp

from tenure.roll.rules import Rule
from tenure.roll.tables import TABLES_BY_NAME

BATCH = 100_000


def run_in_sqlite(roll: Path, rules: Sequence[Rule], as_of: datetime, folder: Path) -> dict[str, tuple[int, float]]:
    """Rule id -> (rows, seconds). Copies just the columns these rules name, keys indexed, and analyses them first."""
    path = folder / "peer.sqlite"
    path.unlink(missing_ok=True)
    peer = sqlite3.connect(path)
    peer.executescript(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; PRAGMA temp_store = MEMORY"
    )
    parsed = {rule.id: sqlglot.parse_one(rule.query, read="duckdb") for rule in rules}
    with duckdb.connect(str(roll), read_only=True) as con:
        for table, columns in _named(list(parsed.values())).items():
            _copy(con, peer, table, columns)
    peer.execute("ANALYZE")
    taken: dict[str, tuple[int, float]] = {}
    for rule in rules:
        query = parsed[rule.id].sql(dialect="sqlite").replace("$", ":")
        values = {"as_of": as_of.strftime("%Y-%m-%d %H:%M:%S"), **rule.parameters}
        started = time.perf_counter()
        rows = sum(1 for _ in peer.execute(query, values))
        taken[rule.id] = (rows, time.perf_counter() - started)
    peer.close()
    path.unlink()
    return taken


def _named(queries: Sequence[exp.Expr]) -> dict[str, list[str]]:
    tables = {t.name for q in queries for t in q.find_all(exp.Table)} & TABLES_BY_NAME.keys()
    columns = {c.name for q in queries for c in q.find_all(exp.Column)}
    return {t: [n for n, _, _ in TABLES_BY_NAME[t].columns if n in columns] for t in sorted(tables)}


def _copy(con: duckdb.DuckDBPyConnection, peer: sqlite3.Connection, table: str, columns: Sequence[str]) -> None:
    peer.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
    kinds = {n: k for n, k, _ in TABLES_BY_NAME[table].columns}
    shown = ", ".join(f"strftime({c}, '%Y-%m-%d %H:%M:%S')" if kinds[c] == "TIMESTAMP" else c for c in columns)
    result = con.execute(f"SELECT {shown} FROM {table}")
    marks = ", ".join("?" * len(columns))
    while rows := result.fetchmany(BATCH):
        peer.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
    for column in columns:
        if column == f"{table}_key" or (column.endswith("_key") and table == "binding"):
            peer.execute(f"CREATE INDEX {table}_{column} ON {table} ({column})")
    peer.commit()
