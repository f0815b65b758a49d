"""Ends and returns: what is barred, what is owed, what takes the role, what is forgotten, and how hardware comes back.

Long because what an end leaves is one table, tested cell by cell.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tenure.lifecycle.comeback import FRESH
from tenure.lifecycle.commands import Asked, Command, Forget, Replace, ReportLost, Retire, Return
from tenure.lifecycle.facts import Facts, Ties
from tenure.lifecycle.obligations import CLOSING, closers
from tenure.lifecycle.verdict import Code
from tenure.model.access import Role
from tenure.model.credentials import Credential, KeyState
from tenure.model.devices import Tombstone, TombstoneKind
from tenure.model.obligations import EvidenceKind, Obligation, ObligationKind, ObligationState
from tenure.model.vocabulary import CredentialKind, CredentialRole, DeviceState
from tests.lifecycle.life import (
    ADMIN,
    ANCHOR,
    BIRTH,
    BROKER,
    CLASS,
    DAY,
    DELEGATION,
    DEVICE,
    DOMAIN,
    EK,
    GRANT,
    IDEVID,
    NEW_HARDWARE,
    NOW,
    OPERATIONAL,
    OURS,
    SITE,
    SUCCESSOR,
    THEIR_DOMAIN,
    THEIR_OPERATOR,
    THEIRS,
    THING,
    TIES,
    agreed,
    allowed,
    asked,
    credential,
    device,
    facts,
    key,
    person,
    proof,
    refused,
    uid,
)

_S, _K = DeviceState, ObligationKind
ENDS: list[Command] = [Retire(), ReportLost(), Replace(SUCCESSOR)]


def stones(given: Facts, command: Command) -> dict[bytes, TombstoneKind]:
    return {stone.spki: stone.kind for stone in allowed(given, command).tombstones}


def owed(given: Facts, command: Command) -> list[tuple[ObligationKind, str, object, object]]:
    return sorted(((o.kind, o.target_kind, o.target, o.relying_party) for o in allowed(given, command).opened), key=str)


# tombstones


@pytest.mark.parametrize("command", ENDS)
def test_hardware_and_keys_that_were_its_alone_are_barred(command: Command) -> None:
    """Its birth key is a root too, and has a root's tombstone: it may come back with the hardware."""
    assert stones(facts(), command) == {
        IDEVID.spki: TombstoneKind.ROOT,
        EK.spki: TombstoneKind.ROOT,
        key("key 31"): TombstoneKind.KEY,
    }
    found = allowed(facts(), command)
    assert {(s.device, s.term, s.state, s.at, s.returned_at) for s in found.tombstones} == {
        (DEVICE, 1, found.device.state, NOW, None)
    }
    assert found.shared_keys == ()


def test_keys_of_all_terms_and_states_are_barred() -> None:
    old = credential(40, state=KeyState.DESTROYED)
    soft_birth = credential(41, CredentialRole.BIRTH)
    given = facts(ties=Ties((old, soft_birth, credential(42, spki=None))), device=device(roots=(), term=2))
    assert stones(given, Retire()) == {key("key 40"): TombstoneKind.KEY, key("key 41"): TombstoneKind.KEY}
    assert {s.term for s in allowed(given, Retire()).tombstones} == {2}


@pytest.mark.parametrize("spki", [key("key 31"), EK.spki, IDEVID.spki])
def test_what_siblings_share_is_not_barred_but_opens_a_campaign(spki: bytes) -> None:
    given = facts(ties=replace(TIES, shared=frozenset({spki, key("of nobody here")})))
    assert stones(given, Retire()).keys() == {IDEVID.spki, EK.spki, key("key 31")} - {spki}
    assert allowed(given, Retire()).shared_keys == (spki,)


def test_a_shared_secret_opens_a_campaign_by_its_digest() -> None:
    psk = credential(43, kind=CredentialKind.PSK, spki=None)
    given = facts(
        ties=Ties((psk, credential(44, state=KeyState.DEACTIVATED)), frozenset({psk.fingerprint or b"", key("certificate 44")}))
    )
    assert allowed(given, Retire()).shared_keys == (psk.fingerprint,)


def test_a_key_that_is_shared_as_root_credential_and_fingerprint_is_named_once() -> None:
    twice = credential(45, spki=EK.spki, fingerprint=EK.spki)
    assert allowed(facts(ties=Ties((twice,), frozenset({EK.spki}))), Retire()).shared_keys == (EK.spki,)


def test_what_is_barred_already_is_not_barred_twice() -> None:
    """A device that was lost and is retired then: its tombstones say when it was lost."""
    lost = tuple(
        Tombstone(spki, kind, DEVICE, 1, _S.LOST, NOW - DAY)
        for spki, kind in ((IDEVID.spki, TombstoneKind.ROOT), (key("key 31"), TombstoneKind.KEY))
    )
    assert stones(facts(_S.LOST, tombstones=lost), Retire()) == {EK.spki: TombstoneKind.ROOT}


def test_hardware_that_came_back_and_goes_again_is_barred_again() -> None:
    lifted = Tombstone(EK.spki, TombstoneKind.ROOT, DEVICE, 1, _S.LOST, NOW - DAY, returned_at=NOW - DAY)
    given = facts(device=device(term=2), tombstones=(lifted,))
    assert [(s.term, s.kind) for s in allowed(given, Retire()).tombstones if s.spki == EK.spki] == [(2, TombstoneKind.ROOT)]


# obligations


def test_an_end_leaves_all_of_this_to_be_done() -> None:
    lost = [
        (_K.END_CREDENTIAL, "credential", OPERATIONAL.id, None),
        (_K.REFUSE_BIRTH, "credential", BIRTH.id, None),
        (_K.CUT_OFF, "device", None, BROKER),
        (_K.CLOSE_SESSIONS, "device", None, BROKER),
        (_K.END_GRANT, "grant", GRANT, None),
        (_K.END_DELEGATION, "delegation", DELEGATION, None),
        (_K.END_REGISTRATION, "registration", THING, None),
        (_K.REVIEW_ANCHOR, "anchor", ANCHOR, None),
    ]
    wiped = [*lost, (_K.WIPE_DATA, "device", None, None)]
    assert owed(facts(), ReportLost()) == sorted(lost, key=str)
    assert owed(facts(), Retire()) == sorted(wiped, key=str)
    assert owed(facts(), Replace(SUCCESSOR)) == sorted(wiped, key=str)


@pytest.mark.parametrize("state", [_S.MANUFACTURED, _S.LOST])
def test_what_nobody_holds_or_ever_used_cannot_be_wiped(state: DeviceState) -> None:
    assert _K.WIPE_DATA not in {o.kind for o in allowed(facts(state), Retire()).opened}


def test_an_obligation_says_how_and_until_when_it_ends() -> None:
    opened = {o.kind: o for o in allowed(facts(), Retire()).opened}
    one = opened[_K.END_CREDENTIAL]
    assert one == Obligation(
        id=one.id,
        device=DEVICE,
        term=1,
        kind=_K.END_CREDENTIAL,
        cause=uid(1000),
        opened_at=NOW,
        closed_by=closers(_K.END_CREDENTIAL, NOW + 90 * DAY),
        target_kind="credential",
        target=OPERATIONAL.id,
        bounded_until=NOW + 90 * DAY,
        due=NOW + DAY,
    )
    assert opened[_K.CUT_OFF].bounded_until == NOW + 90 * DAY
    assert opened[_K.CLOSE_SESSIONS].bounded_until is None  # a session outlives the certificate it began with
    assert all(o.due == NOW + CLOSING[o.kind].due for o in opened.values())
    expired = frozenset({EvidenceKind.EXPIRED})
    assert {kind for kind, o in opened.items() if expired in o.closed_by} == {_K.END_CREDENTIAL, _K.CUT_OFF}


@pytest.mark.parametrize(
    ("credentials", "end"),
    [
        ((OPERATIONAL, credential(50, not_after=NOW + 5 * DAY)), NOW + 90 * DAY),
        ((OPERATIONAL, credential(50, not_after=None)), None),
        ((OPERATIONAL, credential(50, not_after=None, state=KeyState.DEACTIVATED)), NOW + 90 * DAY),
        ((credential(50, state=KeyState.SUSPENDED),), NOW + 90 * DAY),
        ((BIRTH,), None),
        ((), None),
    ],
)
def test_a_party_may_accept_until_the_last_credential_that_has_an_end(credentials: tuple[Credential, ...], end: object) -> None:
    opened = allowed(facts(ties=Ties(credentials, relying_parties=(BROKER,))), Retire()).opened
    assert [o.bounded_until for o in opened if o.kind is _K.CUT_OFF] == [end]


@pytest.mark.parametrize("state", KeyState)
def test_what_has_ended_is_not_to_be_ended(state: KeyState) -> None:
    opened = allowed(facts(ties=Ties((credential(50, state=state),))), Retire()).opened
    still = state in (KeyState.PRE_ACTIVE, KeyState.ACTIVE, KeyState.SUSPENDED)
    assert (_K.END_CREDENTIAL in {o.kind for o in opened}) is still


@pytest.mark.parametrize("role", CredentialRole)
def test_a_birth_credential_is_refused_and_all_others_are_ended(role: CredentialRole) -> None:
    opened = {o.kind for o in allowed(facts(ties=Ties((credential(50, role),))), Retire()).opened}
    by_maker = role in (CredentialRole.BIRTH, CredentialRole.ATTESTATION)
    assert (_K.REFUSE_BIRTH in opened, _K.END_CREDENTIAL in opened) == (by_maker, not by_maker)


@pytest.mark.parametrize(
    ("kind", "shared", "ended"),
    [
        (CredentialKind.CERTIFICATE, "key 50", True),
        (CredentialKind.CERTIFICATE, "certificate 50", False),
        (CredentialKind.RAW_KEY, "key 50", False),
        (CredentialKind.RAW_KEY, "certificate 50", False),
        (CredentialKind.PSK, "certificate 50", False),
        (CredentialKind.PSK, "nothing of it", True),
    ],
)
def test_no_innocent_sibling_is_cut_off(kind: CredentialKind, shared: str, ended: bool) -> None:
    """A certificate of its own is ended though siblings have the key; the very thing that siblings hold is not."""
    given = facts(ties=Ties((credential(50, kind=kind),), frozenset({key(shared)})))
    assert (_K.END_CREDENTIAL in {o.kind for o in allowed(given, Retire()).opened}) is ended


def test_what_is_open_already_is_not_opened_twice() -> None:
    first = allowed(facts(), ReportLost()).opened
    again = allowed(facts(_S.LOST, obligations=first), Retire()).opened
    assert again == ()
    missing = tuple(o for o in first if o.kind is not _K.CUT_OFF)
    assert [o.kind for o in allowed(facts(_S.LOST, obligations=missing), Retire()).opened] == [_K.CUT_OFF]
    elsewhere = tuple(replace(o, relying_party=uid(60)) if o.kind is _K.CUT_OFF else o for o in first)
    assert [o.kind for o in allowed(facts(_S.LOST, obligations=elsewhere), Retire()).opened] == [_K.CUT_OFF]


REKEY = allowed(facts(_S.LOST), Return()).opened[0]


@pytest.mark.parametrize("command", ENDS)
def test_new_keys_that_were_owed_are_owed_no_more_at_the_end(command: Command) -> None:
    """Or it could never be forgotten."""
    given = facts(device=device(term=2), obligations=(REKEY, replace(REKEY, state=ObligationState.CLOSED)))
    assert allowed(given, command).voided == (replace(REKEY, state=ObligationState.VOID, settled_at=NOW),)


def test_a_return_in_between_asks_for_the_keys_of_its_own_term() -> None:
    found = allowed(facts(device=device(_S.LOST, term=2), obligations=(REKEY,)), Return())
    assert found.voided == (replace(REKEY, state=ObligationState.VOID, settled_at=NOW),)
    assert [(o.kind, o.term) for o in found.opened] == [(_K.REPLACE_KEY, 3)]


# replacement


def test_new_hardware_takes_the_role_and_keeps_its_own_identity() -> None:
    found = allowed(facts(), Replace(SUCCESSOR))
    old, new = found.changes
    assert (old.after.state, old.after.id, old.after.roots) == (_S.RETIRED, DEVICE, (IDEVID, EK))
    assert new.before == NEW_HARDWARE
    assert new.after == replace(
        NEW_HARDWARE,
        state=_S.CLAIMED,
        state_since=NOW,
        owner=OURS,
        trust_domain=DOMAIN,
        site=SITE,
        device_class=CLASS,
        name="north gate",
        replaces=DEVICE,
    )


@pytest.mark.parametrize(
    "successor",
    [
        None,
        replace(NEW_HARDWARE, id=uid(61)),
        replace(NEW_HARDWARE, owner=THEIRS),
        *(replace(NEW_HARDWARE, state=s) for s in DeviceState if s not in (_S.MANUFACTURED, _S.CLAIMED)),
    ],
)
def test_hardware_that_cannot_take_a_role(successor: object) -> None:
    assert refused(facts(successor=successor), Replace(SUCCESSOR)).code is Code.SUCCESSOR_INVALID


@pytest.mark.parametrize("fields", [{"state": _S.CLAIMED, "owner": OURS}, {"owner": OURS}])
def test_hardware_of_the_same_owner_can(fields: dict[str, Any]) -> None:
    assert allowed(facts(successor=replace(NEW_HARDWARE, **fields)), Replace(SUCCESSOR))


def test_nothing_replaces_itself_or_what_is_nobodys() -> None:
    itself = facts(_S.CLAIMED, successor=device(_S.CLAIMED))
    assert refused(itself, Replace(DEVICE)).code is Code.SUCCESSOR_INVALID
    for missing in ({"owner": None}, {"trust_domain": None}):
        nobodys = facts(device=device(_S.CLAIMED, **missing))
        assert refused(nobodys, Replace(SUCCESSOR), asked(Replace(SUCCESSOR), ADMIN)).code is Code.OWNER_MISSING


# forgetting


def test_what_describes_it_is_forgotten_and_what_bars_it_stays() -> None:
    before = device(_S.RETIRED, replaces=uid(88))
    found = allowed(facts(device=before), Forget())
    assert found.device == replace(
        before,
        site=None,
        device_class=None,
        maker=None,
        model=None,
        serial=None,
        name=None,
        replaces=None,
        last_seen=None,
        expires=None,
        forgotten_at=NOW,
    )
    assert (found.tombstones, found.opened, found.voided, found.lifted) == ((), (), (), ())


def test_nothing_is_forgotten_before_all_is_proved() -> None:
    still = allowed(facts(), ReportLost()).opened[:1]
    assert refused(facts(_S.RETIRED, obligations=still), Forget()).code is Code.NOT_SETTLED


# return

BURIED = (
    Tombstone(IDEVID.spki, TombstoneKind.ROOT, DEVICE, 1, _S.LOST, NOW - DAY),
    Tombstone(EK.spki, TombstoneKind.ROOT, DEVICE, 0, _S.LOST, NOW - DAY, returned_at=NOW - 2 * DAY),
    Tombstone(key("key 31"), TombstoneKind.KEY, DEVICE, 1, _S.LOST, NOW - DAY),
)


def test_hardware_comes_back_in_a_new_term_without_keys() -> None:
    before = device(_S.LOST, forgotten_at=NOW)
    found = allowed(facts(device=before, tombstones=BURIED), Return())
    assert found.device == replace(
        before,
        state=_S.CLAIMED,
        state_since=NOW,
        term=2,
        must_rekey=True,
        forgotten_at=None,
        last_seen=None,
        expires=None,
    )
    assert found.lifted == (replace(BURIED[0], returned_at=NOW),)
    assert [o.kind for o in found.opened] == [_K.REPLACE_KEY]
    assert found.opened[0].term == 2
    assert found.tombstones == ()


def test_what_the_return_contradicts_is_void_and_the_rest_still_ends() -> None:
    opened = allowed(facts(), ReportLost()).opened
    closed = tuple(replace(o, state=ObligationState.CLOSED) for o in opened if o.kind is _K.CUT_OFF)
    voided = allowed(facts(_S.LOST, obligations=(*opened, *closed)), Return()).voided
    assert sorted(o.kind for o in voided) == sorted([_K.REFUSE_BIRTH, _K.CUT_OFF, _K.CLOSE_SESSIONS])
    assert {(o.state, o.settled_at) for o in voided} == {(ObligationState.VOID, NOW)}


def brought(**fields: Any) -> Asked:
    return replace(asked(Return()), **fields)


@pytest.mark.parametrize(
    "broken",
    [
        {"proof": None},
        {"proof": proof(request=uid(62))},
        {"proof": proof(of=SUCCESSOR)},
        {"proof": proof(age=FRESH + timedelta(microseconds=1))},
        {"proof": proof(age=-timedelta(microseconds=1))},
    ],
    ids=["none", "of another request", "of another device", "stale", "of the future"],
)
def test_it_takes_fresh_proof_that_it_is_the_hardware(broken: dict[str, Any]) -> None:
    assert refused(facts(_S.LOST), Return(), brought(**broken)).code is Code.PROOF_INVALID


def test_proof_is_fresh_for_a_day() -> None:
    assert timedelta(hours=24) == FRESH
    assert allowed(facts(_S.LOST), Return(), brought(proof=proof(age=FRESH)))


@pytest.mark.parametrize(("roots", "advice"), [((), "another device"), ((EK,), "answer again")])
def test_a_root_that_is_its_own_answers(roots: tuple[object, ...], advice: str) -> None:
    told = refused(facts(device=device(_S.LOST, roots=roots)), Return(), brought())
    assert (told.code, advice in told.fix) == (Code.PROOF_INVALID, True)


def test_it_comes_back_to_somebody() -> None:
    nobodys = facts(device=device(_S.LOST, owner=None, trust_domain=None))
    assert refused(nobodys, Return(), asked(Return(), ADMIN)).code is Code.OWNER_MISSING
    for half in (Return(owner=OURS), Return(trust_domain=DOMAIN)):
        assert refused(nobodys, half, asked(half, ADMIN)).code is Code.OWNER_MISSING
    named = Return(OURS, DOMAIN)
    found = allowed(nobodys, named, asked(named, ADMIN)).device
    assert (found.owner, found.trust_domain) == (OURS, DOMAIN)


def test_a_return_changes_no_owner() -> None:
    named = Return(THEIRS, THEIR_DOMAIN)
    found = allowed(facts(_S.RETIRED), named, asked(named)).device
    assert (found.owner, found.trust_domain) == (OURS, DOMAIN)
    assert refused(facts(_S.RETIRED), Return(), asked(Return(), THEIR_OPERATOR)).code is Code.NOT_PERMITTED


def test_it_comes_back_only_to_whom_the_actor_acts_for() -> None:
    nobodys = facts(device=device(_S.LOST, owner=None, trust_domain=None))
    of_no_domain = person(1, Role.OPERATOR, None)
    named = Return(OURS, DOMAIN)
    assert allowed(nobodys, named, Asked(of_no_domain, "why", (), agreed(named), proof()))
    in_no_domain = facts(device=device(_S.LOST, trust_domain=None))
    assert allowed(in_no_domain, named, asked(named)).device.trust_domain == DOMAIN
