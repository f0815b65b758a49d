"""Approvals: a request that waits for a second person, and what that person said. Frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class ApprovalState(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    USED = "used"  # what was approved has been done; it is good for one time
    LAPSED = "lapsed"  # nobody decided, or nobody acted, in time


@dataclass(frozen=True, slots=True)
class Approval:
    """One request for four eyes. Its id is what a device signs to prove its hardware root for a return: new for each request."""

    id: UUID
    verb: str
    request: str  # canonical JSON, for the second person to read
    request_digest: bytes  # what was approved is what is done
    requested_by: str  # an actor
    requested_by_person: UUID
    requested_at: datetime
    until: datetime  # to be decided and used before
    owner: UUID | None = None  # whose devices it is about
    trust_domain: UUID | None = None
    state: ApprovalState = ApprovalState.WAITING
    decided_by: str | None = None
    decided_by_person: UUID | None = None
    decided_at: datetime | None = None
    version: int = 1
