"""From keys of one roll to subjects with strong ids: looked up in bulk, after the rules ran."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import duckdb
import pyarrow as pa

from tenure.model.findings import Subject
from tenure.model.vocabulary import CredentialKind

Key: TypeAlias = int | str
Index: TypeAlias = Mapping[str, Mapping[Key, Subject]]
"""Subject column without its number (``subject_device``) -> key in the roll -> subject."""


def look_up(roll: duckdb.DuckDBPyConnection, wanted: Mapping[str, Iterable[pa.ChunkedArray[Any]]]) -> Index:
    """The subjects behind the keys of each subject column. A key that the roll does not have is not in the answer."""
    index: dict[str, Mapping[Key, Subject]] = {}
    for column, arrays in wanted.items():
        kind = pa.string() if column == "subject_client" else pa.int64()
        keys = pa.chunked_array([chunk for array in arrays for chunk in array.cast(kind).chunks], type=kind).drop_null().unique()
        if column == "subject_client":
            index[column] = {text: Subject("client", text, name=text) for text in map(str, keys.to_pylist())}
            continue
        query, make = _LOOK_UPS[column]
        roll.register("wanted", pa.table({"k": keys}))
        try:
            rows = roll.sql(query).to_arrow_table()
        finally:
            roll.unregister("wanted")
        columns = [rows.column(i).to_pylist() for i in range(1, rows.num_columns)]
        index[column] = dict(zip(rows.column(0).to_pylist(), map(make, *columns), strict=True))
    return index


def _device(device_id: str, name: str | None, serial: str | None) -> Subject:
    return Subject("device", device_id, serial=serial, name=name)


def _credential(
    kind: str,
    name: str | None,
    sha256: str | None,
    serial: str | None,
    digest: str | None,
    issuer: str | None,
    origin: str | None,
) -> Subject:
    """Certificates by hash, else by issuer and serial (known from a log or a CRL only); keys by hash; secrets by name."""
    if kind == CredentialKind.CERTIFICATE:
        strong = sha256 or (f"{issuer or 'unknown issuer'}/{serial}" if serial else f"certificate:{name or origin}")
        return Subject("certificate", strong, serial=serial, sha256=sha256, spki_sha256=digest, name=name)
    if kind in (CredentialKind.RAW_KEY, CredentialKind.SSH_KEY):
        return Subject("key", digest or f"{kind}:{name or origin}", spki_sha256=digest, name=name)
    return Subject("token", f"{kind}:{name or digest or origin}", name=name)


def _key(kind: str, digest: str) -> Subject:
    if kind == "public-key":
        return Subject("key", digest, spki_sha256=digest)
    return Subject("key", f"secret:{digest}")


def _anchor(
    sha256: str | None, serial: str | None, name: str | None, digest: str | None, party: str | None, bundle: str | None
) -> Subject:
    strong = f"{sha256 or digest or name}@{party or bundle}"
    return Subject("anchor", strong, serial=serial, sha256=sha256, spki_sha256=digest, name=name)


def _policy(scope: str | None, name: str) -> Subject:
    return Subject("policy", f"{scope or ''}/{name}", name=name)


def _named(kind: str) -> Callable[[str], Subject]:
    return lambda name: Subject(kind, name, name=name)


def _issuer(sha256: str | None, serial: str | None, digest: str | None, name: str | None) -> Subject:
    if sha256 is None and digest is not None:
        return Subject("key", digest, spki_sha256=digest, name=name)
    return Subject("certificate", sha256 or f"issuer:{name}", serial=serial, sha256=sha256, spki_sha256=digest, name=name)


_LOOK_UPS: Mapping[str, tuple[str, Callable[..., Any]]] = {
    "subject_device": ("SELECT device_key, device_id, name, serial FROM device JOIN wanted ON device_key = k", _device),
    "subject_credential": (
        """SELECT c.credential_key, c.kind, c.name, c.sha256, c.serial_hex, o.digest, coalesce(ik.digest, i.name), c.origin
        FROM credential c JOIN wanted ON c.credential_key = k LEFT JOIN key o ON o.key_key = c.key_key
        LEFT JOIN issuer i ON i.issuer_key = c.issuer_key LEFT JOIN key ik ON ik.key_key = i.key_key""",
        _credential,
    ),
    "subject_key": ("SELECT key_key, kind, digest FROM key JOIN wanted ON key_key = k", _key),
    "subject_anchor": (
        """SELECT a.anchor_key, c.sha256, c.serial_hex, c.name, o.digest, p.name, a.bundle
        FROM anchor a JOIN wanted ON a.anchor_key = k LEFT JOIN credential c ON c.credential_key = a.credential_key
        LEFT JOIN key o ON o.key_key = c.key_key LEFT JOIN relying_party p ON p.relying_party_key = a.relying_party_key""",
        _anchor,
    ),
    "subject_policy": ("SELECT policy_key, scope, name FROM policy JOIN wanted ON policy_key = k", _policy),
    "subject_domain": ("SELECT domain_key, name FROM domain JOIN wanted ON domain_key = k", _named("domain")),
    "subject_issuer": (
        """SELECT i.issuer_key, c.sha256, c.serial_hex, o.digest, i.name
        FROM issuer i JOIN wanted ON i.issuer_key = k LEFT JOIN credential c ON c.credential_key = i.credential_key
        LEFT JOIN key o ON o.key_key = i.key_key""",
        _issuer,
    ),
    "subject_source": ("SELECT source_key, name FROM source JOIN wanted ON source_key = k", _named("file")),
}

SUBJECT_COLUMNS = frozenset({*_LOOK_UPS, "subject_client"})
"""Names of subject columns, before a number that tells two of a kind apart."""
