"""A device as the registry holds it: state, custody, hardware roots, and the tombstones that outlive it. Frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tenure.model.vocabulary import DeviceState

VOLATILE = {"volatile": True}
"""Metadata of a field that observation moves and no digest covers: seeing a device is no change of its identity."""


class Verb(StrEnum):
    """What can be done to a device. Which states and proofs each needs stands in ``lifecycle``."""

    REGISTER = "register"
    CLAIM = "claim"
    ACTIVATE = "activate"
    QUARANTINE = "quarantine"
    RELEASE = "release"
    OFFER = "offer"
    ACCEPT = "accept"
    CANCEL = "cancel"
    REPLACE = "replace"
    REPORT_LOST = "report-lost"
    RETURN = "return"
    RETIRE = "retire"
    FORGET = "forget"


class RootKind(StrEnum):
    """What keeps the key that a device is found again by."""

    EK_RSA = "ek-rsa"
    EK_ECC = "ek-ecc"
    IDEVID = "idevid"
    SECURE_ELEMENT = "secure-element"
    PUF = "puf"


class RootProof(StrEnum):
    """What is known of a root: somebody said so, its maker certified it, the device proved to hold it."""

    CLAIMED = "claimed"
    ENDORSED = "endorsed"
    PROVED = "proved"

    @property
    def rank(self) -> int:
        """0 is the weakest."""
        return list(RootProof).index(self)


@dataclass(frozen=True, slots=True)
class HardwareRoot:
    """One key that the hardware keeps. It belongs to one device, for ever (invariant 4)."""

    kind: RootKind
    spki: bytes  # SHA-256 of its SubjectPublicKeyInfo
    proof: RootProof = RootProof.CLAIMED
    proved_at: datetime | None = None  # of the latest proof, or endorsement


@dataclass(frozen=True, slots=True)
class Device:
    """A physical thing with a lifecycle. Its id is opaque and random; maker and serial are a claim, never a root."""

    id: UUID
    state: DeviceState
    created_at: datetime
    state_since: datetime
    owner: UUID | None = None  # unowned is a state that ages: since state_since or the last change of custody
    site: UUID | None = None
    trust_domain: UUID | None = None
    device_class: UUID | None = None
    maker: str | None = None
    model: str | None = None
    serial: str | None = None
    name: str | None = None
    term: int = 1  # counts spans of trust: a change of owner and a return start the next, with new keys
    replaces: UUID | None = None  # whose role it took (RMA); never its identity
    must_rekey: bool = False  # after a transfer or a return: new keys before it is active again
    offer: UUID | None = None  # the open transfer it is part of
    resumes: DeviceState | None = None  # while transferring: where a cancelled offer takes it back to
    forgotten_at: datetime | None = None
    roots: tuple[HardwareRoot, ...] = ()
    last_seen: datetime | None = field(default=None, metadata=VOLATILE)
    expires: datetime | None = field(default=None, metadata=VOLATILE)  # of the last operational credential to end
    version: int = 1  # the registry counts it up with each change; what If-Match compares


class TombstoneKind(StrEnum):
    ROOT = "root"  # hardware that may come back by ``return`` alone
    KEY = "key"  # a public key that was this device's alone; it never comes back


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What bars retired or lost hardware and its keys from every way back in. Never removed, not by ``forget`` either."""

    spki: bytes  # SHA-256 of the SubjectPublicKeyInfo
    kind: TombstoneKind
    device: UUID
    term: int  # of the device when it ended
    state: DeviceState  # retired or lost
    at: datetime
    returned_at: datetime | None = None  # noted by ``return``; only a root's

    @property
    def bars(self) -> bool:
        """Whether it holds: a return lifts a root's, until the hardware is retired again (which is another tombstone)."""
        return self.kind is TombstoneKind.KEY or self.returned_at is None


class OfferState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    CANCELLED = "cancelled"
    LAPSED = "lapsed"  # nobody accepted in time


@dataclass(frozen=True, slots=True)
class TransferOffer:
    """The old owner's half of a transfer: to whom, which devices, until when."""

    id: UUID
    from_owner: UUID
    to_owner: UUID | None  # None: an owner in another Tenure, named by ``to_party``
    to_party: str | None  # fingerprint of the key that signs the acceptance elsewhere
    to_trust_domain: UUID | None
    devices: tuple[UUID, ...]
    offered_at: datetime
    until: datetime
    state: OfferState = OfferState.OPEN
    settled_at: datetime | None = None
