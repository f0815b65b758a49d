"""IP addresses as logs write them, in one notation. Light: helper processes that parse logs import it."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import Final

IPV4: Final = r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"

_IPV4 = re.compile(IPV4, re.ASCII)


def address(text: str) -> str | None:
    """An IP address in one notation (IPv4 in IPv6 as IPv4); None for what is none."""
    if _IPV4.fullmatch(text):
        return text
    if ":" not in text:
        return None
    try:
        found = IPv6Address(text)
    except ValueError:
        return None
    return str(found.ipv4_mapped or found)
