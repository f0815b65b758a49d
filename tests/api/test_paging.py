"""Cursors: they come back whole, and nobody makes one up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.api.paging import Binding, Cursors, Place
from tenure.api.problem import BAD_CURSOR, RefusalError

CURSORS = Cursors({"c1": b"1" * 32, "c2": b"2" * 32}, "c2")
LIST = Binding("/api/v1/devices", "token:a", (("state", "active"), ("sort", "-last_seen")))
PLACES = st.lists(st.none() | st.integers(-(2**63), 2**63) | st.text(max_size=40), max_size=4).map(tuple)


def refused(cursors: Cursors, cursor: str, binding: Binding) -> None:
    with pytest.raises(RefusalError) as raised:
        cursors.open(cursor, binding)
    assert raised.value.kind is BAD_CURSOR
    assert raised.value.problem == BAD_CURSOR.title


@given(PLACES)
def test_what_was_sealed_is_opened(place: Place) -> None:
    assert CURSORS.open(CURSORS.seal(place, LIST), LIST) == place


def test_the_order_of_parameters_does_not_matter() -> None:
    assert CURSORS.open(CURSORS.seal(("x",), LIST), replace(LIST, query=LIST.query[::-1])) == ("x",)


@pytest.mark.parametrize(
    "other",
    [
        replace(LIST, route="/api/v1/owners"),
        replace(LIST, caller="token:b"),
        replace(LIST, query=(("state", "retired"), ("sort", "-last_seen"))),
        replace(LIST, query=LIST.query[:1]),
    ],
)
def test_a_cursor_of_another_list_caller_filter_or_order_is_refused(other: Binding) -> None:
    refused(CURSORS, CURSORS.seal(("x", 1), LIST), other)


@given(st.data())
def test_no_changed_cursor_is_taken(data: st.DataObject) -> None:
    cursor = CURSORS.seal(("2026-11-01T00:00:00Z", "019363f0"), LIST)
    at = data.draw(st.integers(0, len(cursor) - 1))
    changed = cursor[:at] + data.draw(st.characters(codec="utf-8").filter(lambda c: c != cursor[at])) + cursor[at + 1 :]
    refused(CURSORS, changed, LIST)


@given(st.text(max_size=60))
def test_garbage_is_refused(text: str) -> None:
    refused(CURSORS, text, LIST)


def test_a_cursor_without_end_is_refused() -> None:
    refused(CURSORS, CURSORS.seal(("x" * 2000,), LIST), LIST)


def test_a_cursor_of_a_former_key_is_read_and_of_a_removed_one_is_not() -> None:
    former = Cursors({"c1": b"1" * 32}, "c1").seal(("x",), LIST)
    assert CURSORS.open(former, LIST) == ("x",)
    refused(Cursors({"c2": b"2" * 32}, "c2"), former, LIST)
    refused(Cursors({"c1": b"3" * 32}, "c1"), former, LIST)
