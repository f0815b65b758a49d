"""revoked-credential-still-accepted and expired-credential-still-accepted: relying parties that did not look."""

from __future__ import annotations

import pytest

from tests.rules.world import World

REVOKED = "revoked-credential-still-accepted"
EXPIRED = "expired-credential-still-accepted"


def test_a_session_that_began_after_the_revocation_is_found(world: World) -> None:
    device = world.device()
    certificate = world.certificate(device, revoked_at=world.ago(20))
    world.session(world.ago(21), credential=certificate)
    world.session(world.ago(19), credential=certificate)
    world.session(world.ago(2), credential=certificate)
    (row,) = world.run(REVOKED)
    assert row["finding"] == row["subject_credential"] == certificate
    assert row["subject_device"] == device
    assert row["since"] == row["first_accepted_at"] == world.ago(19)
    assert (row["revoked_at"], row["last_accepted_at"], row["sessions"]) == (world.ago(20), world.ago(2), 2)


def test_each_relying_party_that_did_not_look_is_a_row(world: World) -> None:
    certificate = world.certificate(world.device(), revoked_at=world.ago(20))
    world.session(world.ago(10), credential=certificate)
    world.session(world.ago(5), credential=certificate, relying_party_key=2)
    rows = world.run(REVOKED)
    assert {row["finding"] for row in rows} == {certificate}
    assert {row["relying_party"]: row["since"] for row in rows} == {"broker": world.ago(10), "enrolment": world.ago(5)}


def test_a_credential_of_no_device_counts_too(world: World) -> None:
    certificate = world.certificate(revoked_at=world.ago(20))
    world.session(world.ago(1), credential=certificate)
    assert [row["subject_device"] for row in world.run(REVOKED)] == [None]


def test_a_session_that_began_at_or_before_the_revocation_may_last(world: World) -> None:
    certificate = world.certificate(world.device(), revoked_at=world.ago(20))
    world.session(world.ago(20), credential=certificate, ended_at=world.ago(1))
    world.session(world.ago(25), credential=certificate, ended_at=None)
    assert world.run(REVOKED) == []


@pytest.mark.parametrize("outcome", ["refused", "unknown"])
def test_what_was_not_accepted_does_not_count(world: World, outcome: str) -> None:
    revoked = world.certificate(world.device(), revoked_at=world.ago(20))
    expired = world.certificate(world.device(), not_after=world.ago(20))
    world.session(world.ago(1), credential=revoked, outcome=outcome)
    world.session(world.ago(1), credential=expired, outcome=outcome)
    assert world.run(REVOKED) == []
    assert world.run(EXPIRED) == []


def test_a_name_alone_does_not_show_which_certificate_was_used(world: World) -> None:
    device = world.device()
    world.certificate(device, revoked_at=world.ago(20))
    world.certificate(device, not_after=world.ago(20))
    world.session(world.ago(1), device=device)
    assert world.run(REVOKED) == []
    assert world.run(EXPIRED) == []


def test_revoked_at_a_time_nobody_tells_is_no_time_to_be_late_for(world: World) -> None:
    certificate = world.certificate(world.device(), ended=True)
    world.session(world.ago(1), credential=certificate)
    assert world.run(REVOKED) == []


def test_a_session_after_the_end_is_found(world: World) -> None:
    certificate = world.certificate(device := world.device(), not_after=world.ago(20))
    world.session(world.ago(20, hours=1), credential=certificate)
    world.session(world.ago(3), credential=certificate)
    (row,) = world.run(EXPIRED)
    assert row["finding"] == row["subject_credential"] == certificate
    assert (row["subject_device"], row["told_by"], row["sessions"]) == (device, "session", 1)
    assert row["since"] == world.ago(3)


def test_a_secret_last_used_after_its_end_is_found(world: World) -> None:
    secret = world.secret(world.device(), not_after=world.ago(20), last_used_at=world.ago(2))
    (row,) = world.run(EXPIRED)
    assert (row["subject_credential"], row["told_by"], row["since"]) == (secret, "store of secrets", world.ago(2))


def test_a_secret_seen_in_sessions_is_told_once(world: World) -> None:
    secret = world.secret(world.device(), kind="psk", not_after=world.ago(20), last_used_at=world.ago(2))
    world.session(world.ago(2), credential=secret)
    assert [row["told_by"] for row in world.run(EXPIRED)] == ["session"]


def test_the_last_second_of_validity_is_valid(world: World) -> None:
    certificate = world.certificate(world.device(), not_after=world.ago(20))
    world.session(world.ago(20), credential=certificate)
    world.secret(world.device(), not_after=world.ago(20), last_used_at=world.ago(20))
    assert world.run(EXPIRED) == []


def test_what_has_no_end_is_not_over(world: World) -> None:
    certificate = world.birth_certificate(world.device())
    world.session(world.ago(1), credential=certificate)
    world.secret(world.device(), not_after=None)
    assert world.run(EXPIRED) == []


def test_expired_and_last_used_in_its_time_is_no_finding(world: World) -> None:
    world.secret(world.device(), not_after=world.ago(20), last_used_at=world.ago(21))
    world.secret(world.device(), not_after=world.ago(20), last_used_at=None)
    assert world.run(EXPIRED) == []
