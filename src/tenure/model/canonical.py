"""Values read back out of their canonical form (``events.canonical``): what was shipped becomes what it was. Pure."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime
from enum import Enum
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints
from uuid import UUID

from tenure.clock import instant
from tenure.errors import TenureError
from tenure.model.events import Event, canonical

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

V = TypeVar("V", bound="DataclassInstance")


class NotCanonicalError(ValueError):
    """Bytes that are no such value, or not in the one form it has."""


def value_in(kind: type[V], content: bytes) -> V:
    """Fields that are plain, ids, times, bytes, words, or None. Raises NotCanonicalError."""
    form = _form(content)
    if form.pop("a", None) != kind.__name__:
        raise NotCanonicalError(f"no {kind.__name__}")
    value = _made(kind, form)
    if canonical(value) != content:
        raise NotCanonicalError(f"a {kind.__name__} in another form")
    return value


def event_in(leaf: bytes) -> Event:
    """The event that makes this leaf, to the byte. Raises NotCanonicalError."""
    form = _form(leaf)
    form.pop("v", None)
    evidence = form.pop("evidence", None)
    if not isinstance(evidence, list):
        raise NotCanonicalError("no event")
    try:
        event = _made(Event, form | {"evidence": tuple(bytes.fromhex(digest) for digest in evidence)})
        if event.leaf() != leaf:
            raise NotCanonicalError("an event in another form")
    except (TypeError, AttributeError) as error:
        raise NotCanonicalError("no event") from error
    return event


def _form(content: bytes) -> dict[str, Any]:
    try:
        form = json.loads(content)
    except ValueError as error:
        raise NotCanonicalError("no JSON") from error
    if not isinstance(form, dict):
        raise NotCanonicalError("no object")
    return form


def _made(kind: type[V], form: dict[str, Any]) -> V:
    hints = get_type_hints(kind)
    known = {field.name for field in fields(kind)}
    try:
        return kind(**{name: _read(hints[name], told) for name, told in form.items() if name in known})
    except (TypeError, ValueError, AttributeError, TenureError) as error:
        raise NotCanonicalError(f"no {kind.__name__}") from error


def _read(hint: Any, told: Any) -> Any:
    if told is None or isinstance(told, tuple):
        return told
    one = next((h for h in get_args(hint) if h is not NoneType), hint)
    if one is UUID or (isinstance(one, type) and issubclass(one, Enum)):
        return one(told)
    if one is bytes:
        return bytes.fromhex(told)
    return instant(told) if one is datetime else told
