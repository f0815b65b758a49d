"""Statements of a handover: signed, each side's its own, and no more in it than that side may know."""

from __future__ import annotations

import json
from typing import Any

from tenure.lifecycle.commands import AcceptTransfer
from tenure.lifecycle.envelope import opened
from tenure.lifecycle.statements import HANDOVER, statement, to_state
from tenure.model.obligations import ObligationKind
from tenure.model.vocabulary import DeviceState
from tests.lifecycle.life import (
    AN_OFFER,
    DEVICE,
    EK,
    IDEVID,
    INSTANCE,
    OFFER,
    OURS,
    THEIR_DOMAIN,
    THEIRS,
    allowed,
    facts,
    key,
)
from tests.lifecycle.parties import GIVER

ACCEPTED = allowed(facts(DeviceState.TRANSFERRING), AcceptTransfer(THEIR_DOMAIN))


def told(side: str) -> dict[str, Any]:
    files = [statement(owed, ACCEPTED, AN_OFFER, (key("first"),), INSTANCE, GIVER) for owed in to_state(ACCEPTED)]
    read = [json.loads(opened(file, HANDOVER, GIVER.public_key).payload) for file in files]
    [found] = [each for each in read if each["side"] == side]
    return found  # type: ignore[no-any-return]  # JSON


BOTH = {
    "instance": str(INSTANCE),
    "transfer": str(OFFER),
    "from": str(OURS),
    "to": str(THEIRS),
    "offered_at": "2026-11-01T08:00:00Z",
    "accepted_at": "2026-12-01T08:00:00Z",
    "device": str(DEVICE),
    "roots": [{"kind": "idevid", "key": IDEVID.spki.hex()}, {"kind": "ek-rsa", "key": EK.spki.hex()}],
    "maker": "Maker",
    "model": "M-1",
    "serial": "S1",
}


def test_the_giver_learns_what_is_its_own_to_end() -> None:
    own = [o for o in ACCEPTED.opened if o.term == 1 and o.kind is not ObligationKind.STATE_HANDOVER]
    assert len(own) == 6
    ends = [{"obligation": str(o.id), "kind": o.kind.value} for o in own]
    assert told("giver") == BOTH | {"side": "giver", "term": 1, "to_end": ends}


def test_the_receiver_learns_that_there_were_others_and_not_who() -> None:
    assert told("receiver") == BOTH | {"side": "receiver", "term": 2, "custody": [key("first").hex()]}


def test_there_is_one_for_each_side() -> None:
    assert [owed.term for owed in to_state(ACCEPTED)] == [1, 2]
