"""Service: claim, activate, quarantine and release. The device stays its owner's, nothing ends for good."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tenure.lifecycle.commands import Asked, Claim
from tenure.lifecycle.facts import Facts
from tenure.lifecycle.transitions import TABLE
from tenure.lifecycle.verdict import Code, Refused
from tenure.model.devices import Device
from tenure.model.vocabulary import CredentialRole, DeviceState


def claimed(facts: Facts, command: Claim, asked: Asked, now: datetime) -> Device | Refused:
    """The device with its first owner."""
    device = facts.device
    if device.owner not in (None, command.owner):
        return Refused(Code.FOREIGN_OWNER, "the device has another owner", "have that owner offer it to you")
    if not asked.actor.scope(TABLE[command.verb].roles).holds(command.owner, command.trust_domain):
        return Refused(Code.NOT_PERMITTED, "this owner and trust domain are not yours to claim for", "name an owner you act for")
    return replace(
        device,
        state=DeviceState.CLAIMED,
        state_since=now,
        owner=command.owner,
        trust_domain=command.trust_domain,
        site=command.site or device.site,
        device_class=command.device_class or device.device_class,
    )


def activated(facts: Facts, now: datetime) -> Device | Refused:
    """The device in operation; after a change of owner or a return only with a key that is new in this term."""
    if facts.device.must_rekey and not has_new_key(facts):
        return Refused(
            Code.KEY_MISSING,
            "the device must have a new key before it is active again: those of its former life do not count",
            "enrol it with a key of its own that was made after the change",
        )
    return replace(facts.device, state=DeviceState.ACTIVE, state_since=now, must_rekey=False)


def quarantined(facts: Facts, now: datetime) -> Device | Refused:
    """The device held back. An offer it was part of no longer holds for it; one that was not active has nothing to hold back."""
    if facts.device.state is DeviceState.TRANSFERRING and facts.device.resumes is not DeviceState.ACTIVE:
        return Refused(Code.WRONG_STATE, "the device was not active when it was offered", "cancel the offer instead")
    return replace(facts.device, state=DeviceState.QUARANTINED, state_since=now, offer=None, resumes=None)


def released(facts: Facts, now: datetime) -> Device:
    return replace(facts.device, state=DeviceState.ACTIVE, state_since=now)


def has_new_key(facts: Facts) -> bool:
    """Whether a live operational credential of this term has a key that no earlier term knew and that is its alone."""
    ties = facts.ties
    here = {c.spki for c in ties.credentials if c.term < facts.device.term}
    former = ties.former | here | {stone.spki for stone in facts.tombstones if stone.bars}
    return any(
        c.role is CredentialRole.OPERATIONAL
        and c.state.usable
        and c.spki is not None
        and c.spki not in former
        and c.spki not in ties.shared
        for c in ties.credentials
    )
