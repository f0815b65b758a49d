"""A fleet of any size in a registry, rows straight into the tables: what a bulk import leaves, in a fraction of its time.

One device is written down as the registry does it; the others differ in what tells devices apart. Indexes are dropped and made
again around it. The events of a bulk import (one for each 10,000 devices) are not made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Dialect, Table, text

from bench.ledger_cost import ACTOR, opened
from tenure.model.devices import Device, HardwareRoot, RootKind
from tenure.model.events import Cause
from tenure.model.parties import Owner, TrustDomain
from tenure.model.vocabulary import DeviceState
from tenure.registry import parties
from tenure.registry.device_rows import device_row, root_row
from tenure.registry.registry import Registry
from tenure.registry.tables.custody import custody
from tenure.registry.tables.devices import device, hardware_root

START = datetime(2026, 1, 1, tzinfo=UTC)
OWNERS = [UUID(int=n) for n in range(1, 11)]
DOMAINS = [UUID(int=n) for n in range(11, 14)]
SLICE = 50_000
_FILLED = "('device', 'hardware_root', 'custody')"
_MADE = {
    "sqlite": f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN {_FILLED}",
    "postgresql": f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN {_FILLED} AND indexname NOT LIKE 'pk_%'",
}


def device_id(number: int) -> UUID:
    """As UUIDv7 are: time in front, the rest random."""
    rest = int.from_bytes(hashlib.blake2b(number.to_bytes(8, "big"), digest_size=10).digest(), "big")
    return UUID(int=(1_767_225_600_000 + number) << 80 | 0x7 << 76 | rest >> 68 << 64 | 0b10 << 62 | rest & (1 << 62) - 1)


def serial(number: int) -> str:
    return f"SN{number:09d}"


def root(number: int) -> bytes:
    return hashlib.sha256(number.to_bytes(8, "big")).digest()


def fill(url: str, count: int) -> None:
    """Devices 0 to ``count`` - 1 of ten owners in three trust domains, each with one hardware root and its custody."""
    registry = opened(url)
    with registry.change(ACTOR) as work:
        for n, id in enumerate(OWNERS):
            parties.add(work, Owner(id, f"owner {n}", "owner@example.org", START), Cause("add"))
        for n, id in enumerate(DOMAINS):
            parties.add(work, TrustDomain(id, f"d{n}.example.org", START), Cause("add"))
    with registry.engine.begin() as connection:
        indexes = connection.execute(text(_MADE[connection.dialect.name])).all()
        for name, _ in indexes:
            connection.execute(text(f"DROP INDEX {name}"))
    for first in range(0, count, SLICE):
        _load(registry, range(first, min(count, first + SLICE)))
    for _, made in indexes:
        with registry.engine.begin() as connection:
            connection.execute(text(made))
    with registry.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    registry.close()


def _first() -> dict[Table, dict[str, Any]]:
    """The rows of one device."""
    known = HardwareRoot(RootKind.IDEVID, root(0))
    made = Device(
        device_id(0), DeviceState.ACTIVE, START, START, OWNERS[0], None, DOMAINS[0], None, "Klimatec GmbH", "KT-1", serial(0)
    )
    span = {"device": made.id, "number": 1, "owner": OWNERS[0], "term": 1, "since": START, "how": "import", "salt": b""}
    return {device: device_row(made, b""), hardware_root: root_row(made.id, known), custody: span}


def _differs(number: int) -> dict[str, Any]:
    """What tells a device from the first one, by column; ``id`` and ``device`` are the same."""
    at = START + timedelta(milliseconds=number)
    id, known = device_id(number), root(number)
    told = {"id": id, "device": id, "owner": OWNERS[number % 10], "trust_domain": DOMAINS[number % 3], "spki": known}
    return told | {"serial": serial(number), "serial_key": serial(number), "salt": known[:16], "created_at": at, "since": at}


def _load(registry: Registry, numbers: range) -> None:
    many = [_differs(number) for number in numbers]
    with registry.engine.begin() as connection:
        driver: Any = connection.connection.driver_connection
        if connection.dialect.name == "postgresql":  # references hold by construction
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table, first in _first().items():
            names = ", ".join(first)
            if connection.dialect.name == "postgresql":
                with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                    copy.write("".join("\t".join(row) + "\n" for row in _rows(table, first, many, connection.dialect, _as_text)))
            else:
                marks = ", ".join("?" * len(first))
                rows = _rows(table, first, many, connection.dialect, lambda value: value)
                driver.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)


def _rows(
    table: Table, first: dict[str, Any], many: list[dict[str, Any]], dialect: Dialect, form: Callable[[Any], Any]
) -> Iterator[list[Any]]:
    """Rows as the driver takes them; a column that does not differ is written down once."""
    write: dict[str, Callable[[Any], Any]] = {}
    for name in first:
        bound: Any = table.c[name].type.dialect_impl(dialect)
        write[name] = bound.bind_processor(dialect) or (lambda value: value)
    row = [form(write[name](value)) for name, value in first.items()]
    own = [(place, name, write[name]) for place, name in enumerate(first) if name in many[0]]
    for each in many:
        for place, name, written in own:
            row[place] = form(written(each[name]))
        yield list(row)


def _as_text(value: Any) -> str:
    """PostgreSQL's COPY text."""
    value = getattr(value, "obj", value)  # psycopg's wrapping of bytes
    match value:
        case None:
            return r"\N"
        case bytes() | memoryview():
            return rf"\\x{bytes(value).hex()}"
        case datetime():
            return value.isoformat()
        case bool():
            return "t" if value else "f"
    return str(value)
