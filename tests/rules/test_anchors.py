"""The four rules on trust anchors: one finding per anchor certificate, one member per relying party that holds it."""

from __future__ import annotations

import pytest

from tests.rules.world import World

RULES = ("anchor-expires-soon", "anchor-expires-before-leaf", "retired-anchor-still-trusted", "unused-anchor")


def root(world: World, name: str = "Second Root", *, days: float = 5000, **columns: object) -> int:
    """A CA of ours that is in no bundle yet; returns its issuer key."""
    issuer = world.authority(name)
    world.change("credential", certificate_of(world, issuer), not_after=world.ahead(days), **columns)
    return issuer


def certificate_of(world: World, issuer: int) -> int:
    return int(world.row("issuer", issuer)["credential_key"])


def under(world: World, issuer: int, **columns: object) -> int:
    return world.certificate(world.device(), **{"issuer_key": issuer, "not_after": world.ahead(60), **columns})


# -- anchor-expires-soon


def test_expires_soon_in_two_bundles_is_one_finding(world: World) -> None:
    issuer = root(world, days=100)
    under(world, issuer)
    anchors = [world.anchor(issuer), world.anchor(issuer, 2, bundle="other.pem")]
    rows = world.run("anchor-expires-soon")
    assert {row["finding"] for row in rows} == {certificate_of(world, issuer)}
    assert sorted(row["subject_anchor"] for row in rows) == anchors
    assert {row["relying_party"] for row in rows} == {"broker", "enrolment"}
    assert {(row["days_left"], row["expires_at"], row["since"]) for row in rows} == {(100, world.ahead(100), world.ago(80))}
    assert {row["finding_severity"] for row in rows} == {"high"}


def test_nothing_hangs_under_it_so_little_is_lost(world: World) -> None:
    world.anchor(root(world, days=100))
    assert [row["finding_severity"] for row in world.run("anchor-expires-soon")] == ["low"]


@pytest.mark.parametrize("days", [-1, 181, 5000])
def test_does_not_expire_soon(days: float, world: World) -> None:
    world.anchor(root(world, days=days))
    assert world.run("anchor-expires-soon") == []


def test_the_same_name_and_key_last_longer(world: World) -> None:
    world.anchor(root(world, days=100), longest_not_after=world.ahead(4000))
    assert world.run("anchor-expires-soon") == []


def test_the_number_of_days_is_a_parameter(world: World) -> None:
    world.anchor(root(world, days=200))
    assert len(world.run("anchor-expires-soon", days=365)) == 1


def test_a_ca_in_no_bundle_is_no_anchor(world: World) -> None:
    root(world, days=100)
    assert world.run("anchor-expires-soon") == []


# -- anchor-expires-before-leaf


def test_certificates_that_outlive_their_root(world: World) -> None:
    issuer = root(world, days=300)
    under(world, issuer, not_after=world.ahead(299))
    under(world, issuer, not_after=world.ahead(302))
    under(world, issuer, not_after=world.ahead(400), not_before=world.ago(30))
    anchors = [world.anchor(issuer), world.anchor(issuer, 2)]
    rows = world.run("anchor-expires-before-leaf")
    assert {row["finding"] for row in rows} == {certificate_of(world, issuer)}
    assert sorted(row["subject_anchor"] for row in rows) == anchors
    row = rows[0]
    assert (row["certificates_that_outlive_it"], row["devices_concerned"]) == (2, 2)
    assert (row["anchor_ends_at"], row["latest_end_of_a_certificate"]) == (world.ahead(300), world.ahead(400))
    assert (row["since"], row["finding_severity"]) == (world.ago(100), "medium")


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_through_intermediates(depth: int, world: World) -> None:
    top = root(world, days=300)
    world.anchor(top)
    above = top
    for level in range(depth):
        below = root(world, f"Intermediate {level}")
        world.change("credential", certificate_of(world, below), issuer_key=above, self_signed=False)
        above = below
    under(world, above, not_after=world.ahead(400))
    (row,) = world.run("anchor-expires-before-leaf")
    assert row["finding"] == certificate_of(world, top)
    assert row["certificates_that_outlive_it"] == 1, "the intermediates, which outlive it too, are no leaves"


def test_an_expired_root_that_is_all_that_is_missing(world: World) -> None:
    issuer = root(world, days=-5)
    under(world, issuer, usable=False)
    world.anchor(issuer)
    (row,) = world.run("anchor-expires-before-leaf")
    assert (row["finding_severity"], row["anchor_ends_at"]) == ("high", world.ago(5))


@pytest.mark.parametrize(
    "columns",
    [
        {"not_after": 299},
        {"not_after": 400, "revoked_at": -1, "active_at_issuer": False},
        {"not_after": None},
        {"not_after": 400, "issuer_verified": False},
        {"not_after": 400, "ca": True},
        {"not_after": 400, "usable": False},
    ],
    ids=["ends before", "revoked", "never ends", "claimed issuer", "a CA", "not usable"],
)
def test_does_not_outlive_its_root(columns: dict[str, object], world: World) -> None:
    issuer = root(world, days=300)
    dates = {name: world.ahead(v) for name, v in columns.items() if isinstance(v, int) and not isinstance(v, bool)}
    under(world, issuer, **{**columns, **dates})
    world.anchor(issuer)
    assert world.run("anchor-expires-before-leaf") == []


def test_root_and_leaf_made_in_one_go(world: World) -> None:
    """Tools that make both for the same number of days leave a second between their ends."""
    issuer = root(world, days=300)
    under(world, issuer, not_after=world.ahead(300, seconds=1))
    world.anchor(issuer)
    assert world.run("anchor-expires-before-leaf") == []
    assert len(world.run("anchor-expires-before-leaf", slack_days=0)) == 1


def test_the_leaf_is_carried_by_a_longer_anchor_of_the_same_key(world: World) -> None:
    issuer = root(world, days=300)
    under(world, issuer, not_after=world.ahead(400))
    world.anchor(issuer, longest_not_after=world.ahead(4000))
    assert world.run("anchor-expires-before-leaf") == []


# -- retired-anchor-still-trusted


def test_replaced_and_still_in_two_bundles(world: World) -> None:
    old, new = root(world, "Root G1"), root(world, "Root G2", not_before=world.ago(700))
    under(world, new)
    columns = {"replaced_by_key": certificate_of(world, new)}
    anchors = [world.anchor(old, **columns), world.anchor(old, 2, **columns)]
    world.anchor(new)
    rows = world.run("retired-anchor-still-trusted")
    assert {row["finding"] for row in rows} == {certificate_of(world, old)}
    assert sorted(row["subject_anchor"] for row in rows) == anchors
    assert {(row["replaced_by"], row["revoked"], row["since"]) for row in rows} == {("Root G2", False, world.ago(700))}


def test_revoked_and_still_in_a_bundle(world: World) -> None:
    old = root(world, "Root G1", revoked_at=world.ago(50))
    world.anchor(old, revoked=True)
    (row,) = world.run("retired-anchor-still-trusted")
    assert (row["revoked"], row["since"], row["replaced_by"]) == (True, world.ago(50), None)


def test_certificates_under_it_that_are_over_do_not_keep_it(world: World) -> None:
    old, new = root(world, "Root G1"), root(world, "Root G2")
    under(world, old, not_after=world.ago(10))
    world.anchor(old, replaced_by_key=certificate_of(world, new))
    (row,) = world.run("retired-anchor-still-trusted")
    assert row["certificates_seen_under_it"] == 1


def test_replaced_while_certificates_under_it_work(world: World) -> None:
    old, new = root(world, "Root G1"), root(world, "Root G2")
    under(world, old)
    world.anchor(old, replaced_by_key=certificate_of(world, new))
    assert world.run("retired-anchor-still-trusted") == []


def test_replaced_and_taken_out_of_all_bundles(world: World) -> None:
    root(world, "Root G1", revoked_at=world.ago(50))
    assert world.run("retired-anchor-still-trusted") == []


# -- unused-anchor


def test_nothing_under_it_was_ever_seen(world: World) -> None:
    issuer = root(world)
    anchors = [world.anchor(issuer, bundle="a.pem"), world.anchor(issuer, 2, bundle="b.pem")]
    rows = world.run("unused-anchor")
    assert {row["finding"] for row in rows} == {certificate_of(world, issuer)}
    assert sorted(row["subject_anchor"] for row in rows) == anchors
    assert {(row["bundle"], row["relying_party"]) for row in rows} == {("a.pem", "broker"), ("b.pem", "enrolment")}


def test_an_expired_certificate_under_it_shows_its_use(world: World) -> None:
    issuer = root(world)
    under(world, issuer, not_after=world.ago(400))
    world.anchor(issuer)
    assert world.run("unused-anchor") == []


def test_what_is_reported_as_retired_is_not_told_twice(world: World) -> None:
    old, new = root(world, "Root G1"), root(world, "Root G2", revoked_at=world.ago(3))
    world.anchor(old, replaced_by_key=certificate_of(world, new))
    world.anchor(new, revoked=True)
    assert world.run("unused-anchor") == []
    assert len(world.run("retired-anchor-still-trusted")) == 2


def test_a_pinned_certificate_that_is_itself_in_use(world: World) -> None:
    """A bundle may hold a server's own certificate: nothing hangs under it, and it is used."""
    server, client = root(world, "pinned server"), root(world, "pinned client")
    shown = {"side": "server", "sessions": 5, "first_at": world.ago(5), "last_at": world.ago(1), "resolved": True}
    world.add("presented", credential_key=certificate_of(world, server), **shown)
    world.session(world.ago(1), credential=certificate_of(world, client))
    world.anchor(server)
    world.anchor(client)
    assert world.run("unused-anchor") == []
