"""What a report says of a roll beside its findings: sources, coverage, problems and figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import duckdb

from tenure.evidence.snapshot import Snapshot
from tenure.model.findings import CoverageSummary, DayCount, FleetFigures, ProblemSummary, SourceSummary


def sources(con: duckdb.DuckDBPyConnection, snapshots: Sequence[Snapshot]) -> tuple[SourceSummary, ...]:
    """In the order of source keys: by kind, name, content id. Problems are those of collecting and of linking."""
    told = dict(con.execute("SELECT source_key, count(*) FROM problem GROUP BY source_key").fetchall())
    ordered = sorted((s.manifest for s in snapshots), key=lambda m: (m.kind, m.name, m.content_id))
    return tuple(
        SourceSummary(
            kind=m.kind,
            name=m.name,
            content_id=m.content_id,
            collected_at=m.collected_at,
            speaks_as_of=m.speaks_as_of,
            partial=m.partial,
            records={t: n for t, n in m.rows.items() if t != "problem"},
            problems=told.get(key, 0),
        )
        for key, m in enumerate(ordered, 1)
    )


def coverage(con: duckdb.DuckDBPyConnection) -> tuple[CoverageSummary, ...]:
    rows = con.execute(
        "SELECT r.name, s.name, c.since, c.until, c.declared FROM coverage c JOIN relying_party r USING (relying_party_key) "
        "LEFT JOIN site s USING (site_key) ORDER BY r.name, s.name NULLS FIRST, c.since"
    ).fetchall()
    return tuple(CoverageSummary(party, site, _utc(since), _utc(until), declared) for party, site, since, until, declared in rows)


def problems(con: duckdb.DuckDBPyConnection) -> tuple[ProblemSummary, ...]:
    rows = con.execute(
        "SELECT s.name, p.file, p.place, p.reason, p.sha256 FROM problem p JOIN source s USING (source_key) "
        "ORDER BY p.source_key, p.file, p.place, p.reason, p.sha256"
    ).fetchall()
    return tuple(ProblemSummary(*row) for row in rows)


def makers(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    return tuple(m for (m,) in con.execute("SELECT DISTINCT maker FROM device WHERE maker IS NOT NULL ORDER BY 1").fetchall())


def figures(con: duckdb.DuckDBPyConnection) -> FleetFigures:
    """Counts for the head and the charts of a report."""
    (devices,) = con.execute("SELECT count(*) FROM device").fetchone() or (0,)
    (usable,) = con.execute("SELECT count(*) FROM credential WHERE usable").fetchone() or (0,)
    by_domain: dict[str, dict[str, int]] = {}
    for domain, level, count in con.execute(_ASSURANCE).fetchall():
        by_domain.setdefault(domain, {})[str(level)] = count
    return FleetFigures(
        devices=devices,
        devices_by_state=dict(con.execute("SELECT state, count(*) FROM device GROUP BY state ORDER BY state").fetchall()),
        credentials_by_kind=dict(con.execute("SELECT kind, count(*) FROM credential GROUP BY kind ORDER BY kind").fetchall()),
        usable_credentials=usable,
        expiry_by_month=tuple(DayCount(day, count) for day, count in con.execute(_EXPIRY).fetchall()),
        usable_by_issuer=dict(con.execute(_BY_ISSUER).fetchall()),
        assurance_by_domain=by_domain,
    )


# Level 4 needs a fresh appraisal of measured state, which no export shows.
_ASSURANCE = """
WITH held AS (
    SELECT b.device_key, bool_or(c.usable AND c.kind = 'certificate' AND c.devices = 1 AND k.devices <= 1) AS own_key,
        bool_or(c.usable AND c.kind IN ('token', 'psk', 'password') AND coalesce(k.devices, 1) <= 1) AS own_secret
    FROM binding b JOIN credential c USING (credential_key) LEFT JOIN key k USING (key_key) GROUP BY b.device_key
)
SELECT coalesce(m.name, '(no trust domain)') AS domain, CASE WHEN h.own_key AND d.hardware_backed THEN 3 WHEN h.own_key THEN 2 WHEN h.own_secret THEN 1 ELSE 0 END AS level,
    count(*) AS devices
FROM device d LEFT JOIN held h USING (device_key) LEFT JOIN domain m USING (domain_key) WHERE d.in_service GROUP BY 1, 2 ORDER BY 1, 2
"""

_EXPIRY = """
SELECT strftime(date_trunc('month', not_after), '%Y-%m-%d'), count(*) FROM credential, roll
WHERE usable AND not_after IS NOT NULL AND not_after < as_of + INTERVAL 5 YEAR GROUP BY 1 ORDER BY 1
"""

_BY_ISSUER = """
SELECT coalesce(i.name, '(unknown)'), count(*) FROM credential c LEFT JOIN issuer i USING (issuer_key)
WHERE c.usable AND c.kind = 'certificate' GROUP BY 1 ORDER BY 2 DESC, 1
"""


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
