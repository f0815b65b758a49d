"""Webhooks and their dead letters on the wire."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field, StrictInt

from tenure.api.shapes.wire import Form, Instant, Line, Order, Reason, example

_ID = "019363f0-7c1e-7bb2-8b1a-3c4d5e6f7a8b"
_EXAMPLE = {
    "id": _ID,
    "url": "https://receiver.example/hook",
    "created_at": "2026-11-01T12:00:00Z",
    "owner": None,
    "trust_domain": None,
    "verbs": ["retire"],
    "enabled": True,
    "version": 1,
}
Url = Annotated[
    str, Field(min_length=1, max_length=2000, description="https, without a password", examples=["https://receiver.example/hook"])
]


class WebhookForm(Form):
    """A receiver of events."""

    model_config = example(**_EXAMPLE)

    id: UUID
    url: str
    created_at: Instant
    owner: UUID | None = Field(description="Whose devices it hears of; null: everybody's")
    trust_domain: UUID | None
    verbs: tuple[str, ...] = Field(description="What it hears of; empty: everything")
    enabled: bool
    version: int


class WebhookStanding(WebhookForm):
    """A webhook, and what was not delivered to it."""

    model_config = example(**_EXAMPLE, waiting=0, dead=2)

    waiting: int = Field(description="Letters on their way; beyond 1000 nothing more is taken out of the ledger")
    dead: int = Field(description="Letters that were given up")


class LetterForm(Form):
    """An event that was given up."""

    model_config = example(event=_ID, position=41, attempts=16, since="2026-11-02T23:00:00Z", last_answer="HTTP 503")

    event: UUID
    position: int = Field(description="Of the event in the ledger")
    attempts: int
    since: Instant = Field(validation_alias="next_at", description="When it was given up")
    last_answer: str = Field(description="What the receiver did at last, in words")


class NewWebhook(Order):
    url: Url
    owner: UUID | None = None
    trust_domain: UUID | None = None
    verbs: Annotated[list[Line], Field(max_length=50)] = Field(default_factory=list, description="None: all")
    since: Annotated[StrictInt, Field(ge=0, le=2**63 - 1)] | None = Field(
        default=None, description="Ledger position it hears from; null: from now on"
    )
    reason: Reason = ""


class Acting(Order):
    reason: Reason = ""


class Resent(Form):
    """How many letters are due now."""

    model_config = example(due=2)

    due: int
