"""Instants: RFC 3339 in, UTC out, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.clock import instant, now, rfc3339
from tenure.errors import TenureError


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01T00:00:00Z", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01t00:00:00z", datetime(2026, 11, 1, tzinfo=UTC)),
        (" 2026-11-01 02:00:00+02:00 ", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T00:00:00.250-01:30", datetime(2026, 11, 1, 1, 30, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read(text: str, moment: datetime) -> None:
    assert instant(text) == moment
    assert instant(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-02-30", "2026-11-01T00:00:00", "0001-01-01T00:00:00+01:00", "9999-12-31T23:00:00-02:00"]
)
def test_what_is_no_instant_is_refused_with_advice(text: str) -> None:
    with pytest.raises(TenureError) as error:
        instant(text)
    assert error.value.fix


@given(st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)), st.integers(-23, 23))
def test_an_instant_survives_its_text(moment: datetime, hours: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert instant(rfc3339(aware)) == aware
    assert rfc3339(moment) == rfc3339(moment.replace(tzinfo=UTC))
    assert rfc3339(aware).endswith("Z")


def test_the_present_is_in_utc_to_the_second() -> None:
    present = now()
    assert (present.tzinfo, present.microsecond) == (UTC, 0)
    assert abs(datetime.now(UTC) - present) < timedelta(seconds=5)
