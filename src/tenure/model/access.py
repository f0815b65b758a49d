"""Who may do what, and to whose devices: roles, areas and the scope that every query on devices takes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"  # the second pair of eyes
    AUDITOR = "auditor"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Area:
    """Devices of one owner in one trust domain; what is left open means every one."""

    owner: UUID | None = None
    trust_domain: UUID | None = None

    def holds(self, owner: UUID | None, trust_domain: UUID | None) -> bool:
        return self.owner in (None, owner) and self.trust_domain in (None, trust_domain)


@dataclass(frozen=True, slots=True)
class Scope:
    """The areas a caller may see, together. No area: nothing. What lies outside is, to the caller, not there."""

    areas: frozenset[Area]

    def holds(self, owner: UUID | None, trust_domain: UUID | None) -> bool:
        return any(area.holds(owner, trust_domain) for area in self.areas)

    @property
    def whole(self) -> bool:
        return Area() in self.areas


EVERYTHING = Scope(frozenset({Area()}))
NOTHING = Scope(frozenset())


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    role: Role
    area: Area


class ActorKind(StrEnum):
    TOKEN = "token"  # noqa: S105 - a kind of actor, not a secret
    PERSON = "person"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. ``person`` is the accountable human behind a token, so that four eyes are two people, not two tokens."""

    kind: ActorKind
    name: str  # the id of the token or person; the name of the part of Tenure that acts by itself
    assignments: tuple[RoleAssignment, ...] = ()
    person: UUID | None = None

    @property
    def text(self) -> str:
        """As events carry it."""
        return f"{self.kind.value}:{self.name}"

    def scope(self, roles: Collection[Role]) -> Scope:
        """Where this actor holds any of these roles."""
        return Scope(frozenset(a.area for a in self.assignments if a.role in roles))


@dataclass(frozen=True, slots=True)
class Person:
    """An accountable human."""

    id: UUID
    name: str
    contact: str
    created_at: datetime
    subject: str | None = None  # as the identity provider names them
    ended_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Token:
    """What a program shows to act: a secret of which a keyed digest is kept, or a client certificate. It ends."""

    id: UUID
    name: str
    created_at: datetime
    expires_at: datetime
    digest: bytes
    digest_key: str  # id of the key of the digest
    person: UUID | None = None  # who answers for it
    certificate: bytes | None = None  # SHA-256
    assignments: tuple[RoleAssignment, ...] = ()
    ended_at: datetime | None = None
    version: int = 1
