"""The registry itself: where transactions begin and end, and how the two databases are spoken to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from tenure.model.access import Actor
from tenure.registry.faults import StoreBusyError, StoreDownError
from tenure.registry.work import Reading, Work, World

WAIT = 30.0
"""Seconds a writer waits for another before it is told that the registry is busy."""

READS = {"tenure_reads": True}
"""Marks a connection that only reads: SQLite begins its transactions without the write lock."""
_SQLITE_BUSY = ("database is locked", "database table is locked")
_POSTGRES_BUSY = ("40001", "40P01", "55P03")  # serialisation failure, deadlock, lock not available


@dataclass(frozen=True, slots=True)
class Registry:
    """An engine and the world. ``change`` and ``read`` are the only ways in.

    PostgreSQL writes under READ COMMITTED: every change of a device, and every issue for one, first locks the device's row
    (docs/decisions/0005), uniqueness is held by indexes, and nothing else is shared. SQLite has one writer at a time.
    """

    engine: Engine
    world: World
    _turn: Lock = field(default_factory=Lock)  # threads of one process queue here, fairly, instead of polling SQLite's lock

    @contextmanager
    def change(self, actor: Actor) -> Iterator[Work]:
        """One transaction with its events: committed as a whole when the block ends, rolled back when it raises.

        When the block has ended, the change is durable and ``work.events`` are what was written. If we die before the
        commit, nothing of it ever was. Raises StoreBusyError (nothing changed) and StoreDownError (not known).
        """
        with self._told(), self._writer(), self.engine.begin() as connection:
            work = Work(connection, actor, self.world.now(), self.world)
            yield work
            work.settle()

    @contextmanager
    def read(self) -> Iterator[Reading]:
        """One consistent view, as of the first statement; it waits for no writer and no writer waits for it."""
        with self._told(), self.engine.connect() as connection:
            options: dict[str, Any] = dict(READS)
            if connection.dialect.name == "postgresql":
                options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            with connection.execution_options(**options).begin():
                yield Reading(connection)

    def close(self) -> None:
        self.engine.dispose()

    def _writer(self) -> AbstractContextManager[Any]:
        return self._turn if self.engine.dialect.name == "sqlite" else nullcontext()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Failures of the database in words a caller can act on."""
        try:
            yield
        except IntegrityError:
            raise  # whoever wrote the row says what it means, or it is a defect
        except NoConnectionFree as error:
            raise StoreBusyError("all connections to the database are in use", "try again") from error
        except OperationalError as error:
            if busy(error):
                raise StoreBusyError("another change holds what this one needs", "try again") from error
            raise StoreDownError(f"the database failed: {_first_line(error)}", "see that it runs and has room") from error


def busy(error: DBAPIError) -> bool:
    """Whether somebody else is in the way, so that trying again makes sense."""
    state = getattr(error.orig, "sqlstate", None)
    return state in _POSTGRES_BUSY or str(error.orig) in _SQLITE_BUSY


def _first_line(error: DBAPIError) -> str:
    return (str(error.orig).splitlines() or ["no answer"])[0]


def prepare_sqlite(engine: Engine) -> None:
    """WAL, durable commits, references held, and transactions that begin when we say so, writers at once for themselves."""

    @event.listens_for(engine, "connect")
    def opened(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA cache_size = -65536")  # KiB
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        reads = connection.get_execution_options().get("tenure_reads")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
