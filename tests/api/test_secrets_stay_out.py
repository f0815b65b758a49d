"""No secret is stored or logged: the service runs through its verbs, then database, shelf and logs are searched for the bytes."""

from __future__ import annotations

import base64
import hashlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import inspect, text

from tenure.api.assembly import Service, assembled
from tenure.flows.own_keys import turn
from tenure.flows.own_keys.turn import Custody
from tenure.flows.tokens import id_in, keyed_digest, text_of
from tenure.model.access import Actor, ActorKind
from tenure.model.own_keys import Purpose
from tenure.registry.registry import Registry
from tenure.settings import Settings, load
from tenure.wiring.own_keys import custody_of, digest_keys, handover_signer, webhook_key
from tests.api.frames import ask
from tests.databases import Cluster, database_url, postgres, sqlite_template

__all__ = ["database_url", "postgres", "sqlite_template"]

ADMIN = Actor(ActorKind.SYSTEM, "test")
FORGED = text_of(UUID(int=7), hashlib.sha256(b"forged").digest())


@dataclass
class Run:
    """A service at work, all it logged, and every secret that was in its hands."""

    service: Service
    custody: Custody
    log: io.StringIO
    tokens: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, token: str = "", status: int = 200, **body: Any) -> Any:
        headers = {"Idempotency-Key": os.urandom(8).hex()} if method == "POST" else {}
        sent: dict[str, Any] = {"json": body} if method == "POST" else {}
        for _ in range(2 if method == "POST" else 1):  # again, as one who got no answer
            answer: httpx.Response = ask(
                self.service.app, method, f"/api/v1{path}", token or self.tokens[0], headers=headers, **sent
            )
            assert answer.status_code == status, answer.text
        return answer.json()

    def token(self, name: str, role: str, person: str) -> str:
        who = self.ask("POST", "/people", status=201, name=person, contact=f"{person}@example.org")["id"]
        first = {"name": name, "assignments": [{"role": role}], "person": who}
        kept = {"Idempotency-Key": name}  # its answer is kept for a repetition, without the token
        made = ask(self.service.app, "POST", "/api/v1/tokens", self.tokens[0], json=first, headers=kept).json()
        self.tokens.append(made["token"])
        return str(made["token"])

    def secrets(self) -> Iterator[tuple[str, bytes]]:
        for number, token in enumerate([*self.tokens, FORGED]):
            secret = token[-43:]
            yield f"token {number}", secret.encode()
            yield f"token {number}, its bytes", base64.urlsafe_b64decode(secret + "=")
        for key in self.custody.folder.listed():
            if key.needs_secret:
                raw = self.custody.folder.secret(key)
                coded = (raw.hex().encode(), base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"="))
                for form in (raw, *coded):
                    yield f"{key.purpose} key {key.id}", form


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    folders = {"keys": tmp_path / "keys", "ledger": {"shelf": tmp_path / "shelf"}}
    return load(named={"database": database_url, "log_level": "debug", **folders})


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    log = io.StringIO()
    service = assembled(settings, log)
    assert service.first_token is not None
    yield Run(service, custody_of(service.registry, settings), log, [service.first_token])
    service.close()


def the_whole_of_it(run: Run) -> None:
    """People and tokens, devices from registration to retirement, refusals, keys, the ledger and its shelf."""
    ours, theirs = (run.ask("POST", "/owners", status=201, name=n, contact=f"{n}@example.org")["id"] for n in ("ours", "theirs"))
    domain = run.ask("POST", "/trust-domains", status=201, name="ours.example")["id"]
    operator, approver = run.token("operator", "operator", "one"), run.token("approver", "approver", "two")
    devices = [run.ask("POST", "/devices", operator, 201, owner=ours, serial=f"s{n}", reason="bought")["id"] for n in range(2)]
    for device in devices:
        for verb in ("claim", "activate", "quarantine", "release"):
            places = {"owner": ours, "trust_domain": domain} if verb == "claim" else {}
            run.ask("POST", f"/devices/{device}/{verb}", operator, reason="because", **places)
    until = (run.service.registry.world.now()).replace(year=2099).isoformat()
    offer = run.ask("POST", "/transfers", operator, 201, devices=devices[:1], to_owner=theirs, until=until)["id"]
    run.ask("POST", f"/transfers/{offer}/cancel", operator, reason="not yet")
    run.ask("POST", f"/devices/{devices[0]}/report-lost", operator, reason="lost")
    run.ask("POST", f"/devices/{devices[1]}/retire", operator, reason="scrapped")
    forget = {"verb": "forget", "device": devices[1], "reason": "asked for"}
    approval = run.ask("POST", "/approvals", operator, 201, **forget)["id"]
    run.ask("POST", f"/approvals/{approval}/approve", approver)
    run.ask("POST", f"/devices/{devices[1]}/forget", operator, 409, reason="asked for", approval=approval)  # it owes something
    for wrong in (FORGED, f"{run.tokens[1][:-1]}!", run.tokens[1].replace("tenure_", "tenure_0"), "x"):
        assert ask(run.service.app, "GET", "/api/v1/me", wrong).status_code == 401
    for place in (f"/api/v1/devices?serial={run.tokens[1]}", f"/api/v1/devices/{run.tokens[1]}", f"/api/v1/{run.tokens[1]}"):
        ask(run.service.app, "GET", place, run.tokens[1])
    gone = id_in(run.tokens[2])
    run.ask("POST", f"/tokens/{gone}/revoke", reason="left")
    webhook_key(run.custody)
    handover_signer(run.custody)
    for purpose in Purpose:
        turn.rotate(run.custody, ADMIN, purpose, "due")
    run.service.duties.start()
    run.service.duties.stop()


def stored(registry: Registry) -> bytes:
    """Every cell of every table, texts and bytes as they are."""
    names = inspect(registry.engine).get_table_names()
    with registry.engine.connect() as connection:
        rows = [row for name in names for row in connection.execute(text(f'SELECT * FROM "{name}"'))]
    return b"\n".join(bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode() for row in rows for cell in row)


def files(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_no_secret_is_stored_or_logged(run: Run, settings: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    the_whole_of_it(run)
    places = {
        "rows": stored(run.service.registry),
        "database files": b"".join(path.read_bytes() for path in tmp_path.glob("tenure.db*")),
        "shelf": files(tmp_path / "shelf"),
        "log": run.log.getvalue().encode(),
    }
    if "postgresql" in settings.database:
        cluster: Cluster = request.getfixturevalue("postgres")
        places["log of the database"] = (cluster.folder / "log").read_bytes()
    digests = [keyed_digest(key, run.tokens[0]) for key in digest_keys(run.custody).keys.values()]
    assert any(digest in places["rows"] for digest in digests), "what is stored would be found"
    assert b"/api/v1/devices" in places["log"]
    assert b'"verb":"rotate-key"' in places["shelf"]
    found = [f"{what} in {where}" for what, needle in run.secrets() for where, hay in places.items() if needle in hay]
    assert not found
