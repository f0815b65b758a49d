"""Facts for a judgement: all there is to know about a held device, or about one that is to come."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Table, and_, exists, select

from tenure.lifecycle.facts import ArrivalFacts, Facts, Taken, Ties
from tenure.model import identifiers
from tenure.model.access import Scope
from tenure.model.devices import Device
from tenure.registry import credentials, obligations, offers, tombstones
from tenure.registry.devices import Held
from tenure.registry.keys import hold_keys
from tenure.registry.ledger_runs import slices
from tenure.registry.scoping import visible
from tenure.registry.tables.credentials import anchor, credential, issuer
from tenure.registry.tables.devices import device, hardware_root
from tenure.registry.tables.enforcement import delegation, grant, registration, relying_party
from tenure.registry.work import Reading, Work

NAMESAKES = 20


def facts_of(work: Work, held: Held, successor: Held | None = None) -> Facts:
    """What ``judge`` asks of a device. Its keys are locked too, so that what is shared now is shared when it is written."""
    subject = held.device
    offer, offer_digest = offers.hold(work, subject.offer) if subject.offer is not None else (None, None)
    return Facts(
        subject,
        _ties(work, subject),
        tombstones.of_device(work, subject.id),
        obligations.of_device(work, subject.id, only_open=True),
        offer,
        offer_digest,
        successor.device if successor else None,
    )


def arrival_facts(work: Work, scope: Scope, spkis: Collection[bytes], maker: str | None, serial: str | None) -> ArrivalFacts:
    """What ``judge_arrival`` asks: who has these roots, and which devices the caller may see claim the same serial.

    The roots are locked: nobody else registers or bars them before we are done.
    """
    hold_keys(work, spkis)
    return ArrivalFacts(taken(work, scope, spkis), _namesakes(work, scope, maker, serial))


def taken(reading: Reading, scope: Scope, spkis: Collection[bytes]) -> tuple[Taken, ...]:
    """Who has or had these keys, by root, tombstone that bars, or live credential. True until the transaction ends only for
    keys that are held; a bulk load holds all of them at its end instead."""
    found: list[Taken] = []
    for some in slices(sorted(set(spkis))):
        found += _taken(reading, scope, some)
    return tuple(found)


def _taken(reading: Reading, scope: Scope, spkis: Sequence[bytes]) -> list[Taken]:
    holders = {(stone.spki, stone.device) for stone in tombstones.barring(reading, spkis)}
    by_root = select(hardware_root.c.spki, hardware_root.c.device).where(reading.among(hardware_root.c.spki, spkis))
    live = and_(
        reading.among(credential.c.spki, spkis), credential.c.state.in_(credentials.NOT_ENDED), credential.c.device.is_not(None)
    )
    by_credential = select(credential.c.spki, credential.c.device).where(live)
    holders |= {(row.spki, row.device) for found in (by_root, by_credential) for row in reading.rows(found)}
    known: dict[UUID, Row[Any]] = {}
    for some in slices(sorted({holder for _, holder in holders})):
        known |= {row.id: row for row in reading.rows(select(device).where(device.c.id.in_(some)))}
    return [_shown(spki, holder, known.get(holder), scope) for spki, holder in sorted(holders)]


def _shown(spki: bytes, holder: UUID, row: Row[Any] | None, scope: Scope) -> Taken:
    visible = row is not None and scope.holds(row.owner, row.trust_domain)
    return Taken(spki, holder, visible, row is None or row.state.gone)


def _namesakes(work: Work, scope: Scope, maker: str | None, serial: str | None) -> tuple[UUID, ...]:
    if maker is None or serial is None:
        return ()
    same = and_(device.c.serial_key == identifiers.serial(serial), device.c.maker_key == identifiers.maker(maker))
    found = select(device.c.id).where(same, visible(scope, device)).order_by(device.c.id).limit(NAMESAKES)
    return tuple(row.id for row in work.rows(found))


def _ties(work: Work, subject: Device) -> Ties:
    held = credentials.of_device(work, subject.id)
    spkis = {root.spki for root in subject.roots} | {c.spki for c in held if c.spki is not None}
    hold_keys(work, spkis)
    keys = spkis | {c.fingerprint for c in held if c.fingerprint is not None}
    return Ties(
        credentials=held,
        shared=credentials.shared_with_others(work, subject.id, keys),
        former=credentials.former_keys(work, subject.id, subject.term),
        grants=_not_ended(work, grant, subject.id),
        delegations=tuple(sorted({*_not_ended(work, delegation, subject.id), *_delegated_to(work, subject.id)})),
        registrations=_not_ended(work, registration, subject.id),
        anchors=_own_anchors(work, subject.id),
        relying_parties=_parties(work, subject.trust_domain),
    )


def _not_ended(work: Work, table: Table, id: UUID) -> tuple[UUID, ...]:
    found = select(table.c.id).where(table.c.device == id, table.c.ended_at.is_(None)).order_by(table.c.id)
    return tuple(row.id for row in work.rows(found))


def _delegated_to(work: Work, id: UUID) -> list[UUID]:
    """What the device may do for others ends with it."""
    to_it = select(delegation.c.id).where(delegation.c.delegate_device == id, delegation.c.ended_at.is_(None))
    return [row.id for row in work.rows(to_it)]


def _own_anchors(work: Work, id: UUID) -> tuple[UUID, ...]:
    """Anchors whose key signed for this device and for no other that still holds something."""
    others = credential.alias()
    signed_for_others = exists().where(
        others.c.issuer == issuer.c.id, others.c.device != id, others.c.state.in_(credentials.NOT_ENDED)
    )
    found = (
        select(anchor.c.id)
        .distinct()
        .join(issuer, issuer.c.spki == anchor.c.spki)
        .join(credential, credential.c.issuer == issuer.c.id)
        .where(credential.c.device == id, anchor.c.ended_at.is_(None), ~signed_for_others)
    )
    return tuple(sorted(row.id for row in work.rows(found)))


def _parties(work: Work, domain: UUID | None) -> tuple[UUID, ...]:
    if domain is None:
        return ()
    table = relying_party
    found = select(table.c.id).where(table.c.trust_domain == domain, table.c.ended_at.is_(None)).order_by(table.c.id)
    return tuple(row.id for row in work.rows(found))
