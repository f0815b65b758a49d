"""Service: whose a device becomes, with which key it is active, and what quarantine leads back to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tenure.lifecycle.commands import Activate, Claim, Quarantine, Release
from tenure.lifecycle.facts import Facts, Ties
from tenure.lifecycle.verdict import Code
from tenure.model.access import Role
from tenure.model.credentials import Credential, KeyState
from tenure.model.devices import Tombstone, TombstoneKind
from tenure.model.vocabulary import CredentialRole, DeviceState
from tests.lifecycle.life import (
    ADMIN,
    CLASS,
    DEVICE,
    DOMAIN,
    NOW,
    OFFER,
    OURS,
    SITE,
    SUCCESSOR,
    THEIR_DOMAIN,
    THEIRS,
    allowed,
    asked,
    credential,
    device,
    facts,
    key,
    person,
    refused,
    uid,
)

_S = DeviceState


def test_a_claim_gives_the_first_owner() -> None:
    found = allowed(facts(_S.MANUFACTURED), Claim(OURS, DOMAIN, uid(55), uid(56))).device
    assert (found.owner, found.trust_domain, found.site, found.device_class) == (OURS, DOMAIN, uid(55), uid(56))
    kept = allowed(facts(_S.MANUFACTURED), Claim(OURS, DOMAIN)).device
    assert (kept.site, kept.device_class) == (SITE, CLASS)


def test_in_stock_of_its_owner_it_is_claimed_by_that_owner_only() -> None:
    given = facts(device=device(_S.MANUFACTURED, owner=OURS, trust_domain=DOMAIN))
    assert allowed(given, Claim(OURS, DOMAIN)).device.owner == OURS
    assert refused(given, Claim(THEIRS, DOMAIN)).code is Code.FOREIGN_OWNER


def test_nobody_claims_for_others() -> None:
    given = facts(device=device(_S.MANUFACTURED, owner=OURS, trust_domain=DOMAIN))
    limited = person(9, Role.OPERATOR, OURS, DOMAIN)
    for command in (Claim(OURS, THEIR_DOMAIN),):
        assert refused(given, command, asked(command, limited)).code is Code.NOT_PERMITTED
        assert allowed(given, command, asked(command, ADMIN)).device.trust_domain == THEIR_DOMAIN


def rekeying(*credentials: Credential, shared: frozenset[bytes] = frozenset(), **fields: Any) -> Facts:
    """A device of term 2 that must have new keys; of its first term it had ``key 40``."""
    old = credential(40, state=KeyState.DEACTIVATED)
    ties = Ties((old, *credentials), shared)
    given = Facts(device(_S.CLAIMED, term=2, must_rekey=True), ties)
    return replace(given, **fields)


NEW_KEY = credential(41, term=2)


def test_a_new_key_of_this_term_makes_it_active() -> None:
    found = allowed(rekeying(NEW_KEY), Activate()).device
    assert (found.state, found.must_rekey, found.term) == (_S.ACTIVE, False, 2)
    assert allowed(rekeying(credential(41, term=2, state=KeyState.PRE_ACTIVE)), Activate())


@pytest.mark.parametrize(
    "broken",
    [
        (),
        (replace(NEW_KEY, term=1),),
        (replace(NEW_KEY, spki=key("key 40")),),
        (replace(NEW_KEY, spki=None),),
        (replace(NEW_KEY, state=KeyState.DEACTIVATED),),
        (replace(NEW_KEY, state=KeyState.SUSPENDED),),
        (replace(NEW_KEY, role=CredentialRole.BIRTH),),
        (replace(NEW_KEY, role=CredentialRole.CLAIM),),
    ],
    ids=["none", "of the old term", "the old key again", "no key", "ended", "suspended", "birth", "claim"],
)
def test_nothing_else_does(broken: tuple[Credential, ...]) -> None:
    assert refused(rekeying(*broken), Activate()).code is Code.KEY_MISSING


def test_a_key_that_others_have_is_no_key_of_its_own() -> None:
    assert refused(rekeying(NEW_KEY, shared=frozenset({key("key 41")})), Activate()).code is Code.KEY_MISSING


def test_a_key_of_its_life_elsewhere_is_not_new() -> None:
    given = rekeying(NEW_KEY)
    assert (
        refused(replace(given, ties=replace(given.ties, former=frozenset({key("key 41")}))), Activate()).code is Code.KEY_MISSING
    )


def test_a_buried_key_is_none() -> None:
    stone = Tombstone(key("key 41"), TombstoneKind.KEY, SUCCESSOR, 1, _S.RETIRED, NOW)
    assert refused(rekeying(NEW_KEY, tombstones=(stone,)), Activate()).code is Code.KEY_MISSING
    root = replace(stone, kind=TombstoneKind.ROOT, returned_at=NOW)
    assert allowed(rekeying(NEW_KEY, tombstones=(root,)), Activate())


def test_one_good_key_among_others_is_enough() -> None:
    assert allowed(rekeying(replace(NEW_KEY, spki=key("key 40")), credential(42, term=2)), Activate())


def test_in_its_first_term_it_may_be_active_before_it_has_a_key() -> None:
    assert allowed(facts(_S.CLAIMED, Ties()), Activate()).device.state is _S.ACTIVE


@pytest.mark.parametrize("before", [_S.MANUFACTURED, _S.CLAIMED, None])
def test_quarantine_of_an_offered_device_is_no_way_round_activation(before: DeviceState | None) -> None:
    given = facts(device=device(_S.TRANSFERRING, resumes=before), offer=facts(_S.TRANSFERRING).offer)
    assert refused(given, Quarantine()).code is Code.WRONG_STATE


def test_quarantine_takes_a_device_out_of_its_offer() -> None:
    found = allowed(facts(_S.TRANSFERRING), Quarantine())
    assert (found.device.offer, found.device.resumes, found.left_offer, found.offer) == (None, None, OFFER, None)
    assert allowed(facts(), Quarantine()).left_offer is None


def test_nothing_ends_by_quarantine_or_release() -> None:
    for state, command in ((_S.ACTIVE, Quarantine()), (_S.QUARANTINED, Release())):
        found = allowed(facts(state), command)
        assert (found.tombstones, found.opened, found.voided, found.shared_keys) == ((), (), (), ())
        kept = replace(found.device, state=state, state_since=device(state).state_since)
        assert kept == device(state)
        assert found.device.id == DEVICE
