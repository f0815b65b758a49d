"""Step 6 of linking: the vocabulary columns, computed once, and the tables of the roll in their documented shape.

What each word means stands in ``tables.py``; here is how it is had. Order matters: a credential's state and use come
before its device's, and what hangs under an anchor comes last, since it counts usable credentials.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from tenure.evidence.schemas import INSTANT
from tenure.model.declarations import Declarations
from tenure.roll.anchors import cloud_roots_in_use
from tenure.roll.intake import lend, publish

FIFTY_YEARS_DAYS = 50 * 365.25


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


def publish_credentials(con: duckdb.DuckDBPyConnection) -> None:
    """credential, key; needs the issuers judged and the sessions linked."""
    con.execute(_USE)
    con.execute(_STATE)
    con.execute(_ALL)
    con.execute(_USABLE)
    publish(con, "credential", _CREDENTIAL)
    publish(con, "key", _KEY)


# ``maybe``: a session that told only a name may be any certificate of that device that bears the name and was valid then.
_USE = """
CREATE OR REPLACE TEMP TABLE t_use AS
SELECT credential_key, min(started_at) AS first_at, max(started_at) AS last_at FROM t_session
WHERE accepted AND credential_key IS NOT NULL GROUP BY credential_key
UNION ALL
SELECT credential_key, min(last_used_at), max(last_used_at) FROM t_secret WHERE last_used_at IS NOT NULL GROUP BY credential_key;
CREATE OR REPLACE TEMP TABLE t_maybe AS
WITH nameless AS (
    SELECT device_key, user_name, started_at::DATE AS day, max(started_at) AS last_at FROM t_session
    WHERE accepted AND credential_key IS NULL AND subject_kind IN ('name', 'client-id') GROUP BY 1, 2, 3
),
held AS (
    SELECT c.credential_key, n.last_at FROM nameless n JOIN t_holder h USING (device_key) JOIN t_cert c ON c.credential_key = h.credential_key
    WHERE (n.user_name IS NULL OR n.user_name = c.subject_cn OR n.user_name = c.subject)
        AND n.day BETWEEN c.not_before::DATE AND c.not_after::DATE
),
unheld AS (  -- of no device we know: its name is all there is
    SELECT c.credential_key, n.last_at FROM t_cert c ANTI JOIN t_holders h USING (credential_key)
    JOIN nameless n ON n.user_name = c.subject_cn AND n.day BETWEEN c.not_before::DATE AND c.not_after::DATE
    WHERE c.is_ca IS NOT TRUE
)
SELECT credential_key, max(last_at) AS last_at FROM (FROM held UNION ALL FROM unheld) GROUP BY credential_key
"""

_STATE = """
CREATE OR REPLACE TEMP TABLE t_ended AS
SELECT credential_key, bool_or(status IN ('revoked', 'suspended', 'deactivated')) AS ended,
    min(effective_at) FILTER (status IN ('revoked', 'suspended', 'deactivated')) AS ended_at,
    min(effective_at) FILTER (status = 'revoked') AS revoked_at, bool_or(status = 'valid') AS said_valid,
    bool_or(status = 'pending') AS pending
FROM status GROUP BY credential_key;
CREATE OR REPLACE TEMP TABLE t_issue_time AS
SELECT credential_key, min(issued_at) AS issued_at, min(not_after) AS not_after, min(subject) AS subject, min(source_key) AS source_key, min(origin) AS origin
FROM issuance WHERE credential_key IS NOT NULL GROUP BY credential_key
"""

# Narrow on purpose: ten million rows pass through several steps, and wide text is joined once at the end.
_ALL = """
CREATE OR REPLACE TEMP TABLE t_credential AS
SELECT c.credential_key, 'certificate' AS kind, r.role, k.key_key, i.issuer_key, coalesce(i.verified, false) AS issuer_verified,
    c.not_before, c.not_after, t.issued_at, NULL::TIMESTAMP AS secret_ended_at
FROM t_cert c JOIN t_role r USING (credential_key) LEFT JOIN t_cert_issuer i USING (credential_key)
LEFT JOIN t_key_of k USING (credential_key) LEFT JOIN t_issue_time t USING (credential_key)
UNION ALL
SELECT s.credential_key, 'certificate', 'unknown', NULL, s.issuer_key, false, t.issued_at, t.not_after, t.issued_at, NULL
FROM t_serial_only s LEFT JOIN t_issue_time t USING (credential_key)
UNION ALL
SELECT s.credential_key, min(s.kind), min(s.role), min(k.key_key), NULL, false, min(s.created_at), max(s.expires_at), min(s.created_at), min(s.ended_at)
FROM t_secret s LEFT JOIN t_key_of k USING (credential_key) GROUP BY s.credential_key
"""

# SSH and raw keys are never usable here: that somebody noted a key does not show who would accept it.
_USABLE = """
CREATE OR REPLACE TEMP TABLE t_usable AS
WITH now AS (SELECT as_of FROM roll),
state AS (
    SELECT c.credential_key, c.kind, c.role, c.issued_at, c.not_before,
        c.not_after IS NOT NULL AND c.not_after < now.as_of AS expired,
        c.not_before IS NOT NULL AND c.not_before > now.as_of AND c.kind = 'certificate' AS not_yet_valid,
        coalesce(e.ended, false) OR coalesce(c.secret_ended_at <= now.as_of, false) AS ended,
        least(e.ended_at, c.secret_ended_at) AS ended_at, e.revoked_at, coalesce(e.said_valid, false) AS said_valid,
        coalesce(e.pending, false) AS pending,
        coalesce(a.issuer_key IS NOT NULL AND c.issuer_verified, false) OR p.credential_key IS NOT NULL AS anchored,
        coalesce(a.operation AND c.issuer_verified, false) OR coalesce(p.operation, false) AS anchored_for_operation
    FROM t_credential c CROSS JOIN now LEFT JOIN t_ended e USING (credential_key) LEFT JOIN t_anchored a USING (issuer_key)
    LEFT JOIN (  -- certificates that are pinned themselves
        SELECT t.credential_key, bool_or(e.purpose IS NULL OR e.purpose = 'operation') AS operation
        FROM e_anchor e JOIN t_pick t USING (sha256) GROUP BY 1
    ) p USING (credential_key)
)
SELECT *, said_valid AND NOT ended AS active_at_issuer,
    NOT expired AND NOT not_yet_valid AND NOT ended AND CASE
        WHEN kind IN ('ssh-key', 'raw-key') THEN false WHEN kind <> 'certificate' THEN true
        WHEN role = 'birth' THEN anchored_for_operation OR said_valid
        ELSE anchored OR said_valid END AS usable
FROM state;
CREATE OR REPLACE TEMP TABLE t_rank AS
SELECT u.credential_key, row_number() OVER w = 1 AS newest_of_role, lag(u.credential_key) OVER w AS usable_successor
FROM t_usable u JOIN t_credential c USING (credential_key) JOIN t_holder h USING (credential_key)
WHERE u.usable
WINDOW w AS (PARTITION BY h.device_key, u.kind, u.role ORDER BY coalesce(c.not_before, c.issued_at) DESC NULLS LAST, u.credential_key);
CREATE OR REPLACE TEMP TABLE t_successor AS
SELECT c.credential_key, lag(c.credential_key) OVER (
    PARTITION BY h.device_key, c.kind, c.role ORDER BY coalesce(c.not_before, c.issued_at) DESC NULLS LAST, c.credential_key) AS successor_key
FROM t_credential c JOIN t_holder h USING (credential_key)
"""

_CREDENTIAL = f"""
WITH told AS (  -- what is known of those that are no collected certificate
    SELECT s.credential_key, coalesce(t.subject, s.serial_hex) AS name, s.serial_hex, t.subject, NULL AS scopes,
        coalesce(t.source_key, e.source_key) AS source_key, coalesce(t.origin, e.origin) AS origin
    FROM t_serial_only s LEFT JOIN t_issue_time t USING (credential_key)
    LEFT JOIN (SELECT credential_key, min(source_key) AS source_key, min(origin) AS origin FROM status GROUP BY 1) e USING (credential_key)
    UNION ALL
    SELECT credential_key, min(secret_id), NULL, NULL, min(scopes), min(source_key), min(origin) FROM t_secret GROUP BY credential_key
)
SELECT c.credential_key, c.kind, c.role, coalesce(x.subject_cn, x.subject, o.name, x.serial_hex) AS name, lower(hex(x.sha256)) AS sha256,
    coalesce(x.serial_hex, o.serial_hex) AS serial_hex, coalesce(x.subject, o.subject) AS subject, x.subject_o, c.key_key, c.issuer_key,
    c.issuer_verified, coalesce(x.self_issued, false) AS self_signed, x.signature_hash, c.not_before,
    CASE WHEN year(c.not_after) >= 9999 THEN NULL ELSE c.not_after END AS not_after,
    (c.not_after IS NULL AND (c.kind IN ('token', 'psk', 'password') OR (c.kind = 'certificate' AND x.sha256 IS NOT NULL AND c.not_before IS NOT NULL)))
        OR coalesce(year(c.not_after) >= 9999, false)
        OR coalesce(date_diff('day', c.not_before, c.not_after) > {FIFTY_YEARS_DAYS}, false) AS no_expiry,
    (epoch(c.not_after) - epoch(c.not_before)) / 86400.0 AS lifetime_days, coalesce(c.issued_at, c.not_before) AS issued_at,
    x.crl_urls IS NOT NULL AS crl_url, x.ocsp_urls IS NOT NULL AS ocsp_url, coalesce(x.is_ca, false) AS ca, i.reason AS test_issuer, o.scopes,
    CASE WHEN hs.devices = 1 THEN hs.device_key END AS device_key, coalesce(hs.devices, 0) AS devices, u.expired, u.not_yet_valid, u.revoked_at, u.ended,
    u.ended_at, u.anchored, u.anchored_for_operation, u.active_at_issuer, u.usable, s.first_at AS first_used_at, s.last_at AS last_used_at,
    greatest(s.last_at, m.last_at) AS last_maybe_used_at, coalesce(r.newest_of_role, false) AS newest_of_role, n.successor_key,
    coalesce(x.source_key, o.source_key) AS source_key, coalesce(x.origin, o.origin) AS origin
FROM t_credential c JOIN t_usable u USING (credential_key) LEFT JOIN t_cert x USING (credential_key) LEFT JOIN told o USING (credential_key)
LEFT JOIN t_holders hs USING (credential_key)
LEFT JOIN t_use s USING (credential_key) LEFT JOIN t_maybe m USING (credential_key) LEFT JOIN t_rank r USING (credential_key)
LEFT JOIN t_successor n USING (credential_key) LEFT JOIN t_test_issuer i ON i.issuer_key = c.issuer_key
"""  # noqa: S608 - a constant of ours

_KEY = """
WITH shared AS (
    SELECT k.key_key, count(*) AS credentials, min(least(c.not_before, c.issued_at)) AS first_known_at
    FROM t_key_of k JOIN t_credential c USING (credential_key) WHERE k.key_key IN (SELECT key_key FROM t_shared_digest) GROUP BY k.key_key
),
held AS (
    SELECT k.key_key, count(DISTINCT b.device_key) AS devices FROM t_key_of k JOIN binding b USING (credential_key)
    WHERE k.key_key IN (SELECT key_key FROM t_shared_digest) GROUP BY k.key_key
),
ssh AS (
    SELECT credential_key, CASE key_algorithm WHEN 'ssh-ed25519' THEN 'ed25519' WHEN 'ssh-rsa' THEN 'rsa' WHEN 'ssh-dss' THEN 'dsa'
        ELSE CASE WHEN starts_with(key_algorithm, 'ecdsa-') THEN 'ec' ELSE key_algorithm END END AS algorithm, key_bits
    FROM t_secret WHERE kind IN ('ssh-key', 'raw-key')
),
row AS (  -- the first credential with a key describes it
    SELECT d.credential_key AS key_key, d.kind, lower(hex(d.digest)) AS digest, ('0x' || substr(hex(d.digest), 1, 15))::BIGINT AS prefix,
        coalesce(c.key_algorithm, s.algorithm) AS algorithm, coalesce(c.key_bits, s.key_bits) AS bits, c.key_curve AS curve, c.key_exponent AS exponent,
        coalesce(sh.first_known_at, least(t.not_before, t.issued_at)) AS first_known_at, coalesce(sh.credentials, 1) AS credentials,
        CASE WHEN sh.key_key IS NULL THEN coalesce(hs.devices, 0) ELSE coalesce(h.devices, 0) END AS devices
    FROM t_digest d JOIN t_key_of k ON k.credential_key = d.credential_key AND k.key_key = d.credential_key
    JOIN t_credential t ON t.credential_key = d.credential_key LEFT JOIN t_cert c ON c.credential_key = d.credential_key
    LEFT JOIN (SELECT credential_key, min(algorithm) AS algorithm, min(key_bits) AS key_bits FROM ssh GROUP BY 1) s ON s.credential_key = d.credential_key
    LEFT JOIN t_holders hs ON hs.credential_key = d.credential_key
    LEFT JOIN shared sh ON sh.key_key = d.credential_key LEFT JOIN held h ON h.key_key = d.credential_key
)
SELECT *, CASE
    WHEN kind <> 'public-key' THEN NULL
    WHEN algorithm = 'rsa' AND bits < 2048 THEN 'RSA of ' || bits || ' bits, under 2048'
    WHEN algorithm = 'rsa' AND (try_cast(exponent AS HUGEINT) < 3 OR try_cast(right(exponent, 1) AS INTEGER) % 2 = 0) THEN 'RSA with public exponent ' || exponent
    WHEN algorithm = 'ec' AND bits < 224 THEN 'elliptic curve of ' || bits || ' bits, under 224'
    WHEN algorithm = 'dsa' THEN 'DSA, withdrawn by FIPS 186-5' END AS weakness
FROM row
"""


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
    b.name, b.serial, b.maker, b.model, nullif(regexp_extract(regexp_replace(lower(b.mac), '[:. -]', '', 'g'), '^[0-9a-f]{12}$'), '') AS mac, k.class_key, k.device_class, coalesce(k.rotation, 'unknown') AS rotation,
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
WITH several AS (
    SELECT hash(subject_cn) AS h FROM t_cert c LEFT JOIN t_holders d USING (credential_key)
    WHERE subject_cn IS NOT NULL AND spki_sha256 IS NOT NULL GROUP BY 1
    HAVING min(hash(spki_sha256)) <> max(hash(spki_sha256)) AND (min(d.device_key) <> max(d.device_key) OR min(issuer) <> max(issuer))
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


def publish_authorities(con: duckdb.DuckDBPyConnection) -> None:
    """issuer, anchor, presented; counts what is usable under each."""
    con.execute(_UNDER)
    publish(con, "issuer", _ISSUER)
    roots = cloud_roots_in_use(con)
    lend(con, "t_cloud_root", issuer_key=(pa.int64(), sorted(roots)))
    publish(con, "anchor", _ANCHOR)
    publish(con, "presented", _PRESENTED)


_UNDER = """
CREATE OR REPLACE TEMP TABLE t_direct AS
SELECT i.issuer_key, count(*) FILTER (u.usable) AS usable, count(*) AS seen, max(c.not_after) FILTER (u.usable) AS longest
FROM t_cert_issuer i JOIN t_usable u USING (credential_key) JOIN t_cert c USING (credential_key)
WHERE c.self_issued IS NOT TRUE AND c.is_ca IS NOT TRUE GROUP BY i.issuer_key;
CREATE OR REPLACE TEMP TABLE t_under AS
SELECT a.ancestor AS issuer_key, sum(d.usable) AS usable, sum(d.seen) AS seen FROM t_direct d JOIN t_above a USING (issuer_key) GROUP BY 1
"""

_ISSUER = """
SELECT i.issuer_key, i.name, i.organisation, k.key_key, i.credential_key, o.issuer_key IS NOT NULL AS ours,
    coalesce(a.registered, false) AS registered, coalesce(a.issuance_collected, false) AS issuance_collected, a.issuance_since,
    coalesce(a.revocation_collected, false) OR i.issuer_key IN (SELECT issuer_key FROM t_crl_issuer) AS revocation_collected,
    n.issuer_key IS NOT NULL AS anchored, coalesce(u.usable, 0) AS usable_credentials
FROM t_issuer i LEFT JOIN t_key_of k ON k.credential_key = i.credential_key LEFT JOIN t_ours o USING (issuer_key)
LEFT JOIN (
    SELECT issuer_key, bool_or(role = 'registered' AND coalesce(status, 'valid') = 'valid') AS registered, bool_or(issuance_collected) AS issuance_collected,
        max(issuance_since) AS issuance_since, bool_or(revocation_collected) AS revocation_collected FROM t_authority GROUP BY issuer_key
) a USING (issuer_key)
LEFT JOIN t_anchored n USING (issuer_key) LEFT JOIN t_under u USING (issuer_key)
ORDER BY i.issuer_key
"""

_ANCHOR = """
WITH longest AS (
    SELECT c.subject, c.spki_sha256, max(c.not_after) AS not_after FROM e_anchor a JOIN t_pick p USING (sha256) JOIN t_cert c USING (credential_key) GROUP BY 1, 2
)
SELECT row_number() OVER (ORDER BY p.credential_key, a.relying_party, a.bundle, a.source_key, a.row_in_source) AS anchor_key, p.credential_key, ci.issuer_key,
    r.relying_party_key, a.purpose, a.bundle, a.source_key, coalesce(u.usable, 0) AS usable_under,
    coalesce(u.seen, 0) + CASE WHEN w.issuer_key IS NOT NULL THEN 1 ELSE 0 END AS seen_under, x.by_key AS replaced_by_key,
    coalesce(e.ended, false) AS revoked, CASE WHEN year(l.not_after) >= 9999 THEN NULL ELSE l.not_after END AS longest_not_after
FROM e_anchor a JOIN t_pick p USING (sha256) JOIN t_cert c USING (credential_key) JOIN t_party r ON r.name = a.relying_party
LEFT JOIN t_ca_issuer ci ON ci.ca_key = p.credential_key LEFT JOIN t_under u ON u.issuer_key = ci.issuer_key
LEFT JOIN t_cloud_root w ON w.issuer_key = ci.issuer_key LEFT JOIN t_replaced x ON x.credential_key = p.credential_key
LEFT JOIN t_ended e ON e.credential_key = p.credential_key
LEFT JOIN longest l ON l.subject IS NOT DISTINCT FROM c.subject AND l.spki_sha256 IS NOT DISTINCT FROM c.spki_sha256
"""

_PRESENTED = """
WITH shown AS (
    SELECT credential_key, 'client' AS side, count(*) AS sessions, count(*) FILTER (accepted) AS accepted, min(started_at) AS first_at, max(started_at) AS last_at
    FROM t_session WHERE credential_key IS NOT NULL GROUP BY 1
    UNION ALL
    SELECT p.credential_key, 'server', count(*), NULL, NULL, NULL FROM e_chain c JOIN t_pick p ON p.sha256 = c.leaf_sha256
    WHERE c.side = 'server' AND c.position = 0 GROUP BY 1
)
SELECT s.*, coalesce(t.issuer_key IS NOT NULL, false) OR a.credential_key IS NOT NULL AS resolved
FROM shown s LEFT JOIN t_cert_issuer i USING (credential_key) LEFT JOIN t_collected_issuer t USING (issuer_key)
LEFT JOIN (SELECT DISTINCT p.credential_key FROM e_anchor e JOIN t_pick p USING (sha256)) a ON a.credential_key = s.credential_key
"""
