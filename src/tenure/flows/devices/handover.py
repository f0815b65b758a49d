"""Transfer between two Tenures, by files: a signed offer goes out, a signed acceptance comes back.

1. Offer: the giver's devices become part of an offer; the file says of each what the receiver must know, no more.
2. Accept: the receiver checks file and giver, registers every device as claimed, to be given new keys, and signs that it did.
3. Complete: the giver holds the acceptance against its own offer; the devices leave, with all that an end leaves.

Each is one transaction for all devices of the file. A file is handed out before the commit: dead in between, a file is there
that nothing stands behind, and the step is done again. The other way round an acceptance would be lost, and with it the proof.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from tenure.flows.devices.act import sight
from tenure.lifecycle.arrival import judge_arrival
from tenure.lifecycle.commands import Asked, HandOver, OfferTransfer, Register
from tenure.lifecycle.envelope import Signer, key_id
from tenure.lifecycle.handover import (
    Acceptance,
    Agreed,
    Offer,
    OfferedDevice,
    OfferedRoot,
    Party,
    acceptance_file,
    offer_file,
    read_acceptance,
    read_offer,
    read_own_offer,
)
from tenure.lifecycle.verbs import judge
from tenure.lifecycle.verdict import Code, Refused, VerbRefusedError, permitted
from tenure.model.access import EVERYTHING, Actor
from tenure.model.devices import Device, HardwareRoot, RootKind, TransferOffer
from tenure.model.events import Cause
from tenure.model.vocabulary import CredentialRole, DeviceState
from tenure.registry import credentials, custody, devices, offers
from tenure.registry.devices import Held
from tenure.registry.facts import arrival_facts, facts_of
from tenure.registry.faults import NotFoundError
from tenure.registry.lanes import home
from tenure.registry.registry import Registry
from tenure.registry.verdicts import carry_out
from tenure.registry.work import Reading, Work

Deliver = Callable[[bytes], None]
"""Puts a signed file where its sender finds it; raises OSError, and nothing stays."""


def ourselves(reading: Reading, signer: Signer) -> Party:
    """This instance as others know it. Raises RegistryError before its first event."""
    return Party(home(reading), signer.public_key)


def offer_away(
    registry: Registry,
    actor: Actor,
    signer: Signer,
    wanted: Collection[UUID],
    to: Party,
    until: datetime,
    reason: str,
    deliver: Deliver,
) -> TransferOffer:
    """Step 1. It cannot be called back before its end. Raises NotFoundError, VerbRefusedError, TenureError."""
    with registry.change(actor) as work:
        held = devices.hold_many(work, sight(actor), sorted(set(wanted)))
        if missing := set(wanted) - {each.device.id for each in held}:
            raise NotFoundError("device", min(missing))
        owners = {each.device.owner for each in held}
        if len(owners) != 1 or (giver := owners.pop()) is None:
            raise _invalid("the devices of an offer have one owner", "make an offer for each owner")
        told = tuple(_told(work, each.device) for each in held)
        offer = Offer(work.world.ids(), ourselves(work, signer), to, work.at, until, told)
        file = offer_file(offer, signer)
        digest = read_own_offer(file, offer.giver).digest
        ids = tuple(each.device.id for each in held)
        made = TransferOffer(offer.transfer, giver, None, key_id(to.key), None, ids, work.at, until)
        cause = Cause("offer", reason, (digest,))
        offers.add(work, made, cause, digest)
        _judged(work, actor, held, OfferTransfer(made.id, None, made.to_party, until), cause)
        deliver(file)
    return made


def accept_file(
    registry: Registry,
    actor: Actor,
    signer: Signer,
    envelope: bytes,
    giver: Party,
    into: tuple[UUID, UUID],
    reason: str,
    deliver: Deliver,
) -> tuple[Device, ...]:
    """Step 2, ``into`` an owner and a trust domain. A second time its roots are not free. Raises as ``offer_away``."""
    with registry.change(actor) as work:
        agreed = read_offer(envelope, giver, ourselves(work, signer), work.at)
        taken = tuple(_registered(work, actor, each, into, reason, agreed) for each in agreed.statement.devices)
        accepted = Acceptance(agreed.statement.transfer, agreed.digest, agreed.statement.receiver, work.at)
        deliver(acceptance_file(accepted, signer))
    return taken


def complete(
    registry: Registry, actor: Actor, signer: Signer, offer: bytes, acceptance: bytes, reason: str
) -> tuple[Device, ...]:
    """Step 3: the devices as they left. A second time none is in transfer any more. Raises as ``offer_away``."""
    with registry.change(actor) as work:
        ours = read_own_offer(offer, ourselves(work, signer))
        agreed = read_acceptance(acceptance, ours.statement, ours.digest, work.at)
        found = offers.get(work, sight(actor), ours.statement.transfer)
        held = devices.hold_many(work, EVERYTHING, sorted(found.devices))
        if not held:
            raise _invalid("no device is part of the offer any more", "see what became of them: their events say it")
        return _judged(work, actor, held, HandOver(agreed), Cause("accept", reason, (ours.digest, agreed.digest)))


def _told(work: Work, device: Device) -> OfferedDevice:
    """What the receiver must know: roots, what it is, keys it must never take, and that there were others before us."""
    held = credentials.of_device(work, device.id)
    keys = {each.spki for each in held if each.role is CredentialRole.OPERATIONAL and each.spki is not None}
    former = keys | credentials.former_keys(work, device.id, device.term)
    roots = {root.spki for root in device.roots}
    return OfferedDevice(
        tuple(OfferedRoot(root.kind.value, root.spki) for root in device.roots),
        device.maker or "",
        device.model or "",
        device.serial or "",
        tuple(sorted(former - roots)),
        tuple(digest for _, digest in custody.spans(work, device.id)),
    )


def _registered(
    work: Work, actor: Actor, told: OfferedDevice, into: tuple[UUID, UUID], reason: str, agreed: Agreed[Offer]
) -> Device:
    command = Register(
        work.world.ids(),
        tuple(HardwareRoot(_kind(root), root.key) for root in told.roots),
        DeviceState.CLAIMED,
        into[0],
        trust_domain=into[1],
        maker=told.maker or None,
        model=told.model or None,
        serial=told.serial or None,
        handed_over=told,
    )
    facts = arrival_facts(work, sight(actor), [root.spki for root in command.roots], command.maker, command.serial)
    asked = Asked(actor, reason, (agreed.digest,))
    permission = permitted(judge_arrival(facts, command, asked, work.at, work.world.ids))
    return carry_out(work, [], permission, Cause(command.verb, reason, asked.evidence))[0]


def _kind(root: OfferedRoot) -> RootKind:
    try:
        return RootKind(root.kind)
    except ValueError:
        raise _invalid(f"{root.kind!r} is no kind of hardware root we know", "use a version that knows it") from None


def _judged(
    work: Work, actor: Actor, held: Collection[Held], command: OfferTransfer | HandOver, cause: Cause
) -> tuple[Device, ...]:
    """All with the offer as it was: the first device that is written settles it."""
    asked = Asked(actor, cause.reason, cause.evidence)
    facts = [facts_of(work, each) for each in held]
    permissions = [permitted(judge(each, command, asked, work.at, work.world.ids)) for each in facts]
    return tuple(carry_out(work, [each], permission, cause)[0] for each, permission in zip(held, permissions, strict=True))


def _invalid(problem: str, fix: str) -> VerbRefusedError:
    return VerbRefusedError(Refused(Code.OFFER_INVALID, problem, fix))
