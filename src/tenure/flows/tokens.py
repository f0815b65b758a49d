"""Tokens: made once, shown once, kept as a keyed digest; and the first of all, without which nobody could make one."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tenure.clock import rfc3339
from tenure.errors import TenureError
from tenure.model.access import Actor, ActorKind, Area, Role, RoleAssignment, Token
from tenure.model.events import Cause
from tenure.registry import people
from tenure.registry.faults import NotFoundError
from tenure.registry.keys import hold_keys
from tenure.registry.registry import Registry
from tenure.registry.work import Work

SECRET_BYTES = 32
FIRST = Actor(ActorKind.SYSTEM, "first-start")
_FIRST_LOCK = b"first token".ljust(32)
_TEXT = re.compile(r"tenure_([0-9a-f]{32})_([A-Za-z0-9_-]{43})")


class TokenRefusedError(TenureError):
    """A token that may not be made as it was asked for."""


@dataclass(frozen=True, slots=True)
class DigestKeys:
    """Keys of digests by id; ``current`` makes new ones, the others still check old ones."""

    keys: Mapping[str, bytes]
    current: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A token as it is asked for. With ``certificate`` (SHA-256) it is a machine that comes by mutual TLS too."""

    name: str
    expires_at: datetime
    assignments: tuple[RoleAssignment, ...]
    person: UUID | None = None
    certificate: bytes | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A token and its text, which nobody can have again."""

    token: Token
    text: str


def text_of(token: UUID, secret: bytes) -> str:
    """A token as its owner keeps it. Scanners for leaked secrets find it by its first word."""
    return f"tenure_{token.hex}_{urlsafe_b64encode(secret).rstrip(b'=').decode()}"


def id_in(text: str) -> UUID | None:
    """Which token a text says it is."""
    found = _TEXT.fullmatch(text)
    return UUID(found[1]) if found else None


def keyed_digest(key: bytes, text: str) -> bytes:
    """HMAC-SHA-256: who has the table alone cannot try texts against it."""
    return hmac.digest(key, text.encode(), "sha256")


def make(registry: Registry, actor: Actor, keys: DigestKeys, wanted: Wanted, longest: timedelta, reason: str) -> Made:
    """Raises TokenRefusedError, NameTakenError (the certificate is another's), UnknownReferenceError, NotFoundError."""
    with registry.change(actor) as work:
        if not work.at < wanted.expires_at <= work.at + longest:
            latest = rfc3339(work.at + longest)
            raise TokenRefusedError(f"a token ends in the future, {latest} at the latest", "give another end (token_days_most)")
        if not wanted.assignments:
            raise TokenRefusedError("a token without a role can do nothing", "give it at least one role")
        if wanted.person is not None and people.get_person(work, wanted.person).ended_at is not None:
            raise TokenRefusedError("the person does not answer for tokens any more", "name somebody who does")
        return _added(work, keys, wanted, reason)


def _added(work: Work, keys: DigestKeys, wanted: Wanted, reason: str) -> Made:
    id, secret = work.world.ids(), work.world.entropy(SECRET_BYTES)
    text = text_of(id, secret)
    token = Token(
        id,
        wanted.name,
        work.at,
        wanted.expires_at,
        keyed_digest(keys.keys[keys.current], text),
        keys.current,
        wanted.person,
        wanted.certificate,
        wanted.assignments,
    )
    people.add_token(work, token, Cause("add", reason))
    return Made(token, text)


def revoke(registry: Registry, actor: Actor, id: UUID, reason: str) -> None:
    """Ends it now; again is no error. Raises NotFoundError."""
    with registry.change(actor) as work:
        people.end_token(work, id, Cause("end", reason))


def get(registry: Registry, id: UUID) -> Token:
    """Raises NotFoundError."""
    with registry.read() as reading:
        if (token := people.get_token(reading, id)) is None:
            raise NotFoundError("token", id)
        return token


def page(registry: Registry, after: UUID | None, limit: int) -> tuple[Sequence[Token], Mapping[UUID, datetime]]:
    """Tokens by id, behind ``after``, and when they were last used, to the hour."""
    with registry.read() as reading:
        found = people.listed_tokens(reading, after, limit)
        return found, people.last_used(reading, [token.id for token in found])


def first(registry: Registry, keys: DigestKeys, life: timedelta) -> Made | None:
    """The first token, an administrator's; None where there ever was one. Of processes that start at once, one makes it.

    If we die before its text is shown, it is lost, and with it the way in: whoever has the database can remove the row.
    """
    with registry.read() as reading:
        if people.any_token(reading):
            return None
    with registry.change(FIRST) as work:
        hold_keys(work, [_FIRST_LOCK])  # PostgreSQL has many writers, and none sees what another has not committed
        if people.any_token(work):
            return None
        wanted = Wanted("first administrator", work.at + life, (RoleAssignment(Role.ADMIN, Area()),))
        return _added(work, keys, wanted, "first start")
