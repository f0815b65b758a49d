"""Where a receiver may be: by its URL when it is added, by the address behind its name at each delivery. Pure."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from tenure.errors import TenureError

LONGEST_URL = 2000
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class WebhookError(TenureError):
    """A webhook cannot be as it is asked for."""


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
