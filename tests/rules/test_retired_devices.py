"""retired-device-still-trusted and retired-device-still-connecting: what left service and was not let go."""

from __future__ import annotations

import pytest

from tests.rules.world import World

TRUSTED = "retired-device-still-trusted"
CONNECTING = "retired-device-still-connecting"


def test_a_retired_device_with_a_usable_certificate_is_found(world: World) -> None:
    device = world.gone_device("gone", left=world.ago(60))
    certificate = world.certificate(device, not_before=world.ago(100))
    (row,) = world.run(TRUSTED)
    assert row["finding"] == row["subject_device"] == device
    assert row["subject_credential"] == certificate
    assert row["since"] == world.ago(60)
    assert row["left_service_at"] == world.ago(60)
    assert row["held_by"] == "principal"
    assert row["strongly_held"] is True


def test_a_stolen_device_is_as_gone_as_a_retired_one(world: World) -> None:
    device = world.gone_device("stolen", state="lost")
    world.certificate(device)
    assert [row["subject_device"] for row in world.run(TRUSTED)] == [device]


def test_a_certificate_issued_after_the_device_left_counts_from_its_issue(world: World) -> None:
    device = world.gone_device(left=world.ago(60))
    world.certificate(device, not_before=world.ago(10))
    (row,) = world.run(TRUSTED)
    assert row["since"] == world.ago(10)


def test_nobody_says_when_it_left_so_nobody_says_since_when(world: World) -> None:
    device = world.gone_device()
    world.change("device", device, left_service_at=None)
    world.certificate(device)
    (row,) = world.run(TRUSTED)
    assert row["since"] is None


def test_a_certificate_active_only_in_its_cloud_is_trust_enough(world: World) -> None:
    device = world.gone_device()
    world.certificate(device, issuer_key=None, anchored=False, anchored_for_operation=False, active_at_issuer=True)
    (row,) = world.run(TRUSTED)
    assert (row["anchored"], row["active_at_issuer"]) == (False, True)


def test_each_credential_of_one_device_is_a_row_of_one_finding(world: World) -> None:
    device = world.gone_device()
    held = {world.certificate(device), world.secret(device), world.secret(device, kind="psk", not_after=None)}
    rows = world.run(TRUSTED)
    assert {row["finding"] for row in rows} == {device}
    assert {row["subject_credential"] for row in rows} == held


def test_an_unexpired_secret_counts_whatever_its_store_says_of_trust(world: World) -> None:
    device = world.gone_device()
    secret = world.secret(device, active_at_issuer=False)
    assert [row["subject_credential"] for row in world.run(TRUSTED)] == [secret]


def test_a_credential_that_a_device_in_service_holds_too_is_still_held_by_the_gone_one(world: World) -> None:
    gone = world.gone_device()
    world.certificate(gone, world.device())
    (row,) = world.run(TRUSTED)
    assert (row["subject_device"], row["holders"]) == (gone, 2)


def test_bindings_by_several_sources_are_one_row(world: World) -> None:
    device = world.gone_device()
    certificate = world.certificate(device)
    world.bind(device, certificate, source_key=6, how="request")
    assert len(world.run(TRUSTED)) == 1


@pytest.mark.parametrize("state", ["active", "claimed", "quarantined", "transferring", "manufactured", "retiring", "unknown"])
def test_devices_that_are_not_gone_may_hold_trust(world: World, state: str) -> None:
    world.certificate(world.device(state=state))
    assert world.run(TRUSTED) == []


def test_certificates_that_are_over_are_no_trust(world: World) -> None:
    device = world.gone_device()
    world.certificate(device, revoked_at=world.ago(1))
    world.certificate(device, not_after=world.ago(1))
    world.certificate(device, ended=True, active_at_issuer=False)
    world.certificate(device, anchored=False, anchored_for_operation=False, active_at_issuer=False)
    world.secret(device, not_after=world.ago(1))
    world.secret(device, ended=True)
    assert world.run(TRUSTED) == []


def test_a_birth_certificate_trusted_for_enrolment_only_is_silent_and_one_trusted_for_operation_is_not(world: World) -> None:
    device = world.gone_device()
    birth = world.birth_certificate(device)
    assert world.run(TRUSTED) == []
    world.change("credential", birth, anchored_for_operation=True)
    assert [row["subject_credential"] for row in world.run(TRUSTED)] == [birth]


def test_a_noted_ssh_host_key_lets_nobody_in(world: World) -> None:
    world.ssh_key(world.gone_device(), usable=True)
    assert world.run(TRUSTED) == []


def test_the_replacement_of_a_swap_under_one_name_is_another_device(world: World) -> None:
    old = world.gone_device("swap", left=world.ago(40))
    world.certificate(old, revoked_at=world.ago(40))
    new = world.device("swap", installed_at=world.ago(40))
    world.certificate(new, name="swap")
    assert world.run(TRUSTED) == []


def test_a_name_says_nothing_where_something_stronger_does(world: World) -> None:
    gone, new = world.gone_device("swap"), world.device("swap")
    certificate = world.certificate(new, device_key=new, devices=1)
    world.bind(gone, certificate, how="subject-name", strong=False)
    assert world.run(TRUSTED) == []


def test_a_name_counts_where_nothing_stronger_speaks(world: World) -> None:
    gone = world.gone_device("only-one-of-this-name")
    certificate = world.certificate()
    world.bind(gone, certificate, how="subject-name", strong=False)
    (row,) = world.run(TRUSTED)
    assert (row["subject_credential"], row["strongly_held"]) == (certificate, False)


def test_a_session_after_the_day_it_left_is_found(world: World) -> None:
    device = world.gone_device("gone", left=world.ago(30))
    certificate = world.certificate(device, revoked_at=world.ago(30))
    world.session(world.ago(31), credential=certificate)
    world.session(world.ago(20), credential=certificate, address="192.0.2.1")
    world.session(world.ago(10), credential=certificate, address="192.0.2.2")
    (row,) = world.run(CONNECTING)
    assert row["finding"] == row["subject_device"] == device
    assert row["subject_credential"] == certificate
    assert row["since"] == world.ago(20)
    assert (row["sessions"], row["last_accepted_at"], row["addresses"]) == (2, world.ago(10), 2)
    assert (row["proved_by"], row["relying_party"]) == ("certificate", "broker")


def test_an_authenticated_user_name_that_is_its_own_is_proof(world: World) -> None:
    device = world.gone_device(left=world.ago(30))
    world.session(world.ago(20), device=device, link="name", user_name="plc_7")
    (row,) = world.run(CONNECTING)
    assert (row["subject_credential"], row["proved_by"], row["user_name"]) == (None, "name", "plc_7")


def test_a_secret_used_after_it_left_is_found_in_its_store(world: World) -> None:
    device = world.gone_device(left=world.ago(30))
    world.secret(device, last_used_at=world.ago(30))
    secret = world.secret(device, last_used_at=world.ago(3))
    (row,) = world.run(CONNECTING)
    assert (row["subject_credential"], row["proved_by"], row["since"]) == (secret, "store of secrets", world.ago(3))


@pytest.mark.parametrize("outcome", ["refused", "unknown"])
def test_attempts_that_were_not_accepted_do_not_count(world: World, outcome: str) -> None:
    device = world.gone_device(left=world.ago(30))
    world.session(world.ago(20), credential=world.certificate(device), outcome=outcome)
    assert world.run(CONNECTING) == []


def test_a_client_id_is_only_what_a_client_calls_itself(world: World) -> None:
    device = world.gone_device(left=world.ago(30))
    world.session(world.ago(20), device=device, link="strong", linked_by="client-id", subject_kind="client-id", user_name=None)
    assert world.run(CONNECTING) == []


def test_a_credential_that_others_hold_too_does_not_show_who_used_it(world: World) -> None:
    device = world.gone_device(left=world.ago(30))
    shared = world.certificate(device, world.device())
    world.session(world.ago(20), credential=shared, device=device)
    assert world.run(CONNECTING) == []


def test_the_end_of_the_day_it_left_is_still_that_day(world: World) -> None:
    device = world.gone_device(left=world.ago(30))
    certificate = world.certificate(device)
    world.session(world.ago(30), credential=certificate)
    world.session(world.ago(30, hours=9), credential=certificate)
    assert world.run(CONNECTING) == []
    world.session(world.ago(30, seconds=-1), credential=certificate)
    assert len(world.run(CONNECTING)) == 1


def test_without_a_day_it_left_no_use_is_too_late(world: World) -> None:
    device = world.gone_device()
    world.change("device", device, left_service_at=None)
    world.session(world.ago(1), credential=world.certificate(device))
    world.secret(device, last_used_at=world.ago(1))
    assert world.run(CONNECTING) == []


def test_the_replacement_of_a_swap_connects_as_itself(world: World) -> None:
    world.gone_device("swap", left=world.ago(40))
    world.session(world.ago(1), credential=world.certificate(world.device("swap")))
    assert world.run(CONNECTING) == []


def test_a_device_in_service_may_connect(world: World) -> None:
    device = world.device(left_service_at=world.ago(30))
    world.session(world.ago(1), credential=world.certificate(device))
    assert world.run(CONNECTING) == []
