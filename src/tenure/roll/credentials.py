"""Step 3 of linking: credentials of every kind, what sources say of their state, and who holds them.

1. Certificates that only a log or an index tells (issuer and serial) are credentials too.
2. Tokens, PSKs, passwords, SSH and raw keys join them; equal secrets meet in one row of ``key``.
3. Statuses and issuance records find their certificate by hash, else by issuer and serial: filed under the issuer that
   signed (invariant 5), never under a name alone where the key is known.
4. Roles follow from declarations, extensions, who issues and which side of a connection showed the certificate.
5. Holders: a source's own record first, then identifiers in the subject that mean exactly one device.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from tenure.model import identifiers
from tenure.model.declarations import Declarations
from tenure.roll import notations
from tenure.roll.intake import forget, lend, publish

OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
EK_CERTIFICATE = "2.23.133.8.1"
AK_CERTIFICATE = "2.23.133.8.3"

SUBJECT_SERIAL_LENGTH = 5
"""A CN of fewer characters is not taken for a serial, whatever device has that serial."""


def link_credentials(con: duckdb.DuckDBPyConnection, declarations: Declarations) -> None:
    """Tables status, issuance, binding; temp tables t_serial_only, t_secret, t_same_key, t_role, t_holders, t_authority, t_ours."""
    con.execute(_AUTHORITY)
    _own_authorities(con, declarations)
    con.execute(_BY_SERIAL)
    con.execute(_SECRETS)
    publish(con, "status", _STATUS)
    publish(con, "issuance", _ISSUANCE)
    forget(con, "t_said", "t_issuance", "t_serial", "t_named")
    con.execute(_KEYS)
    _roles(con, declarations)
    _holders(con, declarations)


_AUTHORITY = """
CREATE OR REPLACE TEMP TABLE t_authority AS
SELECT a.source_key, coalesce(ci.issuer_key, i.issuer_key) AS issuer_key, a.role, a.status, a.issuance_since, a.issuance_collected,
    a.revocation_collected
FROM e_authority a LEFT JOIN t_pick p ON p.sha256 = a.sha256 LEFT JOIN t_ca_issuer ci ON ci.ca_key = p.credential_key
LEFT JOIN (SELECT name, min(issuer_key) AS issuer_key FROM t_issuer GROUP BY name HAVING count(*) = 1) i
    ON a.sha256 IS NULL AND i.name = a.name
WHERE coalesce(ci.issuer_key, i.issuer_key) IS NOT NULL
"""


def _own_authorities(con: duckdb.DuckDBPyConnection, declarations: Declarations) -> None:
    """``t_ours``: issuers we operate (a CA folder, an issuance log, a declaration), and CAs that these signed."""
    operated = {k for (k,) in con.execute("SELECT DISTINCT issuer_key FROM t_authority WHERE role = 'operator'").fetchall()}
    disowned: set[int] = set()
    rows = con.execute("SELECT issuer_key, name, organisation FROM t_issuer").fetchall()
    for key, name, organisation in rows:
        for declared in declarations.issuer:
            if declared.ours is not None and name is not None and _names(declared.name, name):
                (operated if declared.ours else disowned).add(key)
        if organisation in declarations.organisation:
            operated.add(key)
    children = con.execute("SELECT child, parent FROM t_ca_parent").fetchall()
    while grown := {c for c, p in children if p in operated and c not in operated}:
        operated |= grown
    lend(con, "t_ours", issuer_key=(pa.int64(), sorted(operated - disowned)))


def _names(declared: str, name: str) -> bool:
    """Whether a declared issuer (full RFC 4514 name, or CN) is the issuer of this name."""
    return declared == name or f"CN={declared}" in name.split(",")


# The issuer of a status or an issuance row: the CA certificate it names, else the one issuer of that name, else the one
# authority of its snapshot. Most rows name their certificate by hash; only what they do not is looked up by serial.
_BY_SERIAL = """
CREATE OR REPLACE TEMP TABLE t_only_authority AS
SELECT source_key, min(issuer_key) AS issuer_key FROM t_authority WHERE issuance_collected GROUP BY source_key HAVING count(DISTINCT issuer_key) = 1;
CREATE OR REPLACE TEMP TABLE t_one_name AS
SELECT name, min(issuer_key) AS issuer_key FROM t_issuer GROUP BY name HAVING count(*) = 1;
CREATE OR REPLACE TEMP TABLE t_authority_sha AS
SELECT p.sha256, ci.issuer_key FROM t_ca_issuer ci JOIN t_pick p ON p.credential_key = ci.ca_key;
CREATE OR REPLACE TEMP TABLE t_issuance AS
SELECT s.source_key, s.serial_hex, s.issued_at, s.not_after, s.subject, s.origin, c.credential_key,
    coalesce(a.issuer_key, n.issuer_key, o.issuer_key) AS issuer_key
FROM e_issuance s LEFT JOIN t_pick c ON c.sha256 = s.sha256 LEFT JOIN t_authority_sha a ON a.sha256 = s.issuer_sha256
LEFT JOIN t_one_name n ON n.name = s.issuer LEFT JOIN t_only_authority o ON s.issuer IS NULL AND o.source_key = s.source_key;
CREATE OR REPLACE TEMP TABLE t_said AS
SELECT s.source_key, s.serial_hex, s.status, s.status_text, s.authority, s.effective_at, s.stated_at, s.origin, c.credential_key,
    coalesce(a.issuer_key, n.issuer_key, o.issuer_key) AS issuer_key
FROM t_status s LEFT JOIN t_pick c ON c.sha256 = s.sha256 LEFT JOIN t_authority_sha a ON a.sha256 = s.issuer_sha256
LEFT JOIN t_one_name n ON n.name = s.issuer
LEFT JOIN t_only_authority o ON s.issuer IS NULL AND s.sha256 IS NULL AND o.source_key = s.source_key;
CREATE OR REPLACE TEMP TABLE t_named AS
SELECT DISTINCT issuer_key, serial_hex FROM (FROM t_issuance SELECT issuer_key, serial_hex, credential_key UNION ALL
    FROM t_said SELECT issuer_key, serial_hex, credential_key)
WHERE credential_key IS NULL AND issuer_key IS NOT NULL AND serial_hex IS NOT NULL;
CREATE OR REPLACE TEMP TABLE t_serial AS
SELECT i.issuer_key, c.serial_hex, min(c.credential_key) AS credential_key FROM t_cert c
SEMI JOIN t_named w ON w.serial_hex = c.serial_hex JOIN t_cert_issuer i USING (credential_key)
GROUP BY i.issuer_key, c.serial_hex;
CREATE OR REPLACE TEMP TABLE t_serial_only AS
SELECT (SELECT coalesce(max(credential_key), 0) FROM t_pick) + row_number() OVER (ORDER BY issuer_key, serial_hex) AS credential_key, issuer_key, serial_hex
FROM t_named n ANTI JOIN t_serial s USING (issuer_key, serial_hex);
INSERT INTO t_serial SELECT issuer_key, serial_hex, credential_key FROM t_serial_only;
CREATE OR REPLACE TEMP TABLE t_crl_issuer AS SELECT DISTINCT issuer_key FROM t_said WHERE authority = 'crl' AND issuer_key IS NOT NULL
"""

# What a registry adopted it tells by the id and digest of the source it was adopted from: one credential, two who tell of it.
_SECRETS = """
CREATE OR REPLACE TEMP TABLE t_secret AS
WITH bases AS (SELECT (SELECT coalesce(max(credential_key), 0) FROM t_pick) + (SELECT count(*) FROM t_serial_only) AS base),
registries AS (SELECT source_key, true AS registry FROM source WHERE kind = 'registry'),
first AS (SELECT kind, secret_id, digest, min(source_key) AS told_by FROM e_secret ANTI JOIN registries USING (source_key) GROUP BY ALL)
SELECT base + dense_rank() OVER (ORDER BY coalesce(f.told_by, s.source_key), s.kind, s.secret_id, s.digest) AS credential_key, s.*
FROM e_secret s LEFT JOIN registries r USING (source_key)
LEFT JOIN first f ON r.registry AND f.kind = s.kind AND f.secret_id = s.secret_id AND f.digest = s.digest, bases
"""

_STATUS = """
SELECT t.*, o.decides_credential_state AS decides, t.status IN ('revoked', 'suspended', 'deactivated') AS ends_trust FROM (
    SELECT coalesce(t.credential_key, s.credential_key) AS credential_key, t.source_key, t.status, t.status_text, t.authority,
        t.effective_at, t.stated_at, t.origin
    FROM t_said t LEFT JOIN t_serial s ON t.credential_key IS NULL AND s.issuer_key = t.issuer_key AND s.serial_hex = t.serial_hex
    WHERE coalesce(t.credential_key, s.credential_key) IS NOT NULL
    UNION ALL
    SELECT credential_key, source_key, status, status, 'secret-store', ended_at, NULL, origin FROM t_secret WHERE status IS NOT NULL
) t JOIN source o USING (source_key)
"""

_ISSUANCE = """
SELECT t.* EXCLUDE (credential_key), coalesce(t.credential_key, s.credential_key) AS credential_key
FROM t_issuance t LEFT JOIN t_serial s ON t.credential_key IS NULL AND s.issuer_key = t.issuer_key AND s.serial_hex = t.serial_hex
WHERE t.issuer_key IS NOT NULL
"""

# One key per digest. Most digests stand on one credential: only those whose hash is met twice are grouped by their bytes,
# and a key is numbered by the first credential that has it (``t_same_key``; every other credential has a key of its own number).
_KEYS = """
CREATE OR REPLACE TEMP VIEW t_digest AS
SELECT credential_key, 'public-key' AS kind, spki_sha256 AS digest FROM t_cert WHERE spki_sha256 IS NOT NULL
UNION ALL
SELECT DISTINCT credential_key, CASE WHEN kind IN ('ssh-key', 'raw-key') THEN 'public-key' ELSE 'secret' END, digest FROM t_secret
WHERE digest IS NOT NULL;
CREATE OR REPLACE TEMP TABLE t_same_key AS
SELECT d.credential_key, min(d.credential_key) OVER (PARTITION BY d.kind, d.digest) AS key_key FROM t_digest d
SEMI JOIN (SELECT hash(digest) AS h FROM t_digest GROUP BY 1 HAVING count(*) > 1) s ON s.h = hash(d.digest)
"""


def _roles(con: duckdb.DuckDBPyConnection, declarations: Declarations) -> None:
    """``t_role`` for certificates, most certain reason first; a view that is read once."""
    declared = [
        (key, d.role.value)
        for key, name in con.execute("SELECT issuer_key, name FROM t_issuer WHERE name IS NOT NULL").fetchall()
        for d in declarations.issuer
        if d.role is not None and _names(d.name, name)
    ]
    lend(con, "t_issuer_role", issuer_key=(pa.int64(), [k for k, _ in declared]), role=(pa.string(), [r for _, r in declared]))
    by_source = [
        (key, declared_source.role.value)
        for key, name in con.execute("SELECT source_key, name FROM source").fetchall()
        if (declared_source := declarations.for_path(name)).role is not None
    ]
    lend(con, "t_source_role", source_key=(pa.int64(), [k for k, _ in by_source]), role=(pa.string(), [r for _, r in by_source]))
    makers = con.execute(
        "SELECT DISTINCT maker FROM device_class WHERE maker IS NOT NULL UNION SELECT DISTINCT maker FROM e_device_record WHERE maker IS NOT NULL"
    ).fetchall()
    known = {m for (text,) in makers if (m := identifiers.maker(text)) is not None}
    organisations = [
        o for (o,) in con.execute("SELECT DISTINCT organisation FROM t_issuer WHERE organisation IS NOT NULL").fetchall()
        if identifiers.maker(o) in known
    ]  # fmt: skip
    lend(con, "t_maker_organisation", organisation=(pa.string(), organisations))
    con.execute(_ROLES)


# A birth certificate is known by its hardware module name, or by its issuer: the maker of devices, and not us.
_ROLES = f"""
CREATE OR REPLACE TEMP TABLE t_shown_by_server AS SELECT DISTINCT leaf_sha256 AS sha256 FROM e_chain WHERE side = 'server';
CREATE OR REPLACE TEMP VIEW t_role AS
SELECT c.credential_key, c.not_before, c.not_after, c.spki_sha256 IS NOT NULL AS has_key, ci.issuer_key, coalesce(ci.verified, false) AS issuer_verified, CASE
    WHEN c.is_ca THEN 'authority'
    WHEN sr.role IS NOT NULL THEN sr.role
    WHEN ir.role IS NOT NULL THEN ir.role
    WHEN c.extended_key_usage LIKE '%{EK_CERTIFICATE}%' OR c.extended_key_usage LIKE '%{AK_CERTIFICATE}%' THEN 'attestation'
    WHEN c.extended_key_usage LIKE '%{OCSP_SIGNING}%' THEN 'server'
    WHEN contains(c.extended_key_usage, '{SERVER_AUTH}') AND NOT regexp_matches(c.extended_key_usage, '(^| )1\\.3\\.6\\.1\\.5\\.5\\.7\\.3\\.2( |$)') THEN 'server'
    WHEN s.sha256 IS NOT NULL AND c.extended_key_usage IS NULL THEN 'server'
    WHEN c.hardware_module_serial IS NOT NULL AND o.issuer_key IS NULL THEN 'birth'
    WHEN mo.organisation IS NOT NULL AND o.issuer_key IS NULL THEN 'birth'
    WHEN s.sha256 IS NOT NULL THEN 'server'
    WHEN o.issuer_key IS NOT NULL OR a.issuer_key IS NOT NULL OR regexp_matches(c.extended_key_usage, '(^| )1\\.3\\.6\\.1\\.5\\.5\\.7\\.3\\.2( |$)') THEN 'operational'
    ELSE 'unknown' END AS role
FROM t_cert c LEFT JOIN t_cert_issuer ci USING (credential_key) LEFT JOIN t_issuer i USING (issuer_key)
LEFT JOIN t_ours o ON o.issuer_key = ci.issuer_key
LEFT JOIN (SELECT DISTINCT issuer_key FROM t_authority WHERE role = 'registered') a ON a.issuer_key = ci.issuer_key
LEFT JOIN (SELECT issuer_key, min(role) AS role FROM t_issuer_role GROUP BY issuer_key) ir ON ir.issuer_key = ci.issuer_key
LEFT JOIN t_source_role sr ON sr.source_key = c.source_key
LEFT JOIN t_maker_organisation mo ON mo.organisation = i.organisation
LEFT JOIN t_shown_by_server s ON s.sha256 = c.sha256
"""  # noqa: S608 - constants of ours


def _holders(con: duckdb.DuckDBPyConnection, declarations: Declarations) -> None:
    con.execute(_SAID_HOLDERS)
    makers = [
        (key, identifiers.maker(d.maker))
        for key, name in con.execute("SELECT issuer_key, name FROM t_issuer WHERE name IS NOT NULL").fetchall()
        for d in declarations.issuer
        if d.maker is not None and _names(d.name, name)
    ]
    lend(con, "t_declared_maker", issuer_key=(pa.int64(), [k for k, _ in makers]), scope=(pa.string(), [m for _, m in makers]))
    _subject_values(con)
    con.execute(_SUBJECT_HOLDERS)
    publish(con, "binding", "SELECT * FROM t_binding")
    con.execute(_HOLDER)
    forget(con, "t_subject", "t_text_device", "t_subject_holder", "t_binding")


_SAID_HOLDERS = f"""
CREATE OR REPLACE TEMP TABLE t_binding AS
SELECT DISTINCT coalesce(m.device_key, n.node) AS device_key, p.credential_key, b.source_key, 'principal' AS how, true AS strong, b.since
FROM e_binding b JOIN t_pick p USING (sha256) JOIN t_record n ON n.source_key = b.source_key AND n.record_id = b.record_id
LEFT JOIN t_merged m USING (node)
UNION ALL
SELECT min(f.device_key), p.credential_key, b.source_key, 'request', bool_and(f.strong), min(b.since)
FROM e_binding b JOIN t_pick p USING (sha256) JOIN t_found f ON f.kind = b.holder_kind AND f.value = b.holder
WHERE b.record_id IS NULL GROUP BY p.credential_key, b.source_key, b.row_in_source HAVING min(f.device_key) = max(f.device_key)
UNION ALL
SELECT min(f.device_key), s.credential_key, s.source_key, 'holder', bool_and(f.strong), min(s.created_at)
FROM (
    SELECT credential_key, source_key, row_in_source, created_at, holder_kind AS kind, holder AS value FROM t_secret
    UNION ALL SELECT credential_key, source_key, row_in_source, created_at, '{notations.SERIAL_EXACT}', {notations.serial_exact("holder_text")}
    FROM t_secret WHERE holder_kind = 'serial'
) s JOIN t_found f ON f.kind = s.kind AND f.value = s.value
GROUP BY s.credential_key, s.source_key, s.row_in_source HAVING min(f.device_key) = max(f.device_key)
"""  # noqa: S608 - constants of ours


def _subject_values(con: duckdb.DuckDBPyConnection) -> None:
    """``t_subject``: what the subjects of certificates say that no source has bound yet; texts are read once each."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE t_subject AS SELECT credential_key, subject_serial, subject_cn FROM t_cert c "
        "ANTI JOIN t_binding b USING (credential_key) WHERE c.is_ca IS NOT TRUE"
    )


# In this order of trust: the serialNumber attribute, a MAC at the end of the CN, the CN as a serial or thing name, and last
# the CN as a name that means one device today. Several devices of different makers with one serial: the maker of the
# devices that the issuer is known to certify decides, or nobody is bound.
_SUBJECT_HOLDERS = f"""
CREATE OR REPLACE TEMP TABLE t_issuer_maker AS
SELECT issuer_key, scope FROM t_declared_maker UNION
SELECT DISTINCT ci.issuer_key, l.scope FROM (SELECT DISTINCT device_key, credential_key FROM t_binding WHERE how = 'principal') b
JOIN t_cert_issuer ci USING (credential_key) JOIN t_found l ON l.device_key = b.device_key AND l.kind IN ('serial', '{notations.SERIAL_EXACT}') AND l.scope <> '';
CREATE OR REPLACE TEMP TABLE t_text_device AS
WITH text AS (
    SELECT DISTINCT subject_serial AS text, true AS attribute FROM t_subject WHERE subject_serial IS NOT NULL
    UNION ALL SELECT DISTINCT subject_cn, false FROM t_subject WHERE subject_cn IS NOT NULL
),
written AS (
    SELECT text, attribute, 'serial' AS kind, {notations.serial("text")} AS value FROM text WHERE attribute OR length(text) >= {SUBJECT_SERIAL_LENGTH}
    UNION ALL SELECT text, attribute, '{notations.SERIAL_EXACT}', {notations.serial_exact("text")} FROM text WHERE (SELECT count(*) FROM t_zeros) > 0
    UNION ALL SELECT text, attribute, 'mac', {notations.mac("text")} FROM text WHERE regexp_matches(lower(text), '[0-9a-f][:.-]?[0-9a-f]$')
    UNION ALL SELECT text, attribute, 'thing-name', text FROM text WHERE NOT attribute
),
value AS (SELECT text, attribute, kind::t_identifier_kind AS kind, value FROM written)
SELECT v.text, v.attribute, f.device_key, f.scope,
    CASE WHEN v.attribute THEN 1 WHEN v.kind = 'mac' THEN 2 WHEN v.kind IN ('serial', '{notations.SERIAL_EXACT}') THEN 3 ELSE 4 END AS trust
FROM value v JOIN t_found f ON f.kind = v.kind AND f.value = v.value
WHERE v.attribute OR v.kind NOT IN ('serial', '{notations.SERIAL_EXACT}') OR length(f.value) >= {SUBJECT_SERIAL_LENGTH};
INSERT INTO t_text_device
WITH text AS (
    SELECT DISTINCT subject_cn AS text FROM t_subject s WHERE subject_cn IS NOT NULL
    EXCEPT SELECT text FROM t_text_device WHERE NOT attribute
)
SELECT t.text, false, f.device_key, '', 5 FROM (SELECT text, {notations.name("text")} AS value FROM text) t JOIN t_found f ON f.kind = 'name' AND f.value = t.value;
CREATE OR REPLACE TEMP TABLE t_subject_holder AS
WITH hit AS (
    SELECT s.credential_key, d.device_key, d.scope, d.trust FROM t_subject s JOIN t_text_device d ON d.text = s.subject_serial AND d.attribute
    UNION ALL SELECT s.credential_key, d.device_key, d.scope, d.trust FROM t_subject s JOIN t_text_device d ON d.text = s.subject_cn AND NOT d.attribute
),
best AS (SELECT credential_key, min(trust) AS trust, min(device_key) AS one, max(device_key) AS other FROM hit GROUP BY credential_key),
doubted AS (  -- several devices: only hits of the best trust count, and among those the issuer's maker may decide
    SELECT h.credential_key, h.device_key, h.trust, m.scope IS NOT NULL AS maker_fits
    FROM hit h JOIN best b ON b.credential_key = h.credential_key AND b.trust = h.trust AND b.one <> b.other
    LEFT JOIN t_cert_issuer ci ON ci.credential_key = h.credential_key LEFT JOIN t_issuer_maker m ON m.issuer_key = ci.issuer_key AND m.scope = h.scope
)
SELECT credential_key, one AS device_key, trust FROM best WHERE one = other
UNION ALL
SELECT credential_key, CASE WHEN min(device_key) = max(device_key) THEN min(device_key) ELSE min(device_key) FILTER (maker_fits) END, min(trust)
FROM doubted GROUP BY credential_key
HAVING min(device_key) = max(device_key) OR min(device_key) FILTER (maker_fits) = max(device_key) FILTER (maker_fits);
INSERT INTO t_binding
SELECT h.device_key, h.credential_key, c.source_key,
    CASE trust WHEN 1 THEN 'subject-serial' WHEN 2 THEN 'subject-mac' WHEN 3 THEN 'subject-serial' ELSE 'subject-name' END,
    trust < 5 AND i.spki_sha256 IS NOT NULL, NULL  -- what an issuer nobody collected writes into a subject proves nothing
FROM t_subject_holder h JOIN t_cert c USING (credential_key) LEFT JOIN t_cert_issuer ci USING (credential_key) LEFT JOIN t_issuer i USING (issuer_key)
"""  # noqa: S608 - constants of ours

# Bindings by a name count only where nothing stronger speaks.
_HOLDER = """
CREATE OR REPLACE TEMP TABLE t_held AS
SELECT credential_key, bool_or(strong) AS strong, min(device_key) FILTER (strong) AS first_strong, max(device_key) FILTER (strong) AS last_strong,
    min(device_key) AS first, max(device_key) AS last FROM binding GROUP BY credential_key;
CREATE OR REPLACE TEMP TABLE t_holders AS
WITH held AS (
    SELECT credential_key, strong, CASE WHEN strong THEN first_strong ELSE first END AS device_key, CASE WHEN strong THEN last_strong ELSE last END AS other FROM t_held
)
SELECT credential_key, 1 AS devices, device_key FROM held WHERE device_key = other
UNION ALL
SELECT credential_key, count(DISTINCT b.device_key), min(b.device_key) FROM held h JOIN binding b USING (credential_key)
WHERE h.device_key <> h.other AND b.strong = h.strong GROUP BY credential_key;
DROP TABLE t_held;
CREATE OR REPLACE TEMP TABLE t_holder AS SELECT credential_key, device_key FROM t_holders WHERE devices = 1
"""
