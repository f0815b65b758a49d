"""What a caller asks of a device, one value per verb, and who asks. ``judge`` answers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeAlias
from uuid import UUID

from tenure.lifecycle.approval import Approved
from tenure.lifecycle.handover import Acceptance, Agreed, OfferedDevice
from tenure.lifecycle.root_proof import FreshProof
from tenure.model.access import Actor
from tenure.model.devices import HardwareRoot, Verb
from tenure.model.events import canonical
from tenure.model.vocabulary import DeviceState


@dataclass(frozen=True, slots=True)
class Register:
    """A device as it comes to the registry: from its maker, from an import that says what it already is, from another Tenure."""

    verb: ClassVar[Verb] = Verb.REGISTER
    id: UUID
    roots: tuple[HardwareRoot, ...] = ()
    state: DeviceState = DeviceState.MANUFACTURED
    owner: UUID | None = None
    site: UUID | None = None
    trust_domain: UUID | None = None
    device_class: UUID | None = None
    maker: str | None = None
    model: str | None = None
    serial: str | None = None
    name: str | None = None
    handed_over: OfferedDevice | None = None  # of a signed offer: claimed with new keys only


@dataclass(frozen=True, slots=True)
class Claim:
    verb: ClassVar[Verb] = Verb.CLAIM
    owner: UUID
    trust_domain: UUID
    site: UUID | None = None
    device_class: UUID | None = None


@dataclass(frozen=True, slots=True)
class Activate:
    verb: ClassVar[Verb] = Verb.ACTIVATE


@dataclass(frozen=True, slots=True)
class Quarantine:
    verb: ClassVar[Verb] = Verb.QUARANTINE


@dataclass(frozen=True, slots=True)
class Release:
    verb: ClassVar[Verb] = Verb.RELEASE


@dataclass(frozen=True, slots=True)
class OfferTransfer:
    """``offer`` stands for all its devices; each is judged on its own."""

    verb: ClassVar[Verb] = Verb.OFFER
    offer: UUID
    to_owner: UUID | None  # None: an owner elsewhere, who signs with the key of ``to_party``
    to_party: str | None
    until: datetime


@dataclass(frozen=True, slots=True)
class AcceptTransfer:
    """The receiver, an owner in this Tenure, takes the device into a trust domain of its own."""

    verb: ClassVar[Verb] = Verb.ACCEPT
    trust_domain: UUID
    site: UUID | None = None


@dataclass(frozen=True, slots=True)
class HandOver:
    """The receiver, in another Tenure, has accepted in writing: the device leaves this one."""

    verb: ClassVar[Verb] = Verb.ACCEPT
    acceptance: Agreed[Acceptance]


@dataclass(frozen=True, slots=True)
class CancelTransfer:
    verb: ClassVar[Verb] = Verb.CANCEL


@dataclass(frozen=True, slots=True)
class Replace:
    """RMA: other hardware takes the role."""

    verb: ClassVar[Verb] = Verb.REPLACE
    successor: UUID


@dataclass(frozen=True, slots=True)
class ReportLost:
    verb: ClassVar[Verb] = Verb.REPORT_LOST


@dataclass(frozen=True, slots=True)
class Return:
    """Found, repaired, bought back. Owner and trust domain count where the device has none."""

    verb: ClassVar[Verb] = Verb.RETURN
    owner: UUID | None = None
    trust_domain: UUID | None = None


@dataclass(frozen=True, slots=True)
class Retire:
    verb: ClassVar[Verb] = Verb.RETIRE


@dataclass(frozen=True, slots=True)
class Forget:
    verb: ClassVar[Verb] = Verb.FORGET


Command: TypeAlias = (
    Claim
    | Activate
    | Quarantine
    | Release
    | OfferTransfer
    | AcceptTransfer
    | HandOver
    | CancelTransfer
    | Replace
    | ReportLost
    | Return
    | Retire
    | Forget
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A command with who wants it, why, and on what."""

    actor: Actor
    reason: str = ""
    evidence: tuple[bytes, ...] = ()  # SHA-256 of each record
    approved: Approved | None = None
    proof: FreshProof | None = None


@dataclass(frozen=True, slots=True)
class _Request:
    verb: Verb
    device: UUID
    command: Command
    reason: str


def request_digest(command: Command, device: UUID, reason: str) -> bytes:
    """SHA-256 of what is asked: what a second person approved is what is done, to the letter of the reason."""
    return hashlib.sha256(canonical(_Request(command.verb, device, command, reason))).digest()
