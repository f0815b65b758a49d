"""ETag and If-Match from the version of a row (RFC 9110, 8.8.3 and 13.1): nobody overwrites what they have not seen."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tenure.api.problem import MALFORMED, NO_PRECONDITION, STALE, RefusalError

PATTERN = r'^(?:\*|"v(?:0|[1-9][0-9]{0,17})")$'
_TAG = re.compile(r'"v(0|[1-9][0-9]{0,17})"')
_LISTED = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')


@dataclass(frozen=True, slots=True)
class Version:
    """The caller decided on this version of the thing."""

    number: int


@dataclass(frozen=True, slots=True)
class AnyVersion:
    """The caller decided on whatever it is now (``If-Match: *``)."""


Expected = Version | AnyVersion


def etag(version: int) -> str:
    return f'"v{version}"'


def expected(if_match: str | None) -> Expected:
    """What If-Match says. Raises RefusalError: none was sent (428), it is no entity tag (400), or cannot be ours (412).

    Of a list only a single tag is taken: a caller that decided on several versions has decided on none.
    """
    if if_match is None:
        raise RefusalError(NO_PRECONDITION)
    text = if_match.strip()
    if text == "*":
        return AnyVersion()
    if found := _TAG.fullmatch(text):
        return Version(int(found[1]))
    if _LISTED.fullmatch(text):
        raise RefusalError(STALE)  # a weak tag, or one of another server: it matches nothing (RFC 9110, 13.1.1)
    raise RefusalError(MALFORMED, "If-Match is not one entity tag", 'send the ETag you read, as in If-Match: "v3"')


def optional(if_match: str | None) -> Expected:
    """As ``expected`` where the header may be missing: then whatever it is now."""
    return AnyVersion() if if_match is None else expected(if_match)


def number_of(expected: Expected) -> int | None:
    """The version to compare with; None: any."""
    return expected.number if isinstance(expected, Version) else None


def unchanged(if_none_match: str | None, version: int) -> bool:
    """Whether If-None-Match of a GET names this version (weak comparison): the answer is 304."""
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag(version) in tags or tags == ["*"]
