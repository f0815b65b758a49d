"""unissued-certificate, unknown-issuer and no-revocation-path: who signed, who recorded it, and who can take it back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.world import World


def unlisted(world: World, *devices: int, **columns: object) -> int:
    """A certificate that our CA's key signed and its record does not know."""
    certificate = world.certificate(*devices, **columns)
    world.tables["issuance"] = [row for row in world.tables["issuance"] if row["credential_key"] != certificate]
    world.tables["status"] = [row for row in world.tables["status"] if row["credential_key"] != certificate]
    return certificate


def test_signed_by_us_and_not_on_record(world: World) -> None:
    certificate = unlisted(world, device := world.device())
    (row,) = world.run("unissued-certificate")
    assert row["finding"] == row["subject_credential"] == certificate
    assert (row["subject_device"], row["subject_issuer"]) == (device, 1)
    assert row["since"] == world.ago(100)
    assert (row["issuer"], row["is_a_ca_certificate"]) == ("CN=Example Device CA", False)


def test_one_that_no_device_holds_and_one_that_is_over_count_too(world: World) -> None:
    unlisted(world)
    unlisted(world, world.device(), not_after=world.ago(2))
    assert len(world.run("unissued-certificate")) == 2


def test_an_intermediate_nobody_recorded_counts(world: World) -> None:
    unlisted(world, role="authority", ca=True)
    (row,) = world.run("unissued-certificate")
    assert row["is_a_ca_certificate"]


def test_a_claimed_signature_accuses_nobody(world: World) -> None:
    unlisted(world, world.device(), issuer_verified=False)
    assert world.run("unissued-certificate") == []


def test_an_issuer_whose_record_is_not_collected(world: World) -> None:
    unlisted(world, world.device(), issuer_key=2)
    assert world.run("unissued-certificate") == []


def test_a_record_of_another_issuer_does_not_help(world: World) -> None:
    other = world.authority("Second CA")
    certificate = unlisted(world, world.device())
    serial = world.row("credential", certificate)["serial_hex"]
    world.issuance(None, issuer_key=other, serial_hex=serial, issued_at=world.ago(5), source_key=2)
    assert [row["subject_credential"] for row in world.run("unissued-certificate")] == [certificate]


def test_on_record_by_serial_alone(world: World) -> None:
    serial = world.row("credential", unlisted(world, world.device()))["serial_hex"]
    world.issuance(None, issuer_key=1, serial_hex=serial, issued_at=world.ago(100), source_key=2)
    assert world.run("unissued-certificate") == []


def test_older_than_the_record(world: World) -> None:
    world.change("issuer", 1, issuance_since=world.ago(99))
    unlisted(world, world.device())
    assert world.run("unissued-certificate") == []
    world.change("issuer", 1, issuance_since=world.ago(101))
    assert len(world.run("unissued-certificate")) == 1


def test_younger_than_the_record(world: World) -> None:
    unlisted(world, world.device(), not_before=world.ago(0.5))
    assert world.run("unissued-certificate") == [], "the log was exported a day ago"


def test_the_issuers_own_certificates_are_on_nobodys_record(world: World) -> None:
    """The self-signed root, and its key certified anew by itself under another name."""
    unlisted(world, ca=True, role="authority", key_key=world.row("issuer", 1)["key_key"])
    assert world.run("unissued-certificate") == []


def test_an_empty_record_lists_nothing(world: World) -> None:
    world.certificate(world.device(), issuer_key=(empty := world.authority("Quiet CA")))
    world.tables["issuance"] = [row for row in world.tables["issuance"] if row["issuer_key"] != empty]
    assert [row["issuer"] for row in world.run("unissued-certificate")] == ["CN=Quiet CA"]


def shown(world: World, credential: int, **columns: object) -> None:
    default = {"side": "client", "sessions": 3, "first_at": world.ago(9), "last_at": world.ago(2), "resolved": False}
    world.add("presented", **{"credential_key": credential, **default, **columns})


def stranger(world: World, *devices: int, **columns: object) -> int:
    issuer = world.add("issuer", name="CN=Somebody Root", organisation="Somebody", ours=False)
    trust = {"anchored": False, "anchored_for_operation": False, "active_at_issuer": False, "issuer_verified": False}
    return world.certificate(*devices, **{"issuer_key": issuer, **trust, **columns})


def test_shown_by_a_device_and_ending_nowhere(world: World) -> None:
    shown(world, certificate := stranger(world, device := world.device()))
    (row,) = world.run("unknown-issuer")
    assert row["finding"] == row["subject_credential"] == certificate
    assert (row["subject_device"], row["issuer"]) == (device, "CN=Somebody Root")
    assert (row["since"], row["last_shown_at"], row["sessions"]) == (world.ago(9), world.ago(2), 3)


def test_shown_and_refused_is_told_as_well(world: World) -> None:
    shown(world, stranger(world), accepted=0)
    (row,) = world.run("unknown-issuer")
    assert (row["accepted_sessions"], row["subject_device"]) == (0, None)


def test_one_certificate_is_one_finding(world: World) -> None:
    certificate = stranger(world)
    shown(world, certificate)
    shown(world, certificate, first_at=world.ago(40))
    (row,) = world.run("unknown-issuer")
    assert (row["since"], row["sessions"]) == (world.ago(40), 6)


@pytest.mark.parametrize("columns", [{"side": "server"}, {"resolved": True}], ids=["a server's", "resolved"])
def test_no_unknown_issuer_of_a_device(columns: dict[str, Any], world: World) -> None:
    shown(world, stranger(world), **columns)
    assert world.run("unknown-issuer") == []


def test_registered_one_by_one_in_the_cloud(world: World) -> None:
    """A cloud that made the certificate, or took it without its CA, accepts that very certificate."""
    shown(world, certificate := stranger(world, world.device()))
    world.status(certificate, "valid", authority="cloud", source_key=6)
    assert world.run("unknown-issuer") == []


def test_collected_but_never_shown(world: World) -> None:
    stranger(world, world.device())
    assert world.run("unknown-issuer") == []


def test_one_finding_per_issuer_with_the_count(world: World) -> None:
    other = world.authority("Cloud CA")
    world.certificate(world.device(), crl_url=False, not_before=world.ago(200))
    world.certificate(world.device(), crl_url=False)
    world.certificate(role="server", crl_url=False, issuer_key=other)
    rows = {row["finding"]: row for row in world.run("no-revocation-path")}
    assert rows.keys() == {1, other}
    first = rows[1]
    assert (first["subject_issuer"], first["certificates"], first["devices"], first["ours"]) == (1, 2, 2, True)
    assert (first["since"], first["longest_lifetime_days"]) == (world.ago(200), 465.0)


@pytest.mark.parametrize(
    "columns",
    [
        {"crl_url": True},
        {"ocsp_url": True},
        {"role": "birth"},
        {"role": "attestation"},
        {"role": "claim"},
        {"role": "authority", "ca": True},
        {"self_signed": True},
        {"key_key": None},
        {"revoked_at": "yesterday", "active_at_issuer": False},
    ],
    ids=["CRL", "OCSP", "birth", "attestation", "claim", "CA", "self-signed", "known from a log only", "over"],
)
def test_no_path_is_needed_or_there_is_one(columns: dict[str, Any], world: World) -> None:
    if "revoked_at" in columns:
        columns = {**columns, "revoked_at": world.ago(1)}
    world.certificate(world.device(), **{"crl_url": False, **columns})
    assert world.run("no-revocation-path") == []


def test_a_week_needs_no_path(world: World) -> None:
    world.certificate(world.device(), crl_url=False, not_before=world.ago(3), not_after=world.ahead(4))
    assert world.run("no-revocation-path") == []
    world.certificate(world.device(), crl_url=False, not_before=world.ago(3), not_after=world.ahead(5))
    assert [row["certificates"] for row in world.run("no-revocation-path")] == [1]


def test_without_end_is_longer_than_a_week(world: World) -> None:
    world.certificate(world.device(), crl_url=False, not_after=None)
    (row,) = world.run("no-revocation-path")
    assert (row["certificates"], row["longest_lifetime_days"]) == (1, None)
