"""mixed-assurance-domain: hardware keys and shared or never-ending secrets open the same doors."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.rules.world import World, healthy_world

RULE = "mixed-assurance-domain"


@pytest.fixture
def domain(world: World) -> int:
    """A trust domain of its own with two hardware-backed devices that hold certificates."""
    key = world.add("domain", name="line 2")
    for _ in range(2):
        device = world.device(domain_key=key, hardware_security="tpm2", hardware_backed=True)
        world.certificate(device)
    return key


def test_names_the_devices_on_a_never_ending_secret(world: World, domain: int) -> None:
    device = world.device(domain_key=domain)
    token = world.secret(device, not_after=None, not_before=world.ago(30))
    (row,) = world.run(RULE)
    assert (row["finding"], row["subject_domain"]) == (domain, domain)
    assert (row["subject_device"], row["subject_credential"]) == (device, token)
    assert (row["hardware_backed_devices"], row["secret_kind"]) == (2, "token")
    assert (row["never_ends"], row["shared"], row["since"]) == (True, False, world.ago(30))


@pytest.mark.parametrize("kind", ["token", "psk", "password"])
def test_names_all_who_share_a_secret(kind: str, world: World, domain: int) -> None:
    secret = world.key(kind="secret", algorithm=None, bits=None, curve=None)
    devices = [world.device(domain_key=domain) for _ in range(3)]
    for device in devices:
        world.secret(device, kind=kind, key_key=secret)
    rows = world.run(RULE)
    assert {row["finding"] for row in rows} == {domain}
    assert sorted(row["subject_device"] for row in rows) == devices
    assert {(row["shared"], row["never_ends"]) for row in rows} == {(True, False)}


def test_the_defect_begins_when_both_are_there(world: World, domain: int) -> None:
    world.secret(world.device(domain_key=domain), not_after=None, not_before=world.ago(900))
    (row,) = world.run(RULE)
    assert row["since"] == world.ago(100), "the first certificate of a hardware-backed device"


@pytest.mark.parametrize(
    ("device", "secret"),
    [
        ({}, {}),
        ({}, {"not_after": None, "revoked_at": "yesterday", "active_at_issuer": False}),
        ({}, {"not_after": None, "not_before": "tomorrow"}),
        ({"state": "retired"}, {"not_after": None}),
        ({"state": "manufactured"}, {"not_after": None}),
        ({"domain_key": None}, {"not_after": None}),
        ({"behind_gateway": True, "gateway_key": 1}, {"not_after": None}),
    ],
    ids=["a secret of its own that ends", "revoked", "not begun", "retired", "in stock", "no domain", "behind a gateway"],
)
def test_is_no_weak_member(device: dict[str, Any], secret: dict[str, Any], world: World, domain: int) -> None:
    moments = {"yesterday": world.ago(1), "tomorrow": world.ahead(1)}
    columns: dict[str, Any] = {name: moments.get(value, value) for name, value in secret.items()}
    world.secret(world.device(**{"domain_key": domain, **device}), **columns)
    assert world.run(RULE) == []


def test_a_device_with_a_certificate_as_well(world: World, domain: int) -> None:
    device = world.device(domain_key=domain)
    world.secret(device, not_after=None)
    world.certificate(device)
    assert world.run(RULE) == []


def test_an_expired_certificate_does_not_help(world: World, domain: int) -> None:
    device = world.device(domain_key=domain)
    world.secret(device, not_after=None)
    world.certificate(device, not_after=world.ago(3))
    assert len(world.run(RULE)) == 1


def test_a_device_with_nothing_at_all_is_another_rules_finding(world: World, domain: int) -> None:
    world.device(domain_key=domain)
    assert world.run(RULE) == []


@pytest.mark.parametrize(
    ("hardware", "certificate"),
    [
        ({"hardware_backed": False, "hardware_security": "software"}, {}),
        ({}, {"not_after": "yesterday"}),
        ({}, {"role": "attestation"}),
        ({"state": "retired"}, {}),
    ],
    ids=["software keys", "expired", "an attestation key only", "retired"],
)
def test_a_domain_without_strong_members_is_not_mixed(
    hardware: dict[str, Any], certificate: dict[str, Any], as_of: datetime
) -> None:
    world = healthy_world(as_of)
    domain = world.add("domain", name="line 3")
    backed = {"hardware_backed": True, "hardware_security": "tpm2", "domain_key": domain}
    end = {"not_after": world.ago(1)} if "not_after" in certificate else certificate
    world.certificate(world.device(**{**backed, **hardware}), **end)
    world.secret(world.device(domain_key=domain), not_after=None)
    assert world.run(RULE) == []


def test_weak_and_strong_in_different_domains(world: World, domain: int) -> None:
    other = world.add("domain", name="legacy")
    world.secret(world.device(domain_key=other), not_after=None)
    assert world.run(RULE) == []
