"""Delivery: at least once, from a cursor, whatever the receiver or our own process does."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta

import pytest

from tenure.flows.webhooks import hear, keep
from tenure.flows.webhooks.address import WebhookError
from tenure.flows.webhooks.deliver import LEASE, Round, deliver, release
from tenure.flows.webhooks.patience import Patience
from tenure.flows.webhooks.post import Answer, HttpPost
from tenure.flows.webhooks.signing import Message
from tenure.registry.faults import NotFoundError, UnknownReferenceError
from tests.flows.webhooks.outside import Outside
from tests.registry.healthy import OPERATOR, a_device, a_tenant, change, new_id, put


class DiedError(Exception):
    """The process dies here."""


def test_what_happens_is_told_once_in_order_and_never_again(outside: Outside) -> None:
    outside.subscribe()
    events = outside.happen(3)
    told = outside.deliver()
    assert (told.delivered, told.failed, told.dead) == (4, 0, 0)  # the webhook's own event too
    assert outside.receiver.told[1:] == [str(event) for event in events]
    assert [each["position"] for each in outside.receiver.acted] == [0, 1, 2, 3]
    assert outside.receiver.statuses == [204] * 4
    assert outside.deliver() == Round()


def test_it_hears_of_nothing_before_it_was_added_unless_it_asks(outside: Outside) -> None:
    events = outside.happen(2)
    late = outside.subscribe()
    outside.place()
    outside.deliver()
    assert len(outside.receiver.acted) == 1
    assert outside.receiver.acted[0]["event"]["subject"] == str(late.id)
    outside.subscribe(since=0)
    outside.deliver()
    assert {str(event) for event in events} <= set(outside.receiver.told)


@pytest.mark.parametrize(("fate", "acted"), [("before", 0), ("after", 1), ("503", 0), ("302", 0)])
def test_a_failure_comes_again_and_is_acted_on_once(outside: Outside, fate: str, acted: int) -> None:
    """Also where the receiver took effect and its answer was lost."""
    webhook = outside.subscribe(verbs=("test",))
    (event,) = outside.happen()
    outside.receiver.fate = [fate]
    assert outside.deliver().failed == 1
    assert outside.receiver.told == [str(event)] * acted
    assert outside.deliver() == Round()  # not yet
    outside.wait(minutes=1)
    assert outside.deliver().delivered == 1
    assert outside.receiver.told == [str(event)]
    assert outside.waiting(webhook) == 0


def test_a_receiver_that_stays_down_gets_less_and_less_and_then_there_is_a_dead_letter(outside: Outside) -> None:
    webhook = outside.subscribe(verbs=("test",))
    (event,) = outside.happen()
    patience = Patience()
    outside.receiver.fate = ["before"] * patience.attempts
    tries = []
    for _ in range(40 * 60):
        if (told := outside.deliver()).failed or told.dead:
            tries.append(outside.registry.world.now())
        if told.dead:
            break
        outside.wait(minutes=3)
    assert len(tries) == patience.attempts
    gaps = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert gaps[-1] > timedelta(hours=3) > gaps[0]
    (letter,) = outside.dead(webhook)
    assert (letter.event, letter.attempts) == (event, patience.attempts)
    assert "RemoteProtocolError" in letter.last_answer
    outside.wait(days=30)
    assert outside.deliver() == Round()

    assert keep.resend(outside.registry, OPERATOR, webhook.id) == 1
    assert outside.deliver().delivered == 1
    assert outside.receiver.told == [str(event)]
    assert not outside.dead(webhook)


def test_one_event_that_is_refused_holds_up_no_other(outside: Outside) -> None:
    webhook = outside.subscribe(verbs=("test",))
    events = outside.happen(6)
    outside.receiver.poison = str(events[2])
    told = outside.deliver()
    assert (told.delivered, told.failed) == (5, 1)
    assert outside.waiting(webhook) == 1


def test_behind_some_failures_the_rest_waits_and_loses_no_attempt(outside: Outside) -> None:
    outside.subscribe(verbs=("test",))
    outside.happen(10)
    outside.receiver.fate = ["before"] * 3
    assert outside.deliver().failed == 3
    assert len(outside.receiver.seen) == 3
    outside.wait(minutes=1)
    told = outside.deliver()
    assert (told.delivered, told.failed) == (10, 0)


def test_one_that_is_down_delays_no_other(outside: Outside) -> None:
    down = outside.subscribe(url="http://127.0.0.1:1/", verbs=("test",))
    outside.subscribe(verbs=("test",))
    outside.happen(5)
    told = outside.deliver()
    assert told.delivered == 5
    assert outside.waiting(down) == 5


def test_what_waits_is_bounded_and_the_ledger_keeps_the_rest(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hear, "PAGE", 4)
    monkeypatch.setattr(hear, "WAITING", 8)
    webhook = outside.subscribe(verbs=("test",))
    events = outside.happen(30)
    outside.receiver.fate = ["before"] * 1000
    for _ in range(20):
        outside.deliver()
        outside.wait(minutes=1)
    assert 8 <= outside.waiting(webhook) < 8 + 4
    outside.receiver.fate = []
    outside.wait(hours=6)
    while outside.waiting(webhook) or outside.deliver().more:
        outside.deliver()
        outside.wait(hours=6)
    assert sorted(outside.receiver.told) == sorted(map(str, events))


def test_one_process_delivers_and_another_follows_when_it_died(outside: Outside) -> None:
    outside.subscribe(verbs=("test",))
    outside.happen()
    sends = outside.sends

    async def dies_after(message: Message) -> Answer:
        await sends(message)
        raise DiedError

    outside.sends = dies_after
    with pytest.raises(DiedError):
        outside.deliver("first")
    outside.sends = sends
    assert len(outside.receiver.told) == 1
    assert outside.deliver("second") == Round()  # the lease is the first one's
    outside.wait(seconds=LEASE.total_seconds())
    assert outside.deliver("second").delivered == 1
    assert len(outside.receiver.told) == 1, "the receiver knows an event by Tenure-Event"
    assert len(outside.receiver.seen) == 2


def test_a_lease_given_back_is_free_and_one_of_another_stays(outside: Outside) -> None:
    outside.subscribe(verbs=("test",))
    outside.happen()
    outside.deliver("first")
    outside.happen()
    release(outside.courier("second"))
    assert outside.deliver("second") == Round()
    release(outside.courier("first"))
    assert outside.deliver("second").delivered == 1


def test_two_that_both_believe_to_deliver_lose_nothing_and_count_right(outside: Outside) -> None:
    """The lease ran out while the first was sending: what the second settled stays settled."""
    webhook = outside.subscribe(verbs=("test",))
    outside.happen()
    sends = outside.sends

    async def slow(message: Message) -> Answer:
        outside.wait(seconds=LEASE.total_seconds())
        outside.sends = sends
        outside.receiver.fate = ["503"]
        second = await asyncio.to_thread(deliver, outside.courier("second"))
        assert second.failed == 1
        outside.receiver.fate = ["503"]
        return await sends(message)

    outside.sends = slow
    assert outside.deliver("first").failed == 1
    outside.wait(minutes=10)
    assert outside.deliver("second").delivered == 1
    assert outside.waiting(webhook) == 0


def test_an_owner_hears_of_its_own_devices_alone_and_of_no_numbers(outside: Outside) -> None:
    ours, theirs = a_tenant(outside.registry, "ours"), a_tenant(outside.registry, "theirs")
    outside.subscribe(owner=ours.owner)
    mine, other, nobodys = a_device(owner=ours.owner), a_device(owner=theirs.owner), a_device()
    put(outside.registry, mine, other, nobodys)
    keep.add(outside.registry, OPERATOR, keep.Wanted("https://receiver.example/"))  # an event about no device
    outside.place()
    outside.deliver()
    (letter,) = outside.receiver.acted
    assert letter["event"]["subject"] == str(mine.id)
    assert letter.keys() == {"event"}
    assert not {"sequence", "instance"} & letter["event"].keys()
    assert outside.receiver.statuses == [204]


def test_a_limit_to_a_trust_domain_holds_too(outside: Outside) -> None:
    ours, theirs = a_tenant(outside.registry, "ours"), a_tenant(outside.registry, "theirs")
    outside.subscribe(owner=ours.owner, trust_domain=theirs.domain)
    put(outside.registry, a_device(owner=ours.owner, trust_domain=ours.domain))
    inside = a_device(owner=ours.owner, trust_domain=theirs.domain)
    put(outside.registry, inside)
    outside.place()
    outside.deliver()
    assert [each["event"]["subject"] for each in outside.receiver.acted] == [str(inside.id)]


def test_a_paused_one_hears_later_of_what_it_missed_and_a_removed_one_nothing(outside: Outside) -> None:
    webhook = outside.subscribe(verbs=("test",))
    keep.switch(outside.registry, OPERATOR, webhook.id, enabled=False)
    events = outside.happen(2)
    assert outside.deliver() == Round()
    keep.switch(outside.registry, OPERATOR, webhook.id, enabled=True)
    assert outside.deliver().delivered == 2
    assert outside.receiver.told == [str(event) for event in events]
    outside.happen()
    outside.receiver.fate = ["503"]
    outside.deliver()
    keep.remove(outside.registry, OPERATOR, webhook.id)
    outside.wait(days=1)
    assert outside.deliver() == Round()
    with pytest.raises(NotFoundError):
        keep.standing(outside.registry, webhook.id)


def test_a_change_of_a_device_is_told_as_it_stands_in_the_ledger(outside: Outside) -> None:
    outside.subscribe(verbs=("test",))
    device = a_device()
    put(outside.registry, device)
    change(outside.registry, device.id, serial="4711")
    outside.place()
    outside.deliver()
    first, second = outside.receiver.acted
    assert first["event"]["after"] == second["event"]["before"]
    assert "4711" not in str(second)


def test_an_owner_who_is_not_there_and_too_many_are_refused(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownReferenceError):
        outside.subscribe(owner=new_id())
    monkeypatch.setattr(keep, "MOST", 1)
    outside.subscribe()
    with pytest.raises(WebhookError, match="1 webhooks"):
        outside.subscribe()


def test_a_receiver_on_this_machine_is_not_told_unless_the_setting_says_so(outside: Outside) -> None:
    webhook = outside.subscribe(verbs=("test",))
    outside.happen()
    outside.sends = HttpPost()
    assert outside.deliver().failed == 1
    assert not outside.receiver.seen
    keep.resend(outside.registry, OPERATOR, webhook.id)
    outside.sends = HttpPost(local=True)
    assert outside.deliver().delivered == 1
