"""The API in this process, on the database: the same routes, the same answers, no server.

Who can write to the database needs no token: the command acts as an administrator everywhere, and events name the user id of
the operating system. No person stands behind that, so what asks for four eyes asks for tokens of two people here too.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from tenure.api.authentication import Presented
from tenure.cli.connection import Caller
from tenure.cli.database import local_actor
from tenure.model.access import Actor


@dataclass(frozen=True, slots=True)
class LocalDoor:
    """Lets in who runs the command, where no token is presented."""

    actor: Actor

    def caller(self, presented: Presented, now: datetime) -> Actor | None:  # noqa: ARG002 - as every door
        return self.actor if presented.authorization is None else None


@contextmanager
def on_database(database: str | None, file: Path | None, token: str | None) -> Iterator[Caller]:
    """The app that ``tenure serve`` serves, with one more door and without its duties; only its errors are logged.

    Raises TenureError when settings, database or keys cannot be used.
    """
    from tenure.api.assembly import assembled
    from tenure.settings import load
    from tenure.wiring.registry import require_there

    settings = load(file, {"log_level": "error"} | ({} if database is None else {"database": database}))
    require_there(settings.database)
    service = assembled(settings, sys.stderr, LocalDoor(local_actor()))
    try:
        yield _caller(service.app, token)
    finally:
        service.close()


def _caller(app: FastAPI, token: str | None) -> Caller:
    own = {} if token is None else {"Authorization": f"Bearer {token}"}

    async def ask(method: str, path: str, **sent: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 0))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=own) as client:
            return await client.request(method, path, **sent)

    def call(method: str, path: str, *, params: dict[str, Any], json: Any, headers: dict[str, str]) -> httpx.Response:
        return asyncio.run(ask(method, path, params=params, json=json, headers=headers))

    return call
