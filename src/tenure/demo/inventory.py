"""The CMDB of the example fleet as ServiceNow exports it, with the usual dirt, and the list of device classes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from tenure.demo.fleet import FAMILIES, Device
from tenure.demo.life import World

HEADER = (
    "sys_id", "name", "serial_number", "mac_address", "manufacturer", "model_id", "firmware_version", "install_status",
    "owned_by", "ownership_changed_on", "location", "managed_by", "trust_domain", "gateway_serial", "hardware_security",
    "installed_on", "last_discovered", "retired_on",
)  # fmt: skip


def files(world: World) -> Iterator[tuple[str, bytes]]:
    rows = [row for device in world.devices if device.registered for row in _rows(world, device)]
    yield "cmdb.csv", table(HEADER, rows)
    classes = [(f.model, f.id, f.maker, f.rotation) for f in FAMILIES.values()]
    yield "device-classes.csv", table(("model_id", "device_class", "manufacturer", "rotation"), classes)


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> bytes:
    """A CSV file as most programs write it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def _rows(world: World, device: Device) -> Iterator[tuple[str, ...]]:
    for record in range(device.records):
        for _ in range(device.rows):
            yield _row(world, device, record)


def _row(world: World, device: Device, record: int) -> tuple[str, ...]:
    label = (device.name, device.serial, device.case, device.member)
    style = world.chance.below(4, "style", *label) + record
    family = device.family
    return (
        world.chance.octets(16, "sys_id", *label, record).hex(),
        device.name,
        _serial(device.serial, style),
        _mac(device.mac, style),
        ("", family.maker, family.maker, f"{family.maker} Ltd")[style % 4],
        family.model,
        f"{2 + style % 3}.{world.chance.below(10, 'firmware', *label)}",
        device.state,
        device.owner,
        _day(world, device.owner_changed),
        device.site,
        family.manager,
        device.domain,
        device.gateway,
        family.hardware,
        _day(world, device.installed),
        _discovered(world, device),
        _day(world, device.left),
    )


def _serial(serial: str, style: int) -> str:
    """As typed in: some through a spreadsheet that took digits for a number, some with a blank behind."""
    if style % 4 == 1 and serial.isdigit():
        return serial.lstrip("0")
    return f"{serial} " if style % 4 == 2 else serial


def _mac(mac: str, style: int) -> str:
    plain = mac.replace(":", "")
    by_style = (mac, mac.upper().replace(":", "-"), plain.upper(), f"{plain[:4]}.{plain[4:8]}.{plain[8:]}")
    return by_style[style % 4]


def _day(world: World, ago: float | None) -> str:
    return "" if ago is None else f"{world.moment(ago):%Y-%m-%d}"


def _discovered(world: World, device: Device) -> str:
    if not device.discovered:
        return ""
    before = (device.left or 0) + world.chance.between(0.4, 6, "discovered", device.name, device.serial)
    return f"{world.moment(before):%Y-%m-%d %H:%M:%S}"
