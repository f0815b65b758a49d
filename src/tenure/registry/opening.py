"""Opening a registry: which database, at which schema, with which promises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError

from tenure.registry.faults import SchemaError, StoreDownError
from tenure.registry.registry import READS, WAIT, Registry, prepare_sqlite
from tenure.registry.schema import HEAD, revision, upgrade
from tenure.registry.work import World

POOL = 16
"""Connections of one process to PostgreSQL, at most; more threads than that wait for one."""

_EXAMPLES = "sqlite:///tenure.db or postgresql://user@host/database"


def open_registry(url: str, world: World, *, pool: int = POOL, wait: float = WAIT) -> Registry:
    """The registry at a URL. An SQLite file is made and brought up to date; PostgreSQL must be so already.

    Raises SchemaError when the schema is older (PostgreSQL), newer, or no schema of ours; StoreDownError when the
    database cannot be reached.
    """
    engine = engine_for(url, pool=pool, wait=wait)
    with ExitStack() as undo, _reached(engine):
        undo.callback(engine.dispose)
        if engine.dialect.name == "sqlite" and not _current(engine):
            upgrade(engine)
        with engine.connect() as connection:
            _check_schema(connection, url)
            _check_promises(connection)
        undo.pop_all()
    return Registry(engine, world)


def engine_for(url: str, *, pool: int = POOL, wait: float = WAIT) -> Engine:
    """The engine for ``sqlite:///PATH`` or ``postgresql://...``. Connects to nothing yet."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise SchemaError("this is no database URL", f"write {_EXAMPLES}") from error
    match parsed.get_backend_name():
        case "sqlite":
            return _sqlite(parsed, pool, wait)
        case "postgresql" | "postgres":
            options = f"-c lock_timeout={int(wait * 1000)} -c timezone=UTC"
            asked = parsed.query.get("options")
            return create_engine(
                parsed.set(drivername="postgresql+psycopg"),
                pool_size=pool,
                max_overflow=0,
                pool_timeout=wait,
                pool_pre_ping=True,
                connect_args={"options": f"{asked} {options}" if asked else options},
            )
    raise SchemaError(f"no registry on {parsed.get_backend_name()}", f"write {_EXAMPLES}")


def _sqlite(url: URL, pool: int, wait: float) -> Engine:
    if not url.database or url.database == ":memory:":
        raise SchemaError("a registry in memory would be lost", f"name a file: {_EXAMPLES}")
    own = url.set(drivername="sqlite+pysqlite")
    engine = create_engine(own, pool_size=pool, max_overflow=0, pool_timeout=wait, connect_args={"timeout": wait})
    prepare_sqlite(engine)
    return engine


def upgrade_registry(url: str) -> None:
    """Brings the database at a URL up to date. Raises SchemaError, StoreDownError."""
    engine = engine_for(url, pool=1)
    with ExitStack() as done, _reached(engine):
        done.callback(engine.dispose)
        upgrade(engine)


def _current(engine: Engine) -> bool:
    """Whether nothing is to be done: asked without a write lock, since another process may hold it for long."""
    with engine.connect().execution_options(**READS) as connection:
        return revision(connection) == HEAD


def _check_schema(connection: Connection, url: str) -> None:
    if (at := revision(connection)) != HEAD:
        what = "has no schema yet" if at is None else f"is at schema {at}, this Tenure needs {HEAD}"
        shown = make_url(url).render_as_string(hide_password=True)
        raise SchemaError(f"the database {what}", f"make a backup, then: tenure registry upgrade --database {shown}")


def _check_promises(connection: Connection) -> None:
    """What the database must keep for an acknowledged change to be a durable one."""
    if connection.dialect.name != "postgresql":
        return
    major = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    if major < 15:
        raise SchemaError(f"PostgreSQL {major} is too old", "use 15 or newer")
    if connection.execute(text("SHOW synchronous_commit")).scalar_one() == "off":
        raise SchemaError(
            "synchronous_commit is off: a crash would lose acknowledged changes", "ALTER ROLE ... SET synchronous_commit = on"
        )


@contextmanager
def _reached(engine: Engine) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        shown: Any = engine.url.render_as_string(hide_password=True)
        reason = str(error.orig).splitlines()[0]
        raise StoreDownError(f"cannot use {shown}: {reason}", "see that it runs, and that path and rights are right") from error
