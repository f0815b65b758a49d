"""Transfer offers: the devices they are about, and how they were settled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, insert, or_, select, true, update

from tenure.model.access import Scope
from tenure.model.devices import OfferState, TransferOffer
from tenure.model.events import Cause, value_digest
from tenure.registry.faults import ConflictError, NotFoundError
from tenure.registry.tables.custody import transfer_item, transfer_offer
from tenure.registry.work import Reading, Work

KIND = "transfer-offer"
_SAME = ["id", "from_owner", "to_owner", "to_party", "to_trust_domain", "offered_at", "until", "state", "settled_at"]


def get(reading: Reading, scope: Scope, id: UUID) -> TransferOffer:
    """For both of its parties. Raises NotFoundError."""
    found = _values(reading, reading.rows(select(transfer_offer).where(transfer_offer.c.id == id, _party(scope))))
    if not found:
        raise NotFoundError(KIND, id)
    return found[0]


def listed(
    reading: Reading, scope: Scope, state: OfferState | None = None, after: UUID | None = None, limit: int = 100
) -> tuple[TransferOffer, ...]:
    """Of either party, by id, behind ``after``."""
    found = select(transfer_offer).where(_party(scope)).order_by(transfer_offer.c.id).limit(limit)
    if state is not None:
        found = found.where(transfer_offer.c.state == state)
    if after is not None:
        found = found.where(transfer_offer.c.id > after)
    return _values(reading, reading.rows(found))


def hold(work: Work, id: UUID) -> tuple[TransferOffer, bytes | None]:
    """The offer, locked, with the digest of its signed file; taken after the rows of its devices. Raises NotFoundError."""
    rows = work.rows(select(transfer_offer).where(transfer_offer.c.id == id).with_for_update())
    if not rows:
        raise NotFoundError(KIND, id)
    return _values(work, rows)[0], rows[0].offer_file


def add(work: Work, offer: TransferOffer, cause: Cause, offer_file: bytes | None = None) -> None:
    """A new offer. ``offer_file`` is the SHA-256 of what was signed and sent."""
    salt = work.salt()
    row = {name: getattr(offer, name) for name in _SAME} | {"offer_file": offer_file, "salt": salt, "version": 1}
    work.write(insert(transfer_offer).values(row))
    work.insert(transfer_item, *({"offer": offer.id, "device": device} for device in offer.devices))
    work.note(cause, KIND, str(offer.id), None, value_digest(salt, offer))


def settle(work: Work, after: TransferOffer, cause: Cause, acceptance_file: bytes | None = None) -> None:
    """Its answer. The same answer again, for the next of its devices, changes nothing. Raises ConflictError for another one."""
    row = work.row(select(transfer_offer).where(transfer_offer.c.id == after.id).with_for_update())
    if row is None:
        raise NotFoundError(KIND, after.id)
    if row.state is not OfferState.OPEN:
        if row.state is after.state:
            return
        raise ConflictError(KIND, after.id, row.version)
    before = _values(work, [row])[0]
    settled = {
        "state": after.state,
        "settled_at": after.settled_at,
        "version": row.version + 1,
        "acceptance_file": acceptance_file,
    }
    work.write(update(transfer_offer).where(transfer_offer.c.id == after.id).values(settled))
    work.note(cause, KIND, str(after.id), value_digest(row.salt or b"", before), value_digest(row.salt or b"", after))


def _party(scope: Scope) -> ColumnElement[bool]:
    """Giver or receiver."""
    if scope.whole:
        return true()
    owners = sorted({area.owner for area in scope.areas if area.owner is not None})
    return or_(transfer_offer.c.from_owner.in_(owners), transfer_offer.c.to_owner.in_(owners))


def _values(reading: Reading, rows: Sequence[Row[Any]]) -> tuple[TransferOffer, ...]:
    items = _items(reading, [row.id for row in rows])
    return tuple(TransferOffer(**{name: getattr(row, name) for name in _SAME}, devices=tuple(items[row.id])) for row in rows)


def _items(reading: Reading, offers: Collection[UUID]) -> dict[UUID, list[UUID]]:
    found: defaultdict[UUID, list[UUID]] = defaultdict(list)
    asked = select(transfer_item).where(transfer_item.c.offer.in_(offers)).order_by(transfer_item.c.device)
    for row in reading.rows(asked) if offers else ():
        found[row.offer].append(row.device)
    return found
