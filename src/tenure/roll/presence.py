"""Step 6c of linking: devices as the records tell them and as they were seen; names of subjects that name nobody."""

from __future__ import annotations

import duckdb

from tenure.roll.intake import publish


def publish_devices(con: duckdb.DuckDBPyConnection) -> None:
    """device: what the records say, and what was seen of it; subject names that name nobody join the table identifier."""
    publish(con, "device", _DEVICE)
    con.execute(_NAMELESS)


_DEVICE = """
WITH now AS (SELECT as_of FROM roll),
seen AS (
    SELECT device_key, min(first_at) AS first_at, max(last_at) AS last_at FROM (
        SELECT device_key, min(started_at) AS first_at, max(started_at) AS last_at FROM t_session WHERE accepted AND device_key IS NOT NULL GROUP BY 1
        UNION ALL
        SELECT h.device_key, min(s.last_used_at), max(s.last_used_at) FROM t_secret s JOIN t_holder h USING (credential_key)
        WHERE s.last_used_at IS NOT NULL GROUP BY 1
    ) GROUP BY device_key
),
at_parties AS (  -- where it was seen, else wherever its place is covered
    SELECT DISTINCT device_key, relying_party_key FROM t_session WHERE device_key IS NOT NULL
),
place AS (
    SELECT b.device_key, c.relying_party_key, c.since, c.until FROM t_device_base b JOIN coverage c ON c.site_key = b.site_key
    UNION ALL SELECT b.device_key, c.relying_party_key, c.since, c.until FROM t_device_base b JOIN coverage c ON c.site_key IS NULL
),
own AS (
    SELECT p.device_key, max(p.since) AS since, min(p.until) AS until FROM place p
    JOIN at_parties a ON a.device_key = p.device_key AND a.relying_party_key = p.relying_party_key GROUP BY 1
),
any_ AS (SELECT device_key, max(since) AS since, min(until) AS until FROM place GROUP BY 1)
SELECT b.device_key, i.device_id,
    b.name, b.serial, b.maker, b.model, CASE WHEN regexp_full_match(translate(lower(b.mac), ':. -', ''), '[0-9a-f]{12}') THEN translate(lower(b.mac), ':. -', '') END AS mac, k.class_key, k.device_class, coalesce(k.rotation, 'unknown') AS rotation,
    b.site_key, b.domain_key, b.owner_key, b.managed_by, b.gateway_key, b.behind_gateway,
    coalesce(b.hardware_security, 'unknown') AS hardware_security, coalesce(b.hardware_security IN ('tpm2', 'secure-element'), false) AS hardware_backed,
    b.firmware, b.state, b.said_text AS state_text, b.said_by AS state_source_key, b.registered,
    b.state IN ('claimed', 'active', 'quarantined', 'transferring') AS in_service, b.state = 'active' AS active,
    b.state IN ('retired', 'lost') AS gone, CASE WHEN b.state IN ('retired', 'lost') THEN b.left_service_at END AS left_service_at,
    b.installed_at, b.discovered_at, b.owner_changed_at,
    coalesce(own.since, any_.since) IS NOT NULL AS covered, coalesce(own.since, any_.since) AS covered_since,
    coalesce(own.until, any_.until) AS covered_until, s.first_at AS first_seen_at, s.last_at AS last_seen_at, b.records
FROM t_device_base b JOIN t_identity i USING (device_key)
LEFT JOIN device_class k ON k.model = b.model
LEFT JOIN seen s USING (device_key) LEFT JOIN own USING (device_key) LEFT JOIN any_ USING (device_key)
"""

# A subject CN on certificates of several unrelated keys names nobody ("CN=CA"); certificates of one device may share theirs.
_NAMELESS = """
INSERT INTO identifier
-- Certificates of one CN: of the few that several share, ask whether they are related.
WITH met AS (SELECT hash(subject_cn) AS h FROM t_cert WHERE subject_cn IS NOT NULL AND spki_sha256 IS NOT NULL GROUP BY 1 HAVING count(*) > 1),
several AS (
    SELECT hash(subject_cn) AS h FROM t_cert c SEMI JOIN met m ON m.h = hash(c.subject_cn) LEFT JOIN t_holders d USING (credential_key)
    WHERE subject_cn IS NOT NULL AND spki_sha256 IS NOT NULL GROUP BY 1
    HAVING min(hash(spki_sha256)) <> max(hash(spki_sha256)) AND (min(d.device_key) <> max(d.device_key) OR min(hash(issuer)) <> max(hash(issuer)))
),
common AS (
    SELECT c.subject_cn AS value, count(*) AS credentials, count(DISTINCT d.device_key) AS devices,
        count(DISTINCT c.issuer) AS issuers
    FROM t_cert c SEMI JOIN several s ON s.h = hash(c.subject_cn) LEFT JOIN t_holders d ON d.credential_key = c.credential_key AND d.devices = 1
    WHERE c.spki_sha256 IS NOT NULL GROUP BY c.subject_cn
),
-- Unrelated: bound to three or more devices (two are a swap under one name), or a word that names nobody on certificates of different issuers.
nameless AS (
    SELECT value, credentials, devices FROM common
    WHERE devices > 2 OR (issuers > 1 AND lower(value) IN ('ca', 'root', 'root ca', 'ca root', 'device', 'client', 'server', 'localhost',
        'test', 'example', 'default', 'iot', 'iot device', 'my device', 'unknown', 'none', 'certificate', 'openssl', 'subject', 'issuer', 'name', 'cn'))
)
SELECT row_number() OVER (ORDER BY value), 'subject-name', value, NULL, false, true, 0, devices, credentials,
    'certificates of unrelated keys carry it as their subject CN'
FROM nameless
"""
