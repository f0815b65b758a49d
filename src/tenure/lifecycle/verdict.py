"""What the judgement of a verb comes to: permitted, with all that is to be written, or refused, with the next step."""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tenure.errors import TenureError
from tenure.model.devices import Device, Tombstone, TransferOffer, Verb
from tenure.model.obligations import Obligation

SEAL = object()
"""What the judgements of this package stamp a permission with. Nobody else has a use for it."""


@dataclass(frozen=True, slots=True)
class Change:
    """A device as it was and as it becomes; None: it was not there."""

    before: Device | None
    after: Device


@dataclass(frozen=True, slots=True)
class ClaimConflict:
    """A finding: others say they are of the same maker and serial. A serial is a claim, so nobody is refused for it."""

    maker: str
    serial: str
    others: tuple[UUID, ...]  # only those the caller may see; the audit compares all


@dataclass(frozen=True, slots=True)
class Permitted:
    """The token that writes of a verb need: what becomes of everything, decided at one moment. Only a judgement makes one.

    It is for the transaction that loaded the facts, and no other: they may be untrue in the next.
    """

    seal: InitVar[object]
    verb: Verb
    at: datetime
    cause: UUID  # names all obligations of this act
    changes: tuple[Change, ...]  # the device itself first; of a replacement, then its successor
    tombstones: tuple[Tombstone, ...] = ()  # to write
    lifted: tuple[Tombstone, ...] = ()  # noted with the return
    opened: tuple[Obligation, ...] = ()
    voided: tuple[Obligation, ...] = ()
    shared_keys: tuple[bytes, ...] = ()  # keys or secrets that others hold too: each needs a campaign, none a tombstone
    former_keys: tuple[bytes, ...] = ()  # operational keys of a life elsewhere, refused for this device
    conflicts: tuple[ClaimConflict, ...] = ()
    offer: TransferOffer | None = None  # as it becomes
    left_offer: UUID | None = None  # the device is no part of it any more
    approval: UUID | None = None  # used up by this

    def __post_init__(self, seal: object) -> None:
        if seal is not SEAL:
            raise TypeError("a permission comes from a judgement, it is not made by hand")

    @property
    def device(self) -> Device:
        """The device as it becomes."""
        return self.changes[0].after


class Code(StrEnum):
    """Why a verb is refused, in a word that programs compare."""

    NOT_PERMITTED = "not-permitted"  # the role is missing here
    WRONG_STATE = "wrong-state"
    REASON_MISSING = "reason-missing"
    APPROVAL_MISSING = "approval-missing"
    APPROVAL_INVALID = "approval-invalid"
    ROOT_NOT_FREE = "root-not-free"
    OWNER_MISSING = "owner-missing"
    FOREIGN_OWNER = "foreign-owner"
    KEY_MISSING = "key-missing"
    KEY_REFUSED = "key-refused"
    OFFER_INVALID = "offer-invalid"
    SUCCESSOR_INVALID = "successor-invalid"
    PROOF_INVALID = "proof-invalid"
    NOT_SETTLED = "not-settled"


@dataclass(frozen=True, slots=True)
class Refused:
    """No, why, and what to do. ``see`` points to another device only for who may see it."""

    code: Code
    problem: str
    fix: str
    see: tuple[UUID, ...] = ()


class VerbRefusedError(TenureError):
    """A verb on a device was judged and refused; nothing was written."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.problem, refused.fix)
        self.code = refused.code
        self.see = refused.see


def permitted(verdict: Permitted | Refused) -> Permitted:
    """The permission, or VerbRefusedError."""
    if isinstance(verdict, Refused):
        raise VerbRefusedError(verdict)
    return verdict
