"""``tenure serve`` as a process: first start, readiness, the log, the end."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tenure.api.assembly import assembled
from tenure.settings import load
from tests.api.frames import ask

TOKEN = re.compile(r"tenure_[0-9a-f]{32}_[A-Za-z0-9_-]{43}")


@dataclass
class Serving:
    """A running server and how to ask it."""

    process: subprocess.Popen[bytes]
    client: httpx.Client
    folder: Path

    def said(self) -> str:
        return (self.folder / "out").read_text()

    def logged(self) -> str:
        return (self.folder / "log").read_text()


@contextmanager
def serving(folder: Path, *options: str, **environment: str) -> Iterator[Serving]:
    """A server on a unix socket in a folder, ended by SIGTERM."""
    socket = folder / "tenure.sock"
    given = {"TENURE_DATABASE": f"sqlite:///{folder}/tenure.db", "TENURE_KEYS": str(folder / "keys"), **environment}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TENURE_")}
    command = [sys.executable, "-m", "tenure", "serve", "--socket", str(socket), *options]
    with (folder / "out").open("wb") as out, (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=clean | given, stdout=out, stderr=log, cwd=folder)
    client = httpx.Client(transport=httpx.HTTPTransport(uds=str(socket)), base_url="http://tenure", timeout=30)
    try:
        _await(process, client, folder)
        yield Serving(process, client, folder)
    finally:
        client.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        socket.unlink(missing_ok=True)


def _await(process: subprocess.Popen[bytes], client: httpx.Client, folder: Path) -> None:
    for _ in range(600):
        try:
            client.get("/healthz")
        except httpx.TransportError:
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not answer within 30 s")


def test_the_first_start_shows_one_token_and_the_next_none(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        (token,) = TOKEN.findall(server.said())
        server.client.headers["Authorization"] = f"Bearer {token}"
        assert server.client.get("/api/v1/me").json()["assignments"][0]["role"] == "admin"
        made = server.client.post("/api/v1/owners", json={"name": "o", "contact": "c"}, headers={"Prefer": "wait=20"})
        assert made.headers["tenure-sequenced"] == "true"
        assert token not in server.logged()
    with serving(tmp_path) as server:
        assert not TOKEN.findall(server.said())
        server.client.headers["Authorization"] = f"Bearer {token}"
        assert server.client.get(f"/api/v1/owners/{made.json()['id']}").status_code == 200


def test_it_is_ready_and_every_line_of_its_log_is_json(tmp_path: Path) -> None:
    with serving(tmp_path, TENURE_LEDGER__SHELF=str(tmp_path / "shelf")) as server:
        assert server.client.get("/readyz").json() == {"status": "ready", "reasons": {}}
        server.client.get(
            "/api/v1/devices?token=tenure_secret_in_the_query", headers={"Authorization": "Bearer tenure_wrong_one"}
        )
        (token,) = TOKEN.findall(server.said())
        figures = server.client.get("/metrics", headers={"Authorization": f"Bearer {token}"}).text
        assert "tenure_ledger_unshipped_events" in figures
    lines = [json.loads(line) for line in server.logged().splitlines()]
    assert {"serving", "request"} <= {line["event"] for line in lines}
    assert "tenure_secret" not in server.logged()
    assert "tenure_wrong" not in server.logged()
    assert (tmp_path / "shelf" / "checkpoint").exists()


def test_keys_that_others_can_read_keep_it_from_starting(tmp_path: Path) -> None:
    with serving(tmp_path):
        pass
    next((tmp_path / "keys").glob("digest-*.key")).chmod(0o644)
    with pytest.raises(AssertionError), serving(tmp_path):
        pass
    assert "chmod 600" in (tmp_path / "log").read_text()


def test_a_database_that_goes_away_is_told_by_readyz_and_never_where_it_lies(tmp_path: Path) -> None:
    named = {"database": f"sqlite:///{tmp_path}/tenure.db", "keys": tmp_path / "keys"}
    service = assembled(load(named=named), io.StringIO())
    assert ask(service.app, "GET", "/readyz").status_code == 200
    service.registry.engine.dispose()
    for path in tmp_path.glob("tenure.db*"):
        path.write_bytes(b"\xff" * 4096)
    answer = ask(service.app, "GET", "/readyz")
    assert answer.status_code == 503
    assert "database" in answer.json()["reasons"]
    assert str(tmp_path) not in answer.text
    assert ask(service.app, "GET", "/healthz").status_code == 200
    service.close()
