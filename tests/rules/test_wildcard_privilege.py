"""wildcard-privilege: one finding per policy that allows everything and is attached to what works."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.world import World

RULE = "wildcard-privilege"


@pytest.mark.parametrize("flag", ["allows_all_actions", "allows_all_topics"])
def test_one_finding_with_all_credentials(flag: str, world: World) -> None:
    holders = [world.device(), world.device()]
    credentials = [world.certificate(device) for device in holders]
    policy = world.policy("wide", *credentials, why="Allow iot:* on *", **{flag: True})
    rows = world.run(RULE)
    assert {row["finding"] for row in rows} == {row["subject_policy"] for row in rows} == {policy}
    assert sorted(row["subject_credential"] for row in rows) == credentials
    assert sorted(row["subject_device"] for row in rows) == holders
    assert {(row["statement"], row[flag]) for row in rows} == {("Allow iot:* on *", True)}


def test_active_in_the_cloud_is_enough(world: World) -> None:
    trust = {"anchored": False, "anchored_for_operation": False, "active_at_issuer": True}
    world.policy("wide", world.certificate(world.device(), **trust), allows_all_actions=True)
    assert len(world.run(RULE)) == 1


def test_attached_twice_is_one_row(world: World) -> None:
    credential = world.certificate(world.device())
    policy = world.policy("wide", credential, allows_all_actions=True)
    world.add("policy_grant", policy_key=policy, credential_key=credential, source_key=1, effective=True)
    assert len(world.run(RULE)) == 1


def test_attached_to_nothing(world: World) -> None:
    world.policy("wide", allows_all_actions=True)
    assert world.run(RULE) == []


@pytest.mark.parametrize("columns", [{"revoked_at": "yesterday"}, {"not_after": "yesterday"}], ids=["revoked", "expired"])
def test_attached_to_what_is_over(columns: dict[str, Any], world: World) -> None:
    over = {name: world.ago(1) for name in columns}
    active = "not_after" in columns
    world.policy("wide", world.certificate(world.device(), active_at_issuer=active, **over), allows_all_actions=True)
    assert world.run(RULE) == []


def test_a_narrow_policy_and_one_that_could_not_be_read(world: World) -> None:
    credential = world.certificate(world.device())
    world.policy("narrow too", credential)
    world.policy("torn", credential, readable=False)
    assert world.run(RULE) == []


def test_a_deny_in_another_policy_of_the_credential_undoes_it(world: World) -> None:
    credential = world.certificate(world.device())
    policy = world.policy("wide", why="Allow iot:* on *", allows_all_actions=True)
    world.add("policy_grant", policy_key=policy, credential_key=credential, source_key=1, effective=False)
    assert world.run(RULE) == []
