"""Databases for benches: an SQLite file or a PostgreSQL of our own, with durable commits, gone when the bench ends."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tenure.registry.opening import upgrade_registry

KINDS = ("sqlite", "postgresql")


@contextmanager
def database(kind: str) -> Iterator[str]:
    """The URL of an empty registry."""
    folder = Path(tempfile.mkdtemp(prefix="tenure-bench-", dir="/tmp"))
    try:
        if kind == "sqlite":
            url = f"sqlite:///{folder / 'tenure.db'}"
            upgrade_registry(url)
            yield url
        else:
            with _cluster(folder) as url:
                upgrade_registry(url)
                yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _cluster(folder: Path) -> Iterator[str]:
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    made = [str(programs / "initdb"), "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]
    subprocess.run(made, user=user, check=True, capture_output=True, cwd=folder)
    settings = ("listen_addresses=", "shared_buffers=1GB", "max_wal_size=8GB", "restart_after_crash=on")
    options = [word for setting in settings for word in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        started = [str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(folder), *options]
        process = subprocess.Popen(started, user=user, cwd=folder, stdout=log, stderr=log)
    url = f"postgresql://postgres@/postgres?host={folder}"
    try:
        await_answer(url)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def await_answer(url: str) -> None:
    """Until PostgreSQL takes connections: after its start, and after a crash."""
    for _ in range(600):
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("PostgreSQL did not answer within 30 s")
