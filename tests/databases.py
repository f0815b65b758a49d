"""Both databases for tests: a PostgreSQL cluster of our own for the session, a fresh database or file for each test.

Other folders take part by ``from tests.databases import *`` in their conftest.py.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import uuid_utils.compat
from psycopg import sql

from tenure.registry.opening import engine_for, open_registry
from tenure.registry.registry import Registry
from tenure.registry.schema import upgrade
from tenure.registry.work import World

__all__ = ["Clock", "Cluster", "database_url", "postgres", "registry", "sqlite_template", "world"]

START = datetime(2026, 11, 1, tzinfo=UTC)
_TEMPLATE = "tenure_template"


@dataclass
class Clock:
    """A clock that tests move; each look moves it by a millisecond, so that no two moments are one."""

    at: datetime = START

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at

    def pass_by(self, **much: float) -> None:
        self.at += timedelta(**much)


@dataclass
class Cluster:
    """A running PostgreSQL on a unix socket, with a database that carries the schema to make others from."""

    folder: Path
    process: subprocess.Popen[bytes]
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def admin(self, statement: str, name: str, template: str = "template1") -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(name=sql.Identifier(name), template=sql.Identifier(template)))

    def empty_database(self) -> str:
        """A database without any table."""
        name = f"t{next(self.numbers)}"
        self.admin("CREATE DATABASE {name}", name)
        return name

    def fresh_database(self) -> str:
        """A database with the schema and no rows."""
        name = f"t{next(self.numbers)}"
        self.admin("CREATE DATABASE {name} TEMPLATE {template}", name, _TEMPLATE)
        return name

    def drop(self, name: str) -> None:
        self.admin("DROP DATABASE {name} WITH (FORCE)", name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A cluster of this session's own (under xdist: of this worker's), stopped by its id, and dying with us if we are killed."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="tenure-pg-", dir="/tmp"))
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    data = folder / "data"
    made = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    try:
        subprocess.run(made, user=user, check=True, capture_output=True, cwd=folder)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"],
                user=user,
                cwd=folder,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,
            )
        cluster = Cluster(folder, process)
        try:
            _await(cluster)
            cluster.admin("CREATE DATABASE {name}", _TEMPLATE)
            engine = engine_for(cluster.url(_TEMPLATE))
            upgrade(engine)
            engine.dispose()
            yield cluster
        finally:
            process.send_signal(signal.SIGINT)  # "fast": ends sessions, then itself
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the schema and no rows."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    engine = engine_for(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()  # the last connection folds the log into the file
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh registry without rows, once for each database."""
    if request.param == "sqlite":
        path = tmp_path / "tenure.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    name = cluster.fresh_database()
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture
def world() -> World:
    return World(Clock(), uuid_utils.compat.uuid7, os.urandom)


@pytest.fixture
def registry(database_url: str, world: World) -> Iterator[Registry]:
    opened = open_registry(database_url, world)
    yield opened
    opened.close()


def _programs() -> Path:
    """Where PostgreSQL's programs lie; installed from the distribution where they are missing."""
    if found := _installed():
        return found
    subprocess.run(["apt-get", "install", "-y", "-q", "postgresql"], check=True, capture_output=True)
    found = _installed()
    assert found, "apt-get installed no PostgreSQL"
    return found


def _installed() -> Path | None:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    return next((p for p in [*places, *([Path(on_path).parent] if on_path else [])] if (p / "postgres").exists()), None)


def _await(cluster: Cluster) -> None:
    for _ in range(600):
        try:
            psycopg.connect(cluster.url("postgres")).close()
        except psycopg.OperationalError:
            assert cluster.process.poll() is None, (cluster.folder / "log").read_text()
            time.sleep(0.05)
        else:
            return
    raise AssertionError("PostgreSQL did not answer within 30 s")


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)  # PR_SET_PDEATHSIG
