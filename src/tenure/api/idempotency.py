"""Idempotency-Key on POST: the same key and request give the same answer, and the work is done at most once.

1. Before the work the key is put into the store, unfinished, with the digest of the request. Only one caller gets to.
2. The work is done.
3. Its answer is kept. A repetition gets it again, with ``Idempotency-Replayed: true``.

If we die between 1 and 3 nobody knows whether the work was done, so it is never done again under this key: after
``PATIENCE`` a repetition is told that the outcome is unknown. Keys belong to the caller who sent them. Secrets are not
kept: of an answer that shows one, the store gets a form without it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from tenure.api.problem import BUSY_KEY, MALFORMED, REUSED_KEY, UNKNOWN_OUTCOME, RefusalError

PATIENCE = timedelta(minutes=2)  # longer than any request may take
PATTERN = r'^(?:"[A-Za-z0-9_-]{8,128}"|[A-Za-z0-9_-]{8,128})$'


@dataclass(frozen=True, slots=True)
class Key:
    """A key within its caller: nobody meets another's."""

    caller: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, as it is kept."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Begun:
    """The key is ours: do the work, then ``finish`` or ``release``."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The key was there before. Without an answer the work is under way, or its end was never written."""

    request: bytes
    begun: datetime
    answer: Answer | None


class IdempotencyStore(Protocol):
    """Where keys are kept, shared by all processes; each call is a transaction of its own."""

    def begin(self, key: Key, request: bytes, at: datetime) -> Begun | Seen: ...

    def finish(self, key: Key, answer: Answer) -> None: ...

    def release(self, key: Key) -> None:
        """Forgets a key whose work was certainly not done."""


def read_key(header: str, caller: str) -> Key:
    """The key a caller sent, quoted or not. Raises RefusalError when it is none."""
    if not re.fullmatch(PATTERN, header):
        raise RefusalError(
            MALFORMED, "Idempotency-Key is not a key", "send 8 to 128 letters, digits, dashes or underscores: a UUID, for example"
        )
    return Key(caller, header.strip('"'))


def digest(method: str, path: str, query: bytes, body: bytes) -> bytes:
    """What makes two requests the same one."""
    head = f"{method} {path}?".encode() + query
    return hashlib.sha256(len(head).to_bytes(4, "big") + head + body).digest()


def replay(seen: Seen, request: bytes, now: datetime) -> Answer:
    """The answer to a repetition. Raises RefusalError: another request, under way, or outcome unknown."""
    if seen.request != request:
        raise RefusalError(REUSED_KEY)
    if seen.answer is not None:
        return seen.answer
    if now - seen.begun < PATIENCE:
        raise RefusalError(BUSY_KEY, headers={"Retry-After": "1"})
    raise RefusalError(UNKNOWN_OUTCOME)
