"""Token buckets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tenure.api.limits import Buckets, Rate
from tests.api.frames import Clock


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_never_more_than_burst_and_rate_allow(gaps: list[float]) -> None:
    clock = Clock()
    buckets = Buckets(Rate(2, 5), clock.monotonic)
    passed = 0
    for gap in gaps:
        clock.pass_(seconds=gap)
        passed += buckets.take("a") == 0
    assert passed <= 5 + 2 * sum(gaps) + 1


@given(st.integers(1, 5), st.floats(0.1, 50))
def test_after_the_wait_it_was_told_a_caller_passes(burst: int, per_second: float) -> None:
    clock = Clock()
    buckets = Buckets(Rate(per_second, burst), clock.monotonic)
    while not (wait := buckets.take("a")):
        pass
    clock.pass_(seconds=wait + 0.001)
    assert buckets.take("a") == 0


def test_a_charge_takes_what_is_there_and_no_more() -> None:
    clock = Clock()
    buckets = Buckets(Rate(1, 5), clock.monotonic)
    buckets.charge("a", 100)
    assert buckets.take("a") == 1
    clock.pass_(seconds=1)
    assert buckets.take("a") == 0


def test_buckets_are_bounded_and_the_longest_unused_goes() -> None:
    buckets = Buckets(Rate(1, 1), Clock().monotonic, most=2)
    assert [buckets.take(key) for key in ("a", "b", "a", "c")] == [0, 0, 1, 0]  # b has to go for c
    assert buckets.take("a") == 1
    assert buckets.take("b") == 0
