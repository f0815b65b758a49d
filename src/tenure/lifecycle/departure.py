"""Departure: a device is lost, retired, replaced or forgotten. What it was is barred; what it held elsewhere is to end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tenure.lifecycle.commands import Replace
from tenure.lifecycle.facts import Facts
from tenure.lifecycle.verdict import Change, Code, Refused
from tenure.model.devices import Device
from tenure.model.vocabulary import DeviceState

_READY = frozenset({DeviceState.MANUFACTURED, DeviceState.CLAIMED})


def departed(facts: Facts, state: DeviceState, now: datetime) -> Device:
    """The device as lost or retired."""
    return replace(facts.device, state=state, state_since=now, offer=None, resumes=None)


def succeeded(facts: Facts, command: Replace, now: datetime) -> Change | Refused:
    """The new hardware in the old one's role: place, owner, class and name. Its identity, keys and roots stay its own."""
    old, new = facts.device, facts.successor
    if new is None or new.id != command.successor:
        return Refused(Code.SUCCESSOR_INVALID, "there is no such device to take the role", "register the new hardware first")
    if new.id == old.id:
        return Refused(Code.SUCCESSOR_INVALID, "a device cannot replace itself", "register the new hardware, and name that")
    if new.state not in _READY:
        return Refused(Code.SUCCESSOR_INVALID, f"the new hardware is {new.state}", "take hardware that is not in service yet")
    if new.owner not in (None, old.owner):
        return Refused(Code.SUCCESSOR_INVALID, "the new hardware has another owner", "have that owner transfer it first")
    if old.owner is None or old.trust_domain is None:
        return Refused(
            Code.OWNER_MISSING, "the old device has no owner whose role could be taken", "retire it, and claim the new one"
        )
    after = replace(
        new,
        state=DeviceState.CLAIMED,
        state_since=now,
        owner=old.owner,
        trust_domain=old.trust_domain,
        site=old.site,
        device_class=old.device_class,
        name=old.name,
        replaces=old.id,
    )
    return Change(new, after)


def forgotten(facts: Facts, now: datetime) -> Device | Refused:
    """The device without all that describes it. Id, roots, owner and state stay: they are what bars it."""
    if facts.obligations:
        problem = f"{len(facts.obligations)} obligations are open: what they are about could not be proved any more"
        return Refused(Code.NOT_SETTLED, problem, "close them first")
    return replace(
        facts.device,
        site=None,
        device_class=None,
        maker=None,
        model=None,
        serial=None,
        name=None,
        replaces=None,
        last_seen=None,
        expires=None,
        forgotten_at=now,
    )
