"""hidden-device: who was let in and is in no inventory; one finding per hidden device, however it calls itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.world import World

RULE = "hidden-device"


def test_credential_under_our_ca_that_no_device_holds(world: World) -> None:
    stranger = world.certificate()
    world.session(world.ago(3), credential=stranger, address="192.0.2.77")
    world.session(world.ago(8), credential=stranger)
    (row,) = world.run(RULE)
    assert row["subject_credential"] == stranger
    assert row["subject_device"] is None
    assert (row["since"], row["last_accepted_at"], row["sessions"], row["addresses"]) == (world.ago(8), world.ago(3), 2, 2)


@pytest.mark.parametrize("flag", ["ours", "registered"])
def test_a_sensor_that_sees_no_names_tells_by_our_issuer(flag: str, world: World) -> None:
    """TLS sessions seen by a network sensor: nothing but a certificate. Under a stranger's CA that is not our traffic."""
    issuer = world.authority("Some CA", **{"ours": False, "registered": False, "issuance_collected": False, flag: True})
    foreign = world.authority("Foreign CA", ours=False, issuance_collected=False)
    ours = world.certificate(issuer_key=issuer)
    world.session(world.ago(3), credential=ours)
    world.session(world.ago(3), credential=world.certificate(issuer_key=foreign))
    (row,) = world.run(RULE)
    assert row["subject_credential"] == ours
    assert row["subject_client"] is None


@pytest.mark.parametrize("name", [{"user_name": "sensor-x"}, {"client_id": "sensor-x"}])
def test_a_name_of_no_device(name: dict[str, Any], world: World) -> None:
    world.session(world.ago(3), **name)
    (row,) = world.run(RULE)
    assert (row["subject_client"], row["subject_credential"], row["since"]) == ("sensor-x", None, world.ago(3))


def test_a_device_that_only_the_cloud_knows(world: World) -> None:
    device = world.device(registered=False, state="unknown")
    world.session(world.ago(3), credential=world.certificate(device))
    world.session(world.ago(2), credential=world.certificate(device))
    (row,) = world.run(RULE)
    assert row["subject_device"] == device
    assert row["sessions"] == 2


def test_many_client_ids_of_one_user_are_one_hidden_device(world: World) -> None:
    for n in range(5):
        world.session(world.ago(n + 1), user_name="crew", client_id=f"auto-{n}")
    (row,) = world.run(RULE)
    assert (row["subject_client"], row["client_ids"], row["sessions"]) == ("crew", 5, 5)


def test_many_client_ids_of_one_credential_are_one_hidden_device(world: World) -> None:
    stranger = world.certificate()
    for n in range(5):
        world.session(world.ago(n + 1), credential=stranger, client_id=f"auto-{n}")
    (row,) = world.run(RULE)
    assert (row["subject_credential"], row["subject_client"], row["client_ids"]) == (stranger, None, 5)


def test_one_client_id_at_two_relying_parties_is_one_hidden_device(world: World) -> None:
    world.session(world.ago(2), client_id="sensor-x")
    world.session(world.ago(1), client_id="sensor-x", relying_party_key=2)
    (row,) = world.run(RULE)
    assert (row["relying_parties"], row["sessions"]) == (2, 2)


def test_sessions_that_tell_only_the_name_join_those_that_told_the_credential(world: World) -> None:
    stranger = world.certificate()
    world.session(world.ago(3), credential=stranger, user_name="gw-9", client_id="a")
    world.session(world.ago(2), user_name="gw-9", client_id="b")
    (row,) = world.run(RULE)
    assert (row["subject_credential"], row["subject_client"], row["sessions"]) == (stranger, "gw-9", 2)


def test_a_name_that_one_certificate_of_no_device_carries_names_that_certificate(world: World) -> None:
    stranger = world.certificate(name="gw-9", subject="CN=gw-9")
    world.session(world.ago(2), user_name="gw-9")
    (row,) = world.run(RULE)
    assert (row["subject_credential"], row["subject_client"]) == (stranger, "gw-9")


def test_different_strangers_are_different_findings(world: World) -> None:
    world.session(world.ago(3), credential=world.certificate())
    world.session(world.ago(3), credential=world.certificate())
    world.session(world.ago(3), user_name="crew")
    world.session(world.ago(3), client_id="sensor-x")
    assert len({row["finding"] for row in world.run(RULE)}) == 4


@pytest.mark.parametrize("outcome", ["refused", "unknown"])
def test_who_was_not_let_in_is_silent(outcome: str, world: World) -> None:
    world.session(world.ago(3), credential=world.certificate(), outcome=outcome)
    world.session(world.ago(3), client_id="sensor-x", outcome=outcome)
    assert world.run(RULE) == []


@pytest.mark.parametrize("role", ["server", "service", "claim"])
def test_credentials_that_are_no_devices_are_silent(role: str, world: World) -> None:
    world.session(world.ago(3), credential=world.certificate(role=role), user_name="something", client_id="something")
    assert world.run(RULE) == []


def test_a_service_known_by_name_only_is_silent(world: World) -> None:
    world.session(world.ago(3), user_name="backend", client_id="backend-1")
    world.session(world.ago(3), user_name="CN=backend")
    assert world.run(RULE) == []


def test_a_retired_device_is_registered(world: World) -> None:
    world.session(world.ago(3), device=world.key_of("device", "lost"))
    assert world.run(RULE) == []


def test_a_credential_that_several_registered_devices_hold_is_theirs(world: World) -> None:
    shared = world.certificate(world.device(), world.device(), name="shared", subject="CN=shared")
    world.session(world.ago(3), credential=shared, client_id="x")
    world.session(world.ago(2), user_name="shared", client_id="y")
    assert world.run(RULE) == []


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [("name", "gw-twin", "GW_Twin"), ("serial", "SN77", "sn77"), ("thing-name", "Pump.7", "Pump.7")],
)
def test_a_name_that_several_registered_devices_carry_is_theirs(kind: str, value: str, said: str, world: World) -> None:
    """Equal serials of two makers, one host name twice: it is one of them, nobody can tell which."""
    records = [world.record(world.device()), world.record(world.device())]
    world.identifier(kind, value, *records, strong=False)
    world.session(world.ago(3), client_id=said)
    world.session(world.ago(3), user_name=said, client_id="anything")
    assert world.run(RULE) == []


def test_a_name_of_an_unregistered_device_explains_nothing(world: World) -> None:
    world.identifier("name", "gw-twin", world.record(world.device(registered=False, state="unknown"), 6), strong=False)
    world.session(world.ago(3), client_id="gw-twin")
    assert len(world.run(RULE)) == 1


def test_a_name_without_power_explains_nothing(world: World) -> None:
    world.identifier("name", "device", world.record(world.device()), strong=False, non_identifying=True)
    world.session(world.ago(3), client_id="device")
    assert len(world.run(RULE)) == 1


def test_sessions_that_name_nobody_are_silent(world: World) -> None:
    world.session(world.ago(3))
    assert world.run(RULE) == []
