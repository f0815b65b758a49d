"""Events: each change of an identity once, in a form that hashes the same everywhere. Pure; RFC 6962 leaves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import Enum
from functools import cache
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
        return _dump({"v": 1} | {name: _plain(getattr(self, name)) for name in _stable(Event)})


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
    return _dump(_form(value))


def _form(value: DataclassInstance) -> dict[str, Any]:
    held = {"a": type(value).__name__}
    for name in _stable(type(value)):
        told = getattr(value, name)
        if told is not None and told != ():
            held[name] = _plain(told)
    return held


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _dump(form: Mapping[str, Any]) -> bytes:
    return _ENCODER.encode(form).encode("utf-8")


@cache
def _stable(kind: type[DataclassInstance]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind) if not f.metadata.get("volatile"))


def _plain(value: Any) -> Any:
    """Strings, integers and null, in lists and objects: nothing that two writers of JSON put down in two ways."""
    if (write := _WRITTEN.get(type(value))) is not None:
        return write(value)
    if isinstance(value, Enum):
        return str(value.value)
    if hasattr(value, "__dataclass_fields__"):
        return _form(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _moment(value: datetime) -> str:
    told = value.astimezone(UTC).isoformat(timespec="microseconds")
    return told.removesuffix("+00:00") + "Z"


_WRITTEN: Mapping[type, Callable[[Any], Any]] = {
    type(None): lambda value: value,
    bool: int,
    str: lambda value: value,
    int: lambda value: value,
    UUID: str,
    bytes: bytes.hex,
    datetime: _moment,
    frozenset: lambda value: sorted(map(_plain, value)),
    tuple: lambda value: [_plain(each) for each in value],
}
"""By the exact type: looked up for every field of every event."""
