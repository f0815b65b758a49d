"""A healthy device with all its ties, two owners and the people who act for them; tests break one thing each."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tenure.lifecycle import approval as four_eyes
from tenure.lifecycle.approval import Approved
from tenure.lifecycle.commands import (
    AcceptTransfer,
    Activate,
    Asked,
    CancelTransfer,
    Claim,
    Command,
    Forget,
    OfferTransfer,
    Quarantine,
    Release,
    Replace,
    ReportLost,
    Retire,
    Return,
    request_digest,
)
from tenure.lifecycle.facts import Facts, Ties
from tenure.lifecycle.root_proof import FreshProof, by_signature, challenge
from tenure.lifecycle.verbs import judge
from tenure.lifecycle.verdict import Permitted, Refused
from tenure.model.access import Actor, ActorKind, Area, Role, RoleAssignment
from tenure.model.approvals import Approval, ApprovalState
from tenure.model.credentials import Credential, KeyState
from tenure.model.devices import Device, HardwareRoot, RootKind, TransferOffer, Verb
from tenure.model.vocabulary import CredentialKind, CredentialRole, DeviceState
from tests.lifecycle.parties import T0

NOW = T0 + timedelta(days=30)
DAY = timedelta(days=1)
_S = DeviceState


def uid(number: int) -> UUID:
    return UUID(int=number)


def key(name: str) -> bytes:
    """A digest that is recognised in failures."""
    return name.encode().ljust(32, b".")


OURS, THEIRS, DOMAIN, THEIR_DOMAIN, INSTANCE, SITE, CLASS = (uid(n) for n in range(1, 8))
DEVICE, SUCCESSOR, OFFER, REQUEST, BROKER, GRANT, DELEGATION, THING, ANCHOR = (uid(n) for n in range(11, 20))


def person(number: int, role: Role, owner: UUID | None, domain: UUID | None = None) -> Actor:
    return Actor(ActorKind.PERSON, str(uid(number)), (RoleAssignment(role, Area(owner, domain)),), uid(number))


OPERATOR = person(101, Role.OPERATOR, OURS)
APPROVER = person(102, Role.APPROVER, OURS)
THEIR_OPERATOR = person(103, Role.OPERATOR, THEIRS)
VIEWER = person(104, Role.VIEWER, OURS)
ADMIN = person(105, Role.ADMIN, None)

HARDWARE = Ed25519PrivateKey.from_private_bytes(b"h" * 32)
HARDWARE_SPKI = HARDWARE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


IDEVID = HardwareRoot(RootKind.IDEVID, hashlib.sha256(HARDWARE_SPKI).digest())
EK = HardwareRoot(RootKind.EK_RSA, key("ek"))


def credential(number: int, role: CredentialRole = CredentialRole.OPERATIONAL, **fields: Any) -> Credential:
    made = Credential(
        id=uid(number),
        kind=CredentialKind.CERTIFICATE,
        role=role,
        state=KeyState.ACTIVE,
        created_at=T0,
        device=DEVICE,
        spki=key(f"key {number}"),
        fingerprint=key(f"certificate {number}"),
        not_after=NOW + 90 * DAY,
    )
    return replace(made, **fields)


OPERATIONAL = credential(31)
BIRTH = credential(32, CredentialRole.BIRTH, spki=IDEVID.spki, not_after=None)
TIES = Ties(
    credentials=(OPERATIONAL, BIRTH),
    grants=(GRANT,),
    delegations=(DELEGATION,),
    registrations=(THING,),
    anchors=(ANCHOR,),
    relying_parties=(BROKER,),
)


def device(state: DeviceState = _S.ACTIVE, **fields: Any) -> Device:
    """A device in a state, as it would be there."""
    made = Device(
        id=DEVICE,
        state=state,
        created_at=T0,
        state_since=T0,
        owner=None if state is _S.MANUFACTURED else OURS,
        trust_domain=None if state is _S.MANUFACTURED else DOMAIN,
        site=SITE,
        device_class=CLASS,
        maker="Maker",
        model="M-1",
        serial="S1",
        name="north gate",
        roots=(IDEVID, EK),
        offer=OFFER if state is _S.TRANSFERRING else None,
        resumes=_S.ACTIVE if state is _S.TRANSFERRING else None,
        last_seen=T0,
        expires=NOW,
    )
    return replace(made, **fields)


AN_OFFER = TransferOffer(OFFER, OURS, THEIRS, None, None, (DEVICE,), T0, NOW + DAY)
NEW_HARDWARE = Device(
    SUCCESSOR, _S.MANUFACTURED, T0, T0, serial="S2", maker="Maker", roots=(HardwareRoot(RootKind.IDEVID, key("other")),)
)


def facts(state: DeviceState = _S.ACTIVE, ties: Ties = TIES, **fields: Any) -> Facts:
    given = Facts(device(state), ties, offer=AN_OFFER if state is _S.TRANSFERRING else None, successor=NEW_HARDWARE)
    return replace(given, **fields)


def counted() -> Callable[[], UUID]:
    numbers = itertools.count(1000)
    return lambda: uid(next(numbers))


def approval(command: Command, reason: str, **fields: Any) -> Approval:
    """A request that a second person said yes to."""
    made = Approval(
        REQUEST,
        command.verb,
        "{}",
        request_digest(command, DEVICE, reason),
        OPERATOR.text,
        uid(101),
        NOW - DAY,
        NOW + DAY,
        OURS,
        DOMAIN,
        ApprovalState.APPROVED,
    )
    return replace(made, **fields)


def agreed(command: Command, reason: str = "why") -> Approved:
    token = four_eyes.approved(approval(command, reason), NOW)
    assert isinstance(token, Approved)
    return token


def proof(request: UUID = REQUEST, of: UUID = DEVICE, age: timedelta = timedelta(0)) -> FreshProof:
    answer = HARDWARE.sign(challenge(INSTANCE, of, request))
    made = by_signature((IDEVID,), HARDWARE_SPKI, answer, (INSTANCE, of, request), NOW - age)
    assert isinstance(made, FreshProof)
    return made


def asked(command: Command, actor: Actor = OPERATOR, reason: str = "why") -> Asked:
    """Everything the verb demands, brought."""
    two = command.verb in (Verb.RETURN, Verb.FORGET)
    return Asked(actor, reason, (), agreed(command, reason) if two else None, proof() if command.verb is Verb.RETURN else None)


HEALTHY: dict[Verb, Command] = {
    Verb.CLAIM: Claim(OURS, DOMAIN),
    Verb.ACTIVATE: Activate(),
    Verb.QUARANTINE: Quarantine(),
    Verb.RELEASE: Release(),
    Verb.OFFER: OfferTransfer(OFFER, THEIRS, None, NOW + DAY),
    Verb.ACCEPT: AcceptTransfer(THEIR_DOMAIN),
    Verb.CANCEL: CancelTransfer(),
    Verb.REPLACE: Replace(SUCCESSOR),
    Verb.REPORT_LOST: ReportLost(),
    Verb.RETURN: Return(),
    Verb.RETIRE: Retire(),
    Verb.FORGET: Forget(),
}
"""A command of each verb that nothing speaks against."""


def actor_of(verb: Verb, state: DeviceState = _S.ACTIVE) -> Actor:
    if state is _S.MANUFACTURED:
        return ADMIN  # nobody's device is seen by who sees all
    return THEIR_OPERATOR if verb is Verb.ACCEPT else OPERATOR


def verdict(given: Facts, command: Command, brought: Asked | None = None) -> Permitted | Refused:
    return judge(given, command, brought or asked(command, actor_of(command.verb, given.device.state)), NOW, counted())


def allowed(given: Facts, command: Command, brought: Asked | None = None) -> Permitted:
    found = verdict(given, command, brought)
    assert isinstance(found, Permitted), found
    return found


def refused(given: Facts, command: Command, brought: Asked | None = None) -> Refused:
    found = verdict(given, command, brought)
    assert isinstance(found, Refused)
    assert found.fix, "a refusal says what to do"
    return found
