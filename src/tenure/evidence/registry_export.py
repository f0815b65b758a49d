"""The export of a registry: a folder of JSON Lines and a manifest, which the source ``registry`` reads like any other export.

One definition for who writes it and who reads it. A row stands for itself: names instead of keys, the holder beside each
credential, so that a reader keeps no tables in memory. The folder is written beside its place and moved there whole, the
manifest last; files hash as the manifest says or the export is not whole. Rows may gain members within one version.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from pydantic import AwareDatetime, StringConstraints, TypeAdapter, ValidationError

from tenure.errors import SourceError
from tenure.model.credentials import KeyState
from tenure.model.devices import TombstoneKind
from tenure.model.vocabulary import (
    AnchorPurpose,
    CredentialKind,
    CredentialRole,
    DeviceState,
    HardwareSecurity,
    IdentifierKind,
    RelyingPartyKind,
    Rotation,
)

FORMAT = "tenure-registry-export"
VERSION = 1
MANIFEST = "manifest.json"
MANIFEST_BYTES = 65_536

Digest: TypeAlias = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
"""SHA-256 in lower-case hex."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """A strong identifier as the evidence has it: normalised, within its scope."""

    kind: IdentifierKind
    value: str
    scope: str | None = None  # normalised maker of a serial, account of a thing name
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceRow:
    id: UUID
    state: DeviceState
    state_since: AwareDatetime
    maker: str | None = None
    model: str | None = None
    serial: str | None = None
    name: str | None = None
    owner: str | None = None
    site: str | None = None
    trust_domain: str | None = None
    device_class: str | None = None
    rotation: Rotation = Rotation.UNKNOWN
    hardware_security: HardwareSecurity = HardwareSecurity.UNKNOWN
    last_seen: AwareDatetime | None = None
    roots: tuple[Digest, ...] = ()  # SHA-256 of the SubjectPublicKeyInfo of each hardware root
    identifiers: tuple[Identifier, ...] = ()  # others it is found again by: MAC, thing name ...
    snapshots: tuple[str, ...] = ()  # content ids of the snapshots it was adopted from


@dataclass(frozen=True, slots=True)
class CredentialRow:
    id: UUID
    kind: CredentialKind
    role: CredentialRole
    state: KeyState
    created_at: AwareDatetime
    issued: bool  # by Tenure itself: then its state here is its issuer's word
    device: UUID | None = None
    holder: Identifier | None = None  # the device's best identifier
    issuer: str | None = None  # name, RFC 4514
    serial: str | None = None
    spki: Digest | None = None
    fingerprint: Digest | None = None  # SHA-256 of a certificate, keyed digest of a secret
    digest_key: str | None = None
    subject: str | None = None
    not_before: AwareDatetime | None = None
    not_after: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    end_reason: str | None = None
    last_seen: AwareDatetime | None = None
    certificate: str | None = None  # base64 of the DER, where it is kept


@dataclass(frozen=True, slots=True)
class AnchorRow:
    id: UUID
    relying_party: str
    relying_party_kind: RelyingPartyKind
    fingerprint: Digest
    spki: Digest | None = None
    subject: str | None = None
    purpose: AnchorPurpose | None = None
    certificate: str | None = None


@dataclass(frozen=True, slots=True)
class IssuerRow:
    """An issuing authority that Tenure runs: the registry is the record of all it issued and revoked."""

    id: UUID
    name: str  # RFC 4514
    fingerprint: Digest | None = None
    certificate: str | None = None


@dataclass(frozen=True, slots=True)
class TombstoneRow:
    """A hardware root or key that must not come back. Ones that a return lifted are not exported."""

    spki: Digest
    kind: TombstoneKind
    device: UUID
    state: DeviceState
    at: AwareDatetime
    holder: Identifier | None = None


Row: TypeAlias = DeviceRow | CredentialRow | AnchorRow | IssuerRow | TombstoneRow

FILES: Mapping[str, type[Any]] = {
    "devices.jsonl": DeviceRow,
    "credentials.jsonl": CredentialRow,
    "anchors.jsonl": AnchorRow,
    "issuers.jsonl": IssuerRow,
    "tombstones.jsonl": TombstoneRow,
}
"""In the order they are read. All of them are there, empty ones too."""


@dataclass(frozen=True, slots=True)
class ExportedFile:
    rows: int
    sha256: Digest


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export is, and what each of its files must hash to."""

    format: str
    version: int
    instance: UUID
    exported_at: AwareDatetime
    files: dict[str, ExportedFile]


def write_export(folder: Path, instance: UUID, exported_at: datetime, files: Mapping[str, Iterable[Row]]) -> Manifest:
    """Write an export, in place of an older one of the same folder. ``files`` gives the rows by name of FILES.

    If we die before the last rename, the draft is litter and the older export may lie beside it as ``.NAME.old``.
    Raises SourceError when the folder is there and holds something else.
    """
    if folder.exists() and read_manifest(folder) is None:
        raise SourceError(f"{folder} is there and is no export of a registry", "name another folder, or move it away")
    draft, old = folder.with_name(f".{folder.name}.draft"), folder.with_name(f".{folder.name}.old")
    for left in (draft, old):
        shutil.rmtree(left, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        written = {name: _write(draft / name, kind, files.get(name, ())) for name, kind in FILES.items()}
        manifest = Manifest(FORMAT, VERSION, instance, exported_at, written)
        (draft / MANIFEST).write_bytes(_adapter(Manifest).dump_json(manifest, indent=1) + b"\n")
        if folder.exists():
            folder.rename(old)
        draft.rename(folder)
    finally:
        for left in (draft, old):
            shutil.rmtree(left, ignore_errors=True)
    return manifest


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of an export in this folder; None where there is none.

    Raises SourceError for an export of another version, OSError when the file cannot be read.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.read(MANIFEST_BYTES)
    if FORMAT.encode() not in head:
        return None
    try:
        said = json.loads(head)
        if said.get("format") == FORMAT and said.get("version") != VERSION:
            raise SourceError(f"{folder} is a registry export of version {said.get('version')!r}", "export it with this Tenure")
        return _adapter(Manifest).validate_json(head, strict=True) if said.get("format") == FORMAT else None
    except (ValueError, AttributeError, ValidationError):
        return None


def read_row(kind: Any, line: bytes) -> Any:
    """The row of a line. Raises ValueError that says in one clause what is wrong."""
    try:
        return _adapter(kind).validate_json(line, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the line"
        raise ValueError(f"{place}: {first['msg']}") from error


def _write(path: Path, kind: Any, rows: Iterable[Row]) -> ExportedFile:
    digest, count = hashlib.sha256(), 0
    with path.open("wb") as file:
        for line in _lines(kind, rows):
            file.write(line)
            digest.update(line)
            count += 1
    return ExportedFile(count, digest.hexdigest())


def _lines(kind: Any, rows: Iterable[Row]) -> Iterator[bytes]:
    adapter = _adapter(kind)
    for row in rows:
        yield adapter.dump_json(row, exclude_defaults=True) + b"\n"


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
