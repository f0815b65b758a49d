"""unowned-device: in service, and nobody answers for it."""

from __future__ import annotations

import pytest

from tests.rules.world import World

RULE = "unowned-device"


@pytest.mark.parametrize("state", ["claimed", "active", "quarantined", "transferring"])
def test_in_service_without_an_owner(state: str, world: World) -> None:
    device = world.device(state=state, owner_key=None, owner_changed_at=world.ago(30))
    (row,) = world.run(RULE)
    assert row["finding"] == row["subject_device"] == device
    assert (row["state"], row["site"], row["inventory"], row["since"]) == (state, "plant", "cmdb", world.ago(30))


def test_nobody_says_since_when(world: World) -> None:
    world.device(owner_key=None)
    assert [row["since"] for row in world.run(RULE)] == [None]


@pytest.mark.parametrize("state", ["manufactured", "retiring", "retired", "lost", "unknown"])
def test_out_of_service_needs_none(state: str, world: World) -> None:
    world.device(state=state, owner_key=None)
    assert world.run(RULE) == []


def test_being_run_by_somebody_is_not_being_owned(world: World) -> None:
    world.device(owner_key=None, managed_by="vendor support")
    assert len(world.run(RULE)) == 1
