"""credential-shared-in-use: two addresses, one credential, at the same time."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import combinations

import pytest

from tests.rules.world import World

RULE = "credential-shared-in-use"
HERE, THERE = "192.0.2.10", "198.51.100.7"


def session(world: World, credential: int, start: float, end: float | None, address: str | None, **columns: object) -> None:
    """Minutes after a moment ten days ago."""
    begin = world.ago(10)
    end_at = None if end is None else begin + timedelta(minutes=end)
    started = begin + timedelta(minutes=start)
    world.session(started, credential=credential, ended_at=end_at, address=address, **columns)  # type: ignore[arg-type]  # columns


@pytest.fixture
def credential(world: World) -> int:
    return world.certificate(world.device())


def test_two_addresses_at_once_for_over_five_minutes_are_found(world: World, credential: int) -> None:
    session(world, credential, 0, 60, HERE, origin="log#1")
    session(world, credential, 50, 90, THERE, origin="log#2")
    (row,) = world.run(RULE)
    assert row["finding"] == row["subject_credential"] == credential
    assert row["subject_device"] == world.row("binding", len(world.tables["binding"]))["device_key"]
    assert row["since"] == row["longest_overlap_at"] == world.ago(10) + timedelta(minutes=50)
    assert row["last_overlap_at"] == world.ago(10) + timedelta(minutes=60)
    assert (row["longest_overlap_minutes"], row["overlaps"], row["finding_severity"]) == (10.0, 1, "critical")
    assert (row["address"], row["other_address"]) == (THERE, HERE)
    assert (row["seen_at"], row["other_seen_at"]) == ("log#2", "log#1")


def test_a_long_session_overlaps_with_one_far_behind_it(world: World, credential: int) -> None:
    session(world, credential, 0, 600, HERE)
    session(world, credential, 10, 20, HERE)
    session(world, credential, 30, 40, HERE)
    session(world, credential, 500, 520, THERE)
    (row,) = world.run(RULE)
    assert (row["longest_overlap_minutes"], row["address"], row["other_address"]) == (20.0, THERE, HERE)


def test_the_longest_of_several_overlaps_is_told_and_all_are_counted(world: World, credential: int) -> None:
    session(world, credential, 0, 100, HERE)
    session(world, credential, 10, 20, THERE)
    session(world, credential, 40, 90, "198.51.100.8")
    (row,) = world.run(RULE)
    assert (row["overlaps"], row["longest_overlap_minutes"], row["address"]) == (2, 50.0, "198.51.100.8")
    assert row["since"] == world.ago(10) + timedelta(minutes=10)


def test_of_sessions_that_end_together_the_other_one_is_named(world: World, credential: int) -> None:
    session(world, credential, 0, 60, HERE, origin="log#1")
    session(world, credential, 50, 60, THERE, origin="log#2")
    (row,) = world.run(RULE)
    assert (row["address"], row["other_address"], row["other_seen_at"]) == (THERE, HERE, "log#1")


def test_a_credential_of_no_device_counts(world: World) -> None:
    credential = world.certificate()
    session(world, credential, 0, 60, HERE)
    session(world, credential, 0, 60, THERE)
    assert [row["subject_device"] for row in world.run(RULE)] == [None]


def test_instances_of_a_back_end_program_weigh_less(world: World) -> None:
    credential = world.certificate(role="service")
    session(world, credential, 0, 60, HERE)
    session(world, credential, 0, 60, THERE)
    assert [row["finding_severity"] for row in world.run(RULE)] == ["low"]


def test_five_minutes_are_not_over_five(world: World, credential: int) -> None:
    session(world, credential, 0, 60, HERE)
    session(world, credential, 55, 90, THERE)
    assert world.run(RULE) == []
    assert len(world.run(RULE, minutes=4)) == 1


def test_one_after_the_other_is_a_device_that_moved(world: World, credential: int) -> None:
    session(world, credential, 0, 60, HERE)
    session(world, credential, 60, 120, THERE)
    session(world, credential, 120, 180, HERE)
    assert world.run(RULE) == []


def test_sessions_from_one_address_may_overlap(world: World, credential: int) -> None:
    session(world, credential, 0, 60, HERE)
    session(world, credential, 10, 70, HERE, port=40001)
    assert world.run(RULE) == []


def test_one_without_a_told_end_may_have_ended_at_once(world: World, credential: int) -> None:
    session(world, credential, 0, None, HERE)
    session(world, credential, 10, 70, THERE)
    assert world.run(RULE) == []


def test_refused_attempts_and_unknown_addresses_do_not_count(world: World, credential: int) -> None:
    session(world, credential, 0, 60, HERE)
    session(world, credential, 10, 70, THERE, outcome="refused")
    session(world, credential, 10, 70, None)
    assert world.run(RULE) == []


def test_a_name_alone_shows_no_credential(world: World) -> None:
    device = world.device()
    for address in (HERE, THERE):
        world.session(world.ago(10), device=device, ended_at=world.ago(9), address=address)
    assert world.run(RULE) == []


def test_different_credentials_of_one_device_are_not_one(world: World) -> None:
    device = world.device()
    session(world, world.certificate(device), 0, 60, HERE)
    session(world, world.certificate(device), 0, 60, THERE)
    assert world.run(RULE) == []


def test_two_relying_parties_may_see_one_device_at_two_addresses(world: World, credential: int) -> None:
    session(world, credential, 0, 60, HERE)
    session(world, credential, 0, 60, THERE, relying_party_key=2)
    assert world.run(RULE) == []
    assert len(world.run(RULE, across_parties=True)) == 1


def test_the_sweep_finds_what_comparing_every_pair_finds(world: World) -> None:
    """Whether, and the longest overlap, against the definition itself: 500 credentials with a few sessions each."""
    dice = random.Random(5)
    expected = {}
    for _ in range(500):
        credential = world.certificate()
        spans = [(dice.randint(0, 40), dice.randint(0, 25), dice.choice("abc")) for _ in range(dice.randint(2, 9))]
        for start, length, address in spans:
            session(world, credential, start, start + length, address)
        pairs = [min(a + m, b + n) - max(a, b) for (a, m, x), (b, n, y) in combinations(spans, 2) if x != y]
        if over := [overlap for overlap in pairs if overlap > 5]:
            expected[credential] = float(max(over))
    assert 100 < len(expected) < 400
    assert {row["finding"]: row["longest_overlap_minutes"] for row in world.run(RULE)} == expected
