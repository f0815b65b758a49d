"""Transfer: two parties, one open offer, in time; and what the new owner gets is free of what was the old one's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tenure.lifecycle.commands import AcceptTransfer, Asked, CancelTransfer, HandOver, OfferTransfer, ReportLost
from tenure.lifecycle.envelope import key_id
from tenure.lifecycle.facts import Facts
from tenure.lifecycle.handover import Acceptance, Agreed, Party
from tenure.lifecycle.verdict import Code
from tenure.model.access import Actor, Role
from tenure.model.devices import OfferState, TombstoneKind, TransferOffer
from tenure.model.obligations import ObligationKind, ObligationState
from tenure.model.vocabulary import CredentialKind, DeviceState
from tests.lifecycle.life import (
    ADMIN,
    AN_OFFER,
    BIRTH,
    DAY,
    DEVICE,
    DOMAIN,
    EK,
    IDEVID,
    NOW,
    OFFER,
    OPERATOR,
    OURS,
    SITE,
    THEIR_DOMAIN,
    THEIR_OPERATOR,
    THEIRS,
    TIES,
    VIEWER,
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
from tests.lifecycle.parties import RECEIVER, STRANGER

_S = DeviceState
LAST = timedelta(microseconds=1)
MAKE, ACCEPT, CANCEL = OfferTransfer(OFFER, THEIRS, None, NOW + DAY), AcceptTransfer(THEIR_DOMAIN, uid(77)), CancelTransfer()


def offered(**fields: Any) -> Facts:
    """A device that is part of an open offer, of which one thing is another."""
    offer = replace(AN_OFFER, **fields)
    return facts(_S.TRANSFERRING, offer=offer)


# offering


@pytest.mark.parametrize("state", [_S.CLAIMED, _S.ACTIVE])
def test_an_offered_device_knows_its_offer_and_the_way_back(state: DeviceState) -> None:
    found = allowed(facts(state), MAKE)
    assert (found.device.offer, found.device.resumes) == (OFFER, state)
    assert (found.device.owner, found.device.trust_domain, found.device.term) == (OURS, DOMAIN, 1)
    assert (found.opened, found.tombstones, found.left_offer, found.offer) == ((), (), None, None)


@pytest.mark.parametrize(
    "command",
    [
        replace(MAKE, to_party="fingerprint"),
        replace(MAKE, to_owner=None),
        replace(MAKE, to_owner=OURS),
        replace(MAKE, until=NOW),
    ],
    ids=["two receivers", "no receiver", "to itself", "ends at once"],
)
def test_an_offer_nobody_could_accept_is_none(command: OfferTransfer) -> None:
    assert refused(facts(), command).code is Code.OFFER_INVALID


def test_an_offer_holds_for_a_moment_at_least() -> None:
    assert allowed(facts(), replace(MAKE, until=NOW + LAST))


@pytest.mark.parametrize("missing", [{"owner": None}, {"trust_domain": None}])
def test_what_is_nobodys_is_not_offered(missing: dict[str, Any]) -> None:
    given = facts(device=device(**missing))
    assert refused(given, MAKE, asked(MAKE, ADMIN)).code is Code.OWNER_MISSING


def test_to_another_tenure_it_takes_a_root_that_proves_the_device() -> None:
    away = OfferTransfer(OFFER, None, "fingerprint", NOW + DAY)
    assert allowed(facts(), away)
    assert refused(facts(device=device(roots=())), away).code is Code.OFFER_INVALID
    assert allowed(facts(device=device(roots=())), MAKE)


# accepting


def test_the_new_owner_gets_the_device_and_nothing_of_the_old_ones() -> None:
    before = device(_S.TRANSFERRING, replaces=uid(88))
    found = allowed(facts(_S.TRANSFERRING, device=before), ACCEPT)
    assert found.device == replace(
        before,
        state=_S.CLAIMED,
        state_since=NOW,
        owner=THEIRS,
        trust_domain=THEIR_DOMAIN,
        site=uid(77),
        name=None,
        replaces=None,
        term=2,
        must_rekey=True,
        offer=None,
        resumes=None,
        last_seen=None,
        expires=None,
    )
    assert found.offer == replace(AN_OFFER, state=OfferState.ACCEPTED, settled_at=NOW)
    assert found.left_offer is None
    assert found.tombstones == ()  # the hardware is not gone
    assert allowed(offered(), AcceptTransfer(THEIR_DOMAIN)).device.site is None
    assert before.site == SITE


def test_what_the_old_owner_gave_it_is_to_end() -> None:
    opened = allowed(offered(), ACCEPT).opened
    kinds = sorted((o.kind, o.term) for o in opened)
    assert kinds == sorted(
        [
            (ObligationKind.END_CREDENTIAL, 1),
            (ObligationKind.CUT_OFF, 1),
            (ObligationKind.CLOSE_SESSIONS, 1),
            (ObligationKind.END_GRANT, 1),
            (ObligationKind.END_DELEGATION, 1),
            (ObligationKind.END_REGISTRATION, 1),
            (ObligationKind.STATE_HANDOVER, 1),
            (ObligationKind.STATE_HANDOVER, 2),
            (ObligationKind.REPLACE_KEY, 2),
        ]
    )
    assert len({o.id for o in opened}) == len(opened)
    assert {o.cause for o in opened} == {uid(1000)}


def test_the_old_owner_ends_what_hits_nobody_else_and_birth_credentials_go_with_the_device() -> None:
    alone, shared = credential(51), credential(52, kind=CredentialKind.RAW_KEY)
    ties = replace(TIES, credentials=(BIRTH, alone, shared), shared=frozenset({key("key 52")}))
    opened = allowed(replace(offered(), ties=ties), ACCEPT).opened
    assert [o.target for o in opened if o.kind is ObligationKind.END_CREDENTIAL] == [alone.id]
    assert ObligationKind.REFUSE_BIRTH not in {o.kind for o in opened}


def test_a_device_that_is_passed_on_again_owes_each_owner_its_own() -> None:
    """The first owner's obligations are still open; what they are about by name is not asked for twice."""
    first = allowed(offered(), ACCEPT).opened
    given = offered()
    again = allowed(replace(given, device=replace(given.device, term=2), obligations=first), ACCEPT)
    kinds = sorted((o.kind, o.term) for o in again.opened)
    assert kinds == sorted(
        [
            (ObligationKind.CUT_OFF, 2),
            (ObligationKind.CLOSE_SESSIONS, 2),
            (ObligationKind.STATE_HANDOVER, 3),
            (ObligationKind.REPLACE_KEY, 3),
        ]
    )
    assert [(o.kind, o.term, o.state) for o in again.voided] == [(ObligationKind.REPLACE_KEY, 2, ObligationState.VOID)]


def test_in_the_same_trust_domain_the_identity_is_not_cut_off() -> None:
    """It is the new owner's there; only its sessions and the old credentials end."""
    kinds = {o.kind for o in allowed(offered(), AcceptTransfer(DOMAIN)).opened}
    assert ObligationKind.CUT_OFF not in kinds
    assert {ObligationKind.CLOSE_SESSIONS, ObligationKind.END_CREDENTIAL} <= kinds


@pytest.mark.parametrize(
    "fields",
    [
        {"state": OfferState.ACCEPTED},
        {"state": OfferState.CANCELLED},
        {"state": OfferState.LAPSED},
        {"id": uid(99)},
        {"to_owner": None, "to_party": "fingerprint"},
        {"to_trust_domain": DOMAIN},
        {"until": NOW},
    ],
)
def test_only_an_open_offer_of_this_device_is_accepted_in_time(fields: dict[str, Any]) -> None:
    assert refused(offered(**fields), ACCEPT, asked(ACCEPT, ADMIN)).code is Code.OFFER_INVALID


def test_to_the_last_moment_and_into_the_domain_it_was_offered_to() -> None:
    assert allowed(offered(until=NOW + LAST, to_trust_domain=THEIR_DOMAIN), ACCEPT)


def test_without_its_offer_nothing_is_accepted() -> None:
    assert refused(facts(_S.TRANSFERRING, offer=None), ACCEPT).code is Code.OFFER_INVALID


@pytest.mark.parametrize("actor", [OPERATOR, VIEWER, person(1, Role.VIEWER, THEIRS), person(1, Role.OPERATOR, THEIRS, DOMAIN)])
def test_the_receiver_accepts_and_nobody_for_it(actor: Actor) -> None:
    assert refused(offered(), ACCEPT, asked(ACCEPT, actor)).code is Code.NOT_PERMITTED


# cancelling


@pytest.mark.parametrize("actor", [OPERATOR, THEIR_OPERATOR])
@pytest.mark.parametrize("before", [_S.MANUFACTURED, _S.CLAIMED, _S.ACTIVE])
def test_either_party_ends_an_offer_and_the_device_is_where_it_was(actor: Actor, before: DeviceState) -> None:
    given = facts(_S.TRANSFERRING, device=device(_S.TRANSFERRING, resumes=before))
    found = allowed(given, CANCEL, asked(CANCEL, actor))
    assert (found.device.state, found.device.offer, found.device.resumes) == (before, None, None)
    assert (found.device.owner, found.device.term) == (OURS, 1)
    assert found.offer == replace(AN_OFFER, state=OfferState.CANCELLED, settled_at=NOW)
    assert (found.opened, found.left_offer) == ((), None)


def test_after_its_end_it_is_said_to_have_lapsed() -> None:
    assert (offer := allowed(offered(until=NOW), CANCEL).offer)
    assert offer.state is OfferState.LAPSED
    assert (offer := allowed(offered(until=NOW + LAST), CANCEL).offer)
    assert offer.state is OfferState.CANCELLED


@pytest.mark.parametrize("actor", [VIEWER, person(1, Role.OPERATOR, uid(90)), person(1, Role.OPERATOR, OURS, THEIR_DOMAIN)])
def test_nobody_else_ends_it(actor: Actor) -> None:
    assert refused(offered(), CANCEL, asked(CANCEL, actor)).code is Code.NOT_PERMITTED


def test_the_receiver_declines_within_the_domain_that_was_named() -> None:
    limited = person(1, Role.OPERATOR, THEIRS, THEIR_DOMAIN)
    assert allowed(offered(to_trust_domain=THEIR_DOMAIN), CANCEL, asked(CANCEL, limited))
    assert refused(offered(to_trust_domain=DOMAIN), CANCEL, asked(CANCEL, limited)).code is Code.NOT_PERMITTED


def test_an_offer_in_the_hands_of_another_tenure_is_not_called_back() -> None:
    away = {"to_owner": None, "to_party": "fingerprint"}
    assert refused(offered(**away), CANCEL).code is Code.OFFER_INVALID
    assert allowed(offered(**away, until=NOW), CANCEL).device.state is _S.ACTIVE
    everybody = person(1, Role.OPERATOR, THEIRS)
    assert refused(offered(**away, until=NOW), CANCEL, asked(CANCEL, everybody)).code is Code.NOT_PERMITTED


@pytest.mark.parametrize("fields", [{"state": OfferState.ACCEPTED}, {"id": uid(99)}])
def test_an_answered_offer_is_not_cancelled(fields: dict[str, Any]) -> None:
    assert refused(offered(**fields), CANCEL).code is Code.OFFER_INVALID


def test_where_the_way_back_is_not_known_nothing_is_guessed() -> None:
    given = facts(_S.TRANSFERRING, device=device(_S.TRANSFERRING, resumes=None))
    assert refused(given, CANCEL).code is Code.OFFER_INVALID


# in writing, to another Tenure

DIGEST = key("the offer as signed")
PARTY = Party(uid(70), RECEIVER.public_key)


def written(**fields: Any) -> HandOver:
    made = Acceptance(OFFER, DIGEST, PARTY, NOW - DAY)
    return HandOver(Agreed(replace(made, **fields), key("file")))


def away(**fields: Any) -> Facts:
    offer: TransferOffer = replace(AN_OFFER, to_owner=None, to_party=key_id(RECEIVER.public_key))
    given = facts(_S.TRANSFERRING, offer=offer, offer_digest=DIGEST)
    return replace(given, **fields)


def test_what_was_accepted_in_writing_leaves_this_tenure_for_good() -> None:
    found = allowed(away(), written(), Asked(OPERATOR))
    assert (found.device.state, found.device.offer, found.device.resumes) == (_S.RETIRED, None, None)
    assert found.device.state_since == NOW
    assert {s.spki for s in found.tombstones if s.kind is TombstoneKind.ROOT} == {IDEVID.spki, EK.spki}
    assert found.offer
    assert (found.offer.state, found.left_offer) == (OfferState.ACCEPTED, None)
    assert {ObligationKind.END_CREDENTIAL, ObligationKind.REFUSE_BIRTH, ObligationKind.WIPE_DATA} <= {
        o.kind for o in found.opened
    }


def test_it_counts_after_the_end_of_the_offer_if_it_was_written_before() -> None:
    assert away().offer
    ended = replace(away().offer or AN_OFFER, until=NOW - DAY + LAST)
    assert allowed(away(offer=ended), written(), Asked(OPERATOR))
    assert refused(away(offer=replace(ended, until=NOW - DAY)), written(), Asked(OPERATOR)).code is Code.OFFER_INVALID


@pytest.mark.parametrize(
    "fields",
    [{"transfer": uid(98)}, {"offer": key("another")}, {"receiver": replace(PARTY, key=STRANGER.public_key)}],
)
def test_an_acceptance_is_of_this_offer_by_this_party(fields: dict[str, Any]) -> None:
    assert refused(away(), written(**fields), Asked(OPERATOR)).code is Code.OFFER_INVALID


def test_the_giver_takes_it_while_the_offer_is_open() -> None:
    assert refused(away(), written(), Asked(THEIR_OPERATOR)).code is Code.NOT_PERMITTED
    assert refused(away(offer=replace(AN_OFFER, state=OfferState.LAPSED)), written(), Asked(OPERATOR)).code is Code.OFFER_INVALID
    assert refused(away(offer_digest=None), written(), Asked(OPERATOR)).code is Code.OFFER_INVALID


def test_an_offer_to_an_owner_here_is_not_accepted_in_writing() -> None:
    assert refused(away(offer=AN_OFFER), written(), Asked(OPERATOR)).code is Code.OFFER_INVALID


# leaving an offer


def test_a_lost_device_is_no_part_of_its_offer_any_more() -> None:
    found = allowed(offered(), ReportLost())
    assert (found.left_offer, found.offer, found.device.offer, found.device.resumes) == (OFFER, None, None, None)
    assert found.device.id == DEVICE
    assert isinstance(found.left_offer, UUID)
    assert TIES.live
