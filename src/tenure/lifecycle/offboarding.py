"""What the end of a device's trust leaves to be done elsewhere, and what bars the way back: obligations and tombstones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from tenure.lifecycle.facts import Facts, Ids, kept_by_maker
from tenure.lifecycle.obligations import CLOSING, closers
from tenure.model.credentials import Credential
from tenure.model.devices import Device, Tombstone, TombstoneKind
from tenure.model.obligations import Obligation, ObligationKind, ObligationState
from tenure.model.vocabulary import CredentialKind

Draft: TypeAlias = tuple[ObligationKind, str, UUID | None, UUID | None, datetime | None]
"""Kind, kind of target, target, relying party, end by time."""

_K = ObligationKind


def obligations_of_end(facts: Facts) -> Iterator[Draft]:
    """All that must end elsewhere when the device is gone for good."""
    for credential in facts.ties.live:
        if kept_by_maker(credential):
            yield _K.REFUSE_BIRTH, "credential", credential.id, None, None
        elif ends_alone(credential, facts.ties.shared):
            yield _K.END_CREDENTIAL, "credential", credential.id, None, credential.not_after
    end = _last_end(facts)
    for party in facts.ties.relying_parties:
        yield _K.CUT_OFF, "device", None, party, end
        yield _K.CLOSE_SESSIONS, "device", None, party, None
    yield from _rights(facts)
    for anchor in facts.ties.anchors:
        yield _K.REVIEW_ANCHOR, "anchor", anchor, None, None


def obligations_of_handover(facts: Facts, new_domain: UUID | None) -> Iterator[Draft]:
    """What the old owner must end when the new one accepts. Birth credentials go with the device; the identity is cut off only
    where it is left behind: in the same trust domain it is the new owner's."""
    for credential in facts.ties.live:
        if not kept_by_maker(credential) and ends_alone(credential, facts.ties.shared):
            yield _K.END_CREDENTIAL, "credential", credential.id, None, credential.not_after
    for party in facts.ties.relying_parties:
        if new_domain != facts.device.trust_domain:
            yield _K.CUT_OFF, "device", None, party, _last_end(facts)
        yield _K.CLOSE_SESSIONS, "device", None, party, None
    yield from _rights(facts)
    yield _K.STATE_HANDOVER, "device", None, None, None


def open_new(facts: Facts, drafts: Iterator[Draft], term: int, cause: UUID, now: datetime, ids: Ids) -> tuple[Obligation, ...]:
    """The drafts as obligations, without those that are open already (a device that was lost is retired).

    A credential or a grant is one thing whoever is to end it. What is about the device itself is, in another term, another's.
    """
    already = {
        (o.kind, o.target_kind, o.target, o.relying_party, o.term if o.target is None else term) for o in facts.obligations
    }
    build = _builder(facts.device, term, cause, now, ids)
    return tuple(build(draft) for draft in drafts if (*draft[:4], term) not in already)


def overtaken(obligations: Iterable[Obligation], now: datetime) -> tuple[Obligation, ...]:
    """New keys that were owed in a term that is over: nobody can make them any more."""
    owed = (o for o in obligations if o.kind is _K.REPLACE_KEY and o.state is ObligationState.OPEN)
    return tuple(replace(o, state=ObligationState.VOID, settled_at=now) for o in owed)


def tombstones_of_end(facts: Facts, after: Device, now: datetime) -> tuple[tuple[Tombstone, ...], tuple[bytes, ...]]:
    """The tombstones to write, and the keys that are shared instead: none for what bars already.

    A root's can be lifted by a return, so a key that is both root and credential (a birth key) has a root's.
    """
    roots = [root.spki for root in facts.device.roots]
    keys = [c.spki for c in facts.ties.credentials if c.spki is not None and c.spki not in roots]
    barred = {stone.spki for stone in facts.tombstones if stone.bars}
    kinds = dict.fromkeys(roots, TombstoneKind.ROOT) | dict.fromkeys(keys, TombstoneKind.KEY)
    stones = tuple(
        Tombstone(spki, kind, after.id, after.term, after.state, now)
        for spki, kind in kinds.items()
        if spki not in facts.ties.shared and spki not in barred
    )
    held = [*kinds, *(c.fingerprint for c in facts.ties.live if c.fingerprint is not None)]
    return stones, tuple(dict.fromkeys(key for key in held if key in facts.ties.shared))


def ends_alone(credential: Credential, shared: frozenset[bytes]) -> bool:
    """Whether ending this credential hits this device only.

    A certificate is ended by itself, even where siblings share its key; a bare key or secret is nothing but what is shared.
    """
    if credential.kind is CredentialKind.CERTIFICATE:
        return credential.fingerprint not in shared
    return credential.spki not in shared and credential.fingerprint not in shared


def _rights(facts: Facts) -> Iterator[Draft]:
    for grant in facts.ties.grants:
        yield _K.END_GRANT, "grant", grant, None, None
    for delegation in facts.ties.delegations:
        yield _K.END_DELEGATION, "delegation", delegation, None, None
    for registration in facts.ties.registrations:
        yield _K.END_REGISTRATION, "registration", registration, None, None


def _last_end(facts: Facts) -> datetime | None:
    """When the last credential a party might accept is over; None if one of them never ends, or none is known."""
    ends = [c.not_after for c in facts.ties.live if not kept_by_maker(c)]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def _builder(device: Device, term: int, cause: UUID, now: datetime, ids: Ids) -> Callable[[Draft], Obligation]:
    def build(draft: Draft) -> Obligation:
        kind, target_kind, target, party, end = draft
        bounded = end if CLOSING[kind].expires else None
        return Obligation(
            id=ids(),
            device=device.id,
            term=term,
            kind=kind,
            cause=cause,
            opened_at=now,
            closed_by=closers(kind, bounded),
            target_kind=target_kind,
            target=target,
            relying_party=party,
            bounded_until=bounded,
            due=now + CLOSING[kind].due,
        )

    return build
