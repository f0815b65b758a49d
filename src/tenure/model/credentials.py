"""Credentials as the registry governs them: what was issued or is known, to which device, by which issuer, bound to which key."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tenure.model.devices import VOLATILE
from tenure.model.vocabulary import CredentialKind, CredentialRole


class KeyState(StrEnum):
    """NIST SP 800-57 part 1, section 7."""

    PRE_ACTIVE = "pre-active"  # intent recorded, not signed or not yet in use
    ACTIVE = "active"
    SUSPENDED = "suspended"
    DEACTIVATED = "deactivated"
    COMPROMISED = "compromised"
    DESTROYED = "destroyed"

    @property
    def usable(self) -> bool:
        return self in (KeyState.PRE_ACTIVE, KeyState.ACTIVE)


class Binding(StrEnum):
    """What ties the key to the device, strongest last."""

    NONE = "none"  # a shared secret, or known by name only
    SOFTWARE = "software"
    HARDWARE_CLAIMED = "hardware-claimed"
    HARDWARE_PROVED = "hardware-proved"  # shown at issue that the hardware keeps it


@dataclass(frozen=True, slots=True)
class Credential:
    """One certificate, raw key, SSH key, or secret known by digest, of one device in one term."""

    id: UUID
    kind: CredentialKind
    role: CredentialRole
    state: KeyState
    created_at: datetime
    device: UUID | None = None
    term: int = 1
    issuer: UUID | None = None  # the one that signed; a revocation is filed there (invariant 5)
    serial: str | None = None  # of a certificate, as ``identifiers.serial_hex`` writes it
    spki: bytes | None = None  # SHA-256 of the SubjectPublicKeyInfo
    fingerprint: bytes | None = None  # SHA-256 of the certificate, keyed digest of a secret
    digest_key: str | None = None  # id of the key of a keyed digest
    binding: Binding = Binding.NONE
    subject: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    crl_shard: int | None = None
    ended_at: datetime | None = None  # revoked, deactivated, or destroyed
    end_reason: str | None = None
    origin: str = "issued"  # issued, imported, or adopted:<snapshot id>
    last_seen: datetime | None = field(default=None, metadata=VOLATILE)
    version: int = 1
