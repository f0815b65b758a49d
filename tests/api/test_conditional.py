"""If-Match and If-None-Match over versions of rows."""

from __future__ import annotations

import pytest

from tenure.api import conditional
from tenure.api.conditional import AnyVersion, Version, etag
from tenure.api.problem import MALFORMED, NO_PRECONDITION, STALE, Kind, RefusalError


@pytest.mark.parametrize("number", [0, 1, 10, 10**17])
def test_the_tag_of_a_version_comes_back_as_it(number: int) -> None:
    assert conditional.expected(etag(number)) == conditional.optional(f" {etag(number)} ") == Version(number)


def test_a_star_is_any_version_and_nothing_is_only_where_it_may_be() -> None:
    assert conditional.expected("*") == AnyVersion() == conditional.optional(None)


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (None, NO_PRECONDITION),
        ('W/"v3"', STALE),  # weak tags never match (RFC 9110, 13.1.1)
        ('"v03"', STALE),
        ('"3"', STALE),
        ('"of another server"', MALFORMED),
        ('"v3", "v4"', MALFORMED),
        ("v3", MALFORMED),
        ("", MALFORMED),
        ('"v3', MALFORMED),
    ],
)
def test_what_names_no_version_is_refused(header: str | None, kind: Kind) -> None:
    with pytest.raises(RefusalError) as raised:
        conditional.expected(header)
    assert raised.value.kind is kind


@pytest.mark.parametrize(
    ("header", "same"), [('"v3"', True), ('W/"v3"', True), ('"v2", "v3"', True), ("*", True), ('"v2"', False), (None, False)]
)
def test_a_reader_that_has_this_version_need_not_be_sent_it(header: str | None, same: bool) -> None:
    assert conditional.unchanged(header, 3) is same
