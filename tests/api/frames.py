"""A frame to put routes in: a clock that tests set, keys and callers kept in memory, logs in a buffer."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI
from uuid_utils.compat import uuid7

from tenure.api.authentication import TokenDoor
from tenure.api.health import Readiness
from tenure.api.idempotency import Answer, Begun, Key, Seen
from tenure.api.logging import make_logger
from tenure.api.metrics import Metrics
from tenure.api.paging import Cursors
from tenure.api.parts import Frame
from tenure.flows.tokens import keyed_digest, text_of
from tenure.model.access import Area, Role, RoleAssignment, Token

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
SECRET = b"\x07" * 32
DIGEST_KEYS = {"d1": b"digest key of the test".ljust(32, b".")}


class CrashError(Exception):
    """The process dies here."""


@dataclass
class Clock:
    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def pass_(self, **spell: float) -> None:
        self.at += timedelta(**spell)


@dataclass
class KeysInMemory:
    """An IdempotencyStore that can die before or after each call has taken effect."""

    kept: dict[Key, Seen] = field(default_factory=dict)
    die_before: str = ""
    die_after: str = ""

    def begin(self, key: Key, request: bytes, at: datetime) -> Begun | Seen:
        with self._dying("begin"):
            if key in self.kept:
                return self.kept[key]
            self.kept[key] = Seen(request, at, None)
            return Begun()

    def finish(self, key: Key, answer: Answer) -> None:
        with self._dying("finish"):
            self.kept[key] = replace(self.kept[key], answer=answer)

    def release(self, key: Key) -> None:
        with self._dying("release"):
            del self.kept[key]

    @contextmanager
    def _dying(self, call: str) -> Iterator[None]:
        if self.die_before == call:
            raise CrashError(call)
        yield
        if self.die_after == call:
            raise CrashError(call)


@dataclass
class CallersInMemory:
    tokens: dict[UUID, Token] = field(default_factory=dict)
    certificates: dict[bytes, Token] = field(default_factory=dict)

    def by_token(self, token: UUID) -> Token | None:
        return self.tokens.get(token)

    def by_certificate(self, sha256: bytes) -> Token | None:
        return self.certificates.get(sha256)

    def token(self, *assignments: RoleAssignment, expires: datetime = NOON + timedelta(days=1), revoked: bool = False) -> str:
        """A token in force with these roles, as its owner would send it."""
        number = UUID(bytes=uuid7().bytes)
        text = text_of(number, SECRET)
        digest = keyed_digest(DIGEST_KEYS["d1"], text)
        ended = NOON if revoked else None
        self.tokens[number] = Token(number, "", NOON, expires, digest, "d1", assignments=assignments, ended_at=ended)
        return text

    def machine(self, sha256: bytes, *assignments: RoleAssignment, expires: datetime = NOON + timedelta(days=1)) -> UUID:
        """A machine that comes with this client certificate."""
        number = UUID(bytes=uuid7().bytes)
        self.certificates[sha256] = Token(number, "", NOON, expires, b"", "", certificate=sha256, assignments=assignments)
        return number


def everywhere(role: Role) -> RoleAssignment:
    return RoleAssignment(role, Area())


@dataclass
class World:
    """A healthy frame and what tests turn in it."""

    clock: Clock = field(default_factory=Clock)
    keys: KeysInMemory = field(default_factory=KeysInMemory)
    callers: CallersInMemory = field(default_factory=CallersInMemory)
    log: io.StringIO = field(default_factory=io.StringIO)

    def frame(self, **changed: Any) -> Frame:
        whole = Frame(
            doors=(TokenDoor(self.callers, DIGEST_KEYS),),
            keys_seen=self.keys,
            cursors=Cursors({"c1": bytes(32)}, "c1"),
            clock=self.clock,
            monotonic=self.clock.monotonic,
            ids=lambda: UUID(bytes=uuid7().bytes),
            log=make_logger(self.log),
            metrics=Metrics(),
            readiness=Readiness({}),
            told={},
        )
        return replace(whole, **changed)

    def lines(self) -> list[Mapping[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


def client(app: FastAPI, token: str = "", **scope: Any) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, **scope)
    return httpx.AsyncClient(transport=transport, base_url="http://tenure.test", headers=headers)


def asking(app: FastAPI, token: str, talk: Callable[[httpx.AsyncClient], Awaitable[Any]], **scope: Any) -> Any:
    """Runs one conversation with an app in an event loop of its own."""

    async def held() -> Any:
        async with client(app, token, **scope) as calls:
            return await talk(calls)

    return asyncio.run(held())


def ask(app: FastAPI, method: str, path: str, token: str = "", **sent: Any) -> httpx.Response:
    """One request."""
    answer = asking(app, token, lambda calls: calls.request(method, path, **sent))
    assert isinstance(answer, httpx.Response)
    return answer
