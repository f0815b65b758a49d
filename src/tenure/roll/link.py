"""Link snapshots into one roll: every device, credential and anchor once, with what each source claims beside it.

Same snapshots, same declarations, same as-of time give the same roll. The story, each step in its own module:

0. intake        snapshots as views; the sources
1. identities    what identifies, and what lost its power; devices: records -> devices, by connected components
2. certificates  each once; issuers; signatures decide who signed; revocations: who signed which list that lies by itself
3. credentials   secrets and keys join; statuses, issuance, roles, holders
4. sessions      broker and sensor lines of one connection are one; names are linked
5. anchors       which issuers lead to a collected anchor, which roots were replaced
6. vocabulary    coverage, standing, presence, reliance: usable, covered, in service ... computed once, in tables of documented shape
7. rights        policies evaluated
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from tenure.evidence.snapshot import Snapshot
from tenure.model.declarations import Declarations
from tenure.roll import (
    anchors,
    certificates,
    coverage,
    credentials,
    devices,
    identities,
    intake,
    presence,
    reliance,
    revocations,
    rights,
    sessions,
    standing,
)
from tenure.roll.tables import ROLL_TABLES


@dataclass(frozen=True, slots=True)
class Limits:
    """What linking may use. ``memory`` in DuckDB's words ("4GB"); more spills to disk."""

    memory: str = "4GB"
    threads: int = 2


@dataclass(frozen=True, slots=True)
class Roll:
    """A linked roll on disk."""

    path: Path
    as_of: datetime

    def connect(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self.path), read_only=True)


def link(
    snapshots: Sequence[Snapshot],
    declarations: Declarations,
    as_of: datetime,
    path: Path,
    *,
    limits: Limits = Limits(),
    edge_cache: Path | None = None,
    progress: Callable[[str], None] = lambda _step: None,
) -> Roll:
    """Make the roll at ``path`` (replaced if there). Raises LinkError when the file cannot be made.

    If we die on the way, the half-made file at ``path`` is replaced by the next run; nobody is told of it before.
    """
    con = intake.open_roll(path, memory=limits.memory, threads=limits.threads, spill=path.with_suffix(".spill"))
    try:
        progress("reading snapshots")
        intake.take_in(con, snapshots, declarations, as_of)
        progress("linking devices")
        devices.small_tables(con)
        identities.link_identifiers(con, declarations)
        devices.link_devices(con)
        progress("linking certificates")
        certificates.link_certificates(con, edge_cache)
        revocations.link_revocations(con)
        progress("linking credentials")
        credentials.link_credentials(con, declarations)
        progress("linking sessions")
        _declared_parties(con, declarations)
        sessions.link_sessions(con)
        intake.forget(
            con, "t_found", "t_shared", "t_shared_link", "t_record", "t_twice", "t_merged", "t_seen", "t_met", "t_name_link"
        )
        progress("following paths")
        anchors.judge_anchors(con)
        progress("computing the vocabulary")
        coverage.publish_parties(con, declarations)
        coverage.publish_sessions(con)
        standing.publish_credentials(con)
        presence.publish_devices(con)
        reliance.publish_authorities(con)
        rights.publish_rights(con)
        _whole(con)
        con.execute("CHECKPOINT")
    finally:
        con.close()
    return Roll(path, as_of)


def _declared_parties(con: duckdb.DuckDBPyConnection, declarations: Declarations) -> None:
    parties = declarations.relying_party
    intake.lend(
        con,
        "t_declared_party",
        name=(pa.string(), [p.name for p in parties]),
        kind=(pa.string(), [p.kind.value for p in parties]),
    )


def _whole(con: duckdb.DuckDBPyConnection) -> None:
    made = {name for (name,) in con.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary").fetchall()}
    missing = [t.name for t in ROLL_TABLES if t.name not in made]
    assert not missing, f"linking made no {', '.join(missing)}"
