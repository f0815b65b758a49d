"""Step 4 of linking: what brokers, clouds and sensors saw -> sessions of credentials and devices.

1. A broker's line and a sensor's record of one connection are one session: same peer address and port, begun within
   two minutes of each other. The sensor gives the certificate that the broker's line does not name, the broker gives
   the names and the outcome; the sensor's ``host:port`` becomes the broker it met most often.
2. A certificate decides who it was. Where none is known, the authenticated user name, then the client id, is linked if it
   is the CN of certificates of one device, or carries one device's strong identifier, or is the name of one device.
   A name never outweighs a certificate.
3. Folded by day, sessions are sightings.
"""

from __future__ import annotations

import duckdb

from tenure.roll import notations
from tenure.roll.identities import ROW

SAME_CONNECTION_SECONDS = 120
"""A broker and a sensor that disagree by more than this about the start of a connection saw two."""


def link_sessions(con: duckdb.DuckDBPyConnection) -> None:
    """Temp tables t_party (name -> relying_party_key), t_session, t_client."""
    con.execute(_SEEN)
    con.execute(_JOINED)
    con.execute(_PARTIES)
    con.execute(_CLIENTS)
    con.execute(_NAME_LINKS)
    con.execute(_SESSIONS)


_SEEN = f"""
CREATE OR REPLACE TEMP TABLE t_seen AS
SELECT s.source_key * {ROW} + s.row_in_source AS seen_key, s.* EXCLUDE (server_address, server_port, resumed, principal),
    coalesce(l.sensor, false) AS sensor
FROM e_session s LEFT JOIN (SELECT source_key, bool_or(sensor) AS sensor FROM e_log_span GROUP BY source_key) l USING (source_key)
"""  # noqa: S608 - a constant of ours

_JOINED = f"""
CREATE OR REPLACE TEMP TABLE t_met AS
WITH pair AS (
    SELECT b.seen_key AS broker_key, z.seen_key AS sensor_key, abs(epoch(b.started_at) - epoch(z.started_at)) AS apart
    FROM t_seen b JOIN t_seen z ON z.sensor AND NOT b.sensor AND z.address = b.address AND z.port = b.port
    WHERE abs(epoch(b.started_at) - epoch(z.started_at)) <= {SAME_CONNECTION_SECONDS}
),
nearest AS (
    SELECT *, row_number() OVER (PARTITION BY broker_key ORDER BY apart, sensor_key) AS of_broker,
        row_number() OVER (PARTITION BY sensor_key ORDER BY apart, broker_key) AS of_sensor FROM pair
)
SELECT broker_key, sensor_key FROM nearest WHERE of_broker = 1 AND of_sensor = 1;
CREATE OR REPLACE TEMP TABLE t_same_party AS  -- the sensor's host:port is the broker it met most often
SELECT sensor_party, arg_max(broker_party, met) AS broker_party FROM (
    SELECT z.relying_party AS sensor_party, b.relying_party AS broker_party, count(*) AS met
    FROM t_met m JOIN t_seen b ON b.seen_key = m.broker_key JOIN t_seen z ON z.seen_key = m.sensor_key GROUP BY 1, 2
) GROUP BY sensor_party
"""  # noqa: S608 - a constant of ours

_PARTIES = """
CREATE OR REPLACE TEMP TABLE t_party AS
WITH named AS (
    SELECT coalesce(p.broker_party, l.relying_party) AS name, l.kind, true AS collected FROM e_log_span l
        LEFT JOIN t_same_party p ON l.sensor AND p.sensor_party = l.relying_party
    UNION ALL SELECT relying_party, relying_party_kind, false FROM e_anchor
    UNION ALL SELECT coalesce(p.broker_party, s.relying_party), NULL, true FROM t_seen s
        LEFT JOIN t_same_party p ON s.sensor AND p.sensor_party = s.relying_party
    UNION ALL SELECT name, kind, false FROM t_declared_party
)
SELECT row_number() OVER (ORDER BY name) AS relying_party_key, name, coalesce(min(kind) FILTER (collected), min(kind), 'host') AS kind, bool_or(collected) AS collected
FROM named GROUP BY name
"""

_CLIENTS = """
CREATE OR REPLACE TEMP TABLE t_client AS
SELECT row_number() OVER (ORDER BY relying_party, client_id) AS client_key, relying_party, client_id FROM (
    SELECT DISTINCT relying_party, client_id FROM t_seen WHERE client_id IS NOT NULL
    UNION SELECT DISTINCT relying_party, client_id FROM e_takeover
)
"""

# Names are few where sessions are many: link each distinct name once.
_NAME_LINKS = rf"""
CREATE OR REPLACE TEMP TABLE t_said_name AS
SELECT DISTINCT text FROM (SELECT user_name AS text FROM t_seen WHERE user_name IS NOT NULL
    UNION ALL SELECT client_id FROM t_seen WHERE client_id IS NOT NULL);
CREATE OR REPLACE TEMP TABLE t_name_link AS
WITH by_cn AS (
    SELECT n.text, b.device_key FROM t_said_name n JOIN t_cert c ON c.subject_cn = n.text
    JOIN binding b ON b.credential_key = c.credential_key AND b.strong WHERE c.is_ca IS NOT TRUE
    UNION ALL
    SELECT n.text, b.device_key FROM t_said_name n JOIN t_cert c ON c.subject = n.text
    JOIN binding b ON b.credential_key = c.credential_key AND b.strong WHERE c.is_ca IS NOT TRUE
),
part AS (
    SELECT text, text AS part FROM t_said_name UNION ALL
    SELECT text, unnest(regexp_split_to_array(text, '[^0-9A-Za-z]+')) FROM t_said_name WHERE regexp_matches(text, '[^0-9A-Za-z]')
),
written AS (
    SELECT text, 'serial' AS kind, {notations.serial("part")} AS value FROM part WHERE length(part) >= 5
    UNION ALL SELECT text, '{notations.SERIAL_EXACT}', {notations.serial_exact("part")} FROM part
        WHERE length(part) >= 5 AND (SELECT count(*) FROM t_zeros) > 0
    UNION ALL SELECT text, 'mac', lower(part) FROM part WHERE length(part) = 12 AND regexp_full_match(lower(part), '[0-9a-f]{{12}}')
    UNION ALL SELECT text, 'mac', {notations.mac("text")} FROM t_said_name WHERE regexp_matches(lower(text), '[:.-][0-9a-f]{{2}}([0-9a-f]{{2}})?$')
    UNION ALL SELECT text, 'thing-name', text FROM t_said_name
),
notation AS (SELECT text, kind::t_identifier_kind AS kind, value FROM written),
by_strong AS (
    SELECT n.text, f.device_key FROM notation n JOIN t_found f ON f.kind = n.kind AND f.value = n.value AND f.strong
),
by_name AS (
    SELECT n.text, f.device_key FROM t_said_name n
    JOIN t_found f ON f.kind = 'name' AND f.value = {notations.name("n.text")}
),
found AS (
    SELECT text, 1 AS trust, device_key FROM by_cn UNION ALL SELECT text, 2, device_key FROM by_strong UNION ALL SELECT text, 3, device_key FROM by_name
),
-- A name that is the CN of certificates of two devices (a swap under one name) means neither; no weaker reading may decide it.
best AS (SELECT text, min(trust) AS trust FROM found GROUP BY text)
SELECT f.text, CASE f.trust WHEN 1 THEN 'common-name' WHEN 2 THEN 'strong' ELSE 'name' END AS link, min(f.device_key) AS device_key
FROM found f JOIN best b ON b.text = f.text AND b.trust = f.trust GROUP BY f.text, f.trust HAVING count(DISTINCT f.device_key) = 1
"""  # noqa: S608 - notations are ours

_SESSIONS = """
CREATE OR REPLACE TEMP TABLE t_session AS
WITH one AS (
    SELECT b.seen_key, coalesce(p.broker_party, b.relying_party) AS relying_party, b.relying_party AS said_party, b.source_key,
        b.started_at, coalesce(b.ended_at, z.ended_at) AS ended_at, b.address, b.port, b.outcome, b.outcome_text,
        coalesce(b.sha256, z.sha256) AS sha256, b.subject_kind, b.user_name, b.client_id, b.origin
    FROM t_seen b LEFT JOIN t_met m ON m.broker_key = b.seen_key LEFT JOIN t_seen z ON z.seen_key = m.sensor_key
    LEFT JOIN t_same_party p ON b.sensor AND p.sensor_party = b.relying_party
    ANTI JOIN t_met gone ON gone.sensor_key = b.seen_key
)
SELECT o.seen_key AS session_key, r.relying_party_key, o.source_key, o.started_at, o.ended_at, o.address, o.port,
    o.outcome, o.outcome = 'accepted' AS accepted,
    CASE WHEN o.sha256 IS NOT NULL THEN 'certificate' ELSE o.subject_kind END AS subject_kind,
    p.credential_key,
    CASE WHEN o.sha256 IS NOT NULL THEN h.device_key ELSE coalesce(u.device_key, c.device_key) END AS device_key,
    CASE WHEN o.sha256 IS NOT NULL THEN CASE WHEN h.device_key IS NOT NULL THEN 'certificate' END
        ELSE coalesce(u.link, c.link) END AS link,
    CASE WHEN o.sha256 IS NULL THEN CASE WHEN u.link IS NOT NULL THEN 'user-name' WHEN c.link IS NOT NULL THEN 'client-id' END END AS linked_by,
    o.user_name, o.client_id, k.client_key, o.origin
FROM one o JOIN t_party r ON r.name = o.relying_party LEFT JOIN t_pick p ON p.sha256 = o.sha256
LEFT JOIN t_holder h ON h.credential_key = p.credential_key
LEFT JOIN t_name_link u ON u.text = o.user_name
LEFT JOIN t_name_link c ON c.text = o.client_id
LEFT JOIN t_client k ON k.relying_party = o.said_party AND k.client_id = o.client_id
"""
