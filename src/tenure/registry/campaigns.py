"""Campaigns: work on many devices that one of them began. A key that siblings share ends by giving each a key of its own."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, func, or_, select, update

from tenure.model.events import Cause, value_digest
from tenure.registry.credentials import GONE, NOT_ENDED
from tenure.registry.tables.credentials import credential
from tenure.registry.tables.custody import campaign, campaign_device
from tenure.registry.tables.devices import device
from tenure.registry.work import Reading, Work

KIND = "campaign"


@dataclass(frozen=True, slots=True)
class SharedKey:
    """What a campaign is about: a key or the keyed digest of a secret, and who has it."""

    id: UUID
    spki: bytes
    devices: tuple[UUID, ...]


def shared_key(reading: Reading, key: bytes) -> SharedKey | None:
    """The open campaign for a key, with the devices that wait for one of their own."""
    row = reading.row(select(campaign.c.id).where(campaign.c.spki == key, campaign.c.state == "open"))
    return None if row is None else SharedKey(row.id, key, _waiting(reading, row.id))


def open_for(work: Work, key: bytes, gone: UUID, cause: Cause) -> None:
    """One open campaign for a key of a device that is gone, with every device in service that has it too; the key is held.

    One that is open already takes in who came since. The device that is gone waits for nothing any more.
    """
    before = shared_key(work, key)
    id = before.id if before else work.world.ids()
    if before is None:
        work.insert(campaign, {"id": id, **_opened(key), "devices": 0, "opened_at": work.at, "version": 1})
    left = and_(campaign_device.c.campaign == id, campaign_device.c.device == gone, campaign_device.c.state == "waiting")
    work.write(update(campaign_device).where(left).values(state="done", detail="the device is gone", changed_at=work.at))
    new = sorted(set(_holders(work, key, gone)) - set(_all(work, id)))
    told = {"campaign": id, "state": "waiting", "detail": "", "changed_at": work.at}
    work.insert(campaign_device, *(told | {"device": each} for each in new))
    count = select(func.count()).where(campaign_device.c.campaign == id).scalar_subquery()
    work.write(update(campaign).where(campaign.c.id == id).values(devices=count))
    was = value_digest(b"", before) if before else None
    work.note(cause, KIND, str(id), was, value_digest(b"", SharedKey(id, key, _waiting(work, id))))


def _opened(key: bytes) -> dict[str, object]:
    title = "devices share a key of one that is gone"
    return {"kind": "shared-key", "title": title, "spki": key, "filter": {"spki": key.hex()}, "state": "open"}


def _holders(reading: Reading, key: bytes, gone: UUID) -> list[UUID]:
    has_it = or_(credential.c.spki == key, credential.c.fingerprint == key)
    present = and_(credential.c.state.in_(NOT_ENDED), credential.c.term == device.c.term)
    live = and_(has_it, present, credential.c.device != gone, device.c.state.not_in(GONE))
    found = select(credential.c.device).distinct().join(device, device.c.id == credential.c.device).where(live)
    return [row.device for row in reading.rows(found)]


def _all(reading: Reading, id: UUID) -> list[UUID]:
    return [row.device for row in reading.rows(select(campaign_device.c.device).where(campaign_device.c.campaign == id))]


def _waiting(reading: Reading, id: UUID) -> tuple[UUID, ...]:
    waits = and_(campaign_device.c.campaign == id, campaign_device.c.state == "waiting")
    found = select(campaign_device.c.device).where(waits).order_by(campaign_device.c.device)
    return tuple(row.device for row in reading.rows(found))
