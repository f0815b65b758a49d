"""Who asks: bearer tokens of Tenure, client certificates of mutual TLS, and the place where OpenID Connect goes.

A ``Door`` looks at what a request presents. It knows the caller, or finds nothing meant for it (the next door looks),
or refuses. All refusals read the same, whatever was wrong.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from tenure.api.problem import UNAUTHENTICATED, RefusalError
from tenure.flows.tokens import id_in, keyed_digest
from tenure.model.access import Actor, ActorKind, Token

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="tenure"'}
_NO_DIGEST = bytes(32)


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request shows of who sends it."""

    authorization: str | None
    certificate: bytes | None  # DER; its path was verified in the handshake


class Callers(Protocol):
    """Where callers are kept. A token is given with its roles, also when it has ended."""

    def by_token(self, token: UUID) -> Token | None: ...

    def by_certificate(self, sha256: bytes) -> Token | None: ...


class Door(Protocol):
    """One way to say who one is."""

    def caller(self, presented: Presented, now: datetime) -> Actor | None:
        """The caller, or None when nothing presented is meant for this door. Raises RefusalError (unauthenticated)."""


@dataclass(frozen=True, slots=True)
class TokenDoor:
    """``Authorization: Bearer tenure_...``; ``keys`` are digest keys by id."""

    callers: Callers
    keys: Mapping[str, bytes]

    def caller(self, presented: Presented, now: datetime) -> Actor | None:
        scheme, _, text = (presented.authorization or "").partition(" ")
        text = text.strip()
        if scheme.lower() != "bearer" or (id := id_in(text)) is None:
            return None
        known = self.callers.by_token(id)
        key = self.keys.get(known.digest_key, b"") if known else b""
        right = hmac.compare_digest(known.digest if known else _NO_DIGEST, keyed_digest(key, text))
        if known is None or not right or not key or not _in_force(known, now):
            raise unknown()
        return _actor(known)


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
        return _actor(known)


def authenticate(doors: Sequence[Door], presented: Presented, now: datetime) -> Actor:
    """The caller, by the first door that knows one. Raises RefusalError when none does."""
    for door in doors:
        if (actor := door.caller(presented, now)) is not None:
            return actor
    raise unknown()


def unknown() -> RefusalError:
    return RefusalError(UNAUTHENTICATED, headers=CHALLENGE)


def _in_force(token: Token, now: datetime) -> bool:
    return token.ended_at is None and now < token.expires_at


def _actor(token: Token) -> Actor:
    return Actor(ActorKind.TOKEN, str(token.id), token.assignments, token.person)
