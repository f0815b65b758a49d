"""Lists of devices: filtered, sorted, page by page from where the last one ended. Each step costs a page, not the fleet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, literal, select, tuple_

from tenure.model.access import Scope
from tenure.model.devices import Device
from tenure.model.vocabulary import DeviceState
from tenure.registry.device_rows import COLUMNS, read_devices
from tenure.registry.scoping import visible
from tenure.registry.tables.columns import EPOCH
from tenure.registry.tables.devices import device
from tenure.registry.work import Reading

LONGEST = 1000

Place = tuple[str | int | None, ...]
"""Where a page ended: the value that was sorted by, if not the id, and the id."""


class DeviceSort(StrEnum):
    """What a list is sorted by, then by id. Devices that have no owner, site, domain or class come last, either way."""

    ID = "id"  # about the order of arrival
    STATE = "state"
    OWNER = "owner"
    SITE = "site"
    TRUST_DOMAIN = "trust_domain"
    DEVICE_CLASS = "device_class"
    LAST_SEEN = "last_seen"  # never seen is earliest
    EXPIRES = "expires"  # holding nothing that expires is earliest


_ABSENT_LAST = (DeviceSort.OWNER, DeviceSort.SITE, DeviceSort.TRUST_DOMAIN, DeviceSort.DEVICE_CLASS)
_INSTANTS = (DeviceSort.LAST_SEEN, DeviceSort.EXPIRES)


@dataclass(frozen=True, slots=True)
class DeviceFilter:
    """What a listed device must be; what is left open does not matter."""

    state: DeviceState | None = None
    owner: UUID | None = None
    unowned: bool = False
    site: UUID | None = None
    trust_domain: UUID | None = None
    device_class: UUID | None = None
    expires_before: datetime | None = None  # and holds something that expires
    expires_from: datetime | None = None
    seen_before: datetime | None = None  # never seen counts
    seen_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class DevicePage:
    items: tuple[Device, ...]
    next: Place | None  # None: this was the last


def page(
    reading: Reading,
    scope: Scope,
    chosen: DeviceFilter,
    sort: DeviceSort = DeviceSort.ID,
    *,
    descending: bool = False,
    after: Place | None = None,
    limit: int = 100,
) -> DevicePage:
    """Up to ``limit`` devices behind the place ``after``. A device that moves in the sort meanwhile may be missed or come twice.

    Raises ValueError for a place that is none of this sort.
    """
    limit = max(1, min(limit, LONGEST))
    wanted = select(*COLUMNS).where(visible(scope, device), *_conditions(chosen))
    rows: list[Row[Any]] = []
    for part in _parts(wanted, sort, descending, after):
        rows += reading.rows(part.limit(limit + 1 - len(rows)))
        if len(rows) > limit:
            break
    items = read_devices(reading, rows[:limit])
    return DevicePage(items, _place(items[-1], sort) if len(rows) > limit else None)


def _conditions(chosen: DeviceFilter) -> Iterator[ColumnElement[bool]]:
    c = device.c
    for name in ("state", "owner", "site", "trust_domain", "device_class"):
        if (value := getattr(chosen, name)) is not None:
            yield c[name] == value
    if chosen.unowned:
        yield c.owner.is_(None)
    if chosen.expires_before is not None:
        yield and_(c.expires < chosen.expires_before, c.expires > EPOCH)
    if chosen.expires_from is not None:
        yield c.expires >= chosen.expires_from
    if chosen.seen_before is not None:
        yield c.last_seen < chosen.seen_before
    if chosen.seen_from is not None:
        yield c.last_seen >= chosen.seen_from


def _parts(wanted: Select[Any], sort: DeviceSort, descending: bool, after: Place | None) -> Sequence[Select[Any]]:
    """The query, in two where a column may be empty: first the rows that have a value, then the rest by id. Each part is one
    walk along an index; a single query with an OR, or with NULLS LAST, would be none."""
    if sort is DeviceSort.ID:
        return [_walk(wanted, [device.c.id], descending, after)]
    column = device.c[sort.value]
    if sort not in _ABSENT_LAST:
        return [_walk(wanted, [column, device.c.id], descending, after)]
    absent = wanted.where(column.is_(None))
    if after is not None and after[0] is None:
        return [_walk(absent, [device.c.id], descending, after[1:])]
    return [
        _walk(wanted.where(column.is_not(None)), [column, device.c.id], descending, after),
        _walk(absent, [device.c.id], descending, None),
    ]


def _walk(wanted: Select[Any], columns: list[Any], descending: bool, after: Place | None) -> Select[Any]:
    """Along the columns, from behind a place."""
    if after is not None:
        if len(after) != len(columns):
            raise ValueError("a place of another list")
        place = tuple_(*(_bound(c, value) for c, value in zip(columns, after, strict=True)))
        wanted = wanted.where(tuple_(*columns) < place if descending else tuple_(*columns) > place)
    return wanted.order_by(*(c.desc() if descending else c.asc() for c in columns))


def _bound(column: Any, value: str | int | None) -> Any:
    """The value of a place as the column's own type."""
    if isinstance(value, int):
        return literal(EPOCH + timedelta(microseconds=value), column.type)
    if value is None:
        raise ValueError("a place of another list")
    return literal(DeviceState(value) if column is device.c.state else UUID(value), column.type)


def _place(last: Device, sort: DeviceSort) -> Place:
    if sort is DeviceSort.ID:
        return (str(last.id),)
    value = getattr(last, sort.value)
    if sort in _INSTANTS:
        return (0 if value is None else (value - EPOCH) // timedelta(microseconds=1), str(last.id))
    return (None if value is None else str(value), str(last.id))
