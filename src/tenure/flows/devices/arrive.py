"""Registration: a device comes to the registry, as one transaction.

1. Facts: who has these hardware roots, or had them; the roots are locked until we are done.  2. Judge, by the rules of
arrival.  3. Carry out: the device, its roots, and where it comes as gone, its tombstones.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenure.flows.devices.act import sight
from tenure.lifecycle.arrival import judge_arrival
from tenure.lifecycle.commands import Asked, Register
from tenure.lifecycle.verdict import ClaimConflict, permitted
from tenure.model.access import Actor
from tenure.model.devices import Device
from tenure.model.events import Cause
from tenure.registry.facts import arrival_facts
from tenure.registry.registry import Registry
from tenure.registry.verdicts import carry_out


@dataclass(frozen=True, slots=True)
class Registered:
    """The device, and others that claim the same maker and serial: a finding, no refusal."""

    device: Device
    conflicts: tuple[ClaimConflict, ...]


def register(
    registry: Registry, actor: Actor, command: Register, reason: str = "", evidence: tuple[bytes, ...] = ()
) -> Registered:
    """Raises VerbRefusedError, UnknownReferenceError, RegistryError; then nothing of it is there."""
    with registry.change(actor) as work:
        facts = arrival_facts(work, sight(actor), [root.spki for root in command.roots], command.maker, command.serial)
        asked = Asked(actor, reason, evidence)
        permission = permitted(judge_arrival(facts, command, asked, work.at, work.world.ids))
        device = carry_out(work, [], permission, Cause(command.verb, reason, evidence))[0]
    return Registered(device, permission.conflicts)
