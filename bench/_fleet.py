"""A fleet of any size as snapshots, made by SQL: what ten exports of it would have given. Realistic defects, seeded by arithmetic.

``devices`` devices (one CMDB, a quarter also in a cloud), ``credentials`` credentials (one in twenty a token, the rest
certificates of three issuing CAs under one root, issuer edges verified), sessions of a broker for one device in four.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from tenure.evidence.schemas import SCHEMA_VERSION, TABLES
from tenure.evidence.snapshot import Manifest, Snapshot

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
NOW = "TIMESTAMPTZ '2026-11-01 00:00:00+00'"

_RECORD = f"""
SELECT printf('c%08d', i) AS record_id, printf('dev-%08d', i) AS name, printf('SN%010d', i) AS serial,
    printf('02%010x', i) AS mac, m.maker, m.model, '1.0' AS firmware,
    CASE WHEN i % 41 = 7 THEN 'retired' WHEN i % 97 = 5 THEN 'manufactured' WHEN i % 1009 = 3 THEN 'lost' ELSE 'active' END AS state,
    CASE WHEN i % 331 = 1 THEN NULL ELSE 1 + i % 200 END AS owner_ref, 1000 + i % 500 AS site_ref,
    CASE WHEN i % 5003 = 2 THEN {NOW} - INTERVAL 90 DAY END AS owner_changed_at, printf('domain-%d', i % 300) AS trust_domain,
    CASE WHEN i % 3 = 0 THEN 'tpm2' ELSE 'software' END AS hardware_security, {NOW} - INTERVAL 1 DAY * (100 + i % 900) AS installed_at,
    CASE WHEN i % 2 = 0 THEN {NOW} - INTERVAL 1 HOUR * (i % 600) END AS discovered_at,
    CASE WHEN i % 41 = 7 OR i % 1009 = 3 THEN {NOW} - INTERVAL 1 DAY * (i % 700) END AS left_service_at, printf('cmdb.csv#%d', i) AS origin
FROM range($devices) r(i) JOIN (VALUES (0, 'Nordwerk', 'EG-100'), (1, 'Thermion', 'TH-20'), (2, 'Sensora', 'SN-T1'), (3, 'Midori', 'MD-V3')) m(k, maker, model)
    ON m.k = i % 4
"""

_IDENTIFIERS = """
SELECT record_id, kind, value, scope, value AS raw FROM (
    SELECT printf('c%08d', i) AS record_id, unnest([
        {'kind': 'record-id', 'value': printf('c%08d', i), 'scope': NULL},
        {'kind': 'serial', 'value': printf('SN%010d', i), 'scope': ['nordwerk', 'thermion', 'sensora', 'midori'][1 + i % 4]},
        {'kind': 'mac', 'value': printf('02%010x', i), 'scope': NULL},
        {'kind': 'name', 'value': printf('dev-%08d', i), 'scope': NULL}], recursive := true)
    FROM range($devices) r(i)
)
"""

# One certificate in a hundred shares its key with the one before; one in sixty is expired, revoked, weak ...
_CERTIFICATE = f"""
SELECT unhex(sha256('cert' || i)) AS sha256, 'full' AS reader, 3 AS version, printf('%X', 100000000000 + i) AS serial_hex,
    printf('CN=Issuing CA %d,O=Example', i % 3) AS issuer, printf('CN=SN%010d,O=Example', i % $devices) AS subject,
    printf('SN%010d', i % $devices) AS subject_cn, 'Example' AS subject_o,
    {NOW} - INTERVAL 1 DAY * (20 + i % 380) AS not_before,
    CASE WHEN i % 2003 = 1 THEN TIMESTAMPTZ '9999-12-31 23:59:59+00' ELSE {NOW} - INTERVAL 1 DAY * (20 + i % 380) + INTERVAL 398 DAY END AS not_after,
    unhex(sha256('key' || CASE WHEN i % 101 = 1 THEN i - 1 ELSE i END)) AS spki_sha256, CASE WHEN i % 503 = 1 THEN 'rsa' ELSE 'ec' END AS key_algorithm,
    CASE WHEN i % 503 = 1 THEN 1024 ELSE 256 END AS key_bits, CASE WHEN i % 503 = 1 THEN '65537' END AS key_exponent,
    CASE WHEN i % 701 = 1 THEN 'sha1' ELSE 'sha256' END AS signature_hash, false AS is_ca, '1.3.6.1.5.5.7.3.2' AS extended_key_usage,
    'http://crl.example/' || i % 3 AS crl_urls, false AS self_issued, printf('newcerts/%d.pem', i) AS origin
FROM range($certificates) r(i)
"""

_AUTHORITIES = f"""
SELECT unhex(sha256('ca' || n)) AS sha256, 'full' AS reader, 3 AS version, printf('%X', n) AS serial_hex, 'CN=Root,O=Example' AS issuer,
    CASE WHEN n = 9 THEN 'CN=Root,O=Example' ELSE printf('CN=Issuing CA %d,O=Example', n) END AS subject, 'Example' AS subject_o,
    {NOW} - INTERVAL 900 DAY AS not_before, {NOW} + INTERVAL 3000 DAY AS not_after, unhex(sha256('cakey' || n)) AS spki_sha256, 'ec' AS key_algorithm,
    256 AS key_bits, 'sha256' AS signature_hash, true AS is_ca, n = 9 AS self_issued, 'ca.pem' AS origin
FROM (VALUES (0), (1), (2), (9)) v(n)
"""

_STATUS = f"""
SELECT unhex(sha256('cert' || i)) AS sha256, CASE WHEN i % 61 = 1 THEN 'revoked' ELSE 'valid' END AS status, 'ca-index' AS authority,
    CASE WHEN i % 61 = 1 THEN {NOW} - INTERVAL 1 DAY * (i % 19) END AS effective_at, printf('index.txt#%d', i) AS origin FROM range($certificates) r(i)
"""

_ISSUANCE = f"""
SELECT unhex(sha256('ca' || i % 3)) AS issuer_sha256, printf('%X', 100000000000 + i) AS serial_hex, unhex(sha256('cert' || i)) AS sha256,
    printf('CN=SN%010d,O=Example', i % $devices) AS subject, {NOW} - INTERVAL 1 DAY * (20 + i % 380) AS issued_at, printf('index.txt#%d', i) AS origin
FROM range($certificates) r(i) WHERE i % 100003 <> 1
"""

_EDGES = """
SELECT unhex(sha256('cert' || i)) AS sha256, unhex(sha256('ca' || i % 3)) AS issuer_sha256, unhex(sha256('cakey' || i % 3)) AS issuer_spki_sha256,
    true AS verified FROM range($certificates) r(i)
UNION ALL SELECT unhex(sha256('ca' || n)), unhex(sha256('ca9')), unhex(sha256('cakey9')), true FROM (VALUES (0), (1), (2), (9)) v(n)
"""

_SESSION = f"""
SELECT 'broker' AS relying_party, {NOW} - INTERVAL 1 MINUTE * (i % 250000) AS started_at, {NOW} - INTERVAL 1 MINUTE * (i % 250000) + INTERVAL 50 MINUTE AS ended_at,
    printf('10.%d.%d.%d', i % 200, i % 251, i % 253) AS address, 1024 + i % 60000 AS port, 'accepted' AS outcome,
    CASE WHEN i % 2 = 0 THEN 'certificate' ELSE 'name' END AS subject_kind,
    CASE WHEN i % 2 = 0 THEN unhex(sha256('cert' || (4 * i) % $certificates)) END AS sha256,
    CASE WHEN i % 2 = 1 THEN printf('SN%010d', (4 * i) % $devices) END AS user_name, printf('dev-%08d', (4 * i) % $devices) AS client_id,
    printf('mosquitto.log#%d', i) AS origin
FROM range($sessions) r(i)
"""

_SECRET = f"""
SELECT printf('tok-%d', i) AS secret_id, 'token' AS kind, unhex(sha256('token' || CASE WHEN i % 211 = 1 THEN i - 1 ELSE i END)) AS digest, 'k' AS digest_key_id,
    'serial' AS holder_kind, printf('SN%010d', (i * 16) % $devices) AS holder, 'operational' AS role, {NOW} - INTERVAL 1 DAY * (i % 900) AS created_at,
    CASE WHEN i % 7 = 1 THEN NULL ELSE {NOW} + INTERVAL 1 DAY * (i % 300) END AS expires_at, {NOW} - INTERVAL 1 DAY * (i % 120) AS last_used_at,
    printf('tokens.csv#%d', i) AS origin
FROM range($secrets) r(i)
"""

_THING = """
SELECT printf('t%08d', i * 4) AS record_id, printf('SN%010d', i * 4) AS serial, 'Nordwerk' AS maker, printf('thing-%d', i * 4) AS thing_name, 'list-things' AS origin
FROM range($devices // 4) r(i)
"""

_THING_IDENTIFIERS = """
SELECT printf('t%08d', i * 4) AS record_id, unnest([
    {'kind': 'serial', 'value': printf('SN%010d', i * 4), 'scope': 'nordwerk'},
    {'kind': 'thing-name', 'value': printf('thing-%d', i * 4), 'scope': 'account'}], recursive := true)
FROM range($devices // 4) r(i)
"""

_BINDING = """
SELECT printf('t%08d', i * 4) AS record_id, unhex(sha256('cert' || i * 4)) AS sha256, 'principals' AS origin FROM range($devices // 4) r(i)
"""

_DESCRIPTION = """
SELECT 1 + i AS ref, 'owner' AS kind, printf('Team %d', i) AS text FROM range(200) r(i)
UNION ALL SELECT 1000 + i, 'site', printf('site-%d', i) FROM range(500) r(i)
"""

SNAPSHOTS: dict[str, dict[str, str]] = {
    "cmdb": {"device_record": _RECORD, "identifier": _IDENTIFIERS, "description": _DESCRIPTION},
    "aws-iot": {"device_record": _THING, "identifier": _THING_IDENTIFIERS, "binding": _BINDING},
    "openssl-ca": {
        "certificate": f"{_CERTIFICATE} UNION ALL BY NAME {_AUTHORITIES}",
        "signature_edge": _EDGES,
        "credential_status": _STATUS,
        "issuance": _ISSUANCE,
        "authority": "SELECT unhex(sha256('ca' || n)) AS sha256, 'operator' AS role, true AS issuance_collected, true AS revocation_collected, 'ca' AS origin "
        "FROM (VALUES (0), (1), (2)) v(n)",
    },
    "trust-anchors": {
        "anchor": "SELECT unhex(sha256('ca9')) AS sha256, 'broker' AS relying_party, 'broker' AS relying_party_kind, 'broker.pem' AS bundle, 'broker.pem' AS origin"
    },
    "mosquitto-log": {
        "session": _SESSION,
        "log_span": f"SELECT 'broker' AS relying_party, 'broker' AS kind, {NOW} - INTERVAL 180 DAY AS first_at, {NOW} AS last_at, $sessions AS entries, "
        "false AS sensor, 'mosquitto.log' AS origin",
    },
    "secrets": {"secret": _SECRET},
    "device-classes": {
        "device_class": "SELECT * FROM (VALUES ('EG-100', 'gateway', 'Nordwerk', 'online', '1'), ('TH-20', 'thermostat', 'Thermion', 'online', '2'), "
        "('SN-T1', 'sensor', 'Sensora', 'manual', '3'), ('MD-V3', 'sensor', 'Midori', 'none', '4')) v(model, device_class, maker, rotation, origin)"
    },
}


def make_fleet(folder: Path, *, devices: int, credentials: int, sessions: int) -> list[Snapshot]:
    """The fleet's snapshots below ``folder``; made once for these sizes and taken as they are the next time."""
    sizes = {
        "devices": devices,
        "certificates": credentials - credentials // 20,
        "sessions": sessions,
        "secrets": credentials // 20,
    }
    folder = folder / "-".join(str(n) for n in sizes.values())
    made = []
    for kind, tables in SNAPSHOTS.items():
        target = folder / kind
        if not (target / "manifest.json").is_file():
            _make(target, kind, tables, sizes)
        made.append(Snapshot(target, Manifest.from_json((target / "manifest.json").read_text())))
    return made


def _make(target: Path, kind: str, tables: dict[str, str], sizes: dict[str, int]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    rows: dict[str, int] = {}
    with duckdb.connect(config={"threads": 2, "memory_limit": "6GB", "temp_directory": str(target / "spill")}) as con:
        con.execute("SET TimeZone = 'UTC'")
        for name, query in tables.items():
            con.register("shape", TABLES[name].schema.empty_table())
            path = target / f"{name}.parquet"
            wanted = {k: v for k, v in sizes.items() if f"${k}" in query}
            for key, value in wanted.items():
                query = query.replace(f"${key}", str(value))
            con.execute(f"COPY (SELECT * FROM shape UNION ALL BY NAME {query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
            ((count,),) = con.execute(f"SELECT count(*) FROM '{path}'").fetchall()
            rows[name] = count
    manifest = Manifest(
        content_id=hashlib.sha256(f"{kind} {sizes}".encode()).hexdigest(),
        kind=kind,
        collector_version=1,
        schema_version=SCHEMA_VERSION,
        name=kind,
        options={},
        collected_at=AS_OF,
        speaks_as_of=AS_OF,
        partial=False,
        partial_reason="",
        rows=rows,
    )
    (target / "manifest.json").write_text(manifest.to_json())
