"""Verbs on the wire: what each is asked with."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Base64Bytes, Field

from tenure.api.shapes.devices import DeviceForm
from tenure.api.shapes.obligations import ApprovalForm
from tenure.api.shapes.wire import Form, HexSha256, Instant, Line, Order, Reason, example
from tenure.flows.devices.act import RootAnswer
from tenure.lifecycle.commands import (
    Activate,
    Claim,
    Command,
    Forget,
    Quarantine,
    Release,
    Replace,
    ReportLost,
    Retire,
    Return,
)
from tenure.model.devices import OfferState, RootKind, Verb
from tenure.model.vocabulary import DeviceState

_ID = "019363f0-7c1e-7bb2-8b1a-3c4d5e6f7a8b"
Evidence = Annotated[
    tuple[HexSha256, ...], Field(max_length=50, description="SHA-256 of each record that shows why: a photo, a ticket, a log")
]


class VerbOrder(Order):
    """What every verb takes. Each form below says its ``command``."""

    reason: Reason = ""
    evidence: Evidence = ()


class ActivateOrder(VerbOrder):
    def command(self) -> Command:
        return Activate()


class ClaimOrder(VerbOrder):
    """Whose the device is from now on."""

    owner: UUID
    trust_domain: UUID
    site: UUID | None = None
    device_class: UUID | None = None

    def command(self) -> Command:
        return Claim(self.owner, self.trust_domain, self.site, self.device_class)


class QuarantineOrder(VerbOrder):
    def command(self) -> Command:
        return Quarantine()


class ReleaseOrder(VerbOrder):
    def command(self) -> Command:
        return Release()


class ReplaceOrder(VerbOrder):
    """Other hardware takes the role, never the identity."""

    successor: UUID

    def command(self) -> Command:
        return Replace(self.successor)


class ReportLostOrder(VerbOrder):
    def command(self) -> Command:
        return ReportLost()


class RetireOrder(VerbOrder):
    def command(self) -> Command:
        return Retire()


class ForgetOrder(VerbOrder):
    """Removes what describes the device. Takes an approval."""

    approval: UUID | None = Field(default=None, description="Of a second person, for this very request")

    def command(self) -> Command:
        return Forget()


class AnswerOrder(Order):
    """What the hardware answered to the challenge of the request."""

    spki: Annotated[Base64Bytes, Field(max_length=4096, description="Its public key: SubjectPublicKeyInfo, DER, Base64")]
    signature: Annotated[Base64Bytes, Field(max_length=4096, description="Of the challenge, Base64")]


class ReturnOrder(VerbOrder):
    """Found, repaired, bought back. Takes an approval and the answer of the hardware to its challenge."""

    owner: UUID | None = Field(default=None, description="Where the device has none any more")
    trust_domain: UUID | None = None
    approval: UUID | None = None
    answer: AnswerOrder | None = None

    def command(self) -> Command:
        return Return(self.owner, self.trust_domain)

    def root_answer(self) -> RootAnswer | None:
        return RootAnswer(self.answer.spki, self.answer.signature) if self.answer else None


ORDERS: dict[Verb, type[VerbOrder]] = {
    Verb.CLAIM: ClaimOrder,
    Verb.ACTIVATE: ActivateOrder,
    Verb.QUARANTINE: QuarantineOrder,
    Verb.RELEASE: ReleaseOrder,
    Verb.REPLACE: ReplaceOrder,
    Verb.REPORT_LOST: ReportLostOrder,
    Verb.RETURN: ReturnOrder,
    Verb.RETIRE: RetireOrder,
    Verb.FORGET: ForgetOrder,
}
"""Verbs on one device. Registration and transfers have routes of their own."""


class RootOrder(Order):
    kind: RootKind
    spki: HexSha256


class NewDevice(Order):
    """A device as it comes. What it is said to be stands there as a claim until the hardware has proved it."""

    state: DeviceState = Field(default=DeviceState.MANUFACTURED, description="manufactured, claimed, active, retired or lost")
    roots: Annotated[tuple[RootOrder, ...], Field(max_length=16)] = ()
    owner: UUID | None = None
    site: UUID | None = None
    trust_domain: UUID | None = None
    device_class: UUID | None = None
    maker: Line | None = None
    model: Line | None = None
    serial: Line | None = None
    name: Line | None = None
    reason: Reason = ""
    evidence: Evidence = ()


class RegisteredForm(DeviceForm):
    """The new device, and others that claim the same maker and serial."""

    conflicts: list[UUID] = Field(default=[], description="Devices you may see with the same maker and serial: one is a mistake")


class NewOffer(Order):
    devices: Annotated[list[UUID], Field(min_length=1, max_length=10_000)]
    to_owner: UUID
    to_trust_domain: UUID | None = Field(default=None, description="Without it the receiver chooses")
    until: Instant
    reason: Reason = ""


class Acceptance(Order):
    trust_domain: UUID
    site: UUID | None = None
    reason: Reason = ""


class OfferForm(Form):
    """The old owner's half of a transfer. Both parties read it."""

    model_config = example(
        id=_ID,
        from_owner="019363ef-11aa-7c00-9d3e-0a1b2c3d4e5f",
        to_owner="019363ef-22bb-7c00-9d3e-0a1b2c3d4e5f",
        to_party=None,
        to_trust_domain=None,
        devices=["019363ef-33cc-7c00-9d3e-0a1b2c3d4e5f"],
        offered_at="2026-11-01T12:00:00Z",
        until="2026-11-15T12:00:00Z",
        state="open",
        settled_at=None,
    )

    id: UUID
    from_owner: UUID
    to_owner: UUID | None
    to_party: str | None = Field(description="Fingerprint of the key of a party in another Tenure")
    to_trust_domain: UUID | None
    devices: tuple[UUID, ...]
    offered_at: Instant
    until: Instant
    state: OfferState
    settled_at: Instant | None


class SignatureForm(Form):
    keyid: str = Field(description="SHA-256 of the raw public key, hexadecimal; a hint", examples=["0f1e2d3c"])
    sig: str = Field(description="base64", examples=["MEUCIQ=="])


class StatementForm(Form):
    """A statement in its envelope (DSSE 1.0). What was signed is what is sent."""

    payloadType: str = Field(examples=["application/vnd.tenure.handover-statement.v1+json"])  # noqa: N815 - DSSE names it so
    payload: str = Field(description="base64 of the JSON that was signed", examples=["e30="])
    signatures: list[SignatureForm]


class ForgetRequest(Order):
    """Asks that a device may be forgotten."""

    verb: Literal["forget"]
    device: UUID
    reason: Reason

    def command(self) -> Command:
        return Forget()


class ReturnRequest(Order):
    """Asks that gone hardware may come back."""

    verb: Literal["return"]
    device: UUID
    owner: UUID | None = None
    trust_domain: UUID | None = None
    reason: Reason

    def command(self) -> Command:
        return Return(self.owner, self.trust_domain)


NewApproval = Annotated[ForgetRequest | ReturnRequest, Field(discriminator="verb")]
"""A verb that takes a second person, to the letter as it will be asked for."""


class RequestedApproval(ApprovalForm):
    """The request. The approver reads it under its id."""

    challenge: str | None = Field(default=None, description="What the hardware signs, where the verb takes its answer")


class Decision(Order):
    reason: Reason = ""
