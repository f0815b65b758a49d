"""Step 0 of linking: snapshots as views over their Parquet files, and the sources they came from.

Every evidence table ``x`` becomes the view ``e_x`` over all snapshots, with ``source_key`` beside each row and instants
as UTC timestamps. Nothing is copied here; a table that no snapshot has is an empty view.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from tenure import __version__
from tenure.errors import LinkError
from tenure.evidence.schemas import INSTANT, TABLES
from tenure.evidence.snapshot import Snapshot
from tenure.model.declarations import Declarations
from tenure.roll.tables import TABLES_BY_NAME

INVENTORY_KINDS = frozenset({"cmdb", "registry"})
"""Kinds of source that decide device state and owner, where nobody declared who does."""

CREDENTIAL_KINDS = frozenset({"openssl-ca", "issuance-log", "aws-iot", "secrets", "registry"})
"""Kinds of source that decide the state of the credentials they issued or registered."""

DEFAULT_MAX_AGE_DAYS = {"mosquitto-log": 7.0, "aws-iot-log": 7.0, "zeek": 7.0, "openssl-ca": 14.0}
OTHER_MAX_AGE_DAYS = 30.0


def open_roll(path: Path, *, memory: str, threads: int, spill: Path) -> duckdb.DuckDBPyConnection:
    """A fresh DuckDB file at ``path``; what does not fit into ``memory`` spills below ``spill``."""
    path.unlink(missing_ok=True)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)
    try:
        con = duckdb.connect(str(path), config={"threads": threads, "memory_limit": memory, "temp_directory": str(spill)})
    except duckdb.Error as error:
        raise LinkError(f"cannot make the roll at {path}: {error}", "choose another place with --store") from error
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET preserve_insertion_order = false")
    con.execute("SET checkpoint_threshold = '1TB'")  # nobody reads the file before it is whole: one checkpoint, at the end
    return con


def publish(con: duckdb.DuckDBPyConnection, table: str, query: str, parameters: Sequence[object] | None = None) -> None:
    """Make a table of the roll from a query that yields its columns by name, in exactly the documented shape."""
    columns = TABLES_BY_NAME[table].columns
    shape = ", ".join(f"CAST(q.{name} AS {kind}) AS {name}" for name, kind, _ in columns)
    con.execute(TABLES_BY_NAME[table].ddl)
    con.execute(f"INSERT INTO {table} SELECT {shape} FROM ({query}) AS q", parameters or [])  # noqa: S608 - shapes are ours


def lend(con: duckdb.DuckDBPyConnection, table: str, **columns: tuple[pa.DataType, Iterable[object]]) -> None:
    """Make a temp table from Python values: one (Arrow type, values) per column, all of one length."""
    arrays: dict[str, pa.Array[Any]] = {name: pa.array(list(values), kind) for name, (kind, values) in columns.items()}
    con.register("lent", pa.table(arrays))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM lent")  # noqa: S608 - names are ours
    con.unregister("lent")


def forget(con: duckdb.DuckDBPyConnection, *tables: str) -> None:
    """Give back the memory of temp tables that no later step reads."""
    for table in tables:
        con.execute(f"DROP TABLE IF EXISTS {table}")


def take_in(con: duckdb.DuckDBPyConnection, snapshots: Sequence[Snapshot], declarations: Declarations, as_of: datetime) -> None:
    """Views ``e_*``, tables ``roll`` and ``source``. Source keys follow the order of (kind, name, content id)."""
    ordered = sorted(snapshots, key=lambda s: (s.manifest.kind, s.manifest.name, s.manifest.content_id))
    for name, table in TABLES.items():
        parts = [
            f"SELECT {key}::BIGINT AS source_key, file_row_number AS row_in_source, * EXCLUDE (file_row_number) "
            f"{_placed(snapshot.manifest.name) if 'origin' in table.names else ''}"
            f"FROM read_parquet({_quoted(str(path))}, file_row_number = true)"
            for key, snapshot in enumerate(ordered, 1)
            if (path := snapshot.parquet(name)) is not None
        ]
        if not parts:
            con.register(f"empty_{name}", table.schema.empty_table().append_column("row_in_source", pa.array([], pa.int64())))
            parts = [f"SELECT 0::BIGINT AS source_key, * FROM empty_{name}"]  # noqa: S608
        times = [c.name for c in table.columns if c.type == INSTANT]
        plain = ", ".join(f"({t} AT TIME ZONE 'UTC') AS {t}" for t in times)
        utc = f"REPLACE ({plain})" if times else ""
        view = f"CREATE OR REPLACE TEMP VIEW e_{name} AS SELECT * {utc} FROM ({' UNION ALL BY NAME '.join(parts)})"  # noqa: S608
        con.execute(view)
    con.execute(_FIRST_KEYS)
    publish(con, "roll", "SELECT ?::TIMESTAMP AS as_of, ? AS tenure_version", [_plain(as_of), __version__])
    _sources(con, ordered, declarations, as_of)
    publish(
        con,
        "problem",
        "SELECT source_key, file, place, reason, code, lower(hex(sha256)) AS sha256 FROM e_problem ORDER BY source_key, row_in_source",
    )


# Rows of one kind are numbered through all sources: key = before + row_in_source + 1, without a sort.
_FIRST_KEYS = """
CREATE OR REPLACE TEMP TABLE t_first AS
WITH rows AS (
    SELECT s.source_key, coalesce(r.rows, 0) AS records, coalesce(c.rows, 0) AS certificates
    FROM (SELECT source_key FROM e_device_record UNION SELECT source_key FROM e_certificate) s
    LEFT JOIN (SELECT source_key, count(*) AS rows FROM e_device_record GROUP BY 1) r USING (source_key)
    LEFT JOIN (SELECT source_key, count(*) AS rows FROM e_certificate GROUP BY 1) c USING (source_key)
)
SELECT source_key, (sum(records) OVER w - records)::BIGINT AS records_before, (sum(certificates) OVER w - certificates)::BIGINT AS certificates_before
FROM rows WINDOW w AS (ORDER BY source_key ROWS UNBOUNDED PRECEDING)
"""


def _placed(source: str) -> str:
    """Origins below a folder are told from the audited folder on: ``newcerts/1.pem`` of ``ca`` is ``ca/newcerts/1.pem``."""
    if source == ".":
        return ""
    placed = f"origin = {_quoted(source)} OR starts_with(origin, {_quoted(source + '/')}) OR starts_with(origin, {_quoted(source + '#')})"
    return f"REPLACE (CASE WHEN {placed} THEN origin ELSE {_quoted(source + '/')} || origin END AS origin) "


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _sources(con: duckdb.DuckDBPyConnection, snapshots: Sequence[Snapshot], declarations: Declarations, as_of: datetime) -> None:
    con.execute(TABLES_BY_NAME["source"].ddl)
    for key, snapshot in enumerate(snapshots, 1):
        m = snapshot.manifest
        declared = declarations.for_path(m.name)
        speaks = declared.as_of or m.speaks_as_of
        most = (
            declared.max_age_days if declared.max_age_days is not None else DEFAULT_MAX_AGE_DAYS.get(m.kind, OTHER_MAX_AGE_DAYS)
        )
        age = None if speaks is None else max(0.0, (as_of - speaks).total_seconds() / 86400)
        con.execute(
            "INSERT INTO source VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                key, m.kind, m.name, m.content_id, _plain(m.collected_at), None if speaks is None else _plain(speaks),
                m.partial, most, age, age is not None and age > most,
                _decides(m.name, m.kind, declarations.authoritative.device_state, INVENTORY_KINDS),
                _decides(m.name, m.kind, declarations.authoritative.credential_state, CREDENTIAL_KINDS),
            ],
        )  # fmt: skip


def _decides(name: str, kind: str, declared: tuple[str, ...], kinds: frozenset[str]) -> bool:
    if declared:
        paths = [path.strip("/").removeprefix("./") for path in declared]
        return any(path in ("", ".") or name == path or name.startswith(path + "/") for path in paths)
    return kind in kinds


def _plain(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
