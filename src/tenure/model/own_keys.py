"""Tenure's own keys: what each is for, what it is known by, and in which state it is. Frozen values; secrets lie elsewhere."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from tenure.model.credentials import KeyState
from tenure.model.devices import VOLATILE
from tenure.model.events import canonical, value_digest

if TYPE_CHECKING:
    from collections.abc import Iterable

KIND = "own-key"
"""The kind of subject in events, and of the record that is shipped with a new key."""


class Purpose(StrEnum):
    LEDGER = "ledger"  # signs checkpoints
    DIGEST = "digest"  # keys the digests of tokens
    CURSOR = "cursor"  # seals the cursors of lists
    WEBHOOK = "webhook"  # signs what receivers are told
    HANDOVER = "handover"  # signs offers, acceptances and statements of handovers

    @property
    def signs(self) -> bool:
        """For others to verify: there is a public part (Ed25519). The rest are secrets of 32 bytes for HMAC-SHA-256."""
        return self in (Purpose.LEDGER, Purpose.WEBHOOK, Purpose.HANDOVER)


@dataclass(frozen=True, slots=True)
class OwnKey:
    """One key, without its secret. What is volatile changes in its life; the rest is what the ledger knows it by."""

    purpose: Purpose
    id: str
    created_at: datetime
    public: bytes | None = None  # raw Ed25519; None: a secret has none
    name: str = ""  # under which a key of the ledger signs notes
    state: KeyState = field(default=KeyState.PRE_ACTIVE, metadata=VOLATILE)
    ended_at: datetime | None = field(default=None, metadata=VOLATILE)  # since when it makes nothing new

    @property
    def record(self) -> bytes:
        """What is shipped: who trusts the keys before finds the public part of the next one in it."""
        return canonical(self)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the record, which the event of the rotation names."""
        return value_digest(b"", self)

    @property
    def needs_secret(self) -> bool:
        """A key that signs needs its private part while it is active; a secret also to check what it made before."""
        made = (KeyState.PRE_ACTIVE, KeyState.ACTIVE)
        return self.state in (made if self.purpose.signs else (*made, KeyState.DEACTIVATED))

    @property
    def trusted(self) -> bool:
        """Whether what it signed or keyed still counts."""
        return self.state in (KeyState.ACTIVE, KeyState.DEACTIVATED)


def of_purpose(keys: Iterable[OwnKey], purpose: Purpose) -> tuple[OwnKey, ...]:
    """Newest first."""
    return tuple(sorted((k for k in keys if k.purpose is purpose), key=lambda k: (k.created_at, k.id), reverse=True))


def current(keys: Iterable[OwnKey], purpose: Purpose) -> OwnKey | None:
    """The one that makes what is new: the newest that is active."""
    return next((key for key in of_purpose(keys, purpose) if key.state is KeyState.ACTIVE), None)


def published(keys: Iterable[OwnKey]) -> tuple[OwnKey, ...]:
    """Those whose public parts others may rely on."""
    listed = tuple(keys)
    return tuple(key for purpose in Purpose for key in of_purpose(listed, purpose) if key.public is not None and key.trusted)


def jwk(key: OwnKey) -> dict[str, str]:
    """The public part as JSON Web Key (RFC 8037); ``kid`` is the key id that signatures name."""
    assert key.public is not None, "secrets are not shown"
    x = base64.urlsafe_b64encode(key.public).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "kid": key.id, "x": x, "use": "sig", "alg": "Ed25519", "purpose": key.purpose.value}
