"""anchor-key-on-device: a CA's certificate or key where a device's own should be."""

from __future__ import annotations

import pytest

from tests.rules.world import World

RULE = "anchor-key-on-device"


def ca_certificate(world: World, issuer: int = 1) -> int:
    return int(world.row("issuer", issuer)["credential_key"])


def ca_key(world: World, issuer: int = 1) -> int:
    return int(world.row("issuer", issuer)["key_key"])


@pytest.mark.parametrize("how", ["principal", "holder", "session"])
def test_a_ca_certificate_attached_to_a_device(how: str, world: World) -> None:
    device = world.device()
    world.bind(device, ca_certificate(world), how=how, since=world.ago(7))
    (row,) = world.run(RULE)
    assert (row["subject_device"], row["subject_credential"]) == (device, ca_certificate(world))
    assert (row["subject_key"], row["finding"]) == (ca_key(world), 2 * ca_key(world))
    assert (row["what"], row["found_as"], row["since"]) == ("CA certificate", how, world.ago(7))
    assert (row["finding_severity"], row["trusted_by_somebody"]) == ("critical", True)


def test_a_ca_certificate_shown_by_a_client_as_its_own(world: World) -> None:
    world.add("presented", credential_key=ca_certificate(world), side="client", sessions=1, first_at=world.ago(3),
              last_at=world.ago(3), resolved=True)  # fmt: skip
    (row,) = world.run(RULE)
    assert (row["subject_credential"], row["found_as"]) == (ca_certificate(world), "shown by a client")
    assert row["since"] == world.ago(3)


def test_a_leaf_with_the_key_of_a_ca(world: World) -> None:
    leaf = world.certificate(device := world.device(), key_key=ca_key(world))
    (row,) = world.run(RULE)
    assert (row["subject_device"], row["subject_credential"]) == (device, leaf)
    assert (row["what"], row["authority"]) == ("leaf with the key of a CA", "CN=Example Device CA")


def test_an_ssh_host_key_that_is_the_key_of_a_ca(world: World) -> None:
    world.ssh_key(world.device(), key_key=ca_key(world))
    assert len(world.run(RULE)) == 1


def test_one_key_on_many_devices_is_one_finding(world: World) -> None:
    for _ in range(3):
        world.certificate(world.device(), key_key=ca_key(world))
    rows = world.run(RULE)
    assert len(rows) == 3
    assert len({row["finding"] for row in rows}) == 1


def test_a_ca_certificate_that_only_a_sensor_saw_has_no_known_key(world: World) -> None:
    told = world.certificate(role="authority", ca=True, key_key=None, issuer_verified=False)
    world.add("presented", credential_key=told, side="client", sessions=1, first_at=world.ago(3), last_at=world.ago(3))
    (row,) = world.run(RULE)
    assert (row["finding"], row["subject_key"], row["subject_credential"]) == (2 * told + 1, None, told)


def test_a_self_signed_certificate_that_calls_itself_a_ca_is_less_grave(world: World) -> None:
    """What ``openssl req -x509`` makes: nobody trusts it as an authority and it signed nothing."""
    key = world.key()
    world.certificate(world.device(), ca=True, self_signed=True, key_key=key,
                      issuer_key=world.add("issuer", name="CN=self", key_key=key, ours=False))  # fmt: skip
    (row,) = world.run(RULE)
    assert (row["finding_severity"], row["trusted_by_somebody"]) == ("medium", False)


def test_a_self_signed_leaf_is_its_own_issuer_and_no_ca(world: World) -> None:
    key = world.key()
    world.certificate(world.device(), self_signed=True, key_key=key,
                      issuer_key=world.add("issuer", name="CN=self", key_key=key, ours=False))  # fmt: skip
    assert world.run(RULE) == []


@pytest.mark.parametrize("how", ["subject-serial", "subject-mac", "subject-name", "request"])
def test_a_ca_that_only_names_the_device(how: str, world: World) -> None:
    """A gateway that runs a CA of its own for what is behind it: the certificate names it, nobody uses it as a leaf."""
    world.bind(world.device(), ca_certificate(world), how=how)
    assert world.run(RULE) == []


def test_a_ca_certificate_in_bundles_and_chains(world: World) -> None:
    world.anchor(1, 2)
    world.add("presented", credential_key=ca_certificate(world), side="server", sessions=1, first_at=world.ago(3),
              last_at=world.ago(3), resolved=True)  # fmt: skip
    assert world.run(RULE) == []


def test_a_ca_renewed_with_its_key(world: World) -> None:
    world.certificate(role="authority", ca=True, key_key=ca_key(world), self_signed=True)
    assert world.run(RULE) == []
