"""Obligations, their evidence, and requests for a second person, on the wire."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field, PlainSerializer, WithJsonSchema

from tenure.api.shapes.wire import Form, Instant, Sha256, example
from tenure.model.approvals import ApprovalState
from tenure.model.obligations import EvidenceKind, ObligationKind, ObligationState

_ID = "019363f0-7c1e-7bb2-8b1a-3c4d5e6f7a8b"
Sets = Annotated[
    frozenset[frozenset[EvidenceKind]],
    PlainSerializer(lambda sets: sorted(sorted(kinds) for kinds in sets), return_type=list[list[str]]),
    WithJsonSchema({"type": "array", "items": {"type": "array", "items": {"enum": [kind.value for kind in EvidenceKind]}}}),
]


class ObligationForm(Form):
    """One thing to be made true elsewhere, open until evidence that closes it came from the relying party."""

    model_config = example(
        id=_ID,
        device="019363ef-11aa-7c00-9d3e-0a1b2c3d4e5f",
        term=1,
        kind="end-credential",
        cause="019363ef-22bb-7c00-9d3e-0a1b2c3d4e5f",
        opened_at="2026-11-01T12:00:00Z",
        closed_by=[["canary-refused", "target-state"], ["target-refused"], ["expired"]],
        target_kind="credential",
        target="019363ef-33cc-7c00-9d3e-0a1b2c3d4e5f",
        relying_party=None,
        bounded_until="2027-02-01T00:00:00Z",
        due="2026-11-02T12:00:00Z",
        state="open",
        settled_at=None,
    )

    id: UUID
    device: UUID
    term: int = Field(description="Of the device when it arose")
    kind: ObligationKind
    cause: UUID = Field(description="One id for all obligations of one retirement, transfer, loss or return")
    opened_at: Instant
    closed_by: Sets = Field(description="Sets of kinds of evidence; any one of them, whole, closes it")
    target_kind: str
    target: UUID | None
    relying_party: UUID | None
    bounded_until: Instant | None = Field(description="From then on nothing can be accepted, whatever the party was told")
    due: Instant | None = Field(description="When it becomes a finding")
    state: ObligationState
    settled_at: Instant | None


class EvidenceForm(Form):
    """What came from a relying party; it is kept whether or not it closes anything."""

    id: UUID
    kind: EvidenceKind
    at: Instant
    digest: Sha256
    source: str
    detail: str


class ObligationWithEvidence(ObligationForm):
    evidence: list[EvidenceForm]


class ApprovalForm(Form):
    """A request that waits for a second person, and what that person said."""

    model_config = example(
        id=_ID,
        verb="return",
        request='{"a":"Return"}',
        request_digest="3b" * 32,
        requested_by="token:019363ef-11aa-7c00-9d3e-0a1b2c3d4e5f",
        requested_by_person="019363ef-22bb-7c00-9d3e-0a1b2c3d4e5f",
        requested_at="2026-11-01T12:00:00Z",
        until="2026-11-04T12:00:00Z",
        owner="019363ef-33cc-7c00-9d3e-0a1b2c3d4e5f",
        trust_domain=None,
        state="waiting",
        decided_by=None,
        decided_by_person=None,
        decided_at=None,
        version=1,
    )

    id: UUID
    verb: str
    request: str = Field(description="What is asked, for the second person to read")
    request_digest: Sha256 = Field(description="What was approved is what is done")
    requested_by: str
    requested_by_person: UUID
    requested_at: Instant
    until: Instant = Field(description="To be decided and used before")
    owner: UUID | None
    trust_domain: UUID | None
    state: ApprovalState
    decided_by: str | None
    decided_by_person: UUID | None
    decided_at: Instant | None
    version: int
