"""One key after another, on both databases: what goes on, what stops, and who is told to copy."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest

from tenure.flows.own_keys import turn
from tenure.flows.own_keys.folder import KeyFolder
from tenure.flows.own_keys.sealing import OwnKeyError
from tenure.flows.own_keys.turn import Custody, at_work, begin_anew, end, rotate
from tenure.model.access import Actor, ActorKind
from tenure.model.canonical import value_in
from tenure.model.credentials import KeyState
from tenure.model.own_keys import KIND, OwnKey, Purpose, current, of_purpose
from tenure.registry import event_lists
from tenure.registry.tables.ledger import ledger_record

ADMIN = Actor(ActorKind.SYSTEM, "test")


class DiedError(Exception):
    """The process ended here."""


def told(custody: Custody, subject: str) -> list[tuple[str, bytes | None, bytes | None]]:
    """Verb, before, after of each event, oldest first."""
    with custody.registry.read() as reading:
        return [(t.event.verb, t.event.before, t.event.after) for t in reversed(event_lists.page(reading, subject).items)]


@pytest.mark.parametrize("purpose", Purpose)
def test_the_first_key_is_made_once_with_its_event(custody: Custody, purpose: Purpose) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: at_work(custody, purpose), range(8)))
    assert len(found) == 1
    (key,) = found.pop()
    assert key.state is KeyState.ACTIVE
    assert (key.public is not None) == purpose.signs
    assert told(custody, purpose) == [("make-key", None, key.digest)]


@pytest.mark.parametrize("purpose", Purpose)
def test_a_new_key_is_current_and_the_old_one_still_counts(custody: Custody, purpose: Purpose) -> None:
    (old,) = at_work(custody, purpose, lambda: "tenure.example")
    new = rotate(custody, ADMIN, purpose, "due")
    first, second = at_work(custody, purpose)
    assert (first.id, second.id, first.name) == (new.id, old.id, old.name)
    assert second.state is (KeyState.ACTIVE if purpose is Purpose.LEDGER else KeyState.DEACTIVATED)
    assert told(custody, purpose) == [("make-key", None, old.digest), ("rotate-key", old.digest, new.digest)]
    if second.needs_secret:
        assert custody.folder.secret(second) != custody.folder.secret(first)
    else:
        with pytest.raises(OwnKeyError, match="no secret any more"):
            custody.folder.secret(second)


def test_the_ledger_carries_the_public_part_of_each_key_and_no_secret(custody: Custody) -> None:
    at_work(custody, Purpose.LEDGER)
    rotate(custody, ADMIN, Purpose.LEDGER, "due")
    keys = of_purpose(custody.folder.listed(), Purpose.LEDGER)
    with custody.registry.read() as reading:
        records = [row.content for row in reading.rows(ledger_record.select().order_by(ledger_record.c.sequence))]
        events = event_lists.page(reading, Purpose.LEDGER).items
    assert [value_in(OwnKey, content).public for content in records] == [key.public for key in reversed(keys)]
    assert [sha256(content).digest() for content in reversed(records)] == [t.event.after for t in events]
    for key in keys:
        assert not any(custody.folder.secret(key).hex().encode() in content for content in records)


def _dies_noting(monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
    real = turn._note

    def noting(*given: object, **more: bool) -> None:
        if after:
            real(*given, **more)  # type: ignore[arg-type]  # as it was called
        raise DiedError

    monkeypatch.setattr(turn, "_note", noting)


def _dies_restating(monkeypatch: pytest.MonkeyPatch, state: KeyState, after: bool) -> None:
    real = KeyFolder.restate

    def restating(folder: KeyFolder, key: OwnKey) -> None:
        if key.state is state and not after:
            raise DiedError
        real(folder, key)
        if key.state is state:
            raise DiedError

    monkeypatch.setattr(KeyFolder, "restate", restating)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "dies",
    [
        _dies_noting,
        lambda patch, after: _dies_restating(patch, KeyState.ACTIVE, after),
        lambda patch, after: _dies_restating(patch, KeyState.DEACTIVATED, after),
    ],
    ids=["event", "new", "old"],
)
def test_dead_at_each_step(
    custody: Custody, monkeypatch: pytest.MonkeyPatch, dies: Callable[[pytest.MonkeyPatch, bool], None], after: bool
) -> None:
    """Somebody is always current, no event is written twice, and the next rotation leaves one active key."""
    at_work(custody, Purpose.WEBHOOK)
    with monkeypatch.context() as patch:
        dies(patch, after)
        with pytest.raises(DiedError):
            rotate(custody, ADMIN, Purpose.WEBHOOK, "due")
    at_rest = current(custody.folder.listed(), Purpose.WEBHOOK)
    assert at_rest is not None
    assert custody.folder.secret(at_rest)
    rotate(custody, ADMIN, Purpose.WEBHOOK, "again")
    keys = of_purpose(custody.folder.listed(), Purpose.WEBHOOK)
    assert [key.state for key in keys].count(KeyState.ACTIVE) == 1
    assert KeyState.PRE_ACTIVE not in [key.state for key in keys]
    chain = told(custody, Purpose.WEBHOOK)
    assert [before for _, before, _ in chain] == [None, *(after for _, _, after in chain[:-1])]
    assert len({after for _, _, after in chain}) == len(chain) == len(keys)


def test_an_empty_folder_on_a_second_machine_is_told_to_copy(custody: Custody, tmp_path: Path) -> None:
    at_work(custody, Purpose.DIGEST)
    other = Custody(custody.registry, KeyFolder(tmp_path / "other", os.urandom))
    for refused in (lambda: at_work(other, Purpose.DIGEST), lambda: rotate(other, ADMIN, Purpose.DIGEST, "")):
        with pytest.raises(OwnKeyError, match="does not lie in this folder") as raised:
            refused()
        assert "copy the folder" in raised.value.fix
        assert "rotate digest --lost" in raised.value.fix
    assert other.folder.listed() == ()


def test_a_copy_that_is_behind_cannot_be_rotated(custody: Custody, tmp_path: Path) -> None:
    (old,) = at_work(custody, Purpose.DIGEST)
    behind = Custody(custody.registry, KeyFolder(tmp_path / "behind", os.urandom))
    with behind.folder.alone():
        behind.folder.add(old, custody.folder.secret(old))
    rotate(custody, ADMIN, Purpose.DIGEST, "due")
    with pytest.raises(OwnKeyError, match="does not lie in this folder"):
        rotate(behind, ADMIN, Purpose.DIGEST, "due")
    assert behind.folder.listed() == (old,)
    assert at_work(behind, Purpose.DIGEST) == (old,)  # it works on until it is copied


def test_a_key_that_is_lost_gives_way_to_a_new_line(custody: Custody) -> None:
    (old,) = at_work(custody, Purpose.CURSOR)
    with pytest.raises(OwnKeyError, match="is here"):
        begin_anew(custody, ADMIN, Purpose.CURSOR, "")
    custody.folder.remove(old)
    new = begin_anew(custody, ADMIN, Purpose.CURSOR, "disk died")
    assert at_work(custody, Purpose.CURSOR) == (new,)
    assert told(custody, Purpose.CURSOR)[-1] == ("rotate-key", old.digest, new.digest)


def test_a_lost_key_of_the_ledger_stays_known_by_its_public_part(custody: Custody) -> None:
    (old,) = at_work(custody, Purpose.LEDGER, lambda: "tenure.example")
    assert old.public is not None
    custody.folder.remove(old)
    with pytest.raises(OwnKeyError, match="nobody could check") as raised:
        begin_anew(custody, ADMIN, Purpose.LEDGER, "disk died")
    assert "--known" in raised.value.fix
    new = begin_anew(custody, ADMIN, Purpose.LEDGER, "disk died", [(old.name, old.public)])
    first, second = at_work(custody, Purpose.LEDGER)
    assert (first, first.name) == (new, "tenure.example")
    assert (second.public, second.state) == (old.public, KeyState.DEACTIVATED)


def test_the_end_of_an_old_key(custody: Custody) -> None:
    (old,) = at_work(custody, Purpose.DIGEST)
    for refused in (old.id, "none"):
        with pytest.raises(OwnKeyError):
            end(custody, ADMIN, refused, "")
    rotate(custody, ADMIN, Purpose.DIGEST, "due")
    with pytest.raises(OwnKeyError, match="7 tokens"):
        end(custody, ADMIN, old.id, "", needed=lambda _: "7 tokens")
    ended = end(custody, ADMIN, old.id, "all replaced")
    assert ended.state is KeyState.DESTROYED
    assert ended not in at_work(custody, Purpose.DIGEST)
    assert told(custody, old.id) == [("end-key", old.digest, None)]
    assert end(custody, ADMIN, old.id, "again") == ended
    assert len(told(custody, old.id)) == 1


def test_a_stolen_key_counts_no_more_whatever_rests_on_it(custody: Custody) -> None:
    (old,) = at_work(custody, Purpose.DIGEST)
    rotate(custody, ADMIN, Purpose.DIGEST, "stolen")
    ended = end(custody, ADMIN, old.id, "stolen", compromised=True, needed=lambda _: "7 tokens")
    assert ended.state is KeyState.COMPROMISED
    assert told(custody, old.id) == [("compromise-key", old.digest, None)]


def test_a_key_of_the_ledger_signs_no_more_and_is_trusted_for_the_past(custody: Custody) -> None:
    (old,) = at_work(custody, Purpose.LEDGER, lambda: "tenure.example")
    new = rotate(custody, ADMIN, Purpose.LEDGER, "due")
    ended = end(custody, ADMIN, old.id, "all verifiers know the new one")
    assert ended.state is KeyState.DEACTIVATED
    assert at_work(custody, Purpose.LEDGER) == (new, ended)
    assert told(custody, old.id) == [("end-key", old.digest, old.digest)]
    with pytest.raises(OwnKeyError, match="no secret"):
        custody.folder.secret(ended)
    with pytest.raises(OwnKeyError, match="rests on it"):
        end(custody, ADMIN, old.id, "", compromised=True, needed=lambda _: "the checkpoint rests on it")
    assert end(custody, ADMIN, old.id, "", compromised=True).state is KeyState.COMPROMISED
    assert at_work(custody, Purpose.LEDGER) == (new,)


def test_events_name_the_purpose_and_the_kind(custody: Custody) -> None:
    at_work(custody, Purpose.HANDOVER)
    with custody.registry.read() as reading:
        (made,) = event_lists.page(reading, Purpose.HANDOVER).items
    assert (made.event.subject_kind, made.event.actor) == (KIND, "system:first-start")
    assert made.event.id != UUID(int=0)
    assert replace(at_work(custody, Purpose.HANDOVER)[0], state=KeyState.DESTROYED).digest == made.event.after
