"""How much one caller may ask: requests per address and per token, size of address line, headers and body.

Rates are kept in this process: n processes let n times as much through. The number of buckets is bounded; the one
longest unused goes first, which gives its owner a full bucket at worst.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenure.api import problem
from tenure.api.problem import Kind, RefusalError

Monotonic = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` requests at once, ``per_second`` in the long run."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """The largest request that is read."""

    body: int = 1 << 20
    headers: int = 64
    header_bytes: int = 16 << 10
    target: int = 8 << 10  # path and query


class Buckets:
    """Token buckets by key. Owned by one event loop: never called from two threads."""

    def __init__(self, rate: Rate, monotonic: Monotonic, most: int = 100_000) -> None:
        self._rate, self._monotonic, self._most = rate, monotonic, most
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()  # key -> tokens left, as of

    def take(self, key: str, cost: float = 1.0) -> float:
        """0 when the request may pass, else the seconds after which the next one may."""
        now = self._monotonic()
        level, since = self._levels.pop(key, (float(self._rate.burst), now))
        level = min(float(self._rate.burst), level + (now - since) * self._rate.per_second)
        passed = level >= cost
        self._levels[key] = (level - cost if passed else level, now)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)
        return 0.0 if passed else (cost - level) / self._rate.per_second

    def charge(self, key: str, cost: float) -> None:
        """Takes what is there up to ``cost``: a wrong credential makes the next tries dearer."""
        now = self._monotonic()
        level, since = self._levels.pop(key, (float(self._rate.burst), now))
        level = min(float(self._rate.burst), level + (now - since) * self._rate.per_second)
        self._levels[key] = (max(0.0, level - cost), now)


def too_many(wait: float) -> RefusalError:
    return RefusalError(problem.TOO_MANY, headers={"Retry-After": str(max(1, math.ceil(wait)))})


def address(scope: Scope) -> str:
    """Whom to count a request to: the peer's address; all of a unix socket are one."""
    return scope["client"][0] if scope.get("client") else "local"


class Limits:
    """ASGI: refuses what is too much before anything else looks at it."""

    def __init__(self, app: ASGIApp, sizes: Sizes, addresses: Buckets) -> None:
        self._app, self._sizes, self._addresses = app, sizes, addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wait = self._addresses.take(address(scope))
        refusal = too_many(wait) if wait else _oversized(scope, self._sizes)
        if refusal is None:
            await self._app(scope, _counted(receive, self._sizes.body), send)
            return
        headers = {**refusal.headers, "Connection": "close"}  # a body that nobody reads must not be taken for a request
        told = problem.answer(refusal.kind, scope["state"]["request_id"], headers=headers)
        await told(scope, receive, send)


def _oversized(scope: Scope, sizes: Sizes) -> RefusalError | None:
    headers = scope["headers"]
    if len(headers) > sizes.headers or sum(len(name) + len(value) for name, value in headers) > sizes.header_bytes:
        return RefusalError(problem.HEADERS_TOO_LARGE)
    if len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"]) > sizes.target:
        return RefusalError(problem.URI_TOO_LONG)
    declared = [value for name, value in headers if name == b"content-length"]
    if declared and (not declared[0].isdigit() or int(declared[0]) > sizes.body):
        return RefusalError(problem.TOO_LARGE)
    return None


def _counted(receive: Receive, most: int) -> Receive:
    """A body sent in chunks has no declared length: it is counted as it comes."""
    got = 0

    async def counting() -> Message:
        nonlocal got
        message = await receive()
        got += len(message.get("body", b""))
        if got > most:
            raise RefusalError(problem.TOO_LARGE)
        return message

    return counting


LIMITS: tuple[Kind, ...] = (problem.TOO_MANY, problem.HEADERS_TOO_LARGE, problem.URI_TOO_LONG, problem.TOO_LARGE)
