"""How a letter leaves: HTTP within a time limit, to a checked address, no redirects; of the answer only the status is read."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlsplit

import httpcore

from tenure.errors import TenureError
from tenure.flows.webhooks.signing import Message

SECONDS = 5.0
"""From the look-up of the name to the status, all in all: a receiver that drips bytes gets no more."""

LONGEST_URL = 2000
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_FAILURES = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
    OSError,
    ValueError,  # a name or a port that none can have
)


class WebhookError(TenureError):
    """A webhook cannot be as it is asked for."""


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


def is_local(address: str) -> bool:
    """Loopback, link-local (where clouds keep the secrets of a machine), unspecified, multicast. Private ones are no such."""
    ip = ip_address(address)
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return ip.is_loopback or ip.is_link_local or ip.is_unspecified or ip.is_multicast


def check_url(url: str) -> str:
    """The URL, if a webhook may have it. Raises WebhookError: events leave over TLS, or stay on this machine."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise WebhookError("no URL of a receiver", "write it as https://host/path") from None
    if parts.username is not None or parts.password is not None:
        raise WebhookError("a URL with a password would be shown in lists and logs", "receivers know us by our signature")
    readable = url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST_URL
    if not parts.hostname or not readable or parts.fragment:
        raise WebhookError(f"no URL of a receiver: {url[:200]!r}", "write it as https://host/path, host in ASCII")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise WebhookError(f"events do not leave over {parts.scheme or 'no scheme'}", "use https (http only to this machine)")
    return url
