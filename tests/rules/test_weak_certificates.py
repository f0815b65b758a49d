"""weak-key, weak-signature and debug-or-test-issuer: usable certificates of devices in service, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.world import World

RULES = ("weak-key", "weak-signature", "debug-or-test-issuer")


def spoil(world: World, rule: str, *devices: int, **columns: object) -> int:
    """A certificate with the defect of this rule, in all else healthy unless columns say otherwise."""
    if rule == "weak-key":
        weak = world.key(algorithm="rsa", bits=1024, curve=None, exponent="65537", weakness="RSA under 2048 bits")
        return world.certificate(*devices, **{"key_key": weak, **columns})
    if rule == "weak-signature":
        return world.certificate(*devices, **{"signature_hash": "sha1", **columns})
    return world.certificate(*devices, **{"test_issuer": "its name says Test", **columns})


@pytest.mark.parametrize("rule", RULES)
def test_names_certificate_device_and_beginning(rule: str, world: World) -> None:
    device = world.device()
    certificate = spoil(world, rule, device)
    (row,) = world.run(rule)
    assert row["finding"] == row["subject_credential"] == certificate
    assert row["subject_device"] == device
    assert row["since"] == world.ago(100)


@pytest.mark.parametrize("rule", RULES)
def test_one_certificate_on_two_devices_is_one_finding(rule: str, world: World) -> None:
    devices = [world.device(), world.device()]
    certificate = spoil(world, rule, *devices)
    rows = world.run(rule)
    assert {row["finding"] for row in rows} == {certificate}
    assert sorted(row["subject_device"] for row in rows) == devices


@pytest.mark.parametrize("rule", RULES)
def test_said_by_two_sources_is_one_row(rule: str, world: World) -> None:
    certificate = spoil(world, rule, device := world.device())
    world.bind(device, certificate, how="subject-serial", source_key=2)
    assert len(world.run(rule)) == 1


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("state", ["claimed", "quarantined", "transferring"])
def test_every_state_in_service_counts(rule: str, state: str, world: World) -> None:
    spoil(world, rule, world.device(state=state))
    assert len(world.run(rule)) == 1


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("over", ["expired", "revoked", "not anchored"])
def test_what_is_not_usable_is_silent(rule: str, over: str, world: World) -> None:
    columns: dict[str, Any] = {
        "expired": {"not_after": world.ago(1)},
        "revoked": {"revoked_at": world.ago(1), "active_at_issuer": False},
        "not anchored": {"anchored": False, "anchored_for_operation": False, "active_at_issuer": False},
    }
    spoil(world, rule, world.device(), **columns[over])
    assert world.run(rule) == []


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("state", ["retired", "lost", "manufactured", "retiring"])
def test_devices_out_of_service_are_silent(rule: str, state: str, world: World) -> None:
    spoil(world, rule, world.device(state=state))
    assert world.run(rule) == []


@pytest.mark.parametrize("rule", RULES)
def test_a_certificate_of_no_device_is_silent(rule: str, world: World) -> None:
    spoil(world, rule)
    assert world.run(rule) == []


@pytest.mark.parametrize("rule", RULES)
def test_a_birth_certificate_good_for_enrolment_only_is_silent(rule: str, world: World) -> None:
    trust = {"role": "birth", "anchored_for_operation": False, "active_at_issuer": False}
    spoil(world, rule, world.device(), **trust)
    assert world.run(rule) == []


def test_weak_key_tells_what_is_weak(world: World) -> None:
    spoil(world, "weak-key", world.device())
    (row,) = world.run("weak-key")
    assert (row["weakness"], row["key_algorithm"], row["key_bits"]) == ("RSA under 2048 bits", "rsa", 1024)


def test_weak_ssh_and_secret_keys_are_no_certificates(world: World) -> None:
    weak = world.key(algorithm="dsa", bits=1024, weakness="DSA")
    world.ssh_key(world.device(), key_key=weak)
    assert world.run("weak-key") == []


@pytest.mark.parametrize("hash_name", ["md5", "sha1"])
def test_weak_signature_tells_hash_and_issuer(hash_name: str, world: World) -> None:
    world.certificate(world.device(), signature_hash=hash_name)
    (row,) = world.run("weak-signature")
    assert (row["signature_hash"], row["issuer"]) == (hash_name, "CN=Example Device CA")


@pytest.mark.parametrize("hash_name", ["sha256", "sha512", None])
def test_strong_and_unnamed_hashes_are_silent(hash_name: str | None, world: World) -> None:
    world.certificate(world.device(), signature_hash=hash_name)
    assert world.run("weak-signature") == []


def test_the_self_signature_of_an_anchor_does_not_count(world: World) -> None:
    """A root that is kept on a device, and a self-signed certificate that a bundle holds."""
    device = world.device()
    root = world.authority("Old Root", ours=False, issuance_collected=False)
    certificate = world.row("issuer", root)["credential_key"]
    world.change("credential", certificate, signature_hash="sha1")
    world.bind(device, certificate)
    pinned = world.certificate(device, signature_hash="sha1", self_signed=True)
    world.add("anchor", credential_key=pinned, issuer_key=1, relying_party_key=1, bundle="pinned.pem", source_key=3)
    assert world.run("weak-signature") == []


def test_the_self_signature_of_what_is_no_anchor_counts(world: World) -> None:
    world.certificate(world.device(), signature_hash="sha1", self_signed=True)
    assert len(world.run("weak-signature")) == 1


def test_test_issuer_tells_why(world: World) -> None:
    spoil(world, "debug-or-test-issuer", world.device())
    (row,) = world.run("debug-or-test-issuer")
    assert row["why_a_test_issuer"] == "its name says Test"


@pytest.mark.parametrize("rule", RULES)
def test_a_name_does_not_outweigh_a_record(rule: str, world: World) -> None:
    """The cloud attaches the certificate to one device; another, long swapped out, had its name."""
    certificate = spoil(world, rule, holder := world.device())
    world.bind(world.device(), certificate, how="subject-name", strong=False)
    assert [row["subject_device"] for row in world.run(rule)] == [holder]
