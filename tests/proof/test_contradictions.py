"""Two processes, one database, contradictory verbs on the same devices: one wins, the other is told why, and nothing is half."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tenure.ledger.folder_shelf import FolderShelf
from tenure.lifecycle.commands import OfferTransfer
from tenure.lifecycle.verdict import Code
from tenure.model.access import EVERYTHING
from tenure.model.devices import TransferOffer
from tenure.model.events import Cause
from tenure.model.vocabulary import DeviceState
from tenure.registry import offers
from tenure.registry.devices import by_root
from tenure.registry.tables.ledger import event
from tests.proof.restored import Fleet
from tests.registry.healthy import OPERATOR, THEN, a_device, a_root, a_tenant, new_id, put

DEVICES = 25
UNTIL = THEN.replace(year=2040)
Wanted = list[dict[str, Any]]


def contend(url: str, *sides: Wanted) -> list[list[list[str]]]:
    """Each side's answers. All start at one word."""
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.proof.contender", url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ,
        )
        for _ in sides
    ]
    for process, side in zip(running, sides, strict=True):
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(side) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin
        process.stdin.write("now\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0] * len(sides)
    return [[json.loads(line) for line in answer.splitlines()] for answer in answers]


def winners(sides: list[list[list[str]]], code: Code) -> list[int]:
    """Who won each; the other was refused by that code, in words with a next step."""
    won = []
    for pair in zip(*sides, strict=True):
        results = [answer[0] for answer in pair]
        assert sorted(results) == ["refused", "won"], pair
        refused = pair[results.index("refused")]
        assert refused[1] == code
        assert all(refused[2:])
        won.append(results.index("won"))
    return won


@pytest.fixture
def fleet(database_url: str, world: Any, tmp_path: Path) -> Any:
    (tmp_path / "shelf").mkdir()
    opened = Fleet(database_url, world, FolderShelf(tmp_path / "shelf"), tmp_path)
    yield opened
    opened.ship()
    assert opened.verify().sound  # whatever happened
    opened.close()


def events_of(fleet: Fleet, id: object, verb: str) -> int:
    with fleet.registry.read() as reading:
        return len(reading.rows(select(event.c.id).where(event.c.subject == str(id), event.c.verb == verb)))


def test_two_owners_claim(fleet: Fleet) -> None:
    ours, theirs = a_tenant(fleet.registry, "ours"), a_tenant(fleet.registry, "theirs")
    given = [a_device(state=DeviceState.MANUFACTURED) for _ in range(DEVICES)]
    put(fleet.registry, *given)
    sides = [
        [{"verb": "claim", "device": str(d.id), "owner": str(t.owner), "domain": str(t.domain)} for d in given]
        for t in (ours, theirs)
    ]
    won = winners(contend(fleet.url, *sides), Code.WRONG_STATE)
    assert [fleet.device(d.id).owner for d in given] == [(ours, theirs)[side].owner for side in won]
    assert all(events_of(fleet, d.id, "claim") == 1 for d in given)


def test_accepted_and_cancelled(fleet: Fleet) -> None:
    ours, theirs = a_tenant(fleet.registry, "ours"), a_tenant(fleet.registry, "theirs")
    given = [fleet.register(ours, a_root()) for _ in range(DEVICES)]
    for each in given:
        offer = TransferOffer(new_id(), ours.owner, theirs.owner, None, None, (each.id,), THEN, UNTIL)
        with fleet.registry.change(OPERATOR) as work:
            offers.add(work, offer, Cause("offer"))
        fleet.do(each.id, OfferTransfer(offer.id, theirs.owner, None, UNTIL))
    accept = [{"verb": "accept", "device": str(d.id), "domain": str(theirs.domain)} for d in given]
    cancel = [{"verb": "cancel", "device": str(d.id)} for d in given]
    won = winners(contend(fleet.url, accept, cancel), Code.WRONG_STATE)
    found = [fleet.device(d.id) for d in given]
    assert [d.owner for d in found] == [(theirs, ours)[side].owner for side in won]
    assert [d.state for d in found] == [(DeviceState.CLAIMED, DeviceState.ACTIVE)[side] for side in won]


def test_retired_twice(fleet: Fleet) -> None:
    ours = a_tenant(fleet.registry, "ours")
    given = [fleet.register(ours, a_root()) for _ in range(DEVICES)]
    retire = [{"verb": "retire", "device": str(d.id)} for d in given]
    winners(contend(fleet.url, retire, retire), Code.WRONG_STATE)
    assert all(events_of(fleet, d.id, "retire") == 1 for d in given)


def test_one_root_registered_twice(fleet: Fleet) -> None:
    roots = [os.urandom(32) for _ in range(DEVICES)]
    register = [{"verb": "register", "root": root.hex()} for root in roots]
    winners(contend(fleet.url, register, register), Code.ROOT_NOT_FREE)
    with fleet.registry.read() as reading:
        assert all(by_root(reading, EVERYTHING, root) for root in roots)


def test_a_root_is_registered_while_its_device_is_retired(fleet: Fleet) -> None:
    """Whichever comes first: the hardware that is being retired never gets a second life."""
    ours = a_tenant(fleet.registry, "ours")
    given = [fleet.register(ours, a_root()) for _ in range(DEVICES)]
    retire = [{"verb": "retire", "device": str(d.id)} for d in given]
    register = [{"verb": "register", "root": d.roots[0].spki.hex()} for d in given]
    retired, registered = contend(fleet.url, retire, register)
    assert Counter(answer[0] for answer in retired) == {"won": DEVICES}
    assert Counter(answer[1] for answer in registered) == {Code.ROOT_NOT_FREE: DEVICES}
