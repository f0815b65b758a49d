"""Owners, sites, trust domains and device classes: added, changed, found."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Row, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from tenure.model.events import Cause, value_digest
from tenure.model.parties import DeviceClass, Owner, Party, Site, TrustDomain
from tenure.registry.faults import ConflictError, NameTakenError, NotFoundError, UnknownReferenceError
from tenure.registry.tables.parties import device_class, owner, site, trust_domain
from tenure.registry.work import Reading, Work

P = TypeVar("P", Owner, Site, TrustDomain, DeviceClass)

TABLES: dict[type[Party], Table] = {Owner: owner, Site: site, TrustDomain: trust_domain, DeviceClass: device_class}
_ONE_OF_A_NAME = (TrustDomain, DeviceClass)  # names of owners and sites belong to tenants, who learn nothing of each other


def get(reading: Reading, kind: type[P], id: UUID) -> P:
    """Raises NotFoundError. Who may see it is the caller's question: these belong to no device."""
    table = TABLES[kind]
    if (row := reading.row(select(table).where(table.c.id == id))) is None:
        raise NotFoundError(table.name, id)
    return _value(kind, row)


def named(reading: Reading, kind: type[P], name: str, within: UUID | None = None) -> tuple[P, ...]:
    """All of a name; of sites, only those of one owner."""
    table = TABLES[kind]
    found = select(table).where(table.c.name == name).order_by(table.c.id)
    if within is not None:
        found = found.where(table.c.owner == within)
    return tuple(_value(kind, row) for row in reading.rows(found))


def listed(
    reading: Reading, kind: type[P], after: UUID | None = None, limit: int = 100, only: frozenset[UUID] | None = None
) -> tuple[P, ...]:
    """By id, behind ``after``; ``only`` narrows to what a caller may see: the ids themselves, of sites their owners."""
    table = TABLES[kind]
    found = select(table).order_by(table.c.id).limit(limit)
    if after is not None:
        found = found.where(table.c.id > after)
    if only is not None:
        found = found.where((table.c.owner if kind is Site else table.c.id).in_(sorted(only)))
    return tuple(_value(kind, row) for row in reading.rows(found))


def add(work: Work, value: Party, cause: Cause) -> None:
    """Raises NameTakenError where a name must be one of a kind, UnknownReferenceError."""
    table, salt = TABLES[type(value)], work.salt()
    try:
        work.write(insert(table).values({**_row(value), "version": 1, "salt": salt}))
    except IntegrityError as error:
        raise _refusal(table, value, error) from error
    work.note(cause, table.name, str(value.id), None, value_digest(salt, replace(value, version=1)))


def change(work: Work, after: P, cause: Cause) -> P:
    """It becomes ``after``, whose version is the one that was read. Raises NotFoundError, ConflictError and what ``add`` does."""
    table = TABLES[type(after)]
    row = work.row(select(table).where(table.c.id == after.id).with_for_update())
    if row is None:
        raise NotFoundError(table.name, after.id)
    if row.version != after.version:
        raise ConflictError(table.name, after.id, after.version)
    before, now, salt = _value(type(after), row), replace(after, version=after.version + 1), row.salt or b""
    try:
        work.write(update(table).where(table.c.id == after.id).values(_row(now)))
    except IntegrityError as error:
        raise _refusal(table, after, error) from error
    work.note(cause, table.name, str(after.id), value_digest(salt, before), value_digest(salt, now))
    return now


def _refusal(table: Table, value: Party, error: IntegrityError) -> NameTakenError | UnknownReferenceError:
    """Which of the two constraints it was: PostgreSQL has a code for it, SQLite a text."""
    taken = getattr(error.orig, "sqlstate", None) == "23505" or str(error.orig).startswith("UNIQUE")
    return NameTakenError(table.name, value.name) if taken else UnknownReferenceError(table.name, value.id)


def _row(value: Party) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _value(kind: type[P], row: Row[Any]) -> P:
    return kind(**{field.name: getattr(row, field.name) for field in fields(kind)})
