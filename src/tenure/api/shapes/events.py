"""Events on the wire."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from pydantic import Field

from tenure.api.shapes.wire import Form, Instant, Sha256, example
from tenure.model.access import EVERYTHING, Scope
from tenure.registry.event_lists import Told

_ELSEWHERE = "null for callers limited to an area, whom it would tell how much happens elsewhere"


class EventForm(Form):
    """One change: who did what to which subject, what it was before and after, and why."""

    model_config = example(
        id="019363f0-7c1e-7bb2-8b1a-3c4d5e6f7a8b",
        instance="019363ef-11aa-7c00-9d3e-0a1b2c3d4e5f",
        sequence=7,
        at="2026-11-01T12:00:00Z",
        actor="token:019363ef-22bb-7c00-9d3e-0a1b2c3d4e5f",
        verb="retire",
        subject_kind="device",
        subject="019363ef-33cc-7c00-9d3e-0a1b2c3d4e5f",
        before="3b" * 32,
        after="4c" * 32,
        evidence=[],
        private_digest="5d" * 32,
        reason="scrapped",
        position=41,
    )

    id: UUID
    instance: UUID | None = Field(description=f"Who made it; {_ELSEWHERE}")
    sequence: int | None = Field(description=f"Its number there; {_ELSEWHERE}")
    at: Instant
    actor: str
    verb: str
    subject_kind: str
    subject: str
    before: Sha256 | None = Field(description="Salted digest of what it was")
    after: Sha256 | None
    evidence: tuple[Sha256, ...]
    private_digest: Sha256 | None = Field(description="Of the reason: it tells nothing once the reason is erased")
    reason: str | None = Field(default=None, description="Null where none was given, or it was erased")
    position: int | None = Field(default=None, description=f"Its place in the ledger; null: it has none yet, and {_ELSEWHERE}")

    @classmethod
    def of(cls, told: Told) -> Self:
        return cls.model_validate(told.event).model_copy(update={"reason": told.reason, "position": told.position})

    @classmethod
    def within(cls, scope: Scope, told: Told) -> Self:
        """As a caller of this scope may see it: numbers that count the events of others are left out (invariant 14)."""
        whole = cls.of(told)
        return whole if scope == EVERYTHING else whole.model_copy(update={"instance": None, "sequence": None, "position": None})
