"""unseen-device: on record as active, watched, and never once there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.world import World

RULE = "unseen-device"


def unseen(world: World, **columns: Any) -> int:
    """A device nobody discovered and nobody saw."""
    columns.setdefault("discovered_at", None)
    return world.device(**columns)


def test_names_the_device_and_since_when_it_was_missed(world: World) -> None:
    device = unseen(world)
    (row,) = world.run(RULE)
    assert row["finding"] == row["subject_device"] == device
    assert row["since"] == world.ago(180), "coverage began after it was installed"
    assert (row["covered_since"], row["covered_until"]) == (world.ago(180), world.as_of)


def test_missed_since_it_was_installed(world: World) -> None:
    unseen(world, installed_at=world.ago(60))
    (row,) = world.run(RULE)
    assert row["since"] == world.ago(60)


def test_a_credential_tells_since_when_where_the_inventory_does_not(world: World) -> None:
    world.certificate(unseen(world, installed_at=None))
    (row,) = world.run(RULE)
    assert (row["since"], row["installed_at"]) == (world.ago(100), None)


def test_nobody_says_since_when(world: World) -> None:
    world.birth_certificate(unseen(world, installed_at=None))
    assert world.run(RULE) == []


@pytest.mark.parametrize("state", ["claimed", "quarantined", "transferring", "manufactured", "retired", "lost", "unknown"])
def test_only_active_devices_are_missed(state: str, world: World) -> None:
    unseen(world, state=state)
    assert world.run(RULE) == []


@pytest.mark.parametrize(
    "columns",
    [
        {"registered": False},
        {"behind_gateway": True, "gateway_key": 1},
        {"behind_gateway": True},
        {"covered": False, "covered_since": None, "covered_until": None},
    ],
    ids=["not registered", "behind a gateway", "behind a gateway nobody knows", "not covered"],
)
def test_who_could_not_be_seen_is_silent(columns: dict[str, Any], world: World) -> None:
    unseen(world, **columns)
    assert world.run(RULE) == []


def test_time_matters(world: World) -> None:
    unseen(world, installed_at=world.ago(29))
    unseen(world, covered_since=world.ago(29))
    unseen(world, covered_until=world.ago(31))
    assert world.run(RULE) == []
    assert len(world.run(RULE, days=20)) == 2


def test_discovery_is_a_sign_of_life(world: World) -> None:
    unseen(world, discovered_at=world.ago(900))
    assert world.run(RULE) == []


def test_so_is_a_session(world: World) -> None:
    world.session(world.ago(150), device=unseen(world))
    assert world.run(RULE) == []


def test_so_is_a_refused_one(world: World) -> None:
    world.session(world.ago(150), device=unseen(world), outcome="refused")
    assert world.run(RULE) == []


def test_so_is_the_use_of_a_secret(world: World) -> None:
    world.secret(unseen(world))
    assert world.run(RULE) == []


def test_a_secret_that_was_never_used_is_none(world: World) -> None:
    world.secret(unseen(world), last_used_at=None)
    assert len(world.run(RULE)) == 1


def test_so_is_a_session_of_a_credential_it_shares(world: World) -> None:
    shared = world.certificate(unseen(world), unseen(world))
    world.session(world.ago(9), credential=shared)
    assert world.run(RULE) == []
