"""Arrival: a device comes to the registry. Its hardware roots must be nobody's and never have been; a serial is only a claim.

What a caller cannot see is answered alike, whoever has the root and whether it is alive or gone: one answer, one shape.
"""

from __future__ import annotations

from datetime import datetime

from tenure.lifecycle.commands import Asked, Register
from tenure.lifecycle.facts import ArrivalFacts, Ids
from tenure.lifecycle.transitions import TABLE
from tenure.lifecycle.verdict import SEAL, Change, ClaimConflict, Code, Permitted, Refused
from tenure.model.devices import Device, Tombstone, TombstoneKind
from tenure.model.vocabulary import DeviceState

ARRIVES_AS = frozenset({DeviceState.MANUFACTURED, DeviceState.CLAIMED, DeviceState.ACTIVE, DeviceState.RETIRED, DeviceState.LOST})
"""States an import may bring. Hardware that is known to be gone is barred by it from the first moment."""


def judge_arrival(facts: ArrivalFacts, command: Register, asked: Asked, now: datetime, ids: Ids) -> Permitted | Refused:
    """Whether this device may be registered. Pure; the facts must hold until the permission is written."""
    if not asked.actor.scope(TABLE[command.verb].roles).holds(command.owner, command.trust_domain):
        return Refused(
            Code.NOT_PERMITTED, "this owner and trust domain are not yours to register for", "name an owner you act for"
        )
    if refused := _unfit(command, asked) or _not_free(facts, command):
        return refused
    device = _arrived(command, now)
    gone = [Tombstone(r.spki, TombstoneKind.ROOT, device.id, device.term, device.state, now) for r in device.roots]
    return Permitted(
        SEAL,
        verb=command.verb,
        at=now,
        cause=ids(),
        changes=(Change(None, device),),
        tombstones=tuple(gone) if device.state.gone else (),
        former_keys=command.handed_over.former_keys if command.handed_over else (),
        conflicts=_conflicts(facts, command),
    )


def _unfit(command: Register, asked: Asked) -> Refused | None:
    """What the command itself says that cannot be."""
    if command.state not in ARRIVES_AS:
        known = ", ".join(sorted(ARRIVES_AS))
        return Refused(Code.WRONG_STATE, f"a device cannot be registered as {command.state}", f"register it as one of {known}")
    if command.state.gone and not asked.reason.strip():
        return Refused(Code.REASON_MISSING, f"registering a device as {command.state} needs a reason", "say how it is known")
    if command.state.in_service and (command.owner is None or command.trust_domain is None):
        problem = f"a device that is {command.state} has an owner and a trust domain"
        return Refused(Code.OWNER_MISSING, problem, "name both, or register it as manufactured")
    if len({root.spki for root in command.roots}) < len(command.roots):
        return Refused(Code.ROOT_NOT_FREE, "a hardware root is named twice", "name each root once")
    if command.handed_over is not None:
        offered = {root.key for root in command.handed_over.roots}
        if command.state is not DeviceState.CLAIMED or {root.spki for root in command.roots} != offered:
            return Refused(Code.OFFER_INVALID, "this is not the device that was offered", "register it as the offer describes it")
    return None


def _not_free(facts: ArrivalFacts, command: Register) -> Refused | None:
    presented = {root.spki for root in command.roots}
    taken = [held for held in facts.taken if held.spki in presented]
    if not taken:
        return None
    problem = "a hardware root of this device is not free here"
    seen = sorted({held.device for held in taken if held.visible})
    if not seen:
        return Refused(
            Code.ROOT_NOT_FREE, problem, "if the hardware is yours, ask whoever runs this Tenure: you cannot see its record"
        )
    if any(held.gone for held in taken if held.visible):
        return Refused(Code.ROOT_NOT_FREE, problem, "it is gone hardware: bring it back with return, by two people", tuple(seen))
    return Refused(Code.ROOT_NOT_FREE, problem, "use the device that is registered with it", tuple(seen))


def _conflicts(facts: ArrivalFacts, command: Register) -> tuple[ClaimConflict, ...]:
    if not facts.namesakes or command.maker is None or command.serial is None:
        return ()
    return (ClaimConflict(command.maker, command.serial, tuple(sorted(facts.namesakes))),)


def _arrived(command: Register, now: datetime) -> Device:
    return Device(
        id=command.id,
        state=command.state,
        created_at=now,
        state_since=now,
        owner=command.owner,
        site=command.site,
        trust_domain=command.trust_domain,
        device_class=command.device_class,
        maker=command.maker,
        model=command.model,
        serial=command.serial,
        name=command.name,
        must_rekey=command.handed_over is not None,
        roots=command.roots,
    )
