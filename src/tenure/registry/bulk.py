"""Devices in bulk: COPY on PostgreSQL, prepared inserts on SQLite, one event for each batch, each row of it provable."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Table, insert, or_, select
from sqlalchemy.exc import IntegrityError

from tenure.model.access import Scope
from tenure.model.devices import Device, TombstoneKind
from tenure.model.events import Cause, value_digest
from tenure.registry.device_changes import in_order
from tenure.registry.device_rows import device_row, root_row
from tenure.registry.faults import NotFoundError, RegistryError, TombstonedError
from tenure.registry.keys import hold_every_key
from tenure.registry.ledger_runs import slices
from tenure.registry.scoping import visible
from tenure.registry.tables.custody import custody
from tenure.registry.tables.devices import batch, device, hardware_root, tombstone
from tenure.registry.work import Reading, Work

TreeRoot = Callable[[Sequence[bytes]], bytes]
"""The RFC 6962 tree head over leaves."""

_BARS = or_(tombstone.c.kind == TombstoneKind.KEY, tombstone.c.returned_at.is_(None))


@dataclass(slots=True)
class Loading:
    """A bulk load within one unit of work; ``loading`` makes one."""

    work: Work
    tree_root: TreeRoot
    batches: list[UUID] = field(default_factory=list)

    def add(self, devices: Iterable[Device], source: str, cause: Cause) -> UUID:
        """One batch: devices with roots and custody, and one event whose digest is the tree head over their rows.

        ``source`` names file and part of it. Raises RegistryError when a row cannot be (a root that is taken, an owner
        that is not there): judge the rows before (``facts.taken``), this is for what came between.
        """
        id, work = self.work.world.ids(), self.work
        given = [in_order(each) for each in devices]
        salts = [work.salt() for _ in given]
        digests = [value_digest(salt, each) for salt, each in zip(salts, given, strict=True)]
        head = self.tree_root(digests)
        parts: list[tuple[Table, list[dict[str, Any]]]] = [
            (
                device,
                [
                    device_row(each, salt) | {"batch": id, "batch_row": number}
                    for number, (each, salt) in enumerate(zip(given, salts, strict=True))
                ],
            ),
            (hardware_root, [root_row(each.id, root) for each in given for root in each.roots]),
            (custody, [_first_span(work, each, cause.verb) for each in given if each.owner is not None]),
        ]
        row = {"id": id, "source": source, "at": work.at, "rows": len(given), "root": head, "digests": b"".join(digests)}
        work.write(insert(batch).values(row))
        try:
            for table, rows in parts:
                load_rows(work, table, rows)
        except IntegrityError as error:
            raise RegistryError(f"{source}: a row collides with what is there", "check the rows again, then repeat") from error
        work.note(cause, "batch", str(id), None, head)
        self.batches.append(id)
        return id


@contextmanager
def loading(work: Work, tree_root: TreeRoot) -> Iterator[Loading]:
    """A bulk load. At its end, with every key held for a moment, no root that came in is barred: not by what was retired
    while it ran either. Raises TombstonedError; then nothing of it stays."""
    load = Loading(work, tree_root)
    yield load
    hold_every_key(work)
    for some in slices(load.batches):
        loaded = select(hardware_root.c.spki).join(device, device.c.id == hardware_root.c.device)
        barred = loaded.join(tombstone, tombstone.c.spki == hardware_root.c.spki).where(device.c.batch.in_(some), _BARS)
        if row := work.row(barred.limit(1)):
            raise TombstonedError(row.spki)


def claimed(reading: Reading, scope: Scope, claims: Collection[tuple[str, str]]) -> dict[tuple[str, str], UUID]:
    """Devices the caller may see that claim one of these (maker, serial), both as ``model.identifiers`` writes them."""
    found: dict[tuple[str, str], UUID] = {}
    asked = select(device.c.maker_key, device.c.serial_key, device.c.id).where(visible(scope, device))
    for some in slices(sorted({serial for _, serial in claims})):
        for row in reading.rows(asked.where(reading.among(device.c.serial_key, some))):
            if (key := (row.maker_key or "", row.serial_key)) in claims:
                found[key] = row.id
    return found


@dataclass(frozen=True, slots=True)
class BatchRow:
    """Where a device stands in the batch it came with, and all that a proof of it is made from."""

    batch: UUID
    number: int  # from 0
    digests: tuple[bytes, ...]
    root: bytes


def batch_row(reading: Reading, scope: Scope, id: UUID) -> BatchRow | None:
    """None for a device that came by itself. Raises NotFoundError."""
    found = select(device.c.batch, device.c.batch_row).where(device.c.id == id, visible(scope, device))
    if (row := reading.row(found)) is None:
        raise NotFoundError("device", id)
    if row.batch is None:
        return None
    whole = reading.rows(select(batch).where(batch.c.id == row.batch))[0]
    digests = tuple(whole.digests[at : at + 32] for at in range(0, len(whole.digests), 32))
    return BatchRow(row.batch, row.batch_row, digests, whole.root)


def load_rows(work: Work, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Rows of one shape, past SQLAlchemy's statements (measured four times dearer) but through the types of its columns."""
    if not rows:
        return
    names = list(rows[0])
    dialect = work.connection.dialect
    write = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    values = ([f(row[n]) if f else row[n] for f, n in zip(write, names, strict=True)] for row in rows)
    columns = ", ".join(names)
    driver: Any = work.connection.connection.driver_connection
    try:
        if work.postgres:
            with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
                for each in values:
                    copy.write_row(each)
        else:
            marks = ", ".join("?" * len(names))
            driver.executemany(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", values)  # noqa: S608 - our own names
    except dialect.loaded_dbapi.IntegrityError as error:
        raise IntegrityError(f"bulk load of {table.name}", None, error) from error


def _first_span(work: Work, value: Device, how: str) -> dict[str, Any]:
    span = {"device": value.id, "number": 1, "owner": value.owner, "term": value.term, "since": work.at}
    return span | {"how": how, "salt": work.salt()}
