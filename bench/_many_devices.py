"""A fleet of any size in a registry, rows made inside the database: what a bulk import leaves, in a fraction of its time.

One device is written down as the registry does it; the others differ in what tells devices apart. Indexes are dropped and made
again around it. The events of a bulk import (one for each 10,000 devices) are not made.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, bindparam, create_engine, text

from bench.ledger_cost import ACTOR, opened
from tenure.model.devices import Device, HardwareRoot, RootKind
from tenure.model.events import Cause
from tenure.model.parties import Owner, TrustDomain
from tenure.model.vocabulary import DeviceState
from tenure.registry import parties
from tenure.registry.device_rows import device_row, root_row
from tenure.registry.tables.custody import custody
from tenure.registry.tables.devices import device, hardware_root

START = datetime(2026, 1, 1, tzinfo=UTC)
OWNERS = [UUID(int=n) for n in range(1, 11)]
DOMAINS = [UUID(int=n) for n in range(11, 14)]
SLICE = 1_000_000
_FILLED = "('device', 'hardware_root', 'custody')"
_INDEXES = {
    "sqlite": f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN {_FILLED}",
    "postgresql": f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN {_FILLED} AND indexname NOT LIKE 'pk_%'",
}
_NUMBERS = {
    "sqlite": "(WITH RECURSIVE c(n) AS (SELECT :low UNION ALL SELECT n + 1 FROM c WHERE n + 1 < :high) SELECT n FROM c)",
    "postgresql": "generate_series(CAST(:low AS bigint), :high - 1) AS g(n)",
}
_ID = {
    "sqlite": "device_id(n)",
    "postgresql": "CAST(lpad(to_hex(1767225600000 + n), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'"
    " || substr(md5(n::text), 4, 15) AS uuid)",
}
_OWNER = {
    "sqlite": "party(n % 10 + 1)",
    "postgresql": "CAST('00000000-0000-0000-0000-' || lpad(to_hex(n % 10 + 1), 12, '0') AS uuid)",
}
_DOMAIN = {name: told.replace("10 + 1", "3 + 11") for name, told in _OWNER.items()}
_AT = {"sqlite": ":start + n * 1000", "postgresql": ":start + n * interval '1 ms'"}
_SERIAL = {"sqlite": "printf('SN%09d', n)", "postgresql": "'SN' || lpad(n::text, 9, '0')"}
_SALT = {"sqlite": "randomblob(16)", "postgresql": "decode(md5(n::text), 'hex')"}
_ROOT = {"sqlite": "root_of(n)", "postgresql": "sha256(convert_to(n::text, 'UTF8'))"}
_DIFFERS = {
    "id": _ID, "device": _ID, "owner": _OWNER, "trust_domain": _DOMAIN, "created_at": _AT, "state_since": _AT, "since": _AT,
    "serial": _SERIAL, "serial_key": _SERIAL, "salt": _SALT, "spki": _ROOT,
}  # fmt: skip
"""What tells a device from the first one: column -> SQL of each database."""


def device_id(number: int) -> UUID:
    """As UUIDv7 are: time in front, the rest scattered."""
    rest = hashlib.md5(str(number).encode()).hexdigest()
    return UUID(f"{1_767_225_600_000 + number:012x}7{rest[:3]}8{rest[3:18]}")


def serial(number: int) -> str:
    return f"SN{number:09d}"


def fill(url: str, count: int) -> None:
    """Devices 0 to ``count`` - 1 of ten owners in three trust domains, each with one hardware root and its custody."""
    registry = opened(url)
    with registry.change(ACTOR) as work:
        for n, id in enumerate(OWNERS):
            parties.add(work, Owner(id, f"owner {n}", "owner@example.org", START), Cause("add"))
        for n, id in enumerate(DOMAINS):
            parties.add(work, TrustDomain(id, f"d{n}.example.org", START), Cause("add"))
    registry.close()
    engine = create_engine(registry.engine.url, isolation_level="AUTOCOMMIT")  # one that begins nothing
    with engine.connect() as connection:
        _fill(connection, count)
    engine.dispose()


def _fill(connection: Connection, count: int) -> None:
    name = connection.dialect.name
    if name == "sqlite":
        driver: Any = connection.connection.driver_connection
        driver.create_function("device_id", 1, lambda n: device_id(n).bytes, deterministic=True)
        driver.create_function("party", 1, lambda n: UUID(int=n).bytes, deterministic=True)
        driver.create_function("root_of", 1, lambda n: hashlib.sha256(str(n).encode()).digest(), deterministic=True)
        quick = ("journal_mode = MEMORY", "synchronous = OFF", "foreign_keys = OFF", "cache_size = -3000000", "threads = 2")
        for pragma in quick:
            driver.execute(f"PRAGMA {pragma}")
    else:  # references hold by construction
        for setting in ("session_replication_role = replica", "synchronous_commit = off", "maintenance_work_mem = '1GB'"):
            connection.exec_driver_sql(f"SET {setting}")
    indexes = connection.execute(text(_INDEXES[name])).all()
    for index, _ in indexes:
        connection.exec_driver_sql(f"DROP INDEX {index}")
    for low in range(0, count, SLICE):
        for table, first in _first().items():
            _insert(connection, table, first, low, min(count, low + SLICE))
    for _, made in indexes:
        connection.exec_driver_sql(made)
    connection.exec_driver_sql("ANALYZE" if name == "sqlite" else "VACUUM ANALYZE")
    if name == "sqlite":
        driver.execute("PRAGMA journal_mode = WAL")


def _insert(connection: Connection, table: Table, first: dict[str, Any], low: int, high: int) -> None:
    name = connection.dialect.name
    made = {column: _DIFFERS.get(column, {}).get(name, f":{column}") for column in first}
    asked = text(f"INSERT INTO {table.name} ({', '.join(first)}) SELECT {', '.join(made.values())} FROM {_NUMBERS[name]}")
    same = {column: value for column, value in first.items() if column not in _DIFFERS}
    bound = [bindparam(column, type_=table.c[column].type) for column in same]
    start = [bindparam("start", type_=device.c.created_at.type)] if ":start" in asked.text else []
    connection.execute(asked.bindparams(*bound, *start), same | {"low": low, "high": high} | ({"start": START} if start else {}))


def _first() -> dict[Table, dict[str, Any]]:
    """The rows of one device."""
    known = HardwareRoot(RootKind.IDEVID, bytes(32))
    made = Device(device_id(0), DeviceState.ACTIVE, START, START, OWNERS[0], None, DOMAINS[0], None, "Klimatec GmbH", "KT-1", "0")
    span = {"device": made.id, "number": 1, "owner": OWNERS[0], "term": 1, "since": START, "how": "import", "salt": b""}
    return {device: device_row(made, b""), hardware_root: root_row(made.id, known), custody: span}
