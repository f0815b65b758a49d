"""The API in this process, on the database: the same routes, the same answers, no server.

Who can write to the database needs no token: the command acts as an administrator everywhere, and events name the user id of
the operating system. No person stands behind that, so what asks for four eyes asks for tokens of two people here too.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from fastapi import FastAPI

from tenure.api.authentication import Presented
from tenure.cli.connection import Caller
from tenure.cli.database import local_actor
from tenure.model.access import Actor

if TYPE_CHECKING:
    from tenure.registry.registry import Registry
    from tenure.settings import Settings


@dataclass(frozen=True, slots=True)
class LocalDoor:
    """Lets in who runs the command, where no token is presented."""

    actor: Actor

    def caller(self, presented: Presented, now: datetime) -> Actor | None:  # noqa: ARG002 - as every door
        return self.actor if presented.authorization is None else None


@contextmanager
def on_database(database: str | None, file: Path | None, token: str | None) -> Iterator[Caller]:
    """Raises TenureError when settings, database or keys cannot be used."""
    from tenure.wiring.registry import opened

    settings = settings_of(database, file)
    registry = opened(settings.database)
    try:
        yield _caller(app_of(registry, settings), token)
    finally:
        registry.close()


def settings_of(database: str | None, file: Path | None) -> Settings:
    from tenure.settings import load

    return load(file, {} if database is None else {"database": database})


def app_of(registry: Registry, settings: Settings) -> FastAPI:
    """The app that ``tenure serve`` serves, with one more door and without its duties. Its log goes to standard error, from
    errors on."""
    from datetime import timedelta

    from tenure.api.app import create_app
    from tenure.api.assembly import frame_of
    from tenure.api.duties import Duties
    from tenure.api.limits import Rate
    from tenure.api.logging import make_logger
    from tenure.api.parts import Parts
    from tenure.wiring.ledger import ledger_of
    from tenure.wiring.own_keys import custody_of, digest_keys

    log = make_logger(sys.stderr, "error")
    keys, ledger = digest_keys(custody_of(registry, settings)), ledger_of(registry, settings)
    frame = frame_of(settings, registry, ledger, keys, log, Duties([], log))
    own = Rate(1e6, 1_000_000)  # nobody else waits for this process
    frame = replace(frame, doors=(*frame.doors, LocalDoor(local_actor())), per_address=own, per_caller=own)
    life, longest = timedelta(days=settings.token_days), timedelta(days=settings.token_days_most)
    return create_app(Parts(frame, registry, ledger.store, ledger.identity, keys, life, longest))


def _caller(app: FastAPI, token: str | None) -> Caller:
    own = {} if token is None else {"Authorization": f"Bearer {token}"}

    async def ask(method: str, path: str, **sent: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 0))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=own) as client:
            return await client.request(method, path, **sent)

    def call(method: str, path: str, *, params: dict[str, Any], json: Any, headers: dict[str, str]) -> httpx.Response:
        return asyncio.run(ask(method, path, params=params, json=json, headers=headers))

    return call
