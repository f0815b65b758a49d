"""How a letter leaves: HTTP within a time limit, to a checked address, no redirects; of the answer only the status is read."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import httpcore

from tenure.flows.webhooks.address import is_local
from tenure.flows.webhooks.signing import Message

SECONDS = 5.0
"""From the look-up of the name to the status, all in all: a receiver that drips bytes gets no more."""

_FAILURES = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
    OSError,
    ValueError,  # a name or a port that none can have
)


@dataclass(frozen=True, slots=True)
class Taken:
    """The receiver answered that it has the event."""

    status: int


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not, as far as we know: it may have taken effect there all the same, and will come again."""

    why: str


Answer: TypeAlias = Taken | Failed


class Post(Protocol):
    async def __call__(self, message: Message) -> Answer: ...


class ForbiddenAddressError(httpcore.ConnectError):
    """A name leads where no receiver may be."""


@dataclass(slots=True)
class HttpPost:
    """Posts, each letter on a connection of its own. The environment's proxies are not heeded.

    ``local``: receivers on this machine, or on link-local addresses, may be told too.
    """

    local: bool = False
    seconds: float = SECONDS
    _tls: ssl.SSLContext | None = field(default=None, repr=False)  # read at the first letter: many processes send none

    async def __call__(self, message: Message) -> Answer:
        self._tls = self._tls or ssl.create_default_context()
        reached = httpcore.AsyncConnectionPool(ssl_context=self._tls, network_backend=_Checked(self.local))
        try:
            async with (
                asyncio.timeout(self.seconds),
                reached as pool,
                pool.stream("POST", message.url, content=message.body, headers=list(message.headers.items())) as response,
            ):
                status = response.status
        except TimeoutError:
            return Failed(f"no answer within {self.seconds:g} s")
        except _FAILURES as error:
            return Failed(f"{type(error).__name__}: {error}"[:200])
        return Taken(status) if 200 <= status < 300 else Failed(f"HTTP {status}")


class _Checked(httpcore.AsyncNetworkBackend):
    """Connects to the very address that was checked: a name that leads elsewhere at a second look gains nothing."""

    def __init__(self, local: bool) -> None:
        self._local = local
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        if not self._local and any(map(is_local, addresses)):
            raise ForbiddenAddressError(f"{host} leads to this machine or a link-local address (setting webhooks.local)")
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(address, port, 1.0, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)
