"""A healthy little registry export for tests: one device with a hardware root and a certificate, to break one thing in."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from tenure.evidence.registry_export import CredentialRow, DeviceRow, Identifier, Row, write_export
from tenure.model.credentials import KeyState
from tenure.model.vocabulary import CredentialKind, CredentialRole, DeviceState, HardwareSecurity, IdentifierKind

INSTANCE = UUID(int=1)
EXPORTED = datetime(2026, 10, 30, tzinfo=UTC)
SINCE = datetime(2026, 3, 1, tzinfo=UTC)


def digest(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


def device(number: int = 7, **members: Any) -> DeviceRow:
    row = DeviceRow(
        id=UUID(int=number),
        state=DeviceState.ACTIVE,
        state_since=SINCE,
        maker="Klimatec GmbH",
        model="KT-4S",
        serial="0048154247",
        name="Pump 7",
        owner="Building Services",
        site="graz",
        trust_domain="field-graz",
        hardware_security=HardwareSecurity.TPM2,
        roots=(digest(f"root {number}"),),
        identifiers=(Identifier(IdentifierKind.MAC, "40f52b1d99c0", None, "40:f5:2b:1d:99:c0"),),
    )
    return replace(row, **members)


def credential(number: int = 70, device: int = 7, **members: Any) -> CredentialRow:
    row = CredentialRow(
        id=UUID(int=number),
        kind=CredentialKind.CERTIFICATE,
        role=CredentialRole.OPERATIONAL,
        state=KeyState.ACTIVE,
        created_at=SINCE,
        issued=False,
        device=UUID(int=device),
        holder=Identifier(IdentifierKind.HARDWARE_KEY, digest(f"root {device}")),
        issuer="CN=Issuing",
        serial="0A1B",
        spki=digest(f"key {number}"),
        fingerprint=digest(f"certificate {number}"),
        subject="CN=pump-7",
        not_before=SINCE,
        not_after=datetime(2027, 3, 1, tzinfo=UTC),
    )
    return replace(row, **members)


def export(folder: Path, *rows: Row) -> Path:
    """A registry export of these rows, in a folder of it; each kind of row goes to its file."""
    names = {
        "DeviceRow": "devices.jsonl",
        "CredentialRow": "credentials.jsonl",
        "AnchorRow": "anchors.jsonl",
        "IssuerRow": "issuers.jsonl",
        "TombstoneRow": "tombstones.jsonl",
    }
    files: dict[str, list[Row]] = {}
    for row in rows:
        files.setdefault(names[type(row).__name__], []).append(row)
    write_export(folder / "registry", INSTANCE, EXPORTED, files)
    return folder / "registry"
