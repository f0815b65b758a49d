"""Backoff: it grows, it is spread, it ends."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tenure.flows.webhooks.patience import Patience


def test_it_doubles_up_to_the_longest_and_then_gives_up() -> None:
    patience = Patience(first=timedelta(minutes=1), longest=timedelta(minutes=5), attempts=6)
    most = [patience.wait(n, 1.0) for n in range(1, 7)]
    minutes = [None if w is None else w.total_seconds() / 60 for w in most]
    assert minutes == [1, 2, 4, 5, 5, None]


def test_the_defaults_try_for_more_than_a_day() -> None:
    patience = Patience()
    waits = [patience.wait(n, 0.5) for n in range(1, patience.attempts + 1)]
    whole = sum((w for w in waits if w is not None), timedelta())
    assert timedelta(days=1) < whole < timedelta(days=3)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_chance_spreads_a_wait_and_never_makes_it_nothing(attempts: int, chance: float) -> None:
    patience = Patience(attempts=100_000)
    wait = patience.wait(attempts, chance)
    assert wait is not None
    assert patience.first / 10 <= wait <= patience.longest
