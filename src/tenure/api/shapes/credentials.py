"""Credentials and custody of a device on the wire."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from tenure.api.shapes.wire import Form, Instant, Sha256, example
from tenure.model.credentials import Binding, KeyState
from tenure.model.vocabulary import CredentialKind, CredentialRole


class CredentialForm(Form):
    """A credential of a device. Keys and secrets stand here as digests only."""

    model_config = example(
        id="019363f0-7c1e-7bb2-8b1a-3c4d5e6f7a8b",
        kind="certificate",
        role="operational",
        state="active",
        created_at="2026-11-01T12:00:00Z",
        device="019363ef-11aa-7c00-9d3e-0a1b2c3d4e5f",
        term=1,
        issuer="019363ef-22bb-7c00-9d3e-0a1b2c3d4e5f",
        serial="4f2a",
        spki="3b" * 32,
        fingerprint="4c" * 32,
        binding="hardware-proved",
        subject="CN=pump-4",
        not_before="2026-11-01T12:00:00Z",
        not_after="2027-02-01T12:00:00Z",
        ended_at=None,
        end_reason=None,
        origin="issued",
        last_seen="2026-11-20T17:00:00Z",
        version=2,
    )

    id: UUID
    kind: CredentialKind
    role: CredentialRole
    state: KeyState
    created_at: Instant
    device: UUID | None
    term: int
    issuer: UUID | None = Field(description="The one that signed")
    serial: str | None
    spki: Sha256 | None
    fingerprint: Sha256 | None = Field(description="Of the certificate; of a secret its keyed digest")
    binding: Binding
    subject: str | None
    not_before: Instant | None
    not_after: Instant | None
    ended_at: Instant | None
    end_reason: str | None
    origin: str
    last_seen: Instant | None
    version: int
