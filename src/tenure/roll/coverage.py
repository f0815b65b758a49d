"""Step 6a of linking: who accepts identities, what of it is collected, and the sessions themselves as tables of the roll."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from tenure.evidence.schemas import INSTANT
from tenure.model.declarations import Declarations
from tenure.roll.intake import lend, publish


def publish_parties(con: duckdb.DuckDBPyConnection, declarations: Declarations) -> None:
    """relying_party, coverage (declared, else from the log for places whose devices appear in it)."""
    publish(con, "relying_party", "SELECT relying_party_key, name, kind, collected FROM t_party")
    rows = [
        (party.name, site, party.since, party.until)
        for party in declarations.relying_party
        if party.sites or party.since or party.until
        for site in (party.sites or (None,))
    ]
    names, sites, since, until = (list(c) for c in zip(*rows, strict=True)) if rows else ([], [], [], [])
    lend(
        con,
        "t_declared_coverage",
        name=(pa.string(), names),
        site=(pa.string(), sites),
        since=(INSTANT, since),
        until=(INSTANT, until),
    )
    publish(con, "coverage", _COVERAGE)


_COVERAGE = """
WITH span AS (
    SELECT p.relying_party_key, min(l.first_at) AS since, max(l.last_at) AS until
    FROM e_log_span l LEFT JOIN t_same_party m ON l.sensor AND m.sensor_party = l.relying_party
    JOIN t_party p ON p.name = coalesce(m.broker_party, l.relying_party) GROUP BY 1
),
declared AS (
    SELECT p.relying_party_key, s.site_key, coalesce(d.since AT TIME ZONE 'UTC', n.since) AS since, coalesce(d.until AT TIME ZONE 'UTC', n.until) AS until
    FROM t_declared_coverage d JOIN t_party p ON p.name = d.name LEFT JOIN site s ON s.name = d.site
    LEFT JOIN span n USING (relying_party_key) WHERE d.site IS NULL OR s.site_key IS NOT NULL
)
SELECT relying_party_key, site_key, since, until, true AS declared FROM declared WHERE since IS NOT NULL AND until IS NOT NULL
UNION ALL
SELECT n.relying_party_key, d.site_key, n.since, n.until, false
FROM (SELECT DISTINCT s.relying_party_key, b.site_key FROM t_session s JOIN t_device_base b USING (device_key) WHERE b.site_key IS NOT NULL) d
JOIN span n USING (relying_party_key) WHERE n.relying_party_key NOT IN (SELECT relying_party_key FROM declared)
"""


def publish_sessions(con: duckdb.DuckDBPyConnection) -> None:
    publish(con, "session", "SELECT * FROM t_session")
    publish(
        con,
        "sighting",
        "SELECT relying_party_key, credential_key, device_key, user_name, client_id, link, started_at::DATE AS day, min(started_at) AS first_at, "
        "max(started_at) AS last_at, count(*) FILTER (accepted) AS accepted, count(*) FILTER (outcome = 'refused') AS refused, "
        "count(DISTINCT address) AS addresses FROM t_session GROUP BY 1, 2, 3, 4, 5, 6, 7",
    )
    publish(
        con,
        "takeover",
        "SELECT p.relying_party_key, c.client_key, t.client_id, t.happened_at, t.old_address, t.new_address, t.old_user_name, t.new_user_name, "
        "t.source_key, t.origin FROM e_takeover t JOIN t_party p ON p.name = t.relying_party "
        "JOIN t_client c ON c.relying_party = t.relying_party AND c.client_id = t.client_id",
    )
