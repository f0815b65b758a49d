"""Devices found: by id, by serial, by hardware root. What lies outside the caller's scope is not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, select, update

from tenure.model import identifiers
from tenure.model.access import Scope
from tenure.model.devices import Device
from tenure.registry.device_rows import COLUMNS, read_devices
from tenure.registry.faults import NotFoundError
from tenure.registry.scoping import visible
from tenure.registry.tables.devices import device, hardware_root
from tenure.registry.work import Reading, Work


@dataclass(frozen=True, slots=True)
class Held:
    """A device whose row this transaction has locked: what a change of it starts from. Only ``hold`` makes one.

    The row is the lock of all that belongs to the device: roots, custody, credentials, obligations. Whoever holds it may
    decide on what it read, because nobody else changes any of that before we are done.
    """

    device: Device
    salt: bytes


def get(reading: Reading, scope: Scope, id: UUID) -> Device:
    """Raises NotFoundError."""
    found = get_many(reading, scope, [id])
    if not found:
        raise NotFoundError("device", id)
    return found[0]


def get_many(reading: Reading, scope: Scope, ids: Sequence[UUID]) -> tuple[Device, ...]:
    """Those that are there, by id; what is missing is foreign or nobody's."""
    asked = select(*COLUMNS).where(device.c.id.in_(ids), visible(scope, device)).order_by(device.c.id)
    return read_devices(reading, reading.rows(asked))


def by_serial(reading: Reading, scope: Scope, serial: str, maker: str | None = None, limit: int = 100) -> tuple[Device, ...]:
    """Devices that claim this serial, in any notation, of this maker or any: serials are claims, so there may be many."""
    same = device.c.serial_key == identifiers.serial(serial)
    if maker is not None:
        same = and_(same, device.c.maker_key == identifiers.maker(maker))
    found = select(*COLUMNS).where(same, visible(scope, device)).order_by(device.c.id).limit(limit)
    return read_devices(reading, reading.rows(found))


def by_root(reading: Reading, scope: Scope, spki: bytes) -> Device | None:
    """The device a hardware root belongs to, for who may see it. The same work is done for who may not."""
    found = select(*COLUMNS).join(hardware_root, hardware_root.c.device == device.c.id)
    rows = reading.rows(found.where(hardware_root.c.spki == spki, visible(scope, device)))
    return next(iter(read_devices(reading, rows)), None)


def hold(work: Work, scope: Scope, id: UUID) -> Held:
    """The device, locked until the transaction ends: the first step of every verb, and of issuing. Raises NotFoundError."""
    held = hold_many(work, scope, [id])
    if not held:
        raise NotFoundError("device", id)
    return held[0]


def hold_many(work: Work, scope: Scope, ids: Sequence[UUID]) -> tuple[Held, ...]:
    """Those that are there, by id: always locked in this order, so that two such calls never wait for each other in a ring."""
    asked = select(*COLUMNS, device.c.salt).where(device.c.id.in_(ids), visible(scope, device)).order_by(device.c.id)
    rows = work.rows(asked.with_for_update(of=device))
    return tuple(Held(found, row.salt or b"") for found, row in zip(read_devices(work, rows), rows, strict=True))


def seen(work: Work, sightings: Sequence[tuple[UUID, datetime]]) -> None:
    """Notes when devices were last seen: forwards only, no event, no new version; sightings are rounded by who collects them."""
    for id, at in sorted(sightings):
        work.write(update(device).where(device.c.id == id, device.c.last_seen < at).values(last_seen=at))
