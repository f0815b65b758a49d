"""orphaned-credential and device-without-credential: two halves that do not meet."""

from __future__ import annotations

import pytest

from tests.rules.world import World

ORPHAN = "orphaned-credential"
BARE = "device-without-credential"


def test_a_usable_credential_of_nobody_that_nobody_used_is_found(world: World) -> None:
    certificate = world.certificate(not_before=world.ago(70))
    (row,) = world.run(ORPHAN)
    assert row["finding"] == row["subject_credential"] == certificate
    assert (row["since"], row["issuer"]) == (world.ago(70), "CN=Example Device CA")


@pytest.mark.parametrize("role", ["operational", "unknown"])
def test_roles_that_a_device_may_have_count(world: World, role: str) -> None:
    assert world.certificate(role=role) in {row["subject_credential"] for row in world.run(ORPHAN)}


def test_an_unused_secret_of_nobody_counts(world: World) -> None:
    secret = world.secret(last_used_at=None)
    assert [row["subject_credential"] for row in world.run(ORPHAN)] == [secret]


@pytest.mark.parametrize("role", ["server", "service", "claim", "attestation"])
def test_roles_that_are_no_devices_identity_do_not(world: World, role: str) -> None:
    world.certificate(role=role)
    assert world.run(ORPHAN) == []


def test_a_ca_certificate_belongs_to_no_device_and_need_not(world: World) -> None:
    world.authority("Another CA")
    world.certificate(role="unknown", ca=True)
    assert world.run(ORPHAN) == []


def test_one_seen_in_use_is_a_hidden_device_instead(world: World) -> None:
    world.session(world.ago(1), credential=world.certificate())
    world.certificate(last_maybe_used_at=world.ago(1))
    world.secret(last_used_at=world.ago(1))
    assert world.run(ORPHAN) == []


def test_one_shown_on_the_wire_is_in_use(world: World) -> None:
    certificate = world.certificate(role="unknown")
    world.add("presented", credential_key=certificate, side="server", sessions=0, resolved=True)
    assert world.run(ORPHAN) == []


def test_one_that_is_over_lets_nobody_in(world: World) -> None:
    world.certificate(revoked_at=world.ago(1))
    world.certificate(not_after=world.ago(1))
    world.certificate(anchored=False, anchored_for_operation=False, active_at_issuer=False)
    world.ssh_key()
    assert world.run(ORPHAN) == []


def test_a_birth_certificate_in_stock_is_bound_and_one_for_enrolment_opens_nothing(world: World) -> None:
    world.birth_certificate(world.device(state="manufactured"), anchored_for_operation=True)
    world.birth_certificate()
    assert world.run(ORPHAN) == []


def test_any_binding_even_by_name_gives_it_a_holder(world: World) -> None:
    world.bind(world.gone_device(), world.certificate(), strong=False, how="subject-name")
    world.certificate(world.device(), world.device())
    assert world.run(ORPHAN) == []


def test_an_active_device_with_nothing_is_found(world: World) -> None:
    device = world.device(installed_at=world.ago(33), last_seen_at=world.ago(2))
    (row,) = world.run(BARE)
    assert row["finding"] == row["subject_device"] == device
    assert (row["since"], row["gateway_says"], row["last_seen_at"]) == (world.ago(33), "no gateway", world.ago(2))


def test_a_client_id_is_no_credential(world: World) -> None:
    device = world.device()
    world.session(world.ago(1), device=device, linked_by="client-id", user_name=None, subject_kind="client-id")
    assert [row["subject_device"] for row in world.run(BARE)] == [device]


def test_a_gateway_without_credential_vouches_for_nobody(world: World) -> None:
    gateway = world.device("bare-gateway", state="claimed")
    sensor = world.device(gateway_key=gateway, behind_gateway=True)
    (row,) = world.run(BARE)
    assert (row["subject_device"], row["gateway"]) == (sensor, "bare-gateway")
    assert row["gateway_says"] == "its gateway has no credential either"


def test_a_gateway_that_no_inventory_knows_vouches_for_nobody(world: World) -> None:
    sensor = world.device(behind_gateway=True)
    (row,) = world.run(BARE)
    assert (row["subject_device"], row["gateway_says"]) == (sensor, "its gateway is in no inventory")


@pytest.mark.parametrize("kind", ["token", "psk", "password"])
def test_any_secret_will_do(world: World, kind: str) -> None:
    world.secret(world.device(), kind=kind)
    assert world.run(BARE) == []


def test_any_credential_will_do_be_it_over_or_a_birth_certificate_or_an_ssh_key(world: World) -> None:
    world.certificate(world.device(), revoked_at=world.ago(1))
    world.certificate(world.device(), not_after=world.ago(1))
    world.birth_certificate(world.device())
    world.ssh_key(world.device())
    world.certificate(world.device(), world.device())
    assert world.run(BARE) == []


def test_behind_a_gateway_with_a_credential_is_enough(world: World) -> None:
    gateway = world.device()
    world.certificate(gateway)
    world.device(gateway_key=gateway, behind_gateway=True)
    assert world.run(BARE) == []


def test_one_that_logs_in_under_its_own_user_name_holds_something(world: World) -> None:
    world.session(world.ago(1), device=world.device(), link="name")
    assert world.run(BARE) == []


def test_a_refused_login_shows_no_credential(world: World) -> None:
    device = world.device()
    world.session(world.ago(1), device=device, link="name", outcome="refused")
    assert [row["subject_device"] for row in world.run(BARE)] == [device]


@pytest.mark.parametrize("state", ["claimed", "manufactured", "retiring", "retired", "lost", "quarantined", "unknown"])
def test_only_active_devices_must_have_one(world: World, state: str) -> None:
    world.device(state=state)
    assert world.run(BARE) == []
