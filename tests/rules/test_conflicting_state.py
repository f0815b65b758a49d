"""conflicting-state: sources that speak of one thing at one time and disagree; who spoke earlier could not know."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.rules.roll_rows import Row
from tests.rules.world import World, healthy_world

RULE = "conflicting-state"
CA, CLOUD = 2, 6


@pytest.fixture
def world(as_of: datetime) -> World:
    """The healthy fleet with the CRL of its CA, made a day ago: all that the CA's index calls revoked stands on it."""
    world = healthy_world(as_of)
    for row in [row for row in world.tables["status"] if row["status"] == "revoked"]:
        world.status(row["credential_key"], "revoked", authority="crl", effective_at=row["effective_at"])
    assert world.run(RULE) == []
    return world


def held(world: World, *devices: int, **columns: object) -> int:
    """A certificate of which no source has said anything yet."""
    certificate = world.certificate(*devices, **columns)
    world.tables["status"] = [row for row in world.tables["status"] if row["credential_key"] != certificate]
    return certificate


def says(world: World, certificate: int, authority: str, status: str, **columns: object) -> None:
    source = {"cloud": CLOUD}.get(authority, CA)
    world.status(certificate, status, **{"authority": authority, "source_key": source, **columns})


def only(world: World) -> Row:
    (row,) = world.run(RULE)
    return row


@pytest.mark.parametrize("authority", ["crl", "ca-index", "issuance-log"])
@pytest.mark.parametrize("status", ["revoked", "suspended"])
def test_ended_at_the_ca_and_active_in_the_cloud(authority: str, status: str, world: World) -> None:
    certificate = held(world, device := world.device())
    says(world, certificate, authority, status, effective_at=world.ago(0.5))
    says(world, certificate, "cloud", "valid", status_text="ACTIVE", stated_at=world.ago(0.1))
    row = only(world)
    assert (row["subject_device"], row["subject_credential"], row["finding"]) == (device, certificate, 2 * device)
    assert row["since"] == row["ended_at"] == world.ago(0.5)
    assert row["kind_of_conflict"] == "ended at the CA, active in the cloud"
    assert (row["ended_says"], row["alive_says"], row["alive_text"]) == ("openssl-ca", "aws-iot", "ACTIVE")


def test_a_certificate_of_no_device_has_a_finding_of_its_own(world: World) -> None:
    certificate = held(world)
    says(world, certificate, "crl", "revoked", effective_at=world.ago(20))
    says(world, certificate, "cloud", "valid")
    row = only(world)
    assert (row["subject_device"], row["finding"]) == (None, 2 * certificate + 1)


@pytest.mark.parametrize("status", ["deactivated", "revoked", "pending", "expired", "unknown"])
def test_the_cloud_agrees_or_does_not_call_it_active(status: str, world: World) -> None:
    certificate = held(world, world.device())
    says(world, certificate, "crl", "revoked", effective_at=world.ago(20))
    says(world, certificate, "cloud", status)
    assert world.run(RULE) == []


def test_the_cloud_was_asked_before_the_revocation(world: World) -> None:
    certificate = held(world, world.device())
    says(world, certificate, "crl", "revoked", effective_at=world.ago(20))
    says(world, certificate, "cloud", "valid", stated_at=world.ago(21))
    assert world.run(RULE) == []


def test_where_the_statement_has_no_time_the_exports_age_decides(world: World) -> None:
    certificate = held(world, world.device())
    says(world, certificate, "crl", "revoked", effective_at=world.ago(20))
    says(world, certificate, "cloud", "valid", stated_at=None)
    assert len(world.run(RULE)) == 1
    world.change("source", CLOUD, speaks_as_of=world.ago(21))
    assert world.run(RULE) == []


def test_an_expired_certificate_is_no_quarrel(world: World) -> None:
    certificate = held(world, world.device(), not_after=world.ago(1))
    says(world, certificate, "crl", "revoked", effective_at=world.ago(20))
    says(world, certificate, "cloud", "valid")
    says(world, certificate, "ca-index", "valid")
    assert world.run(RULE) == []


def test_switched_off_in_the_cloud_alone_is_the_clouds_business(world: World) -> None:
    certificate = held(world, world.device())
    says(world, certificate, "ca-index", "valid")
    says(world, certificate, "cloud", "deactivated", effective_at=world.ago(5))
    assert world.run(RULE) == []


@pytest.mark.parametrize("log", ["ca-index", "issuance-log"])
def test_on_the_crl_and_valid_in_the_log(log: str, world: World) -> None:
    certificate = held(world, world.device())
    says(world, certificate, "crl", "revoked", effective_at=world.ago(7))
    says(world, certificate, log, "valid", stated_at=None)
    assert only(world)["kind_of_conflict"] == "on the CRL, valid in the log"


def test_a_log_exported_before_the_revocation_could_not_know(world: World) -> None:
    old = world.source("issuance-log", speaks_as_of=world.ago(8))
    certificate = held(world, world.device())
    says(world, certificate, "crl", "revoked", effective_at=world.ago(7))
    says(world, certificate, "issuance-log", "valid", source_key=old, stated_at=None)
    assert world.run(RULE) == []


def test_crl_and_index_of_one_folder_are_of_one_time(world: World) -> None:
    """Its index has no date of its own; whatever it seems to speak as of, the CRL beside it is no younger."""
    certificate = held(world, world.device())
    says(world, certificate, "crl", "revoked", effective_at=world.ago(7))
    says(world, certificate, "ca-index", "valid", stated_at=world.ago(30))
    assert len(world.run(RULE)) == 1


def test_ended_in_the_log_and_missing_from_a_younger_crl(world: World) -> None:
    certificate = held(world, device := world.device())
    says(world, certificate, "ca-index", "revoked", effective_at=world.ago(7))
    row = only(world)
    assert (row["subject_device"], row["subject_credential"]) == (device, certificate)
    assert row["kind_of_conflict"] == "ended in the log, missing from the CRL"
    assert (row["since"], row["alive_stated_at"]) == (world.ago(7), world.ago(1))


@pytest.mark.parametrize("days_ago", [0.3, None], ids=["younger than thisUpdate", "at a time nobody tells"])
def test_an_entry_that_the_crl_could_not_hold(days_ago: float | None, world: World) -> None:
    certificate = held(world, world.device())
    moment = None if days_ago is None else world.ago(days_ago)
    says(world, certificate, "ca-index", "revoked", effective_at=moment)
    assert world.run(RULE) == []


def test_a_crl_may_drop_what_has_expired(world: World) -> None:
    certificate = held(world, world.device(), not_after=world.ago(2))
    says(world, certificate, "ca-index", "revoked", effective_at=world.ago(7))
    assert world.run(RULE) == []


def test_no_crl_of_this_ca_was_collected(world: World) -> None:
    certificate = held(world, world.device(), issuer_key=world.authority("Second CA"))
    says(world, certificate, "ca-index", "revoked", effective_at=world.ago(7))
    assert world.run(RULE) == []


def test_two_records_of_one_device_in_service_and_gone(world: World) -> None:
    device = world.device()
    world.record(device, 6, state="retired", state_text="Retired", left_service_at=world.ago(12))
    row = only(world)
    assert (row["finding"], row["subject_device"], row["subject_credential"]) == (2 * device, device, None)
    assert row["kind_of_conflict"] == "one record in service, one gone"
    assert (row["ended_text"], row["alive_text"], row["since"]) == ("Retired", "active", world.ago(12))


@pytest.mark.parametrize("state", [None, "active", "manufactured", "retiring", "unknown"])
def test_another_record_that_does_not_say_gone(state: str | None, world: World) -> None:
    world.record(world.device(), 6, state=state)
    assert world.run(RULE) == []


def test_two_records_of_a_retired_device(world: World) -> None:
    world.record(world.gone_device(), 6, state="lost")
    assert world.run(RULE) == []


def test_an_rma_swap_is_two_devices(world: World) -> None:
    """The healthy fleet has one already; here both halves carry the same name and place."""
    world.gone_device("pump-7", serial="OLD")
    world.device("pump-7", serial="NEW")
    assert world.run(RULE) == []


def test_gone_in_the_inventory_and_active_in_the_cloud(world: World) -> None:
    device = world.gone_device()
    says(world, certificate := held(world, device), "cloud", "valid", status_text="ACTIVE")
    row = only(world)
    assert (row["subject_device"], row["subject_credential"]) == (device, certificate)
    assert row["kind_of_conflict"] == "gone in the inventory, active in the cloud"
    assert (row["ended_says"], row["ended_text"], row["since"]) == ("cmdb", "retired", world.ago(60))


def test_the_cloud_was_asked_before_it_left(world: World) -> None:
    says(world, held(world, world.gone_device()), "cloud", "valid", stated_at=world.ago(61))
    assert world.run(RULE) == []


def test_the_cloud_switched_it_off(world: World) -> None:
    says(world, held(world, world.gone_device()), "cloud", "deactivated")
    assert world.run(RULE) == []


def test_a_certificate_that_others_in_service_hold_too(world: World) -> None:
    says(world, held(world, world.gone_device(), world.device()), "cloud", "valid")
    assert world.run(RULE) == []


def test_all_conflicts_of_a_device_are_one_finding(world: World) -> None:
    device = world.gone_device()
    certificate = held(world, device)
    says(world, certificate, "cloud", "valid")
    says(world, certificate, "crl", "revoked", effective_at=world.ago(20))
    rows = world.run(RULE)
    assert {row["finding"] for row in rows} == {2 * device}
    assert len({row["kind_of_conflict"] for row in rows}) == 2
