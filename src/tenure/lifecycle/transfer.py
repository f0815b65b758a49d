"""Transfer: two parties, an offer and an answer. From acceptance on, what the old owner gave the device is to end.

An offer to an owner in another Tenure went out as a signed file and cannot be called back: it is answered in writing, or ends.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tenure.clock import rfc3339
from tenure.lifecycle.commands import AcceptTransfer, Asked, CancelTransfer, HandOver, OfferTransfer
from tenure.lifecycle.envelope import key_id
from tenure.lifecycle.facts import Facts
from tenure.lifecycle.transitions import TABLE
from tenure.lifecycle.verdict import Code, Refused
from tenure.model.devices import Device, OfferState, TransferOffer
from tenure.model.vocabulary import DeviceState


def offered(facts: Facts, command: OfferTransfer, now: datetime) -> Device | Refused:
    """The device as part of an offer."""
    device = facts.device
    if device.owner is None or device.trust_domain is None:
        return Refused(Code.OWNER_MISSING, "nobody owns the device yet", "claim it, or have the other owner claim it")
    if (command.to_owner is None) == (command.to_party is None):
        return _invalid("an offer is made to an owner here or to a party elsewhere", "name one of them")
    if command.to_owner == device.owner:
        return _invalid("the device is this owner's already", "name another owner")
    if command.until <= now:
        return _invalid("the offer ends before it begins", "give an end that lies ahead")
    if command.to_party is not None and not device.roots:
        return _invalid("nothing would prove to the receiver which device it got", "enrol a hardware root first")
    return replace(device, state=DeviceState.TRANSFERRING, state_since=now, offer=command.offer, resumes=device.state)


def accepted(facts: Facts, command: AcceptTransfer, asked: Asked, now: datetime) -> Device | Refused:
    """The device as the new owner's, in a new term: without what was the old one's, and not trusted until it has new keys."""
    offer = _open_offer(facts)
    if isinstance(offer, Refused):
        return offer
    if offer.to_owner is None:
        return _invalid("the offer is for a party elsewhere", "take the signed acceptance of that party")
    if not asked.actor.scope(TABLE[command.verb].roles).holds(offer.to_owner, command.trust_domain):
        return Refused(Code.NOT_PERMITTED, "accepting takes the receiver", "have the owner it is offered to accept it")
    if offer.to_trust_domain not in (None, command.trust_domain):
        return _invalid("it is offered into another trust domain", "accept it there")
    if now >= offer.until:
        return _invalid(f"the offer ended {rfc3339(offer.until)}", "ask for a new one")
    return replace(
        facts.device,
        state=DeviceState.CLAIMED,
        state_since=now,
        owner=offer.to_owner,
        trust_domain=command.trust_domain,
        site=command.site,
        name=None,
        replaces=None,
        term=facts.device.term + 1,
        must_rekey=True,
        offer=None,
        resumes=None,
        last_seen=None,
        expires=None,
    )


def handed_over(facts: Facts, command: HandOver, now: datetime) -> Device | Refused:
    """The device as gone from this Tenure: another one has it, in writing. The giver takes the answer: it owns the device."""
    offer, acceptance = _open_offer(facts), command.acceptance.statement
    if isinstance(offer, Refused):
        return offer
    same_offer = acceptance.transfer == offer.id and acceptance.offer == facts.offer_digest
    if not same_offer or key_id(acceptance.receiver.key) != offer.to_party:
        return _invalid(
            "the acceptance is of another offer, or of another party", "ask the receiver for the acceptance of this one"
        )
    if acceptance.accepted_at >= offer.until:
        return _invalid("it was accepted after the offer had ended", "make a new offer")
    return replace(facts.device, state=DeviceState.RETIRED, state_since=now, offer=None, resumes=None)


def cancelled(facts: Facts, command: CancelTransfer, asked: Asked, now: datetime) -> Device | Refused:
    """The device where it was before the offer. The giver takes it back, the receiver declines, or nobody answered in time."""
    offer = _open_offer(facts)
    if isinstance(offer, Refused):
        return offer
    scope = asked.actor.scope(TABLE[command.verb].roles)
    giver = scope.holds(offer.from_owner, facts.device.trust_domain)
    receiver = offer.to_owner is not None and scope.holds(offer.to_owner, offer.to_trust_domain)
    if not (giver or receiver):
        return Refused(Code.NOT_PERMITTED, "cancelling takes the giver or the receiver", "ask one of them")
    if offer.to_party is not None and now < offer.until:
        return _invalid(f"the offer is in the receiver's hands until {rfc3339(offer.until)}", "wait for an answer or for its end")
    state = facts.device.resumes
    if state is None:
        return _invalid("it is not known where the device was before", "retire it, or report it lost")
    return replace(facts.device, state=state, state_since=now, offer=None, resumes=None)


def settled(offer: TransferOffer, command: object, now: datetime) -> TransferOffer:
    """The offer after its answer."""
    if not isinstance(command, CancelTransfer):
        return replace(offer, state=OfferState.ACCEPTED, settled_at=now)
    return replace(offer, state=OfferState.LAPSED if now >= offer.until else OfferState.CANCELLED, settled_at=now)


def _open_offer(facts: Facts) -> TransferOffer | Refused:
    """The offer the device is part of. One offer stands for many devices: its first answer in a transaction settles it for all,
    so the flow judges each device against the offer as it was."""
    if facts.offer is None or facts.offer.id != facts.device.offer or facts.offer.state is not OfferState.OPEN:
        return _invalid("no open offer holds for the device", "have its owner offer it")
    return facts.offer


def _invalid(problem: str, fix: str) -> Refused:
    return Refused(Code.OFFER_INVALID, problem, fix)
