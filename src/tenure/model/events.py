"""Events: each change of an identity once, in a form that hashes the same everywhere. Pure; RFC 6962 leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a change is made: what its event tells beside the row. The reason may name people, so it is kept apart."""

    verb: str
    reason: str = ""
    evidence: tuple[bytes, ...] = ()  # SHA-256 of each record


@dataclass(frozen=True, slots=True)
class Event:
    """One change: who did what to which subject, what it was before and after, and why."""

    id: UUID
    instance: UUID  # the lane of an instance that wrote it; its sequence there has no gaps
    sequence: int  # from 1
    at: datetime
    actor: str  # token:<uuid>, person:<uuid>, system:<name>
    verb: str
    subject_kind: str
    subject: str
    before: bytes | None = None  # digest of the value, None: it was not there
    after: bytes | None = None
    evidence: tuple[bytes, ...] = ()
    private_digest: bytes | None = None  # of the reason, see ``private_digest``

    def leaf(self) -> bytes:
        """The bytes the ledger hashes (RFC 6962: SHA-256(0x00 || leaf)). Canonical JSON; every key present; no text by people."""
        fields = ",".join([f'"{name}":{_text(getattr(self, name))}' for name in _LEAF])
        return f'{{{fields},"v":1,"verb":{encode_basestring(self.verb)}}}'.encode()


_LEAF = sorted(field.name for field in fields(Event) if field.name != "verb")
"""All names of a leaf but the two behind them."""


def private_digest(salt: bytes, text: str) -> bytes:
    """What a leaf says of a text by people: once salt and text are erased, nobody can guess it back."""
    return hashlib.sha256(salt + text.encode("utf-8")).digest()


def value_digest(salt: bytes, value: DataclassInstance) -> bytes:
    """SHA-256 of salt and a value's canonical form.

    The salt lies in the value's row, so a digest in the ledger tells nothing any more once the row is forgotten.
    Fields that hold None or nothing are left out: a field added later leaves the digests of old rows as they are.
    """
    return hashlib.sha256(salt + canonical(value)).digest()


def canonical(value: DataclassInstance) -> bytes:
    """Canonical JSON of a frozen value: its class and the fields that hold something, without volatile ones."""
    return _object(value).encode("utf-8")


def _object(value: DataclassInstance) -> str:
    """Written at once in the order of its names: an object and a sort for each of them cost more than all else of an event."""
    parts = []
    for name, key in _sorted(type(value)):
        told = getattr(value, name)
        if told is not None and told != ():
            parts.append(key + _text(told))
    return "{" + f'"a":"{type(value).__name__}"' + "".join(parts) + "}"


@cache
def _stable(kind: type[DataclassInstance]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind) if not f.metadata.get("volatile"))


@cache
def _sorted(kind: type[DataclassInstance]) -> tuple[tuple[str, str], ...]:
    """Names and how they are written, behind ``a``, which is before every name there is."""
    return tuple((name, f',"{name}":') for name in sorted(_stable(kind)))


def _text(value: Any) -> str:
    """JSON of strings, integers and null, in lists and objects: nothing that two writers of JSON put down in two ways."""
    if (write := _WRITTEN.get(type(value))) is not None:
        return write(value)
    if isinstance(value, Enum):
        return encode_basestring(str(value.value))
    if hasattr(value, "__dataclass_fields__"):
        return _object(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _moment(value: datetime) -> str:
    told = value.astimezone(UTC).isoformat(timespec="microseconds")
    return f'"{told.removesuffix("+00:00")}Z"'


_WRITTEN: Mapping[type, Callable[[Any], str]] = {
    type(None): lambda _: "null",
    bool: lambda value: "1" if value else "0",
    str: encode_basestring,
    int: str,
    UUID: lambda value: f'"{value}"',
    bytes: lambda value: f'"{value.hex()}"',
    datetime: _moment,
    frozenset: lambda value: f"[{','.join(sorted(map(_text, value)))}]",
    tuple: lambda value: f"[{','.join(map(_text, value))}]",
}
"""By the exact type: looked up for every field of every event."""
