"""DER element by element: what is taken, what is refused, and that a reader never leaves its bounds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.pki import der
from tenure.pki.der import DerError
from tests.pki import made


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x01",
        b"\x30\x80\0\0",
        b"\x30\x81",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x1f\x01\x00",
        b"\x30\x89" + b"\x01" * 12,
    ],
)
def test_headers_that_lead_nowhere(data: bytes) -> None:
    for read in (der.header, der.loose_header):
        with pytest.raises(DerError):
            read(data, 0, len(data))


def test_lengths_written_too_long_are_ber() -> None:
    for data in (b"\x04\x81\x01x", b"\x04\x82\x00\x80" + bytes(128)):
        assert der.loose_header(data, 0, len(data))[2] == len(data)
        with pytest.raises(DerError):
            der.header(data, 0, len(data))


@given(st.integers(0, 70_000), st.binary(max_size=3))
def test_every_length_is_read_as_written(size: int, after: bytes) -> None:
    data = made.element(0x04, bytes(size)) + after
    assert der.header(data, 0, len(data)) == (0x04, len(data) - size - len(after), len(data) - len(after))


@given(st.integers(-(1 << 80), 1 << 80))
def test_numbers(number: int) -> None:
    assert der.integer(der.whole(made.integer(number), der.INTEGER, "a number")) == number


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"\xff\x80"])
def test_numbers_not_in_their_shortest_form(content: bytes) -> None:
    with pytest.raises(DerError):
        der.integer(content)


@pytest.mark.parametrize(
    "dotted", ["2.5.4.3", "1.2.840.113549.1.1.11", "2.999.3", "0.9.2342", "1.39.1", "2.16.840.1.101.3.4.3.18"]
)
def test_object_identifiers(dotted: str) -> None:
    assert der.oid(der.whole(made.oid(dotted), der.OID, "an oid")) == dotted


@pytest.mark.parametrize("content", [b"", b"\x80\x01", b"\x55\x80", b"\x55" * 200])
def test_object_identifiers_that_are_none(content: bytes) -> None:
    with pytest.raises(DerError):
        der.oid(content)


def test_times() -> None:
    assert der.time(der.UTC_TIME, b"491231235959Z") == datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert der.time(der.UTC_TIME, b"500101000000Z") == datetime(1950, 1, 1, tzinfo=UTC)
    assert der.time(der.GENERALIZED_TIME, b"99991231235959Z") == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert der.loose_time(der.UTC_TIME, b"2512310000+0230") == datetime(2025, 12, 30, 21, 30, tzinfo=UTC)
    assert der.loose_time(der.UTC_TIME, b"2512310000-0230") == datetime(2025, 12, 31, 2, 30, tzinfo=UTC)


ODD_UTC = [
    b"2501010000Z", b"250101000060Z", b"250230000000Z", b"20250101000000Z", b"2501010000000", b"25 101000000Z", b"250101T00000Z",
]  # fmt: skip
ODD_TIMES = [
    *((der.UTC_TIME, content) for content in ODD_UTC),
    (der.GENERALIZED_TIME, b"00000101000000Z"),
    (der.GENERALIZED_TIME, b"20250101000000.1Z"),
    (0x04, b"x"),
]


@pytest.mark.parametrize(("tag", "content"), ODD_TIMES)
def test_times_not_as_they_should_be(tag: int, content: bytes) -> None:
    with pytest.raises(DerError):
        der.time(tag, content)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    for read in (der.oid, der.integer, lambda d: list(der.elements(d, 0, len(d))), lambda d: der.loose_time(der.UTC_TIME, d)):
        try:
            read(data)
        except DerError:
            continue
