"""Pages of a list by keyset cursors, sealed so that nobody makes one up.

A cursor holds where the last page ended. It is bound to the list, its filter and sort and to who asked, by an HMAC:
a cursor of another list, another filter or another caller is refused. It grants nothing either way; every query is
limited to what the caller may see.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tenure.api.problem import BAD_CURSOR, RefusalError

Place = tuple[str | int | None, ...]  # the sort key of the last row, its id last
MAC_BYTES = 16
LONGEST = 1024


@dataclass(frozen=True, slots=True)
class Binding:
    """What a cursor belongs to: a list, who asked, and with which filter and order."""

    route: str
    caller: str
    query: tuple[tuple[str, str], ...]

    def digest(self) -> bytes:
        return hashlib.sha256(json.dumps([self.route, self.caller, sorted(self.query)]).encode()).digest()


@dataclass(frozen=True, slots=True)
class Cursors:
    """Seals and opens cursors. Old keys stay readable as long as they are here; ``current`` seals."""

    keys: Mapping[str, bytes]
    current: str

    def seal(self, place: Sequence[str | int | None], binding: Binding) -> str:
        payload = json.dumps(list(place), separators=(",", ":")).encode()
        return f"{self.current}.{_text(payload)}.{_text(self._mac(self.current, payload, binding))}"

    def open(self, cursor: str, binding: Binding) -> Place:
        """Raises RefusalError (bad-cursor), the same for whatever is wrong with it."""
        name, _, rest = cursor.partition(".")
        payload_text, _, mac_text = rest.partition(".")
        if len(cursor) > LONGEST or name not in self.keys:
            raise RefusalError(BAD_CURSOR)
        try:
            payload, mac = _octets(payload_text), _octets(mac_text)
        except ValueError:
            raise RefusalError(BAD_CURSOR) from None
        if not hmac.compare_digest(mac, self._mac(name, payload, binding)):
            raise RefusalError(BAD_CURSOR)
        return tuple(json.loads(payload))

    def _mac(self, name: str, payload: bytes, binding: Binding) -> bytes:
        return hmac.digest(self.keys[name], b"tenure cursor\0" + binding.digest() + payload, "sha256")[:MAC_BYTES]


def _text(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def _octets(text: str) -> bytes:
    octets = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if _text(octets) != text:
        raise ValueError(text)  # one cursor, one spelling
    return octets
