"""Devices and roots between values and rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from tenure.model import identifiers
from tenure.model.devices import Device, HardwareRoot
from tenure.registry.tables.devices import device, hardware_root
from tenure.registry.work import Reading

_SAME = [field.name for field in fields(Device) if field.name != "roots"]
"""Columns and fields of one name."""


def device_row(value: Device, salt: bytes | None) -> dict[str, Any]:
    """All columns but those of a bulk import. Look-up keys are made here and nowhere else."""
    row = {name: getattr(value, name) for name in _SAME}
    return row | {"maker_key": identifiers.maker(value.maker), "serial_key": identifiers.serial(value.serial), "salt": salt}


def root_row(device_id: UUID, root: HardwareRoot) -> dict[str, Any]:
    return {"spki": root.spki, "device": device_id, "kind": root.kind, "proof": root.proof, "proved_at": root.proved_at}


def read_devices(reading: Reading, rows: Sequence[Row[Any]]) -> tuple[Device, ...]:
    """The devices of rows of ``device``, in their order, with their roots in the order of their keys."""
    roots: defaultdict[UUID, list[HardwareRoot]] = defaultdict(list)
    wanted = hardware_root.c.device.in_([row.id for row in rows])
    for row in reading.rows(select(hardware_root).where(wanted).order_by(hardware_root.c.spki)) if rows else ():
        roots[row.device].append(HardwareRoot(row.kind, row.spki, row.proof, row.proved_at))
    return tuple(Device(**{name: getattr(row, name) for name in _SAME}, roots=tuple(roots[row.id])) for row in rows)


COLUMNS = [device.c[name] for name in _SAME]
