"""Obligations: what must be true elsewhere before a device's trust has ended, and the evidence that closes each one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class ObligationKind(StrEnum):
    """What has to be brought about. Which evidence closes which kind stands in ``lifecycle``."""

    END_CREDENTIAL = "end-credential"  # revoked or deactivated where it was issued
    REFUSE_BIRTH = "refuse-birth"  # a birth or attestation credential, refused at enrolment from now on
    CUT_OFF = "cut-off"  # the enforcement point holds and lets in nothing of it any more
    CLOSE_SESSIONS = "close-sessions"
    END_GRANT = "end-grant"
    END_DELEGATION = "end-delegation"
    END_REGISTRATION = "end-registration"  # in a cloud, a group, a directory
    REVIEW_ANCHOR = "review-anchor"  # only this device needed it
    REPLACE_KEY = "replace-key"  # a new key before it is active again
    WIPE_DATA = "wipe-data"
    STATE_HANDOVER = "state-handover"  # the signed statement of what was handed over


class EvidenceKind(StrEnum):
    CANARY_REFUSED = "canary-refused"  # a canary accepted before is refused as revoked, while a live one is accepted
    TARGET_STATE = "target-state"  # what the point itself holds, read back after the change
    TARGET_REFUSED = "target-refused"  # the point's own log shows this identity refused after the change
    EXPIRED = "expired"  # nothing is left that could be accepted
    STATEMENT = "statement"  # a person's signed word, for what no machine can be asked


class ObligationState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    VOID = "void"  # what it asked for cannot be any more: a cancelled transfer, a device returned


@dataclass(frozen=True, slots=True)
class Obligation:
    """One thing to be made true, open until evidence of a kind that closes it came from the relying party."""

    id: UUID
    device: UUID
    term: int  # of the device when it arose
    kind: ObligationKind
    cause: UUID  # one id for all obligations of one retirement, transfer, loss or return
    opened_at: datetime
    closed_by: frozenset[frozenset[EvidenceKind]]  # any one of these sets, whole, closes it
    target_kind: str = "device"  # credential, relying-party, grant, delegation, anchor, ...
    target: UUID | None = None  # None: the device itself
    relying_party: UUID | None = None  # where it must be true; None: nowhere in particular
    bounded_until: datetime | None = None  # from then on nothing can be accepted, whatever the party was told
    due: datetime | None = None  # when an open one becomes a finding
    state: ObligationState = ObligationState.OPEN
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ObligationEvidence:
    """What came from a relying party about one obligation; it is kept whether or not it closes it."""

    id: UUID
    obligation: UUID
    kind: EvidenceKind
    at: datetime  # when the party was in that state
    digest: bytes  # SHA-256 of the record itself, wherever it lies
    source: str  # who says so: a point's name and version, a snapshot id, a person
    detail: str = ""
