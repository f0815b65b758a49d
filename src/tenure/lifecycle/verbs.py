"""The judgement of a verb: may this caller do this to this device now, and what becomes of everything if so. Pure.

First what the table asks of everybody, in an order that tells the least: role, state, reason, second person. Then the verb's own
rules. What a permission writes beside the device's row follows from what kind of end, or beginning, the verb is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from tenure.lifecycle import comeback, departure, offboarding, service, transfer
from tenure.lifecycle.commands import (
    AcceptTransfer,
    Activate,
    Asked,
    CancelTransfer,
    Claim,
    Command,
    Forget,
    HandOver,
    OfferTransfer,
    Quarantine,
    Release,
    Replace,
    ReportLost,
    Retire,
    Return,
    request_digest,
)
from tenure.lifecycle.facts import Facts, Ids
from tenure.lifecycle.transitions import TABLE
from tenure.lifecycle.verdict import SEAL, Change, Code, Permitted, Refused
from tenure.model.devices import Device
from tenure.model.obligations import Obligation, ObligationKind
from tenure.model.vocabulary import DeviceState

_BETWEEN_OWNERS = (AcceptTransfer, CancelTransfer)
"""The device's owner does not say who may: the offer does."""


def judge(facts: Facts, command: Command, asked: Asked, now: datetime, ids: Ids) -> Permitted | Refused:
    """The verdict on one verb. The facts must hold until the permission is written; ``ids`` names what is new."""
    if refused := _asked_of_everybody(facts, command, asked):
        return refused
    after = _become(facts, command, asked, now)
    if isinstance(after, Refused):
        return after
    changes: tuple[Change, ...] = (Change(facts.device, after),)
    if isinstance(command, Replace):
        successor = departure.succeeded(facts, command, now)
        if isinstance(successor, Refused):
            return successor
        changes = (*changes, successor)
    return _permit(facts, command, asked, changes, now, ids)


def _asked_of_everybody(facts: Facts, command: Command, asked: Asked) -> Refused | None:
    rule, device = TABLE[command.verb], facts.device
    between = isinstance(command, _BETWEEN_OWNERS)
    if not between and not asked.actor.scope(rule.roles).holds(device.owner, device.trust_domain):
        return Refused(Code.NOT_PERMITTED, f"{rule.verb} takes another role for this device", "ask its operator")
    if device.state not in rule.sources:
        states = ", ".join(sorted(rule.sources))
        return Refused(
            Code.WRONG_STATE, f"{rule.verb} is for devices that are {states}; this one is {device.state}", _way(device.state)
        )
    if rule.reason and not asked.reason.strip():
        return Refused(Code.REASON_MISSING, f"{rule.verb} needs a reason", "say why: it is kept with the event")
    if rule.four_eyes and asked.approved is None:
        return Refused(Code.APPROVAL_MISSING, f"{rule.verb} takes a second person", "request it, and have an approver agree")
    if asked.approved is not None and asked.approved.request_digest != request_digest(command, device.id, asked.reason):
        return Refused(Code.APPROVAL_INVALID, "something else was approved", "do what was approved, or make a new request")
    return None


def _way(state: DeviceState) -> str:
    """What can be done from a state: the next step of whoever asked for the impossible."""
    verbs = sorted(verb for verb, rule in TABLE.items() if state in rule.sources)
    return f"from {state}: {', '.join(verbs)}" if verbs else "no verb leads on from there"


def _become(facts: Facts, command: Command, asked: Asked, now: datetime) -> Device | Refused:
    match command:
        case Claim():
            return service.claimed(facts, command, asked, now)
        case Activate():
            return service.activated(facts, now)
        case Quarantine():
            return service.quarantined(facts, now)
        case Release():
            return service.released(facts, now)
        case OfferTransfer():
            return transfer.offered(facts, command, now)
        case AcceptTransfer():
            return transfer.accepted(facts, command, asked, now)
        case HandOver():
            return transfer.handed_over(facts, command, now)
        case CancelTransfer():
            return transfer.cancelled(facts, command, asked, now)
        case ReportLost():
            return departure.departed(facts, DeviceState.LOST, now)
        case Retire() | Replace():
            return departure.departed(facts, DeviceState.RETIRED, now)
        case Return():
            return comeback.returned(facts, command, asked, now)
        case Forget():
            return departure.forgotten(facts, now)


def _permit(facts: Facts, command: Command, asked: Asked, changes: tuple[Change, ...], now: datetime, ids: Ids) -> Permitted:
    before, after, cause = facts.device, changes[0].after, ids()
    ends = after.state.gone and not isinstance(command, Forget)
    stones, shared = offboarding.tombstones_of_end(facts, after, now) if ends else ((), ())
    back = isinstance(command, Return)
    over = offboarding.overtaken(facts.obligations, now) if ends or after.term != before.term else ()
    answered = isinstance(command, AcceptTransfer | HandOver | CancelTransfer)
    return Permitted(
        SEAL,
        verb=command.verb,
        at=now,
        cause=cause,
        changes=changes,
        tombstones=stones,
        lifted=comeback.lifted(facts.tombstones, now) if back else (),
        opened=_opened(facts, command, after, cause, now, ids),
        voided=(*over, *comeback.voided(facts.obligations, now)) if back else over,
        shared_keys=shared,
        offer=transfer.settled(facts.offer, command, now) if answered and facts.offer else None,
        left_offer=None if answered else before.offer,
        approval=asked.approved.id if asked.approved else None,
    )


def _opened(facts: Facts, command: Command, after: Device, cause: UUID, now: datetime, ids: Ids) -> tuple[Obligation, ...]:
    """What the verb leaves to be done: old ties in the old term, the new key in the new one, a statement for either side."""
    old = offboarding.open_new(facts, _ties_to_end(facts, command, after), facts.device.term, cause, now, ids)
    if after.term == facts.device.term:
        return old
    kinds = [ObligationKind.REPLACE_KEY, *([ObligationKind.STATE_HANDOVER] if isinstance(command, AcceptTransfer) else [])]
    new: Iterator[offboarding.Draft] = ((kind, "device", None, None, None) for kind in kinds)
    return (*old, *offboarding.open_new(facts, new, after.term, cause, now, ids))


def _ties_to_end(facts: Facts, command: Command, after: Device) -> Iterator[offboarding.Draft]:
    match command:
        case ReportLost():
            yield from offboarding.obligations_of_end(facts)
        case Retire() | Replace() | HandOver():
            yield from offboarding.obligations_of_end(facts)
            if facts.device.state is not DeviceState.LOST and facts.device.state is not DeviceState.MANUFACTURED:
                yield ObligationKind.WIPE_DATA, "device", None, None, None
        case AcceptTransfer():
            yield from offboarding.obligations_of_handover(facts, after.trust_domain)
