"""stale-identity: valid, watched and not used for 90 days."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.world import World

RULE = "stale-identity"


def test_a_certificate_that_was_not_used_for_ninety_days_is_found(world: World) -> None:
    device = world.device()
    certificate = world.certificate(device, not_before=world.ago(170))
    world.session(world.ago(120), credential=certificate)
    (row,) = world.run(RULE)
    assert row["finding"] == row["subject_credential"] == certificate
    assert row["subject_device"] == device
    assert row["since"] == row["last_used_at"] == world.ago(120)
    assert row["watched_by"] == "sessions of its place"


def test_one_that_was_never_used_is_stale_since_its_issue(world: World) -> None:
    certificate = world.certificate(world.device(), not_before=world.ago(91))
    (row,) = world.run(RULE)
    assert (row["subject_credential"], row["since"], row["last_maybe_used_at"]) == (certificate, world.ago(91), None)


def test_ninety_days_to_the_second(world: World) -> None:
    world.certificate(world.device(), not_before=world.ago(90))
    used = world.certificate(world.device(), not_before=world.ago(170))
    world.session(world.ago(90), credential=used)
    assert world.run(RULE) == []
    world.certificate(world.device(covered_since=world.ago(90), covered_until=world.ago(7)), not_before=world.ago(90, seconds=1))
    assert len(world.run(RULE)) == 1


def test_ninety_days_are_a_parameter(world: World) -> None:
    certificate = world.certificate(world.device(), not_before=world.ago(60))
    assert world.run(RULE) == []
    assert [row["subject_credential"] for row in world.run(RULE, days=50)] == [certificate]


def test_use_that_may_have_been_its_acquits(world: World) -> None:
    device = world.device()
    world.certificate(device, not_before=world.ago(170))
    world.session(world.ago(50), device=device)
    assert world.run(RULE) == []


def test_a_renewal_is_younger_than_the_time(world: World) -> None:
    device = world.device()
    world.certificate(device, not_before=world.ago(170))
    world.certificate(device, not_before=world.ago(80))
    assert world.run(RULE) == []


def test_only_the_newest_of_a_device_counts(world: World) -> None:
    device = world.device()
    world.certificate(device, not_before=world.ago(170))
    world.session(world.ago(1), credential=world.certificate(device, not_before=world.ago(150)))
    assert world.run(RULE) == []


@pytest.mark.parametrize(
    "columns",
    [
        {"covered": False, "covered_since": None, "covered_until": None},
        {"covered_since": "short"},
        {"covered_until": "ended"},
    ],
)
def test_a_place_that_was_not_watched_all_the_time_says_nothing(world: World, columns: dict[str, Any]) -> None:
    times = {"short": world.ago(89), "ended": world.ago(8)}
    known = {name: times.get(str(value), value) for name, value in columns.items()}
    device = world.device(state="active", **known)
    world.certificate(device, not_before=world.ago(170))
    assert world.run(RULE) == []


def test_a_log_that_ends_some_days_before_still_spans_the_time(world: World) -> None:
    certificate = world.certificate(world.device(covered_until=world.ago(5)), not_before=world.ago(170))
    assert [row["subject_credential"] for row in world.run(RULE)] == [certificate]
    assert world.run(RULE, slack_days=4) == []


@pytest.mark.parametrize("state", ["claimed", "quarantined", "retired", "lost", "manufactured", "retiring"])
def test_only_active_devices_are_expected_to_connect(world: World, state: str) -> None:
    world.certificate(world.device(state=state), not_before=world.ago(170))
    assert world.run(RULE) == []


def test_behind_a_gateway_nobody_watches(world: World) -> None:
    device = world.device(behind_gateway=True, gateway_key=world.key_of("device", "gateway"))
    world.certificate(device, not_before=world.ago(170))
    assert world.run(RULE) == []


def test_behind_a_gateway_and_once_seen_by_itself_it_is_watched(world: World) -> None:
    device = world.device(behind_gateway=True, gateway_key=world.key_of("device", "gateway"))
    certificate = world.certificate(device, not_before=world.ago(170))
    world.session(world.ago(160), credential=certificate)
    assert [row["subject_credential"] for row in world.run(RULE)] == [certificate]


def test_a_birth_certificate_counts_where_the_device_works_with_nothing_else(world: World) -> None:
    device = world.device()
    birth = world.birth_certificate(device, anchored_for_operation=True)
    assert [row["subject_credential"] for row in world.run(RULE)] == [birth]
    world.secret(device)
    assert world.run(RULE) == []


def test_a_birth_certificate_for_enrolment_only_is_not_for_daily_use(world: World) -> None:
    world.birth_certificate(world.device())
    assert world.run(RULE) == []


@pytest.mark.parametrize("role", ["attestation", "claim", "server", "service"])
def test_roles_that_are_not_for_daily_use_are_silent(world: World, role: str) -> None:
    world.certificate(world.device(), role=role, not_before=world.ago(170))
    assert world.run(RULE) == []


def test_what_is_over_is_not_stale(world: World) -> None:
    world.certificate(world.device(), not_before=world.ago(170), revoked_at=world.ago(1))
    world.certificate(world.device(), not_before=world.ago(170), not_after=world.ago(1))
    assert world.run(RULE) == []


def test_a_secret_is_judged_by_what_its_store_tells_wherever_the_device_is(world: World) -> None:
    device = world.device(covered=False, covered_since=None, covered_until=None, behind_gateway=True)
    secret = world.secret(device, not_before=world.ago(200), last_used_at=world.ago(95))
    (row,) = world.run(RULE)
    assert (row["subject_credential"], row["since"], row["watched_by"]) == (secret, world.ago(95), "store of secrets")


def test_a_secret_never_used_is_stale_where_its_store_tells_of_use(world: World) -> None:
    secret = world.secret(world.device(), not_before=world.ago(95), last_used_at=None)
    assert [row["subject_credential"] for row in world.run(RULE)] == [secret]


def test_a_store_that_tells_of_no_use_says_nothing(world: World) -> None:
    world.source("secrets", name="psk-file")
    world.secret(world.device(), kind="psk", not_before=world.ago(95), last_used_at=None, source_key=8)
    assert world.run(RULE) == []


def test_an_old_export_of_a_store_says_nothing_of_today(world: World) -> None:
    world.change("source", 5, speaks_as_of=world.ago(60))
    world.secret(world.device(), not_before=world.ago(200), last_used_at=world.ago(95))
    assert world.run(RULE) == []


def test_a_secret_renewed_since_may_have_been_used_last_before(world: World) -> None:
    world.secret(world.device(), not_before=world.ago(50), last_used_at=world.ago(140))
    assert world.run(RULE) == []


def test_a_noted_ssh_key_is_not_watched(world: World) -> None:
    world.ssh_key(world.device(), not_before=world.ago(200), usable=True)
    assert world.run(RULE) == []
