"""Step 6b of linking: how each credential stands: used, ended, anchored, usable, newest of its role; and its key.

What each word means stands in ``tables.py``; here is how it is had, once, for all rules.
"""

from __future__ import annotations

import duckdb

from tenure.roll.intake import forget, publish

FIFTY_YEARS_DAYS = 50 * 365.25


def publish_credentials(con: duckdb.DuckDBPyConnection) -> None:
    """credential, key; temp table t_credential; needs the issuers judged and the sessions linked."""
    con.execute(_USE)
    con.execute(_STATE)
    con.execute(_CREDENTIALS)
    con.execute(_RANK)
    con.execute(_TOLD)
    forget(con, "t_issue_time")
    publish(con, "credential", _CREDENTIAL)
    forget(con, "t_told", "t_use", "t_maybe", "t_rank")
    con.execute(_SHARED_KEYS)
    publish(con, "key", _KEY)
    forget(con, "t_same_key", "t_shared_key")


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
    min(effective_at) FILTER (status = 'revoked') AS revoked_at, bool_or(status = 'valid') AS said_valid
FROM status GROUP BY credential_key;
CREATE OR REPLACE TEMP TABLE t_issue_time AS
SELECT credential_key, min(issued_at) AS issued_at, min(not_after) AS not_after FROM issuance WHERE credential_key IS NOT NULL GROUP BY credential_key
"""

# Narrow on purpose: ten million rows pass through several steps, and wide text is joined once at the end.
# SSH and raw keys are never usable here: that somebody noted a key does not show who would accept it.
_CREDENTIALS = """
CREATE OR REPLACE TEMP TABLE t_credential AS
WITH now AS (SELECT as_of FROM roll),
every AS (
    SELECT c.credential_key, 'certificate' AS kind, c.role, CASE WHEN c.has_key THEN coalesce(k.key_key, c.credential_key) END AS key_key,
        c.issuer_key, c.issuer_verified, c.not_before, c.not_after, t.issued_at, NULL::TIMESTAMP AS secret_ended_at
    FROM t_role c LEFT JOIN t_same_key k USING (credential_key) LEFT JOIN t_issue_time t USING (credential_key)
    UNION ALL
    SELECT s.credential_key, 'certificate', 'unknown', NULL, s.issuer_key, false, t.issued_at, t.not_after, t.issued_at, NULL
    FROM t_serial_only s LEFT JOIN t_issue_time t USING (credential_key)
    UNION ALL
    SELECT s.credential_key, min(s.kind), min(s.role), CASE WHEN count(s.digest) > 0 THEN coalesce(min(k.key_key), s.credential_key) END, NULL, false,
        min(s.created_at), max(s.expires_at), min(s.created_at), min(s.ended_at)
    FROM t_secret s LEFT JOIN t_same_key k USING (credential_key) GROUP BY s.credential_key
),
pinned AS (  -- certificates that are anchors themselves
    SELECT t.credential_key, bool_or(e.purpose IS NULL OR e.purpose = 'operation') AS operation FROM e_anchor e JOIN t_pick t USING (sha256) GROUP BY 1
),
state AS (
    SELECT c.* EXCLUDE (secret_ended_at),
        c.not_after IS NOT NULL AND c.not_after < now.as_of AS expired,
        c.not_before IS NOT NULL AND c.not_before > now.as_of AND c.kind = 'certificate' AS not_yet_valid,
        coalesce(e.ended, false) OR coalesce(c.secret_ended_at <= now.as_of, false) AS ended,
        least(e.ended_at, c.secret_ended_at) AS ended_at, e.revoked_at, coalesce(e.said_valid, false) AS said_valid,
        coalesce(a.issuer_key IS NOT NULL AND c.issuer_verified, false) OR p.credential_key IS NOT NULL AS anchored,
        coalesce(a.operation AND c.issuer_verified, false) OR coalesce(p.operation, false) AS anchored_for_operation
    FROM every c CROSS JOIN now LEFT JOIN t_ended e USING (credential_key) LEFT JOIN t_anchored a USING (issuer_key)
    LEFT JOIN pinned p USING (credential_key)
)
SELECT * EXCLUDE (said_valid), said_valid AND NOT ended AS active_at_issuer,
    NOT expired AND NOT not_yet_valid AND NOT ended AND CASE
        WHEN kind IN ('ssh-key', 'raw-key') THEN false WHEN kind <> 'certificate' THEN true
        WHEN role = 'birth' THEN anchored_for_operation OR said_valid
        ELSE anchored OR said_valid END AS usable
FROM state
"""

# Most devices hold one credential, which is the newest of its role: only those of devices with several are put in order.
_RANK = """
CREATE OR REPLACE TEMP TABLE t_rank AS
WITH several AS (SELECT device_key FROM t_holder GROUP BY 1 HAVING count(*) > 1),
one_of_several AS (
    SELECT c.credential_key, h.device_key, c.kind, c.role, c.usable, coalesce(c.not_before, c.issued_at) AS since
    FROM t_holder h SEMI JOIN several USING (device_key) JOIN t_credential c USING (credential_key)
)
SELECT credential_key, usable AND row_number() OVER (PARTITION BY device_key, kind, role, usable ORDER BY since DESC NULLS LAST, credential_key) = 1 AS newest_of_role,
    lag(credential_key) OVER (PARTITION BY device_key, kind, role ORDER BY since DESC NULLS LAST, credential_key) AS successor_key
FROM one_of_several
"""

# What is known of those that are no collected certificate.
_TOLD = """
CREATE OR REPLACE TEMP TABLE t_told AS
SELECT s.credential_key, coalesce(t.subject, s.serial_hex) AS name, s.serial_hex, t.subject, NULL AS scopes,
    coalesce(t.source_key, e.source_key) AS source_key, coalesce(t.origin, e.origin) AS origin
FROM t_serial_only s
LEFT JOIN (
    SELECT i.credential_key, min(i.subject) AS subject, min(i.source_key) AS source_key, min(i.origin) AS origin
    FROM issuance i SEMI JOIN t_serial_only o USING (credential_key) GROUP BY 1
) t USING (credential_key)
LEFT JOIN (
    SELECT x.credential_key, min(x.source_key) AS source_key, min(x.origin) AS origin FROM status x SEMI JOIN t_serial_only o USING (credential_key) GROUP BY 1
) e USING (credential_key)
UNION ALL
SELECT credential_key, min(secret_id), NULL, NULL, min(scopes), min(source_key), min(origin) FROM t_secret GROUP BY credential_key
"""

_CREDENTIAL = f"""
SELECT c.credential_key, c.kind, c.role, coalesce(x.subject_cn, x.subject, o.name, x.serial_hex) AS name, lower(hex(x.sha256)) AS sha256,
    coalesce(x.serial_hex, o.serial_hex) AS serial_hex, coalesce(x.subject, o.subject) AS subject, x.subject_o, c.key_key, c.issuer_key,
    c.issuer_verified, coalesce(x.self_issued, false) AS self_signed, x.signature_hash, c.not_before,
    CASE WHEN year(c.not_after) >= 9999 THEN NULL ELSE c.not_after END AS not_after,
    (c.not_after IS NULL AND (c.kind IN ('token', 'psk', 'password') OR (c.kind = 'certificate' AND x.sha256 IS NOT NULL AND c.not_before IS NOT NULL)))
        OR coalesce(year(c.not_after) >= 9999, false)
        OR coalesce(date_diff('day', c.not_before, c.not_after) > {FIFTY_YEARS_DAYS}, false) AS no_expiry,
    (epoch(c.not_after) - epoch(c.not_before)) / 86400.0 AS lifetime_days, coalesce(c.issued_at, c.not_before) AS issued_at,
    x.crl_urls IS NOT NULL AS crl_url, x.ocsp_urls IS NOT NULL AS ocsp_url, coalesce(x.is_ca, false) AS ca, i.reason AS test_issuer, o.scopes,
    CASE WHEN hs.devices = 1 THEN hs.device_key END AS device_key, coalesce(hs.devices, 0) AS devices, c.expired, c.not_yet_valid, c.revoked_at, c.ended,
    c.ended_at, c.anchored, c.anchored_for_operation, c.active_at_issuer, c.usable, s.first_at AS first_used_at, s.last_at AS last_used_at,
    greatest(s.last_at, m.last_at) AS last_maybe_used_at, coalesce(r.newest_of_role, c.usable AND hs.devices = 1, false) AS newest_of_role, r.successor_key,
    coalesce(x.source_key, o.source_key) AS source_key, coalesce(x.origin, o.origin) AS origin
FROM t_credential c LEFT JOIN t_cert x USING (credential_key)
LEFT JOIN t_told o USING (credential_key) LEFT JOIN t_holders hs USING (credential_key)
LEFT JOIN t_use s USING (credential_key) LEFT JOIN t_maybe m USING (credential_key) LEFT JOIN t_rank r USING (credential_key)
LEFT JOIN t_test_issuer i ON i.issuer_key = c.issuer_key
"""  # noqa: S608 - a constant of ours

_SHARED_KEYS = """
CREATE OR REPLACE TEMP TABLE t_shared_key AS
SELECT k.key_key, count(DISTINCT k.credential_key) AS credentials, min(least(c.not_before, c.issued_at)) AS first_known_at,
    count(DISTINCT b.device_key) AS devices
FROM t_same_key k JOIN t_credential c USING (credential_key) LEFT JOIN binding b USING (credential_key) GROUP BY k.key_key
"""

# The first credential with a key describes it.
_KEY = """
WITH secret AS (
    SELECT credential_key, min(digest) AS digest, CASE WHEN min(kind) IN ('ssh-key', 'raw-key') THEN 'public-key' ELSE 'secret' END AS kind,
        min(CASE WHEN kind NOT IN ('ssh-key', 'raw-key') THEN NULL ELSE CASE key_algorithm WHEN 'ssh-ed25519' THEN 'ed25519' WHEN 'ssh-rsa' THEN 'rsa'
            WHEN 'ssh-dss' THEN 'dsa' ELSE CASE WHEN starts_with(key_algorithm, 'ecdsa-') THEN 'ec' ELSE key_algorithm END END END) AS algorithm,
        min(CASE WHEN kind IN ('ssh-key', 'raw-key') THEN key_bits END) AS bits
    FROM t_secret WHERE digest IS NOT NULL GROUP BY credential_key
),
digest AS (
    SELECT credential_key, 'public-key' AS kind, spki_sha256 AS digest, key_algorithm AS algorithm, key_bits AS bits, key_curve AS curve, key_exponent AS exponent
    FROM t_cert WHERE spki_sha256 IS NOT NULL
    UNION ALL SELECT credential_key, kind, digest, algorithm, bits, NULL, NULL FROM secret
),
row AS (
    SELECT d.credential_key AS key_key, d.kind, lower(hex(d.digest)) AS digest, ('0x' || substr(hex(d.digest), 1, 15))::BIGINT AS prefix,
        d.algorithm, d.bits, d.curve, d.exponent,
        coalesce(sh.first_known_at, least(t.not_before, t.issued_at)) AS first_known_at, coalesce(sh.credentials, 1) AS credentials,
        coalesce(sh.devices, hs.devices, 0) AS devices
    FROM digest d JOIN t_credential t USING (credential_key)
    ANTI JOIN (SELECT credential_key FROM t_same_key WHERE key_key <> credential_key) o USING (credential_key)
    LEFT JOIN t_holders hs USING (credential_key) LEFT JOIN t_shared_key sh ON sh.key_key = d.credential_key
)
SELECT *, CASE
    WHEN kind <> 'public-key' THEN NULL
    WHEN algorithm = 'rsa' AND bits < 2048 THEN 'RSA of ' || bits || ' bits, under 2048'
    WHEN algorithm = 'rsa' AND (try_cast(exponent AS HUGEINT) < 3 OR try_cast(right(exponent, 1) AS INTEGER) % 2 = 0) THEN 'RSA with public exponent ' || exponent
    WHEN algorithm = 'ec' AND bits < 224 THEN 'elliptic curve of ' || bits || ' bits, under 224'
    WHEN algorithm = 'dsa' THEN 'DSA, withdrawn by FIPS 186-5' END AS weakness
FROM row
"""
