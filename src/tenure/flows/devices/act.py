"""A verb on one device, as one transaction.

1. Hold: the device's row is locked (of a replacement, its successor's too); nobody else decides on it meanwhile.
2. Version: is it what the caller decided on?
3. Facts: all that is known of it, true until we are done.
4. Tokens: the approval and the answer of the hardware, where the caller brings them, each checked.
5. Judge: pure, by the table of verbs.
6. Carry out: the device, tombstones, obligations, the approval used up, and their events.

A refusal rolls everything back. Dead before the commit: nothing happened. Of two who contradict each other the second is
judged by what the first has left.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tenure.lifecycle.approval import Approved, approved
from tenure.lifecycle.commands import Asked, Command, Replace
from tenure.lifecycle.root_proof import FreshProof, by_signature
from tenure.lifecycle.verbs import judge
from tenure.lifecycle.verdict import Code, Refused, VerbRefusedError, permitted
from tenure.model.access import Actor, Role, Scope
from tenure.model.devices import Device
from tenure.model.events import Cause
from tenure.registry import approvals, devices
from tenure.registry.devices import Held
from tenure.registry.facts import facts_of
from tenure.registry.faults import ConflictError, NotFoundError
from tenure.registry.lanes import home
from tenure.registry.registry import Registry
from tenure.registry.verdicts import carry_out
from tenure.registry.work import Work


@dataclass(frozen=True, slots=True)
class RootAnswer:
    """What the hardware answered to the challenge of a request: its public key (SubjectPublicKeyInfo, DER) and a signature."""

    spki: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Order:
    """A verb on a device, with all the caller brings for it."""

    device: UUID
    command: Command
    reason: str = ""
    evidence: tuple[bytes, ...] = ()  # SHA-256 of each record
    version: int | None = None  # on which the caller decided; None: whatever it is now
    approval: UUID | None = None
    answer: RootAnswer | None = None


def act(registry: Registry, actor: Actor, order: Order) -> Device:
    """The device as it stands then. Raises NotFoundError (foreign too), ConflictError, VerbRefusedError, RegistryError."""
    with registry.change(actor) as work:
        held = _held(work, sight(actor), order)  # 1
        own = held[order.device]
        if order.version is not None and own.device.version != order.version:  # 2
            raise ConflictError("device", order.device, order.version)
        successor = held.get(order.command.successor) if isinstance(order.command, Replace) else None
        facts = facts_of(work, own, successor)  # 3
        asked = _asked(work, actor, order, own.device)  # 4
        permission = permitted(judge(facts, order.command, asked, work.at, work.world.ids))  # 5
        cause = Cause(order.command.verb, order.reason, order.evidence)
        return carry_out(work, list(held.values()), permission, cause)[0]  # 6


def sight(actor: Actor) -> Scope:
    """What an actor may see in any role. What it may do there, the judgement says: who sees a device is told why not."""
    return actor.scope(frozenset(Role))


def _held(work: Work, scope: Scope, order: Order) -> dict[UUID, Held]:
    wanted = {order.device, *([order.command.successor] if isinstance(order.command, Replace) else [])}
    held = {each.device.id: each for each in devices.hold_many(work, scope, sorted(wanted))}
    if order.device not in held:
        raise NotFoundError("device", order.device)
    return held


def _asked(work: Work, actor: Actor, order: Order, device: Device) -> Asked:
    token = _approved(work, actor, order.approval) if order.approval is not None else None
    proof = _proved(work, order, device) if order.answer is not None else None
    return Asked(actor, order.reason, order.evidence, token, proof)


def _approved(work: Work, actor: Actor, id: UUID) -> Approved:
    verdict = approved(approvals.get(work, sight(actor), id), work.at)
    if isinstance(verdict, Refused):
        raise VerbRefusedError(verdict)
    return verdict


def _proved(work: Work, order: Order, device: Device) -> FreshProof:
    assert order.answer is not None
    if order.approval is None:
        raise VerbRefusedError(
            Refused(Code.APPROVAL_MISSING, "the answer is to no request", "request the return first: it has the challenge")
        )
    question = (home(work), device.id, order.approval)
    verdict = by_signature(device.roots, order.answer.spki, order.answer.signature, question, work.at)
    if isinstance(verdict, Refused):
        raise VerbRefusedError(verdict)
    return verdict
