"""superseded-credential-still-valid: the device moved on, its old credential did not end."""

from __future__ import annotations

import pytest

from tests.rules.world import World

RULE = "superseded-credential-still-valid"


def renewed(world: World, *, older: float = 200, newer: float = 60, **columns: object) -> tuple[int, int, int]:
    """A device with two usable certificates, the newer one in use from its first day to yesterday."""
    device = world.device()
    old = world.certificate(device, not_before=world.ago(older), **columns)
    new = world.certificate(device, not_before=world.ago(newer), **columns)
    world.session(world.ago(newer), credential=new)
    world.session(world.ago(1), credential=new)
    return device, old, new


def test_an_older_certificate_beside_one_long_in_use_is_found(world: World) -> None:
    device, old, new = renewed(world)
    (row,) = world.run(RULE)
    assert row["finding"] == row["subject_credential"] == old
    assert (row["subject_credential_2"], row["subject_device"]) == (new, device)
    assert row["since"] == row["newer_first_used_at"] == world.ago(60)
    assert row["same_key"] is False


def test_each_older_one_is_a_finding_and_names_the_newest_in_use(world: World) -> None:
    device, old, middle = renewed(world)
    newest = world.certificate(device, not_before=world.ago(45))
    world.session(world.ago(44), credential=newest)
    world.session(world.ago(2), credential=newest)
    found = [(row["subject_credential"], row["subject_credential_2"]) for row in world.run(RULE)]
    assert found == [(old, newest), (middle, newest)]


def test_a_renewal_with_the_same_key_says_so(world: World) -> None:
    renewed(world, key_key=world.key())
    assert [row["same_key"] for row in world.run(RULE)] == [True]


def test_thirty_days_of_use_are_not_over_thirty(world: World) -> None:
    renewed(world, newer=30)
    assert world.run(RULE) == []
    assert len(world.run(RULE, days=29)) == 1


def test_a_newer_one_that_was_not_seen_in_use_supersedes_nothing(world: World) -> None:
    device = world.device()
    world.certificate(device, not_before=world.ago(200))
    world.certificate(device, not_before=world.ago(100))
    world.session(world.ago(50), device=device)
    assert world.run(RULE) == []


def test_a_device_that_fell_back_has_not_moved_on(world: World) -> None:
    device = world.device()
    old = world.certificate(device, not_before=world.ago(200))
    world.session(world.ago(60), credential=world.certificate(device, not_before=world.ago(61)))
    world.session(world.ago(1), credential=old)
    assert world.run(RULE) == []


def test_both_in_use_side_by_side_is_found(world: World) -> None:
    _, old, _ = renewed(world)
    world.session(world.ago(1, hours=-3), credential=old)
    (row,) = world.run(RULE)
    assert row["older_last_used_at"] == world.ago(1, hours=-3)


def test_an_older_one_that_is_over_is_no_finding(world: World) -> None:
    renewed(world, not_after=world.ago(2))
    device, old, _ = renewed(world)
    world.change("credential", old, revoked_at=world.ago(50), active_at_issuer=False)
    assert device
    assert world.run(RULE) == []


def test_a_newer_one_that_is_over_does_not_replace(world: World) -> None:
    _, _, new = renewed(world)
    world.change("credential", new, revoked_at=world.ago(1), active_at_issuer=False)
    assert world.run(RULE) == []


def test_what_replaced_it_must_be_in_force_itself(world: World) -> None:
    device, _, new = renewed(world)
    world.change("credential", new, revoked_at=world.ago(1), active_at_issuer=False)
    world.certificate(device, not_before=world.ago(40))
    assert world.run(RULE) == []


def test_an_older_one_long_in_use_supersedes_nothing(world: World) -> None:
    device = world.device()
    world.session(world.ago(250), credential=world.certificate(device, not_before=world.ago(300)))
    world.certificate(device, not_before=world.ago(200))
    world.certificate(device, not_before=world.ago(100))
    assert world.run(RULE) == []


def test_another_role_or_kind_is_another_purpose(world: World) -> None:
    _, old, _ = renewed(world)
    world.change("credential", old, role="server")
    device = world.device()
    world.secret(device, not_before=world.ago(250))
    world.session(world.ago(60), credential=world.certificate(device))
    assert world.run(RULE) == []


@pytest.mark.parametrize("role", ["birth", "attestation", "claim", "server", "service"])
def test_only_operational_ones_are_replaced(world: World, role: str) -> None:
    renewed(world, role=role)
    assert world.run(RULE) == []


def test_credentials_of_different_devices_or_of_several_do_not_replace_each_other(world: World) -> None:
    world.certificate(world.device(), not_before=world.ago(200))
    shared = world.certificate(world.device(), world.device(), not_before=world.ago(60))
    world.session(world.ago(50), credential=shared)
    assert world.run(RULE) == []


def test_of_two_tokens_of_one_right_the_older_is_found(world: World) -> None:
    device = world.device()
    old = world.secret(device, not_before=world.ago(250), last_used_at=None)
    new = world.secret(device, not_before=world.ago(90), last_used_at=world.ago(40), first_used_at=world.ago(40))
    assert [(r["subject_credential"], r["subject_credential_2"]) for r in world.run(RULE)] == [(old, new)]


def test_tokens_of_different_rights_stand_side_by_side(world: World) -> None:
    device = world.device()
    world.secret(device, not_before=world.ago(250), scopes="telemetry:write", last_used_at=None)
    world.secret(device, not_before=world.ago(90), scopes="config:read", last_used_at=world.ago(40), first_used_at=world.ago(40))
    assert world.run(RULE) == []
