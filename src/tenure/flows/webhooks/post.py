"""How a message leaves: HTTP with a time limit, no redirects, and no interest in what the receiver says beyond its status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias
from urllib.parse import urlsplit

import httpx

from tenure.errors import TenureError
from tenure.flows.webhooks.signing import Message

SECONDS = 10.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


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
    def __call__(self, message: Message) -> Answer: ...


class HttpPost:
    """Posts with one connection pool. The environment's proxies are not heeded: what leaves here is what the settings say."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._client = httpx.Client(timeout=seconds, follow_redirects=False, trust_env=False)

    def __call__(self, message: Message) -> Answer:
        try:
            with self._client.stream("POST", message.url, content=message.body, headers=message.headers) as response:
                status = response.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Failed(f"{type(error).__name__}: {error}"[:200])
        return Taken(status) if 200 <= status < 300 else Failed(f"HTTP {status}")

    def close(self) -> None:
        self._client.close()


def check_url(url: str) -> str:
    """The URL, if a webhook may have it. Raises WebhookError: events leave over TLS, or stay on this machine."""
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise WebhookError("a URL with a password would be shown in lists and logs", "receivers know us by our signature")
    if not parts.hostname or not url.isascii() or not url.isprintable() or " " in url or parts.fragment:
        raise WebhookError(f"no URL of a receiver: {url[:200]!r}", "write it as https://host/path")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise WebhookError(f"events do not leave over {parts.scheme or 'no scheme'}", "use https (http only to this machine)")
    return url
