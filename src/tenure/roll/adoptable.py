"""What a roll knows of each device that a registry could take over: strong identifiers, credentials it surely holds, snapshots.

Devices that are gone come last: whoever takes them over in this order already has the siblings that share a key with them.
A credential counts only for whom something strong binds it to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

STRONG = ("hardware-key", "serial", "mac", "thing-name")
"""Kinds that hold records together in every roll. A name that was declared strong for one source is not among them."""


@dataclass(frozen=True, slots=True)
class HeldCredential:
    key: int
    kind: str
    role: str
    name: str | None
    sha256: str | None  # of a certificate
    serial_hex: str | None
    subject: str | None
    digest_kind: str | None  # public-key | secret
    digest: str | None
    algorithm: str | None
    issuer: str | None  # its name and key, where its signature was verified
    issuer_spki: str | None
    holders: int
    not_before: datetime | None
    not_after: datetime | None
    not_yet_valid: bool
    expired: bool
    revoked_at: datetime | None
    ended: bool
    ended_at: datetime | None
    last_used_at: datetime | None
    content_id: str  # of the first snapshot that shows it
    own: bool  # known from a registry's export only
    sharers: tuple[tuple[int, int], ...] = ()  # device and credential, in service, with the same key


@dataclass(frozen=True, slots=True)
class KnownDevice:
    key: int
    id: str
    name: str | None
    serial: str | None
    maker: str | None
    model: str | None
    device_class: str | None
    owner: str | None
    site: str | None
    trust_domain: str | None
    state: str
    gone: bool
    hardware_security: str | None
    last_seen_at: datetime | None
    left_service_at: datetime | None
    identifiers: tuple[tuple[str, str, str], ...]  # kind, value, scope
    registry_ids: tuple[str, ...]  # what registries that were collected call it
    snapshots: tuple[str, ...]  # content ids
    credentials: tuple[HeldCredential, ...]


@dataclass(frozen=True, slots=True)
class Extent:
    devices: int
    unbound: int  # credentials of devices' kinds that nothing strong binds to any


def extent(con: duckdb.DuckDBPyConnection) -> Extent:
    ((devices,),) = con.execute("SELECT count(*) FROM device").fetchall()
    ((unbound,),) = con.execute(_UNBOUND).fetchall()
    return Extent(devices, unbound)


def adoptable(con: duckdb.DuckDBPyConnection, chunk: int) -> Iterator[Sequence[KnownDevice]]:
    """All devices, ``chunk`` at a time; no chunk holds both such as are gone and others."""
    for gone in (False, True):
        found = con.execute("SELECT device_key FROM device WHERE gone = ? ORDER BY device_key", [gone]).fetchall()
        keys = [key for (key,) in found]
        for at in range(0, len(keys), chunk):
            yield _devices(con, keys[at : at + chunk])


def _devices(con: duckdb.DuckDBPyConnection, keys: list[int]) -> list[KnownDevice]:
    identifiers = _grouped(con, _IDENTIFIERS, keys)
    records = _grouped(con, _RECORDS, keys)
    credentials = _credentials(con, keys)
    found = []
    for row in _named(con, _DEVICES, keys):
        key = row["key"]
        found.append(
            KnownDevice(
                **row,
                identifiers=tuple((i["kind"], i["value"], i["scope"]) for i in identifiers[key]),
                registry_ids=tuple(dict.fromkeys(r["record_id"] for r in records[key] if r["kind"] == "registry")),
                snapshots=tuple(sorted({r["content_id"] for r in records[key]})),
                credentials=tuple(credentials[key]),
            )
        )
    return found


def _credentials(con: duckdb.DuckDBPyConnection, keys: list[int]) -> dict[int, list[HeldCredential]]:
    sharers = _grouped(con, _SHARERS, keys)
    held: defaultdict[int, list[HeldCredential]] = defaultdict(list)
    for device, rows in _grouped(con, _CREDENTIALS, keys).items():
        for row in rows:
            shared = [(s["other"], s["theirs"]) for s in sharers[device] if s["mine"] == row["key"]]
            held[device].append(HeldCredential(**row, sharers=tuple(shared)))
    return held


def _grouped(con: duckdb.DuckDBPyConnection, query: str, keys: list[int]) -> defaultdict[int, list[dict[str, Any]]]:
    found: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in _named(con, query, keys):
        found[row.pop("device_key")].append(row)
    return found


def _named(con: duckdb.DuckDBPyConnection, query: str, keys: list[int]) -> Iterator[dict[str, Any]]:
    """Rows by the names of their columns; the roll's times are UTC."""
    cursor = con.execute(query, [keys])
    names = [column[0] for column in cursor.description or ()]
    for row in cursor.fetchall():
        yield {n: cell.replace(tzinfo=UTC) if isinstance(cell, datetime) else cell for n, cell in zip(names, row, strict=True)}


_DEVICES = """
SELECT d.device_key AS key, d.device_id AS id, d.name, d.serial, d.maker, d.model, d.device_class, o.name AS owner, s.name AS site,
    t.name AS trust_domain, d.state, d.gone, d.hardware_security, d.last_seen_at, d.left_service_at
FROM device d LEFT JOIN owner o USING (owner_key) LEFT JOIN site s USING (site_key) LEFT JOIN domain t USING (domain_key)
WHERE d.device_key IN (SELECT unnest(?)) ORDER BY d.device_key
"""

_IDENTIFIERS = f"""
SELECT DISTINCT c.device_key, i.kind, i.value, coalesce(i.scope, '') AS scope
FROM device_identifier c JOIN identifier i USING (identifier_key)
WHERE c.device_key IN (SELECT unnest(?)) AND i.strong AND i.kind IN {STRONG} ORDER BY ALL
"""  # noqa: S608 - kinds are ours

_RECORDS = """
SELECT DISTINCT r.device_key, s.content_id, s.kind, r.record_id FROM device_record r JOIN source s USING (source_key)
WHERE r.device_key IN (SELECT unnest(?)) ORDER BY ALL
"""

_CREDENTIALS = """
SELECT b.device_key, c.credential_key AS key, c.kind, c.role, c.name, c.sha256, c.serial_hex, c.subject, k.kind AS digest_kind,
    k.digest, k.algorithm, i.name AS issuer, ik.digest AS issuer_spki, c.devices AS holders, c.not_before, c.not_after, c.not_yet_valid,
    c.expired, c.revoked_at, c.ended, c.ended_at, c.last_used_at, s.content_id, s.kind = 'registry' AS own
FROM (SELECT DISTINCT device_key, credential_key FROM binding WHERE strong AND device_key IN (SELECT unnest(?))) b
JOIN credential c USING (credential_key) JOIN source s USING (source_key) LEFT JOIN key k USING (key_key)
LEFT JOIN issuer i ON i.issuer_key = c.issuer_key AND c.issuer_verified LEFT JOIN key ik ON ik.key_key = i.key_key
ORDER BY b.device_key, c.credential_key
"""

_SHARERS = """
SELECT DISTINCT b.device_key, c.credential_key AS mine, ob.device_key AS other, o.credential_key AS theirs
FROM binding b JOIN credential c USING (credential_key) JOIN credential o USING (key_key)
JOIN binding ob ON ob.credential_key = o.credential_key JOIN device d ON d.device_key = ob.device_key
WHERE b.device_key IN (SELECT unnest(?)) AND b.strong AND ob.device_key <> b.device_key AND NOT d.gone ORDER BY ALL
"""

_UNBOUND = """
SELECT count(*) FROM credential c WHERE c.role NOT IN ('authority', 'server', 'service') AND NOT c.ca
AND NOT EXISTS (SELECT 1 FROM binding b WHERE b.credential_key = c.credential_key AND b.strong)
"""
