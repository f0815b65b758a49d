"""Statements that pass between the two parties of a handover: offer and acceptance, as canonical bytes in signed envelopes.

The two may run separate Tenure instances and share nothing but each other's public key. What each learns: the receiver, of
each device its hardware roots, what it is, the digests of the operational keys it must never use again, and the salted
digests of its custody; the giver, that its very offer was accepted, by whom and when. Names of people, the giver's
device ids and the receiver's plans stay at home.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from tenure.clock import instant, rfc3339
from tenure.errors import TenureError
from tenure.lifecycle.envelope import EnvelopeError, Opened, Signer, opened, sealed

OFFER = "application/vnd.tenure.handover-offer.v1+json"
ACCEPTANCE = "application/vnd.tenure.handover-acceptance.v1+json"
MOST_DEVICES = 10_000

Statement = TypeVar("Statement")


@dataclass(frozen=True, slots=True)
class Party:
    """A Tenure instance as the other side knows it."""

    instance: UUID
    key: bytes  # raw Ed25519 public key, compared out of band when the two parties met


@dataclass(frozen=True, slots=True)
class OfferedRoot:
    kind: str
    key: bytes  # SHA-256 of its SubjectPublicKeyInfo


@dataclass(frozen=True, slots=True)
class OfferedDevice:
    """One device as the receiver learns of it."""

    roots: tuple[OfferedRoot, ...]
    maker: str
    model: str
    serial: str
    former_keys: tuple[bytes, ...]  # SHA-256 of the SPKI of each operational key it had: refused from now on
    custody: tuple[bytes, ...]  # salted digest of each term of custody, oldest first: can be proved later, tells nothing now


@dataclass(frozen=True, slots=True)
class Offer:
    """What the giver signs. It cannot be called back: until its end the receiver may accept."""

    transfer: UUID
    giver: Party
    receiver: Party
    offered_at: datetime
    until: datetime
    devices: tuple[OfferedDevice, ...]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What the receiver signs, about one very offer and all of its devices."""

    transfer: UUID
    offer: bytes  # SHA-256 of the payload of the offer
    receiver: Party
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class Agreed(Generic[Statement]):
    """A statement whose signature holds, and the digest that names it. Only ``read_offer`` and ``read_acceptance`` make one."""

    statement: Statement
    digest: bytes


def offer_file(offer: Offer, signer: Signer) -> bytes:
    """The offer, signed by the giver. Raises TenureError when somebody else would sign, or no receiver could use it."""
    _must(
        signer.public_key == offer.giver.key, "the offer names another key than the one that signs", "sign with the giver's key"
    )
    _must(0 < len(offer.devices) <= MOST_DEVICES, f"an offer holds 1 to {MOST_DEVICES} devices", "make several offers")
    _must(offer.offered_at < offer.until, "the offer ends before it begins", "give an end that lies ahead")
    _must(all(device.roots for device in offer.devices), *_ROOTLESS)
    return sealed(OFFER, canonical_json(_offer_fields(offer)), signer)


def acceptance_file(acceptance: Acceptance, signer: Signer) -> bytes:
    """The acceptance, signed by the receiver."""
    _must(
        signer.public_key == acceptance.receiver.key,
        "the acceptance names another key than the one that signs",
        "sign with the receiver's key",
    )
    return sealed(ACCEPTANCE, canonical_json(_acceptance_fields(acceptance)), signer)


def read_offer(envelope: bytes, giver: Party, receiver: Party, now: datetime) -> Agreed[Offer]:
    """The offer in a file, if the giver signed it, it is meant for this receiver and has not ended. Raises TenureError."""
    file = opened(envelope, OFFER, giver.key)
    offer = _decoded(file, _offer)
    _must(offer.giver == giver, "the offer names another giver than the one who signed it", "ask the giver for a new offer")
    _must(
        offer.receiver == receiver, "the offer is meant for somebody else", "ask the giver for an offer to this instance and key"
    )
    _must(0 < len(offer.devices) <= MOST_DEVICES and all(device.roots for device in offer.devices), *_ROOTLESS)
    _must(offer.offered_at <= now, "the offer was made in the future", "compare the clocks of both sides")
    _must(now < offer.until, f"the offer ended {rfc3339(offer.until)}", "ask the giver for a new offer")
    return Agreed(offer, file.digest)


def read_own_offer(envelope: bytes, giver: Party) -> Agreed[Offer]:
    """The offer that we signed ourselves, ended or not: what an acceptance is held against. Raises TenureError."""
    file = opened(envelope, OFFER, giver.key)
    offer = _decoded(file, _offer)
    _must(offer.giver == giver, "the offer is not ours", "give the file that this instance made")
    return Agreed(offer, file.digest)


def read_acceptance(envelope: bytes, offer: Offer, offer_digest: bytes, now: datetime) -> Agreed[Acceptance]:
    """The acceptance in a file, if the receiver of this very offer signed it and accepted in time. Raises TenureError.

    It counts however late it arrives: the receiver acted on an offer that could not be called back.
    """
    file = opened(envelope, ACCEPTANCE, offer.receiver.key)
    acceptance = _decoded(file, _acceptance)
    same = acceptance.transfer == offer.transfer and acceptance.offer == offer_digest and acceptance.receiver == offer.receiver
    _must(same, "the acceptance is about another offer", "ask the receiver for the acceptance of this offer")
    in_time = offer.offered_at <= acceptance.accepted_at < offer.until
    _must(in_time, f"accepted {rfc3339(acceptance.accepted_at)}, outside of the offer's time", "make a new offer")
    _must(acceptance.accepted_at <= now, "accepted in the future", "compare the clocks of both sides")
    return Agreed(acceptance, file.digest)


_ROOTLESS = (
    "an offer to another instance needs at least one hardware root for each device",
    "enrol a hardware root first: nothing else proves to the receiver which device it got",
)


def _must(holds: bool, problem: str, fix: str) -> None:
    if not holds:
        raise TenureError(problem, fix)


def canonical_json(fields: Mapping[str, Any]) -> bytes:
    """Keys sorted, no spaces, UTF-8: what is signed is the same wherever it is written."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _offer_fields(offer: Offer) -> dict[str, Any]:
    return {
        "transfer": str(offer.transfer),
        "giver": _party_fields(offer.giver),
        "receiver": _party_fields(offer.receiver),
        "offered_at": rfc3339(offer.offered_at),
        "until": rfc3339(offer.until),
        "devices": [_device_fields(device) for device in offer.devices],
    }


def _acceptance_fields(acceptance: Acceptance) -> dict[str, Any]:
    return {
        "transfer": str(acceptance.transfer),
        "offer": acceptance.offer.hex(),
        "receiver": _party_fields(acceptance.receiver),
        "accepted_at": rfc3339(acceptance.accepted_at),
    }


def _party_fields(party: Party) -> dict[str, str]:
    return {"instance": str(party.instance), "key": party.key.hex()}


def _device_fields(device: OfferedDevice) -> dict[str, Any]:
    return {
        "roots": [{"kind": root.kind, "key": root.key.hex()} for root in device.roots],
        "maker": device.maker,
        "model": device.model,
        "serial": device.serial,
        "former_keys": [key.hex() for key in device.former_keys],
        "custody": [digest.hex() for digest in device.custody],
    }


def _decoded(file: Opened, read: Callable[[Any], Statement]) -> Statement:
    """Signed, and yet perhaps not what we can read: a newer writer, or a faulty one."""
    try:
        return read(json.loads(file.payload))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, TenureError) as error:
        raise EnvelopeError(
            f"the signed statement cannot be read: {error}", "both sides need versions that know this type"
        ) from error


def _offer(fields: Any) -> Offer:
    return Offer(
        transfer=UUID(fields["transfer"]),
        giver=_party(fields["giver"]),
        receiver=_party(fields["receiver"]),
        offered_at=instant(fields["offered_at"]),
        until=instant(fields["until"]),
        devices=tuple(_device(device) for device in fields["devices"]),
    )


def _acceptance(fields: Any) -> Acceptance:
    return Acceptance(
        transfer=UUID(fields["transfer"]),
        offer=_digest(fields["offer"]),
        receiver=_party(fields["receiver"]),
        accepted_at=instant(fields["accepted_at"]),
    )


def _party(fields: Any) -> Party:
    return Party(UUID(fields["instance"]), _digest(fields["key"]))


def _device(fields: Any) -> OfferedDevice:
    return OfferedDevice(
        roots=tuple(OfferedRoot(_text(root["kind"]), _digest(root["key"])) for root in fields["roots"]),
        maker=_text(fields["maker"]),
        model=_text(fields["model"]),
        serial=_text(fields["serial"]),
        former_keys=tuple(_digest(key) for key in fields["former_keys"]),
        custody=tuple(_digest(digest) for digest in fields["custody"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _digest(value: object) -> bytes:
    """32 bytes in hexadecimal: a SHA-256 digest or a raw Ed25519 key."""
    raw = bytes.fromhex(_text(value))
    if len(raw) != 32:
        raise ValueError(f"{value!r} is not 32 bytes")
    return raw
