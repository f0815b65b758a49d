"""Judged and written: a verb's permission becomes rows as a whole, and gone hardware stays out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from tenure.lifecycle.arrival import judge_arrival
from tenure.lifecycle.commands import AcceptTransfer, Asked, Claim, Command, OfferTransfer, Quarantine, Register, Retire
from tenure.lifecycle.verbs import judge
from tenure.lifecycle.verdict import Code, VerbRefusedError, permitted
from tenure.model.access import EVERYTHING, Scope
from tenure.model.credentials import Credential, KeyState
from tenure.model.devices import Device, HardwareRoot, OfferState, TransferOffer
from tenure.model.events import Cause
from tenure.model.obligations import ObligationKind, ObligationState
from tenure.model.vocabulary import CredentialKind, CredentialRole, DeviceState
from tenure.registry import credentials, custody, devices, obligations, offers, tombstones
from tenure.registry.facts import arrival_facts, facts_of
from tenure.registry.faults import ConflictError
from tenure.registry.registry import Registry
from tenure.registry.tables.custody import campaign
from tenure.registry.verdicts import carry_out
from tests.registry.healthy import OPERATOR, THEN, Tenant, a_root, a_tenant, new_id

ASKED = Asked(OPERATOR, "a test wants it")


def register(registry: Registry, tenant: Tenant, *roots: HardwareRoot, scope: Scope = EVERYTHING, **more: Any) -> Device:
    command = Register(new_id(), roots, DeviceState.CLAIMED, tenant.owner, trust_domain=tenant.domain, **more)
    with registry.change(OPERATOR) as work:
        facts = arrival_facts(work, scope, [root.spki for root in roots], command.maker, command.serial)
        verdict = permitted(judge_arrival(facts, command, ASKED, work.at, new_id))
        return carry_out(work, [], verdict, Cause(command.verb, ASKED.reason))[0]


def do(registry: Registry, id: object, command: Command) -> Device:
    with registry.change(OPERATOR) as work:
        held = devices.hold(work, EVERYTHING, id)  # type: ignore[arg-type] # an id
        verdict = permitted(judge(facts_of(work, held), command, ASKED, work.at, new_id))
        return carry_out(work, [held], verdict, Cause(command.verb, ASKED.reason))[0]


def certificate(registry: Registry, device: Device, spki: bytes) -> Credential:
    given = Credential(
        new_id(),
        CredentialKind.CERTIFICATE,
        CredentialRole.OPERATIONAL,
        KeyState.ACTIVE,
        THEN,
        device.id,
        device.term,
        spki=spki,
        not_after=THEN,
    )
    with registry.change(OPERATOR) as work:
        return credentials.record(work, given, Cause("issue"))


def test_retired_hardware_and_its_keys_stay_out(registry: Registry) -> None:
    ours, root = a_tenant(registry, "ours"), a_root()
    given = register(registry, ours, root)
    own = certificate(registry, given, b"\5" * 32)
    gone = do(registry, given.id, Retire())
    assert gone.state is DeviceState.RETIRED
    for barred in (root, HardwareRoot(root.kind, b"\5" * 32)):
        with pytest.raises(VerbRefusedError) as refused:
            register(registry, ours, barred)
        assert refused.value.code is Code.ROOT_NOT_FREE
        assert refused.value.see == (given.id,)
    with registry.read() as reading:
        assert {stone.spki for stone in tombstones.of_device(reading, given.id)} == {root.spki, b"\5" * 32}
        owed = obligations.of_device(reading, given.id, only_open=True)
        assert own.id in {o.target for o in owed if o.kind is ObligationKind.END_CREDENTIAL}


def test_who_may_not_see_the_holder_gets_no_pointer(registry: Registry) -> None:
    ours, theirs, root = a_tenant(registry, "ours"), a_tenant(registry, "theirs"), a_root()
    register(registry, theirs, root)
    with pytest.raises(VerbRefusedError) as refused:
        register(registry, ours, root, scope=ours.scope)
    assert refused.value.see == ()


def test_a_key_that_siblings_share_gets_one_campaign_and_no_tombstone(registry: Registry) -> None:
    ours, shared = a_tenant(registry, "ours"), b"\6" * 32
    first, second, third = (register(registry, ours, a_root()) for _ in range(3))
    for each in (first, second, third):
        certificate(registry, each, shared)
    do(registry, first.id, Retire())
    do(registry, second.id, Retire())
    with registry.read() as reading:
        assert tombstones.barring(reading, [shared]) == ()
        assert [row.spki for row in reading.rows(select(campaign))] == [shared]
        assert credentials.of_device(reading, third.id)[0].state is KeyState.ACTIVE
    do(registry, third.id, Retire())  # nobody shares it any more
    with registry.read() as reading:
        assert [stone.device for stone in tombstones.barring(reading, [shared])] == [third.id]


def test_a_transfer_passes_custody_and_leaves_what_the_old_owner_owes(registry: Registry) -> None:
    ours, theirs = a_tenant(registry, "ours"), a_tenant(registry, "theirs")
    given = register(registry, ours, a_root())
    certificate(registry, given, b"\5" * 32)
    until = THEN.replace(year=2027)
    offer = TransferOffer(new_id(), ours.owner, theirs.owner, None, None, (given.id,), THEN, until)
    with registry.change(OPERATOR) as work:
        offers.add(work, offer, Cause("offer"))
    do(registry, given.id, OfferTransfer(offer.id, theirs.owner, None, until))
    after = do(registry, given.id, AcceptTransfer(theirs.domain))
    assert (after.owner, after.term, after.must_rekey) == (theirs.owner, given.term + 1, True)
    with registry.read() as reading:
        assert offers.get(reading, ours.scope, offer.id).state is OfferState.ACCEPTED
        assert [span.owner for span, _ in custody.spans(reading, given.id)] == [ours.owner, theirs.owner]
        kinds = {o.kind for o in obligations.of_device(reading, given.id) if o.state is ObligationState.OPEN}
    assert {ObligationKind.END_CREDENTIAL, ObligationKind.REPLACE_KEY} <= kinds


def test_namesakes_are_told_to_who_may_see_them(registry: Registry) -> None:
    ours, theirs = a_tenant(registry, "ours"), a_tenant(registry, "theirs")
    twin = register(registry, ours, maker="Klimatec", serial="17")
    register(registry, theirs, maker="Klimatec", serial="17")
    with registry.change(OPERATOR) as work:
        assert arrival_facts(work, ours.scope, [], "KLIMATEC GmbH", "0017").namesakes == (twin.id,)


def test_a_device_that_is_not_as_it_was_judged_is_not_written(registry: Registry) -> None:
    ours = a_tenant(registry, "ours")
    given = register(registry, ours)

    def judged_on_old_facts() -> None:
        with registry.change(OPERATOR) as work:
            held = devices.hold(work, EVERYTHING, given.id)
            facts = replace(facts_of(work, held), device=replace(held.device, name="old"))
            carry_out(work, [held], permitted(judge(facts, Retire(), ASKED, work.at, new_id)), Cause("retire"))

    with pytest.raises(ConflictError):
        judged_on_old_facts()
    with registry.read() as reading:
        assert devices.get(reading, EVERYTHING, given.id) == given


def test_contradictory_verbs_have_one_winner(registry: Registry) -> None:
    ours = a_tenant(registry, "ours")
    given = register(registry, ours)
    do(registry, given.id, Retire())
    for command in (Retire(), Quarantine(), Claim(ours.owner, ours.domain)):
        with pytest.raises(VerbRefusedError) as refused:
            do(registry, given.id, command)
        assert refused.value.code is Code.WRONG_STATE
