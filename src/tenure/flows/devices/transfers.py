"""Transfer between two owners of this Tenure: offered, then accepted or cancelled; each one transaction for all its devices.

1. Hold every device, in the order of their ids, so that two who hold the same ones never wait for each other in a ring.
2. Facts of all, with the offer as it was: the first device that is written settles it.  3. Judge all.  4. Carry out all.
5. Of an acceptance: the statements, a signed one for each side of each device.
One device that is refused refuses the whole.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from tenure.flows.devices.act import sight
from tenure.flows.devices.statements import state
from tenure.lifecycle.commands import AcceptTransfer, Asked, CancelTransfer, Command, OfferTransfer
from tenure.lifecycle.envelope import Signer
from tenure.lifecycle.verbs import judge
from tenure.lifecycle.verdict import Code, Permitted, Refused, VerbRefusedError, permitted
from tenure.model.access import EVERYTHING, Actor, Scope
from tenure.model.devices import Device, TransferOffer
from tenure.model.events import Cause
from tenure.model.parties import Owner, TrustDomain
from tenure.registry import devices, obligations, offers, parties
from tenure.registry.devices import Held
from tenure.registry.facts import facts_of
from tenure.registry.faults import NotFoundError
from tenure.registry.registry import Registry
from tenure.registry.verdicts import carry_out
from tenure.registry.work import Reading, Work


def offer(
    registry: Registry,
    actor: Actor,
    wanted: Collection[UUID],
    to_owner: UUID,
    to_trust_domain: UUID | None,
    until: datetime,
    reason: str,
    most: int,
) -> TransferOffer:
    """The open offer. ``most``: devices of one offer. Raises NotFoundError, VerbRefusedError, RegistryError."""
    with registry.change(actor) as work:
        held = _all(work, sight(actor), wanted)
        owners = {each.device.owner for each in held}
        giver = owners.pop()
        if owners or giver is None:
            raise _invalid("the devices of an offer have one owner", "make an offer for each owner")
        if len(held) > most:
            raise _invalid(f"an offer is about {most} devices at most", "make several (approvals.devices)")
        parties.get(work, Owner, to_owner)
        if to_trust_domain is not None:
            parties.get(work, TrustDomain, to_trust_domain)
        ids = tuple(each.device.id for each in held)
        made = TransferOffer(work.world.ids(), giver, to_owner, None, to_trust_domain, ids, work.at, until)
        cause = Cause("offer", reason)
        offers.add(work, made, cause)
        _carried_out(work, held, _permitted(work, actor, held, OfferTransfer(made.id, to_owner, None, until), cause), cause)
        return made


def accept(
    registry: Registry, actor: Actor, signer: Signer, id: UUID, trust_domain: UUID, site: UUID | None, reason: str
) -> tuple[Device, ...]:
    """The devices as the new owner's, claimed, to be given new keys; each side has its statement. Raises as ``offer`` does."""
    command = AcceptTransfer(trust_domain, site)
    cause = Cause(command.verb, reason)
    with registry.change(actor) as work:
        found, held = _answered(work, actor, id)
        permissions = _permitted(work, actor, held, command, cause)
        taken = _carried_out(work, held, permissions, cause)
        for permission in permissions:
            state(work, signer, permission, found, cause)
        return taken


def cancel(registry: Registry, actor: Actor, id: UUID, reason: str) -> tuple[Device, ...]:
    """The devices back where they were: taken back by the giver, declined by the receiver, or not answered in time."""
    command = CancelTransfer()
    cause = Cause(command.verb, reason)
    with registry.change(actor) as work:
        _, held = _answered(work, actor, id)
        return _carried_out(work, held, _permitted(work, actor, held, command, cause), cause)


def statements(reading: Reading, scope: Scope, id: UUID) -> tuple[bytes, ...]:
    """The signed statements of an accepted offer that a caller may see: its own side's. Raises NotFoundError."""
    found = offers.get(reading, scope, id)
    return obligations.statements(reading, scope, found.devices, f"transfer {found.id}")


def _answered(work: Work, actor: Actor, id: UUID) -> tuple[TransferOffer, tuple[Held, ...]]:
    """The receiver does not see the devices before they are its own: the offer, which names it, lets it at them."""
    found = offers.get(work, sight(actor), id)
    held = devices.hold_many(work, EVERYTHING, sorted(found.devices))
    if not held:
        raise _invalid("no device is part of the offer any more", "ask for a new offer")
    return found, held


def _permitted(work: Work, actor: Actor, held: Sequence[Held], command: Command, cause: Cause) -> list[Permitted]:
    asked = Asked(actor, cause.reason)
    facts = [facts_of(work, each) for each in held]
    return [permitted(judge(each, command, asked, work.at, work.world.ids)) for each in facts]


def _carried_out(work: Work, held: Sequence[Held], permissions: Sequence[Permitted], cause: Cause) -> tuple[Device, ...]:
    return tuple(carry_out(work, [each], permission, cause)[0] for each, permission in zip(held, permissions, strict=True))


def _all(work: Work, scope: Scope, wanted: Collection[UUID]) -> tuple[Held, ...]:
    held = devices.hold_many(work, scope, sorted(set(wanted)))
    if missing := set(wanted) - {each.device.id for each in held}:
        raise NotFoundError("device", min(missing))
    if not held:
        raise _invalid("an offer is about at least one device", "name it")
    return held


def _invalid(problem: str, fix: str) -> VerbRefusedError:
    return VerbRefusedError(Refused(Code.OFFER_INVALID, problem, fix))
