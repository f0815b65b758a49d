"""Four eyes: a verb is requested by one person and approved or refused by another. What was approved is then done by ``act``."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from tenure.flows.devices.act import sight
from tenure.lifecycle.approval import decided, requested
from tenure.lifecycle.commands import Command, Return, request_digest
from tenure.lifecycle.root_proof import challenge
from tenure.lifecycle.transitions import TABLE
from tenure.lifecycle.verdict import Code, Refused, VerbRefusedError
from tenure.model.access import Actor, ActorKind
from tenure.model.approvals import Approval, ApprovalState
from tenure.model.events import Cause, canonical
from tenure.registry import approvals, devices
from tenure.registry.faults import ConflictError
from tenure.registry.lanes import home
from tenure.registry.registry import Registry

ITSELF = Actor(ActorKind.SYSTEM, "approvals")


@dataclass(frozen=True, slots=True)
class Requested:
    """A request that waits. ``challenge`` is what the hardware signs where the verb takes fresh proof of a root."""

    approval: Approval
    challenge: bytes | None


def request(registry: Registry, actor: Actor, device: UUID, command: Command, reason: str, life: timedelta) -> Requested:
    """Raises NotFoundError, VerbRefusedError: not this actor's to ask, or nobody accountable asks."""
    with registry.change(actor) as work:
        found = devices.get(work, sight(actor), device)
        if not actor.scope(TABLE[command.verb].roles).holds(found.owner, found.trust_domain):
            raise VerbRefusedError(
                Refused(Code.NOT_PERMITTED, f"{command.verb} takes another role for this device", "ask its operator")
            )
        person = requested(actor)
        if isinstance(person, Refused):
            raise VerbRefusedError(person)
        asked = {"device": str(device), "command": json.loads(canonical(command)), "reason": reason}
        approval = Approval(
            work.world.ids(),
            command.verb,
            json.dumps(asked, sort_keys=True, ensure_ascii=False),
            request_digest(command, device, reason),
            actor.text,
            person,
            work.at,
            work.at + life,
            found.owner,
            found.trust_domain,
        )
        approvals.add(work, approval, Cause("request", reason))
        work.settle()  # the first event of a registry makes the lane that names it
        question = challenge(home(work), device, approval.id) if isinstance(command, Return) else None
    return Requested(approval, question)


def lapse(registry: Registry, most: int = 500) -> int:
    """Ends up to ``most`` requests whose time is over; how many. They counted no more before either: this is for the record."""
    with registry.change(ITSELF) as work:
        over = approvals.overdue(work, most)
        for each in over:
            approvals.change(work, replace(each, state=ApprovalState.LAPSED), Cause("lapse"))
    return len(over)


def decide(registry: Registry, actor: Actor, id: UUID, *, consent: bool, version: int | None, reason: str) -> Approval:
    """Raises NotFoundError, ConflictError, VerbRefusedError: not this person's to decide, or it is decided or over."""
    with registry.change(actor) as work:
        found = approvals.get(work, sight(actor), id)
        if version is not None and found.version != version:
            raise ConflictError("approval", id, version)
        after = decided(found, actor, consent, work.at)
        if isinstance(after, Refused):
            raise VerbRefusedError(after)
        return approvals.change(work, after, Cause("approve" if consent else "refuse", reason))
