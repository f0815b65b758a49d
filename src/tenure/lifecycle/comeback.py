"""Return: gone hardware comes back, by two people and by fresh proof that it is the hardware. Its keys never do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from tenure.lifecycle.commands import Asked, Return
from tenure.lifecycle.facts import Facts
from tenure.lifecycle.verdict import Code, Refused
from tenure.model.devices import Device, Tombstone, TombstoneKind
from tenure.model.obligations import Obligation, ObligationKind, ObligationState
from tenure.model.vocabulary import DeviceState

FRESH = timedelta(hours=24)

_BARS_THE_DEVICE = frozenset({ObligationKind.REFUSE_BIRTH, ObligationKind.CUT_OFF, ObligationKind.CLOSE_SESSIONS})
"""What cannot be asked for any more once the identity may be used again. That its old credentials end still can."""


def returned(facts: Facts, command: Return, asked: Asked, now: datetime) -> Device | Refused:
    """The device in a new term, claimed, without keys."""
    device, proof = facts.device, asked.proof
    if not device.roots:
        problem = "the device has no hardware root: nothing can prove that it is the one that was lost"
        return Refused(Code.PROOF_INVALID, problem, "register what you have as another device, with a hardware root")
    if proof is None:
        return Refused(
            Code.PROOF_INVALID, "fresh proof of a hardware root is missing", "have the device sign the challenge of this request"
        )
    fits = (
        proof.device == device.id
        and asked.approved is not None
        and proof.request == asked.approved.id
        and proof.root in {root.spki for root in device.roots}
    )
    if not fits or not now - FRESH <= proof.at <= now:
        return Refused(Code.PROOF_INVALID, "the proof is of another request, another device, or too old", "have it answer again")
    # Who may act for a device without owner or domain may act for any: the caller's scope needs no second look here.
    owner, domain = device.owner or command.owner, device.trust_domain or command.trust_domain
    if owner is None or domain is None:
        return Refused(Code.OWNER_MISSING, "the device has no owner to come back to", "name an owner and a trust domain")
    return replace(
        device,
        state=DeviceState.CLAIMED,
        state_since=now,
        owner=owner,
        trust_domain=domain,
        term=device.term + 1,
        must_rekey=True,
        forgotten_at=None,
        last_seen=None,
        expires=None,
    )


def lifted(tombstones: Iterable[Tombstone], now: datetime) -> tuple[Tombstone, ...]:
    """The tombstones of its roots, with the return noted. Those of its keys hold for ever."""
    return tuple(replace(t, returned_at=now) for t in tombstones if t.kind is TombstoneKind.ROOT and t.bars)


def voided(obligations: Iterable[Obligation], now: datetime) -> tuple[Obligation, ...]:
    """The obligations that the return contradicts."""
    barring = (o for o in obligations if o.kind in _BARS_THE_DEVICE and o.state is ObligationState.OPEN)
    return tuple(replace(o, state=ObligationState.VOID, settled_at=now) for o in barring)
