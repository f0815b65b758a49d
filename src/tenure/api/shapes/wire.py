"""Kinds of fields that all forms share, and pages of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

Item = TypeVar("Item")

LONGEST_PAGE = 1000


class Form(BaseModel):
    """What we send: made from a frozen value by the names of its fields."""

    model_config = ConfigDict(from_attributes=True)


class Order(BaseModel):
    """What we are sent: a word that is none is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def readable(text: str) -> str:
    """No control characters, nor any that turn the direction of what stands beside: people read this in lists and reports."""
    if _CONTROL.search(text):
        raise ValueError("must not hold control characters")
    return text


def one_line(text: str) -> str:
    """A name: one line, without space around it, so that two that look the same are the same."""
    if text != text.strip() or "\n" in text or "\t" in text:
        raise ValueError("must be one line without space around it")
    return readable(text)


Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(one_line)]
Reason = Annotated[
    str,
    Field(max_length=2000, description="Why. Kept apart from the ledger, which holds only a salted digest", examples=["sold"]),
    AfterValidator(readable),
]
Sha256 = Annotated[
    bytes,
    PlainSerializer(lambda digest: digest.hex(), return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256 in lower-case hex"}),
]
HexSha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256 in lower-case hex")]


_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})", re.ASCII)


def _written(value: Any) -> Any:
    """RFC 3339 or a datetime; a bare number, which could be seconds or milliseconds, is neither."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and _RFC3339.fullmatch(value)):
        raise ValueError("must be RFC 3339 with an offset, as in 2026-11-01T12:00:00Z")
    return value


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside of the years 1 to 9999") from None


Instant = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_utc)]


class Paging(Order):
    """What every list takes."""

    limit: int = Field(default=100, ge=1, le=LONGEST_PAGE, description="The most items of a page")
    cursor: str | None = Field(
        default=None, max_length=1024, pattern=r"^[A-Za-z0-9._-]*$", description="`next` of the page before"
    )


class Page(BaseModel, Generic[Item]):
    """One page of a list. Without ``next`` it was the last."""

    items: list[Item]
    next: str | None = Field(
        default=None, description="Send it as `cursor` for the next page", examples=["c1.WyIwMTkzIl0.3q2-7w"]
    )


def example(**fields: Any) -> ConfigDict:
    """The settings of a form, with an example for OpenAPI."""
    return ConfigDict(from_attributes=True, json_schema_extra={"example": fields})
