"""Fields that all forms share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from tenure.api.shapes.wire import Instant, Line, Reason


def refused(kind: Any, value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize("name", ["pump 4", "Привод №3", "ポンプ", "می‌خواهم", "x" * 200])
def test_names_are_any_one_line(name: str) -> None:
    assert TypeAdapter(Line).validate_python(name) == name


@pytest.mark.parametrize(
    "name", ["", " pump", "pump ", "a\nb", "a\tb", "a\x00b", "a\x1b[31mb", "a\u202eb", "a\x85b", "\ud800", "x" * 201]
)
def test_what_would_hide_or_look_like_another_is_no_name(name: str) -> None:
    refused(Line, name)


def test_reasons_may_have_lines_but_no_control_characters() -> None:
    assert TypeAdapter(Reason).validate_python("sold\n\tto a scrapyard ") == "sold\n\tto a scrapyard "
    refused(Reason, "sold\x07")
    refused(Reason, "x" * 2001)


def test_instants_are_rfc_3339_and_come_out_in_utc() -> None:
    assert TypeAdapter(Instant).validate_python("2026-11-01T14:00:00.5+02:00") == datetime(2026, 11, 1, 12, 0, 0, 500_000, UTC)


@pytest.mark.parametrize(
    "text",
    [1793534400, "1793534400", "2026-11-01", "2026-11-01T12:00:00", "2026-13-01T12:00:00Z", "0001-01-01T00:00:00+02:00", True],
)
def test_what_leaves_the_moment_open_is_no_instant(text: object) -> None:
    refused(Instant, text)
