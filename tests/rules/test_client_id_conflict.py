"""client-id-conflict: clients that throw each other out."""

from __future__ import annotations

import random
from datetime import timedelta

from tests.rules.world import World

RULE = "client-id-conflict"
ONE, TWO = "192.0.2.1", "192.0.2.2"


def fight(world: World, *minutes: float, client: str = "plc-1", one: str = ONE, two: str = TWO, **columns: object) -> None:
    """Take-overs so many minutes after a moment ten days ago, turn and turn about."""
    for turn, minute in enumerate(minutes):
        old, new = (one, two) if turn % 2 == 0 else (two, one)
        world.takeover(world.ago(10) + timedelta(minutes=minute), client, old, new, **columns)


def test_four_within_half_an_hour_from_two_addresses_are_found(world: World) -> None:
    fight(world, 0, 10, 20, 30, old_user_name="u1", new_user_name="u2")
    (row,) = world.run(RULE)
    assert row["subject_client"] == "plc-1"
    assert row["since"] == row["first_takeover_at"] == world.ago(10)
    assert row["last_takeover_at"] == world.ago(10) + timedelta(minutes=30)
    assert (row["takeovers"], row["most_within_the_time"], row["addresses"]) == (4, 4, 2)
    assert {row["address"], row["other_address"]} == {ONE, TWO}
    assert (row["user_name"], row["other_user_name"], row["relying_party"]) == ("u1", "u2", "broker")


def test_a_longer_fight_is_one_finding(world: World) -> None:
    fight(world, *range(0, 120, 5))
    (row,) = world.run(RULE)
    assert (row["takeovers"], row["most_within_the_time"]) == (24, 7)


def test_single_takeovers_long_before_do_not_make_it_older(world: World) -> None:
    fight(world, -5000, 0, 1, 2, 3)
    assert [(row["since"], row["takeovers"]) for row in world.run(RULE)] == [(world.ago(10), 4)]


def test_addresses_that_only_the_one_thrown_out_had_count(world: World) -> None:
    fight(world, 0, 1, 2, one=ONE, two=ONE)
    world.takeover(world.ago(10) + timedelta(minutes=3), "plc-1", TWO, ONE)
    assert len(world.run(RULE)) == 1


def test_each_client_id_is_a_finding(world: World) -> None:
    fight(world, 0, 1, 2, 3)
    fight(world, 0, 1, 2, 3, client="plc-2")
    assert [row["subject_client"] for row in sorted(world.run(RULE), key=lambda r: str(r["subject_client"]))] == [
        "plc-1",
        "plc-2",
    ]


def test_three_are_a_device_that_lost_its_line(world: World) -> None:
    fight(world, 0, 1, 2)
    assert world.run(RULE) == []
    assert len(world.run(RULE, takeovers=3)) == 1


def test_four_in_more_than_half_an_hour_are_no_fight(world: World) -> None:
    fight(world, 0, 10, 20, 31)
    assert world.run(RULE) == []
    assert len(world.run(RULE, minutes=31)) == 1


def test_from_one_address_it_is_one_client_that_reconnects(world: World) -> None:
    fight(world, 0, 1, 2, 3, 4, one=ONE, two=ONE)
    assert world.run(RULE) == []


def test_a_second_address_at_another_time_does_not_make_it_a_fight(world: World) -> None:
    fight(world, 0, 1, 2, 3, one=ONE, two=ONE)
    world.takeover(world.ago(5), "plc-1", TWO, ONE)
    assert world.run(RULE) == []


def test_different_client_ids_and_parties_do_not_add_up(world: World) -> None:
    fight(world, 0, 1)
    fight(world, 2, 3, client="plc-2")
    fight(world, 2, 3, client="plc-1", client_key=99, relying_party_key=2)
    assert world.run(RULE) == []


def test_one_log_exported_twice_counts_once(world: World) -> None:
    fight(world, 0, 1, 2)
    fight(world, 0, 1, 2, source_key=6)
    assert world.run(RULE) == []


def test_the_window_finds_what_trying_every_half_hour_finds(world: World) -> None:
    """Against the definition itself: 500 clients with a few take-overs each."""
    dice = random.Random(7)
    expected = set()
    for client in (f"client-{n}" for n in range(500)):
        draws = [(dice.randint(0, 90), dice.choice([(ONE, TWO), (ONE, ONE), (ONE, ONE)])) for _ in range(dice.randint(3, 12))]
        events = list(dict.fromkeys(draws))
        for minute, (old, new) in events:
            world.takeover(world.ago(10) + timedelta(minutes=minute), client, old, new)
        windows = [[pair for at, pair in events if begin <= at <= begin + 30] for begin in range(91)]
        if any(len(w) >= 4 and len({address for pair in w for address in pair}) >= 2 for w in windows):
            expected.add(client)
    assert 100 < len(expected) < 400
    assert {row["subject_client"] for row in world.run(RULE)} == expected
