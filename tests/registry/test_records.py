"""Parties, credentials, obligations, people, tokens, approvals, repeated requests: written, found again, refused on a clash."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tenure.lifecycle.obligations import Closed, judged
from tenure.model.access import EVERYTHING, Area, Person, Role, RoleAssignment, Token
from tenure.model.approvals import Approval, ApprovalState
from tenure.model.credentials import Credential, KeyState
from tenure.model.devices import Device, Tombstone, TombstoneKind
from tenure.model.obligations import EvidenceKind, Obligation, ObligationEvidence, ObligationKind, ObligationState
from tenure.model.parties import DeviceClass, Owner, Site, TrustDomain
from tenure.model.vocabulary import CredentialKind, CredentialRole, DeviceState
from tenure.registry import approvals, credentials, devices, obligations, parties, people, repeated, tombstones
from tenure.registry.faults import ConflictError, NameTakenError, NotFoundError, TombstonedError, UnknownReferenceError
from tenure.registry.registry import Registry
from tenure.registry.tables.credentials import issuer, public_key
from tenure.registry.tables.ledger import event, ledger_record
from tests.registry.healthy import BECAUSE, OPERATOR, THEN, Tenant, a_device, a_tenant, new_id, put


def test_names_of_domains_and_classes_are_one_of_a_kind_those_of_tenants_are_not(registry: Registry) -> None:
    a_tenant(registry, "ours")
    with registry.change(OPERATOR) as work:
        parties.add(work, Owner(new_id(), "ours", "other@example.org", THEN), BECAUSE)
        assert len(parties.named(work, Owner, "ours")) == 2
    with pytest.raises(NameTakenError), registry.change(OPERATOR) as work:
        parties.add(work, TrustDomain(new_id(), "ours.example.org", THEN), BECAUSE)
    with pytest.raises(UnknownReferenceError), registry.change(OPERATOR) as work:
        parties.add(work, Site(new_id(), "plant", new_id(), THEN), BECAUSE)


def test_a_party_changes_from_the_version_that_was_read(registry: Registry) -> None:
    given = DeviceClass(new_id(), "pump", THEN, 2, "tpm2", "online")
    with registry.change(OPERATOR) as work:
        parties.add(work, given, BECAUSE)
        now = parties.change(work, replace(given, assurance=3), BECAUSE)
    assert (now.version, now.assurance) == (2, 3)
    with pytest.raises(ConflictError), registry.change(OPERATOR) as work:
        parties.change(work, replace(given, assurance=4), BECAUSE)
    with registry.read() as reading:
        assert parties.get(reading, DeviceClass, given.id) == now
        with pytest.raises(NotFoundError):
            parties.get(reading, DeviceClass, new_id())


def test_parties_are_listed_within_what_a_caller_may_see(registry: Registry) -> None:
    ours, theirs = a_tenant(registry, "ours"), a_tenant(registry, "theirs")
    with registry.change(OPERATOR) as work:
        for tenant in (ours, theirs):
            parties.add(work, Site(new_id(), "plant", tenant.owner, THEN), BECAUSE)
        assert [o.id for o in parties.listed(work, Owner)] == [ours.owner, theirs.owner]
        assert [o.id for o in parties.listed(work, Owner, after=ours.owner)] == [theirs.owner]
        assert [o.id for o in parties.listed(work, Owner, only=frozenset({theirs.owner}))] == [theirs.owner]
        assert [s.owner for s in parties.listed(work, Site, only=frozenset({theirs.owner}))] == [theirs.owner]
        assert len(parties.named(work, Site, "plant", ours.owner)) == 1


def a_credential(device: Device | None, **changed: Any) -> Credential:
    made = Credential(new_id(), CredentialKind.CERTIFICATE, CredentialRole.OPERATIONAL, KeyState.ACTIVE, THEN)
    return replace(made, **({"device": device.id if device else None, "not_after": THEN} | changed))


def recorded(registry: Registry, *given: Credential) -> None:
    with registry.change(OPERATOR) as work:
        for each in given:
            credentials.record(work, each, BECAUSE)


def an_issuer(registry: Registry) -> Any:
    id = new_id()
    with registry.change(OPERATOR) as work:
        row = {"id": id, "name": "CA", "spki": b"\1" * 32, "state": "active", "crl_number": 0, "created_at": THEN, "version": 1}
        work.insert(issuer, row)
    return id


def test_a_credential_is_found_and_keeps_the_devices_expiry(registry: Registry) -> None:
    ours = a_tenant(registry, "ours")
    given, ca = a_device(owner=ours.owner), an_issuer(registry)
    put(registry, given)
    late = a_credential(given, issuer=ca, serial="0A", spki=b"\5" * 32, not_after=THEN + timedelta(days=9))
    birth = a_credential(given, role=CredentialRole.BIRTH, not_after=THEN + timedelta(days=9999), fingerprint=b"\6" * 32)
    recorded(registry, a_credential(given), late, birth)
    with registry.read() as reading:
        assert devices.get(reading, EVERYTHING, given.id).expires == late.not_after
        assert credentials.get(reading, ours.scope, late.id) == late
        assert credentials.by_serial(reading, ca, "0A") == late
        assert credentials.by_fingerprint(reading, b"\6" * 32) == (birth,)
        week = (THEN, THEN + timedelta(days=7))
        assert [c.not_after for c in credentials.expiring(reading, ours.scope, *week)] == [THEN]
        assert credentials.expiring(reading, a_tenant(registry, "theirs").scope, *week) == ()
        with pytest.raises(NotFoundError):
            credentials.get(reading, Tenant(new_id(), new_id()).scope, late.id)


def test_a_serial_is_given_out_once_and_a_dead_key_never(registry: Registry) -> None:
    given, ca = a_device(), an_issuer(registry)
    put(registry, given)
    recorded(registry, a_credential(given, issuer=ca, serial="0A"))
    with pytest.raises(ConflictError):
        recorded(registry, a_credential(given, issuer=ca, serial="0A"))
    with registry.change(OPERATOR) as work:
        stone = Tombstone(b"\5" * 32, TombstoneKind.KEY, new_id(), 1, DeviceState.LOST, THEN)
        tombstones.bury(work, [stone], BECAUSE)
    with pytest.raises(TombstonedError):
        recorded(registry, a_credential(given, spki=b"\5" * 32))
    with pytest.raises(UnknownReferenceError):
        recorded(registry, a_credential(given, issuer=new_id()))


def test_an_end_is_for_good_filed_under_its_issuer_and_outlives_the_database(registry: Registry) -> None:
    given, ca = a_device(), an_issuer(registry)
    put(registry, given)
    issued = a_credential(given, issuer=ca, serial="0A")
    recorded(registry, issued)
    with registry.change(OPERATOR) as work:
        ended = replace(issued, state=KeyState.DEACTIVATED, ended_at=THEN, end_reason="retired")
        now = credentials.change(work, ended, BECAUSE)
    for change in ({"ended_at": None, "state": KeyState.ACTIVE}, {"issuer": None}):
        with pytest.raises(ConflictError), registry.change(OPERATOR) as work:
            credentials.change(work, replace(now, **change), BECAUSE)
    with registry.read() as reading:
        assert devices.get(reading, EVERYTHING, given.id).expires is None
        assert [row.kind for row in reading.rows(select(ledger_record.c.kind))] == ["revocation"]


def test_keys_that_are_shared_or_of_an_earlier_term_are_known_as_such(registry: Registry) -> None:
    one, two, gone = a_device(term=2), a_device(), a_device(state=DeviceState.RETIRED)
    put(registry, one, two, gone)
    shared, buried, old, own = (bytes([n]) * 32 for n in range(1, 5))
    recorded(registry, *(a_credential(d, spki=shared, term=d.term) for d in (one, two)), a_credential(gone, spki=buried))
    recorded(registry, a_credential(one, spki=buried, term=2), a_credential(one, spki=old), a_credential(one, spki=own, term=2))
    with registry.change(OPERATOR) as work:
        credentials.refuse_former(work, one.id, [b"\7" * 32])
        assert credentials.shared_with_others(work, one.id, [shared, buried, old, own]) == {shared}
        assert credentials.former_keys(work, one.id, 2) == {old, b"\7" * 32}
        assert {bytes(row.spki) for row in work.rows(select(public_key).where(public_key.c.shared))} == {shared, buried}
        assert credentials.alone(work, own, one.id)
        assert not credentials.alone(work, shared, one.id)


def test_an_obligation_is_closed_by_evidence_once(registry: Registry) -> None:
    ours = a_tenant(registry, "ours")
    given = a_device(owner=ours.owner)
    put(registry, given)
    sets = frozenset({frozenset({EvidenceKind.TARGET_STATE, EvidenceKind.CANARY_REFUSED}), frozenset({EvidenceKind.EXPIRED})})
    owed = Obligation(new_id(), given.id, 1, ObligationKind.CUT_OFF, new_id(), THEN, sets, due=THEN)
    kinds = (EvidenceKind.TARGET_STATE, EvidenceKind.CANARY_REFUSED)
    came = [ObligationEvidence(new_id(), owed.id, kind, THEN, b"\1" * 32, "broker", "seen") for kind in kinds]
    with registry.change(OPERATOR) as work:
        obligations.open_all(work, [owed], BECAUSE)
        for each in came:
            obligations.add_evidence(work, each, BECAUSE)
    with registry.change(OPERATOR) as work:
        assert obligations.get(work, ours.scope, owed.id) == owed
        assert obligations.listed_open(work, ours.scope, due_before=THEN + timedelta(1)) == (owed,)
        assert obligations.listed_open(work, ours.scope, due_before=THEN) == ()
        closed = judged(owed, obligations.evidence_of(work, [owed.id]), THEN)
        assert isinstance(closed, Closed)
        obligations.close(work, closed, BECAUSE)
    with pytest.raises(ConflictError), registry.change(OPERATOR) as work:
        obligations.close(work, closed, BECAUSE)
    with registry.read() as reading:
        assert [o.state for o in obligations.of_cause(reading, ours.scope, owed.cause)] == [ObligationState.CLOSED]
        assert obligations.of_device(reading, given.id, only_open=True) == ()
        with pytest.raises(NotFoundError):
            obligations.get(reading, a_tenant(registry, "theirs").scope, owed.id)
        last = reading.rows(select(event).where(event.c.subject == str(owed.id)).order_by(event.c.sequence.desc()))[0]
        assert len(last.evidence) == 64


def test_a_token_is_found_with_its_roles_until_it_is_ended_for_good(registry: Registry) -> None:
    ours = a_tenant(registry, "ours")
    roles = (RoleAssignment(Role.VIEWER, Area(ours.owner)), RoleAssignment(Role.OPERATOR, Area(None, ours.domain)))
    who = Person(new_id(), "Example Person", "person@example.org", THEN, subject="sub-1")
    given = Token(new_id(), "ci", THEN, THEN, b"\1" * 32, "key-1", who.id, b"\2" * 32, roles)
    with registry.change(OPERATOR) as work:
        assert not people.any_token(work)
        people.add_person(work, who, BECAUSE, [RoleAssignment(Role.APPROVER, Area())])
        people.add_token(work, given, BECAUSE)
    with pytest.raises(NameTakenError), registry.change(OPERATOR) as work:
        people.add_token(work, replace(given, id=new_id(), digest=b"\3" * 32), BECAUSE)
    with registry.change(OPERATOR) as work:
        assert people.get_token(work, given.id) == given == people.token_by_certificate(work, b"\2" * 32)
        people.token_used(work, given.id)
        people.end_token(work, given.id, BECAUSE)
        people.end_token(work, given.id, BECAUSE)
    with registry.read() as reading:
        found = people.get_token(reading, given.id)
        assert found
        assert (found.ended_at, found.version) == (work.at, 2)
        assert people.last_used(reading, [given.id]) == {given.id: work.at}
        assert people.listed_tokens(reading) == (found,)
        assert people.by_subject(reading, "sub-1") == (who, (RoleAssignment(Role.APPROVER, Area()),))
        assert people.get_token(reading, new_id()) is None


def test_roles_are_given_and_taken(registry: Registry) -> None:
    who = Person(new_id(), "Example Person", "person@example.org", THEN, subject="sub-1")
    role = RoleAssignment(Role.ADMIN, Area())
    with registry.change(OPERATOR) as work:
        people.add_person(work, who, BECAUSE)
        people.assign(work, who.id, role, BECAUSE)
        assert people.by_subject(work, "sub-1")[1] == (role,)
        people.unassign(work, who.id, role, BECAUSE)
        assert people.by_subject(work, "sub-1")[1] == ()
        with pytest.raises(NotFoundError):
            people.unassign(work, who.id, role, BECAUSE)
        assert people.change_person(work, replace(who, name="Other"), BECAUSE).version == 2
        assert people.get_person(work, who.id).name == "Other"
        with pytest.raises(ConflictError):
            people.change_person(work, replace(who, name="Third"), BECAUSE)


def test_an_approval_is_decided_once(registry: Registry) -> None:
    ours = a_tenant(registry, "ours")
    one, two = (Person(new_id(), "Example", "e@example.org", THEN, subject=f"sub-{n}") for n in range(2))
    asked = Approval(new_id(), "return", "{}", b"\1" * 32, "person:1", one.id, THEN, THEN, ours.owner, ours.domain)
    with registry.change(OPERATOR) as work:
        for person in (one, two):
            people.add_person(work, person, BECAUSE)
        approvals.add(work, asked, BECAUSE)
        decided = replace(asked, state=ApprovalState.APPROVED, decided_by="person:2", decided_by_person=two.id, decided_at=THEN)
        assert approvals.change(work, decided, BECAUSE).version == 2
        with pytest.raises(ConflictError):
            approvals.change(work, decided, BECAUSE)
        assert approvals.listed(work, ours.scope, ApprovalState.WAITING) == ()
        assert len(approvals.listed(work, ours.scope)) == 1
        with pytest.raises(NotFoundError):
            approvals.get(work, Tenant(new_id(), new_id()).scope, asked.id)


def test_a_repeated_request_gets_the_first_answer(registry: Registry) -> None:
    answer = repeated.KeptAnswer(201, (("Location", "/x"),), b"{}")
    with registry.change(OPERATOR) as work:
        assert repeated.begin(work, "token:1", "key", b"\1" * 32) is None
    with registry.change(OPERATOR) as work:
        seen = repeated.begin(work, "token:1", "key", b"\2" * 32)
        assert seen
        assert (seen.request, seen.answer) == (b"\1" * 32, None)
        assert repeated.begin(work, "token:2", "key", b"\1" * 32) is None  # keys belong to their caller
        repeated.finish(work, "token:1", "key", answer)
        repeated.release(work, "token:1", "key")  # finished: it stays
        repeated.release(work, "token:2", "key")
        assert repeated.begin(work, "token:2", "key", b"\1" * 32) is None
        again = repeated.begin(work, "token:1", "key", b"\1" * 32)
        assert again
        assert again.answer == answer
