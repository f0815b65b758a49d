"""Terms: expired, ending soon, too long, not begun, without an end; and secrets without one."""

from __future__ import annotations

import pytest

from tests.rules.world import World

EXPIRED = "certificate-expired"
SOON = "certificate-expires-soon"
LONG = "certificate-lifetime-too-long"
EARLY = "not-yet-valid"
ENDLESS = "no-expiry-date"
SECRET = "secret-without-expiry"


def test_an_active_device_whose_certificates_are_all_over_is_found(world: World) -> None:
    device = world.device()
    world.certificate(device, not_before=world.ago(700), not_after=world.ago(400))
    world.certificate(device, not_before=world.ago(600), revoked_at=world.ago(500))
    newest = world.certificate(device, not_before=world.ago(400), not_after=world.ago(10))
    (row,) = world.run(EXPIRED)
    assert row["finding"] == row["subject_device"] == device
    assert (row["subject_credential"], row["certificates"]) == (newest, 3)
    assert row["since"] == row["not_after"] == world.ago(10)


def test_a_birth_certificate_for_enrolment_does_not_keep_a_device_working(world: World) -> None:
    device = world.device()
    world.birth_certificate(device)
    world.certificate(device, not_after=world.ago(10))
    assert [row["subject_device"] for row in world.run(EXPIRED)] == [device]


def test_a_birth_certificate_trusted_for_operation_does(world: World) -> None:
    device = world.device()
    world.birth_certificate(device, anchored_for_operation=True)
    world.certificate(device, not_after=world.ago(10))
    assert world.run(EXPIRED) == []


def test_a_shared_certificate_that_expired_leaves_each_holder_without(world: World) -> None:
    one, two = world.device(), world.device()
    world.certificate(one, two, not_after=world.ago(10))
    world.certificate(two)
    assert [row["subject_device"] for row in world.run(EXPIRED)] == [one]


def test_a_name_binds_only_where_nothing_stronger_does(world: World) -> None:
    device, holder = world.device("alias"), world.device()
    for end in (world.ago(10), world.ahead(10)):
        certificate = world.certificate(holder, not_after=end, device_key=holder, devices=1)
        world.bind(device, certificate, how="subject-name", strong=False)
    world.certificate(holder)
    world.certificate(device, not_after=world.ago(400), not_before=world.ago(500))
    assert [row["subject_device"] for row in world.run(EXPIRED)] == [device]
    assert world.run(SOON) == []


def test_a_token_beside_it_is_no_certificate(world: World) -> None:
    device = world.device()
    world.secret(device)
    world.certificate(device, not_after=world.ago(10))
    assert [row["subject_device"] for row in world.run(EXPIRED)] == [device]


def test_one_certificate_in_force_is_enough_even_one_that_nobody_anchors(world: World) -> None:
    device = world.device()
    world.certificate(device, not_before=world.ago(100), not_after=world.ago(10))
    world.certificate(device, not_before=world.ago(200), anchored=False, active_at_issuer=False)
    other = world.device()
    world.certificate(other, not_before=world.ago(100), not_after=world.ago(10))
    world.certificate(other, not_before=world.ahead(1), not_after=world.ahead(100))
    assert world.run(EXPIRED) == []


def test_where_the_newest_was_revoked_nothing_lapsed(world: World) -> None:
    device = world.device()
    world.certificate(device, not_before=world.ago(400), not_after=world.ago(100))
    world.certificate(device, not_before=world.ago(99), revoked_at=world.ago(5))
    revoked_then_expired = world.certificate(world.device(), revoked_at=world.ago(50), not_after=world.ago(5))
    assert revoked_then_expired
    assert world.run(EXPIRED) == []


@pytest.mark.parametrize("state", ["retired", "lost", "manufactured", "claimed", "quarantined", "retiring"])
def test_only_active_devices_are_missed(world: World, state: str) -> None:
    world.certificate(world.device(state=state), not_after=world.ago(10))
    world.certificate(world.device(state=state), not_after=world.ahead(10))
    assert world.run(EXPIRED) == []
    assert world.run(SOON) == []


@pytest.mark.parametrize("role", ["server", "service", "claim", "attestation", "birth"])
def test_other_roles_may_run_out(world: World, role: str) -> None:
    world.certificate(world.device(), role=role, anchored_for_operation=False, not_after=world.ago(10))
    assert world.run(EXPIRED) == []


def test_a_certificate_with_thirty_days_left_is_found(world: World) -> None:
    device = world.device()
    certificate = world.certificate(device, not_before=world.ago(335), not_after=world.ahead(30))
    (row,) = world.run(SOON)
    assert row["finding"] == row["subject_device"] == device
    assert (row["subject_credential"], row["days_left"]) == (certificate, 30.0)
    assert row["since"] == world.as_of


def test_thirty_one_days_are_not_soon(world: World) -> None:
    world.certificate(world.device(), not_before=world.ago(335), not_after=world.ahead(30, seconds=1))
    assert world.run(SOON) == []
    assert len(world.run(SOON, days=31)) == 1


@pytest.mark.parametrize(("age", "left", "found"), [(21, 9, True), (19, 11, False), (57, 28, True), (50, 35, False)])
def test_short_lives_are_judged_by_a_third(world: World, age: float, left: float, found: bool) -> None:
    world.certificate(world.device(), not_before=world.ago(age), not_after=world.ahead(left))
    assert bool(world.run(SOON)) is found


def test_a_ninety_day_life_is_judged_by_days(world: World) -> None:
    world.certificate(world.device(), not_before=world.ago(60), not_after=world.ahead(30))
    assert len(world.run(SOON)) == 1


def test_a_later_usable_certificate_takes_over(world: World) -> None:
    device = world.device()
    world.certificate(device, not_before=world.ago(360), not_after=world.ahead(5))
    world.certificate(device, not_before=world.ago(2), not_after=world.ahead(363))
    assert world.run(SOON) == []


def test_a_later_one_that_is_revoked_does_not(world: World) -> None:
    device = world.device()
    old = world.certificate(device, not_before=world.ago(360), not_after=world.ahead(5))
    world.certificate(device, not_before=world.ago(2), revoked_at=world.ago(1))
    assert [row["subject_credential"] for row in world.run(SOON)] == [old]


def test_what_has_no_end_does_not_end_soon(world: World) -> None:
    device = world.device()
    world.certificate(device, not_before=world.ago(360), not_after=world.ahead(5))
    world.certificate(device, not_before=world.ago(360), not_after=None)
    assert world.run(SOON) == []


def test_what_is_over_already_does_not_end_soon(world: World) -> None:
    world.certificate(world.device(), not_after=world.ago(1))
    world.secret(world.device(), not_after=world.ahead(5))
    assert world.run(SOON) == []


@pytest.mark.parametrize("role", ["server", "service", "claim", "attestation", "authority"])
def test_other_roles_may_end_soon(world: World, role: str) -> None:
    world.certificate(world.device(), role=role, not_after=world.ahead(5))
    assert world.run(SOON) == []


def test_a_long_life_on_a_class_that_can_rotate_is_found(world: World) -> None:
    device = world.device()
    certificate = world.certificate(device, not_before=world.ago(100), not_after=world.ahead(299))
    (row,) = world.run(LONG)
    assert row["finding"] == row["subject_credential"] == certificate
    assert (row["subject_device"], row["lifetime_days"], row["issuer"]) == (device, 399.0, "CN=Example Device CA")


def test_398_days_are_not_over(world: World) -> None:
    world.certificate(world.device(), not_before=world.ago(100), not_after=world.ahead(298))
    assert world.run(LONG) == []
    assert len(world.run(LONG, days=397)) == 1


def test_one_finding_however_many_hold_it(world: World) -> None:
    world.certificate(world.device(), world.device(), not_after=world.ahead(5000))
    assert len(world.run(LONG)) == 1


@pytest.mark.parametrize("rotation", ["manual", "none", "unknown"])
def test_classes_that_cannot_rotate_need_their_long_lives(world: World, rotation: str) -> None:
    world.certificate(world.device(rotation=rotation), not_after=world.ahead(5000))
    assert world.run(LONG) == []


@pytest.mark.parametrize("role", ["birth", "attestation", "server", "service", "claim", "authority", "unknown"])
def test_only_operational_ones_are_too_long(world: World, role: str) -> None:
    world.certificate(world.device(), role=role, not_after=world.ahead(5000))
    assert world.run(LONG) == []


def test_long_lives_that_are_over_or_endless_or_out_of_service_are_silent(world: World) -> None:
    world.certificate(world.device(), not_after=world.ahead(5000), revoked_at=world.ago(1))
    world.certificate(world.device(), not_after=None)
    world.certificate(world.device(), not_after=world.ahead(30000), no_expiry=True)
    world.certificate(world.gone_device(), not_after=world.ahead(5000))
    world.secret(world.device(), not_after=world.ahead(5000))
    assert world.run(LONG) == []


def test_one_that_begins_later_is_found(world: World) -> None:
    device = world.device()
    certificate = world.certificate(device, not_before=world.ahead(1), not_after=world.ahead(90))
    (row,) = world.run(EARLY)
    assert (row["finding"], row["subject_device"]) == (certificate, device)
    assert row["not_before"] == world.ahead(1)


def test_one_that_begins_now_has_begun(world: World) -> None:
    world.certificate(world.device(), not_before=world.as_of)
    world.certificate(world.device(), not_before=world.ahead(1), revoked_at=world.ago(1))
    world.certificate(ca=True, role="authority", not_before=world.ahead(1))
    world.secret(world.device(), not_before=world.ahead(1))
    assert world.run(EARLY) == []


@pytest.mark.parametrize("role", ["operational", "server", "service", "claim", "unknown"])
def test_a_certificate_without_an_end_is_found(world: World, role: str) -> None:
    certificate = world.certificate(world.device(), role=role, not_after=None)
    (row,) = world.run(ENDLESS)
    assert row["finding"] == row["subject_credential"] == certificate
    assert row["since"] == world.ago(100)


def test_more_than_fifty_years_are_no_end(world: World) -> None:
    certificate = world.certificate(world.device(), not_after=world.ahead(20000), no_expiry=True)
    assert [row["subject_credential"] for row in world.run(ENDLESS)] == [certificate]


@pytest.mark.parametrize("role", ["birth", "attestation", "authority"])
def test_birth_attestation_and_authority_may_last(world: World, role: str) -> None:
    world.certificate(world.device(), role=role, not_after=None, ca=role == "authority", anchored_for_operation=True)
    assert world.run(ENDLESS) == []


def test_endless_ones_that_are_ended_or_that_nobody_lets_in_are_silent(world: World) -> None:
    world.certificate(world.device(), not_after=None, revoked_at=world.ago(1))
    world.certificate(role="unknown", not_after=None, anchored=False, active_at_issuer=False)
    world.certificate(world.device(), not_after=world.ahead(10000))
    assert world.run(ENDLESS) == []


@pytest.mark.parametrize("kind", ["token", "psk", "password"])
def test_a_secret_without_an_end_is_found(world: World, kind: str) -> None:
    secret = world.secret(device := world.device(), kind=kind, not_after=None, not_before=world.ago(70))
    (row,) = world.run(SECRET)
    assert row["finding"] == row["subject_credential"] == secret
    assert (row["subject_device"], row["credential_kind"], row["since"]) == (device, kind, world.ago(70))


def test_a_sentinel_is_no_end(world: World) -> None:
    secret = world.secret(not_after=world.ahead(30000), no_expiry=True)
    assert [row["subject_credential"] for row in world.run(SECRET)] == [secret]


def test_secrets_with_an_end_ended_ones_and_ssh_keys_are_silent(world: World) -> None:
    world.secret(world.device(), not_after=world.ahead(3000))
    world.secret(world.device(), not_after=None, ended=True)
    world.ssh_key(world.device(), no_expiry=True)
    world.certificate(world.device(), not_after=None)
    assert world.run(SECRET) == []
