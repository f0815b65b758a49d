"""Who asks: bearer tokens of Tenure, client certificates of mutual TLS, and the place where OpenID Connect goes.

A ``Door`` looks at what a request presents. It knows the caller, or finds nothing meant for it (the next door looks),
or refuses. All refusals read the same, whatever was wrong.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from tenure.api.problem import UNAUTHENTICATED, RefusalError
from tenure.model.access import Actor

SECRET_BYTES = 32
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="tenure"'}
_TOKEN = re.compile(r"tenure_([0-9a-f]{32})_([A-Za-z0-9_-]{43})")
_NO_DIGEST = bytes(32)


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request shows of who sends it."""

    authorization: str | None
    certificate: bytes | None  # DER; its path was verified in the handshake


@dataclass(frozen=True, slots=True)
class KnownCaller:
    """A caller as the registry keeps it: who, until when, and for a token the keyed digest of its secret."""

    actor: Actor
    expires: datetime
    revoked: bool
    digest: bytes
    digest_key: str


class Callers(Protocol):
    """Where callers are kept."""

    def by_token(self, token: UUID) -> KnownCaller | None: ...

    def by_certificate(self, sha256: bytes) -> KnownCaller | None: ...


class Door(Protocol):
    """One way to say who one is."""

    def caller(self, presented: Presented, now: datetime) -> Actor | None:
        """The caller, or None when nothing presented is meant for this door. Raises RefusalError (unauthenticated)."""


def token_text(token: UUID, secret: bytes) -> str:
    """A token as its owner keeps it. Scanners for leaked secrets find it by its first word."""
    return f"tenure_{token.hex}_{urlsafe_b64encode(secret).rstrip(b'=').decode()}"


def keyed_digest(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


@dataclass(frozen=True, slots=True)
class TokenDoor:
    """``Authorization: Bearer tenure_...``; ``keys`` are digest keys by id."""

    callers: Callers
    keys: Mapping[str, bytes]

    def caller(self, presented: Presented, now: datetime) -> Actor | None:
        scheme, _, text = (presented.authorization or "").partition(" ")
        found = _TOKEN.fullmatch(text.strip())
        if scheme.lower() != "bearer" or not found:
            return None
        known = self.callers.by_token(UUID(found[1]))
        key = self.keys.get(known.digest_key, b"") if known else b""
        right = hmac.compare_digest(known.digest if known else _NO_DIGEST, keyed_digest(key, text.strip()))
        if known is None or not right or not key or not _in_force(known, now):
            raise unknown()
        return known.actor


@dataclass(frozen=True, slots=True)
class CertificateDoor:
    """A client certificate whose digest somebody registered for a caller: trust in its issuer alone lets nobody in."""

    callers: Callers

    def caller(self, presented: Presented, now: datetime) -> Actor | None:
        if presented.certificate is None or presented.authorization is not None:  # who sends a token means the token
            return None
        known = self.callers.by_certificate(hashlib.sha256(presented.certificate).digest())
        if known is None or not _in_force(known, now):
            raise unknown()
        return known.actor


def authenticate(doors: Sequence[Door], presented: Presented, now: datetime) -> Actor:
    """The caller, by the first door that knows one. Raises RefusalError when none does."""
    for door in doors:
        if (actor := door.caller(presented, now)) is not None:
            return actor
    raise unknown()


def unknown() -> RefusalError:
    return RefusalError(UNAUTHENTICATED, headers=CHALLENGE)


def _in_force(known: KnownCaller, now: datetime) -> bool:
    return not known.revoked and now < known.expires
