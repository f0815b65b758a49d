"""The registry's rows as an export tells them: names in place of keys, the holder beside each credential, page by page.

All of one export is read in one transaction, so its files fit one another. A page is by id, so memory stays bounded.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Table, and_, or_, select

from tenure.evidence.registry_export import AnchorRow, CredentialRow, DeviceRow, Identifier, IssuerRow, TombstoneRow
from tenure.evidence.registry_export import Row as ExportRow
from tenure.model import identifiers
from tenure.model.devices import Device, TombstoneKind
from tenure.model.vocabulary import HardwareSecurity, IdentifierKind, Rotation
from tenure.registry import adoptions
from tenure.registry.adoptions import Adoption
from tenure.registry.device_rows import COLUMNS, read_devices
from tenure.registry.issuers import FOREIGN
from tenure.registry.tables.credentials import anchor, anchor_trust, credential, issuer
from tenure.registry.tables.devices import device, tombstone
from tenure.registry.tables.enforcement import relying_party
from tenure.registry.tables.parties import device_class, owner, site, trust_domain
from tenure.registry.work import Reading

PAGE = 2_000

_K = IdentifierKind
_HELD_BY = (_K.HARDWARE_KEY, _K.MAC, _K.THING_NAME, _K.SERIAL)
"""What names the holder of a secret, best first. A serial comes last: a holder is told without the maker it is unique within."""


def files(reading: Reading) -> dict[str, Iterable[ExportRow]]:
    """Each file of an export by its name; read as they are written."""
    return {
        "devices.jsonl": device_rows(reading),
        "credentials.jsonl": credential_rows(reading),
        "anchors.jsonl": anchor_rows(reading),
        "issuers.jsonl": issuer_rows(reading),
        "tombstones.jsonl": tombstone_rows(reading),
    }


def device_rows(reading: Reading) -> Iterator[DeviceRow]:
    names = {table: _names(reading, table) for table in (owner, site, trust_domain)}
    classes = {row.id: row for row in reading.rows(select(device_class))}
    for page in _pages(reading, select(*COLUMNS), device):
        adopted = adoptions.of_devices(reading, [row.id for row in page])
        for each in read_devices(reading, page):
            kind = None if each.device_class is None else classes[each.device_class]
            kept = adopted.get(each.id)
            yield DeviceRow(
                id=each.id,
                state=each.state,
                state_since=_since(each, kept),
                maker=each.maker,
                model=each.model,
                serial=each.serial,
                name=each.name,
                owner=None if each.owner is None else names[owner][each.owner],
                site=None if each.site is None else names[site][each.site],
                trust_domain=None if each.trust_domain is None else names[trust_domain][each.trust_domain],
                device_class=None if kind is None else kind.name,
                rotation=Rotation.UNKNOWN if kind is None else Rotation(kind.rotation),
                hardware_security=HardwareSecurity.UNKNOWN if kind is None else HardwareSecurity(kind.hardware),
                last_seen=each.last_seen,
                roots=tuple(root.spki.hex() for root in each.roots),
                identifiers=() if kept is None else tuple(_others(kept)),
                snapshots=() if kept is None else tuple(content.hex() for content in kept.snapshots),
            )


def credential_rows(reading: Reading) -> Iterator[CredentialRow]:
    issuers = {row.id: row for row in reading.rows(select(issuer.c.id, issuer.c.name, issuer.c.state))}
    for page in _pages(reading, select(credential), credential):
        held_by = _holders(reading, [row.device for row in page if row.device is not None])
        for row in page:
            signed = None if row.issuer is None else issuers[row.issuer]
            yield CredentialRow(
                id=row.id,
                kind=row.kind,
                role=row.role,
                state=row.state,
                created_at=row.created_at,
                issued=signed is not None and signed.state != FOREIGN,
                device=row.device,
                holder=held_by.get(row.device),
                issuer=None if signed is None else signed.name,
                serial=row.serial,
                spki=_hex(row.spki),
                fingerprint=_hex(row.fingerprint),
                digest_key=row.digest_key,
                subject=row.subject,
                not_before=row.not_before,
                not_after=row.not_after,
                ended_at=row.ended_at,
                end_reason=row.end_reason,
                last_seen=row.last_seen,
            )


def anchor_rows(reading: Reading) -> Iterator[AnchorRow]:
    """One for each relying party that trusts it. An anchor whose certificate is not kept has nothing to be told by."""
    trusted = (
        select(anchor, relying_party.c.name.label("party"), relying_party.c.kind.label("party_kind"))
        .join(anchor_trust, and_(anchor_trust.c.anchor == anchor.c.id, anchor_trust.c.until.is_(None)))
        .join(relying_party, relying_party.c.id == anchor_trust.c.relying_party)
        .where(anchor.c.ended_at.is_(None), anchor.c.certificate.is_not(None))
        .order_by(anchor.c.id, relying_party.c.id)
    )
    for row in reading.rows(trusted):
        yield AnchorRow(
            id=row.id,
            relying_party=row.party,
            relying_party_kind=row.party_kind,
            fingerprint=_fingerprint(row.certificate),
            spki=row.spki.hex(),
            subject=row.name,
            purpose=row.purpose,
            certificate=_encoded(row.certificate),
        )


def issuer_rows(reading: Reading) -> Iterator[IssuerRow]:
    """Authorities that Tenure runs: of foreign ones the registry is nobody's record."""
    for row in reading.rows(select(issuer).where(issuer.c.state != FOREIGN).order_by(issuer.c.id)):
        kept = row.certificate
        told = {} if kept is None else {"fingerprint": _fingerprint(kept), "certificate": _encoded(kept)}
        yield IssuerRow(id=row.id, name=row.name, **told)


def tombstone_rows(reading: Reading) -> Iterator[TombstoneRow]:
    bars = or_(tombstone.c.kind == TombstoneKind.KEY, tombstone.c.returned_at.is_(None))
    for page in _pages(reading, select(tombstone).where(bars), tombstone):
        held_by = _holders(reading, [row.device for row in page])
        for row in page:
            yield TombstoneRow(row.spki.hex(), row.kind, row.device, row.state, row.at, held_by.get(row.device))


def _pages(reading: Reading, wanted: Select[Any], table: Table) -> Iterator[Sequence[Row[Any]]]:
    ordered = wanted.order_by(table.c.id).limit(PAGE)
    page = reading.rows(ordered)
    while page:
        yield page
        page = reading.rows(ordered.where(table.c.id > page[-1].id))


def _names(reading: Reading, table: Table) -> dict[UUID, str]:
    return {row.id: row.name for row in reading.rows(select(table.c.id, table.c.name))}


def _since(each: Device, kept: Adoption | None) -> datetime:
    """Since when it is in its state. Hardware that was gone when it was adopted left service when the roll said."""
    adopted_gone = kept is not None and each.state.gone and each.state_since == kept.at
    return (kept.left_service_at if adopted_gone and kept else None) or each.state_since


def _others(kept: Adoption) -> Iterator[Identifier]:
    """Hardware keys are told as roots."""
    for each in kept.identifiers:
        if each.kind is not _K.HARDWARE_KEY:
            yield Identifier(each.kind, each.value, each.scope or None, each.raw)


def _holders(reading: Reading, ids: Sequence[UUID]) -> dict[UUID | None, Identifier]:
    """The best identifier of each device that has one, its serial in want of better."""
    wanted = sorted(set(ids))
    found: dict[UUID | None, Identifier] = {}
    adopted = adoptions.of_devices(reading, wanted)
    claims = reading.rows(select(*COLUMNS).where(device.c.id.in_(wanted))) if wanted else ()
    for each in read_devices(reading, claims):
        told = list(_others(adopted[each.id])) if each.id in adopted else []
        told += [Identifier(_K.HARDWARE_KEY, root.spki.hex()) for root in each.roots] + _claim(each)
        best = sorted((i for i in told if i.kind in _HELD_BY), key=lambda i: (_HELD_BY.index(i.kind), i.value))
        if best:
            found[each.id] = best[0]
    return found


def _claim(each: Device) -> list[Identifier]:
    serial = identifiers.serial(each.serial)
    return [] if serial is None else [Identifier(_K.SERIAL, serial, identifiers.maker(each.maker), each.serial)]


def _hex(digest: bytes | None) -> str | None:
    return None if digest is None else digest.hex()


def _fingerprint(certificate: bytes) -> str:
    return hashlib.sha256(certificate).hexdigest()


def _encoded(certificate: bytes) -> str:
    return base64.b64encode(certificate).decode("ascii")
