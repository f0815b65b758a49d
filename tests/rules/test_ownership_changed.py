"""ownership-changed-without-rekey: keys and secrets that a former owner may know."""

from __future__ import annotations

import pytest

from tests.rules.world import World

RULE = "ownership-changed-without-rekey"


def test_a_certificate_from_before_the_change_is_found(world: World) -> None:
    device = world.device(owner_changed_at=world.ago(40))
    certificate = world.certificate(device, not_before=world.ago(41))
    (row,) = world.run(RULE)
    assert row["finding"] == row["subject_device"] == device
    assert (row["subject_credential"], row["since"]) == (certificate, world.ago(40))
    assert (row["renewed_with_the_old_key"], row["key_first_known_at"]) == (False, world.ago(41))


def test_a_renewal_with_the_old_key_changes_nothing(world: World) -> None:
    device = world.device(owner_changed_at=world.ago(40))
    key = world.key()
    world.certificate(device, key_key=key, not_before=world.ago(200), revoked_at=world.ago(39))
    renewal = world.certificate(device, key_key=key, not_before=world.ago(39))
    (row,) = world.run(RULE)
    assert (row["subject_credential"], row["renewed_with_the_old_key"]) == (renewal, True)


def test_a_secret_from_before_is_found_by_its_creation(world: World) -> None:
    device = world.device(owner_changed_at=world.ago(40))
    secret = world.secret(device, not_before=world.ago(80), key_key=None, active_at_issuer=False)
    assert [row["subject_credential"] for row in world.run(RULE)] == [secret]


def test_a_shared_credential_counts_for_its_sold_holder(world: World) -> None:
    device = world.device(owner_changed_at=world.ago(40))
    world.certificate(device, world.device(), not_before=world.ago(80))
    assert [row["subject_device"] for row in world.run(RULE)] == [device]


def test_new_keys_under_the_new_owner_are_silent(world: World) -> None:
    device = world.device(owner_changed_at=world.ago(40))
    world.certificate(device, not_before=world.ago(90), revoked_at=world.ago(39))
    world.certificate(device, not_before=world.ago(90), not_after=world.ago(1))
    world.certificate(device, not_before=world.ago(39))
    world.secret(device, not_before=world.ago(39))
    world.secret(device, not_before=world.ago(90), not_after=world.ago(20))
    world.secret(device, not_before=world.ago(90), ended=True)
    assert world.run(RULE) == []


def test_a_key_of_the_very_moment_is_of_the_new_owner(world: World) -> None:
    world.certificate(world.device(owner_changed_at=world.ago(40)), not_before=world.ago(40))
    assert world.run(RULE) == []


@pytest.mark.parametrize("role", ["birth", "attestation"])
def test_keys_of_the_hardware_stay_with_it(world: World, role: str) -> None:
    device = world.device(owner_changed_at=world.ago(40))
    world.certificate(device, role=role, not_before=world.ago(400))
    assert world.run(RULE) == []


def test_a_change_still_to_come_is_none_yet(world: World) -> None:
    world.certificate(world.device(owner_changed_at=world.ahead(10)), not_before=world.ago(80))
    world.certificate(world.device(owner_changed_at=None), not_before=world.ago(80))
    assert world.run(RULE) == []


def test_undated_keys_are_not_known_from_before(world: World) -> None:
    world.ssh_key(world.device(owner_changed_at=world.ago(40)))
    assert world.run(RULE) == []


def test_a_name_says_nothing_where_something_stronger_does(world: World) -> None:
    device, holder = world.device(owner_changed_at=world.ago(40)), world.device()
    certificate = world.certificate(holder, not_before=world.ago(80), device_key=holder, devices=1)
    world.bind(device, certificate, how="subject-name", strong=False)
    assert world.run(RULE) == []
