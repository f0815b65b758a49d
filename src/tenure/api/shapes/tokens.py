"""Tokens and people on the wire. The text of a token is in one answer alone, the one that made it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from tenure.api.shapes.wire import Form, HexSha256, Instant, Line, Order, Reason, Sha256, example
from tenure.model.access import Role

_ID = "019363f0-7c1e-7bb2-8b1a-3c4d5e6f7a8b"


class AreaForm(Form):
    """Devices of one owner in one trust domain; null means every one."""

    owner: UUID | None = None
    trust_domain: UUID | None = None


class AssignmentForm(Form):
    role: Role
    area: AreaForm


class TokenForm(Form):
    """A token, without its secret."""

    model_config = example(
        id=_ID,
        name="line 4 gateway",
        created_at="2026-11-01T12:00:00Z",
        expires_at="2027-01-30T12:00:00Z",
        person=None,
        certificate=None,
        assignments=[{"role": "operator", "area": {"owner": "019363ef-11aa-7c00-9d3e-0a1b2c3d4e5f", "trust_domain": None}}],
        ended_at=None,
        last_used="2026-11-20T17:00:00Z",
        version=1,
    )

    id: UUID
    name: str
    created_at: Instant
    expires_at: Instant
    person: UUID | None = Field(description="Who answers for it; four eyes are two people, not two tokens")
    certificate: Sha256 | None = Field(description="Of the client certificate, of a machine that comes by mutual TLS")
    assignments: tuple[AssignmentForm, ...]
    ended_at: Instant | None
    last_used: Instant | None = Field(default=None, description="To the hour")
    version: int


class MadeToken(TokenForm):
    """A new token with its text, shown this once. A repeated request (Idempotency-Key) gets null: it is kept nowhere."""

    token: str | None = Field(description="Send it as Authorization: Bearer", examples=["tenure_..."])


class AreaOrder(Order):
    owner: UUID | None = None
    trust_domain: UUID | None = None


class AssignmentOrder(Order):
    role: Role
    area: AreaOrder = Field(default_factory=AreaOrder, description="Without it: everywhere")


class NewToken(Order):
    name: Line
    assignments: Annotated[list[AssignmentOrder], Field(min_length=1, max_length=50)]
    expires_at: Instant | None = Field(default=None, description="Without it: after the usual life of a token")
    person: UUID | None = None
    certificate: HexSha256 | None = None
    reason: Reason = ""


class PersonForm(Form):
    """An accountable human."""

    model_config = example(
        id=_ID,
        name="Operations lead",
        contact="operations@plant.example",
        created_at="2026-11-01T12:00:00Z",
        subject=None,
        ended_at=None,
        version=1,
    )

    id: UUID
    name: str
    contact: str
    created_at: Instant
    subject: str | None = Field(description="As the identity provider names them")
    ended_at: Instant | None
    version: int


class NewPerson(Order):
    name: Line
    contact: Line
    subject: Line | None = None
    reason: Reason = ""
