"""Deliveries to a real receiver that verifies: once each in good times, at least once in bad ones, only what it may hear."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenure.flows.webhooks import keep
from tenure.flows.webhooks.deliver import CLAIM, Courier, Round, deliver
from tenure.flows.webhooks.patience import Patience
from tenure.flows.webhooks.post import Answer, Failed, HttpPost, Taken, WebhookError
from tenure.flows.webhooks.signing import Message, WebhookKey
from tenure.ledger.folder_shelf import FolderShelf
from tenure.model.access import EVERYTHING
from tenure.model.devices import Device
from tenure.model.events import Cause
from tenure.model.ledger import Placed
from tenure.model.webhooks import DeliveryState, Webhook
from tenure.registry import event_lists, webhooks
from tenure.registry.device_changes import change_device
from tenure.registry.devices import hold
from tenure.registry.faults import NotFoundError
from tenure.registry.ledger_store import RegistryLedger
from tenure.registry.registry import Registry
from tests.databases import Clock
from tests.flows.webhooks.receivers import Receiver, receiving
from tests.registry.healthy import OPERATOR, Tenant, a_device, a_tenant, put
from tests.registry.test_ledger_store import place_all

KEY = WebhookKey("0f1e2d3c4b5a6978", Ed25519PrivateKey.generate())
PATIENT = Patience(first=timedelta(minutes=1), longest=timedelta(hours=1), attempts=4)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving({KEY.id: KEY.private.public_key()}) as started:
        yield started


@pytest.fixture
def post() -> Iterator[HttpPost]:
    made = HttpPost(seconds=5)
    yield made
    made.close()


@dataclass
class Fleet:
    """A registry, a courier, and a webhook that hears of everything that happens from now on."""

    registry: Registry
    courier: Courier
    clock: Clock
    shelf: FolderShelf
    tenants: dict[str, Tenant] = field(default_factory=dict)

    def hook(self, url: str, **limits: object) -> Webhook:
        self.placed()
        return keep.add(self.registry, OPERATOR, url, **limits)  # type: ignore[arg-type]  # members by name

    def happen(self, *devices: Device) -> list[UUID]:
        """Devices arrive; the ids of what is told of them."""
        put(self.registry, *devices)
        self.placed()
        with self.registry.read() as reading:
            subjects = {str(device.id) for device in devices}
            return [t.event.id for t in event_lists.page(reading).items if t.event.subject in subjects]

    def placed(self) -> None:
        place_all(self.registry, self.shelf)

    def round(self) -> Round:
        return deliver(self.courier)

    def states(self) -> dict[DeliveryState, int]:
        with self.registry.read() as reading:
            return {s: n for s in DeliveryState if (n := len(webhooks.deliveries(reading, s)))}


@pytest.fixture
def fleet(registry: Registry, post: HttpPost, tmp_path: Path) -> Fleet:
    clock = registry.world.now
    assert isinstance(clock, Clock)
    clock.at = datetime.now(UTC) - timedelta(seconds=90)  # the receiver goes by the wall's, and forbids the future
    courier = Courier(registry, RegistryLedger(registry), post, KEY, lambda: 0.5, clock, PATIENT)
    made = Fleet(registry, courier, clock, FolderShelf(tmp_path))
    made.tenants.update({name: a_tenant(registry, name) for name in ("north", "south")})
    return made


def events_of(receiver: Receiver) -> list[str]:
    return [told["event"]["id"] for told in receiver.acted]


def test_an_event_arrives_signed_as_the_leaf_of_the_ledger(fleet: Fleet, receiver: Receiver) -> None:
    fleet.hook(receiver.url)
    (event,) = fleet.happen(a_device())
    assert fleet.round() == Round(heard=2, delivered=2)  # the webhook itself is an event too
    assert events_of(receiver)[-1] == str(event)
    told = receiver.acted[-1]
    (placed,) = RegistryLedger(fleet.registry).placed(told["position"], told["position"] + 1)
    assert json.loads(placed.leaf) == told["event"]
    assert receiver.statuses == [204, 204]
    assert fleet.round().idle
    assert fleet.states() == {DeliveryState.DELIVERED: 2}


def test_a_webhook_hears_of_what_happens_after_it_was_made_or_from_a_position_on(fleet: Fleet, receiver: Receiver) -> None:
    before = fleet.happen(a_device())
    fleet.hook(receiver.url)
    after = fleet.happen(a_device())
    fleet.round()
    assert str(before[0]) not in events_of(receiver)
    assert str(after[0]) in events_of(receiver)
    receiver.acted.clear()
    fleet.hook(receiver.url + "&all", since=0)
    fleet.round()
    assert str(before[0]) in events_of(receiver)


@pytest.mark.parametrize("fate", ["before", "after", "500", "302", "404"])
def test_what_failed_comes_again_and_is_acted_on_once(fleet: Fleet, receiver: Receiver, fate: str) -> None:
    fleet.hook(receiver.url, verbs=("test",))
    (event,) = fleet.happen(a_device())
    receiver.fate = [fate]
    assert fleet.round() == Round(heard=1, failed=1)
    assert len(events_of(receiver)) == (fate == "after")
    assert fleet.round().idle  # not before its time
    fleet.clock.pass_by(minutes=1)
    assert fleet.round() == Round(delivered=1)
    assert events_of(receiver) == [str(event)]
    assert len(receiver.seen) == 2
    assert receiver.seen[0]["Tenure-Event"] == receiver.seen[1]["Tenure-Event"]
    assert receiver.seen[0]["Content-Digest"] == receiver.seen[1]["Content-Digest"]
    assert receiver.seen[0]["Signature"] != receiver.seen[1]["Signature"]


def test_what_goes_on_failing_becomes_a_dead_letter_that_is_seen_and_can_be_sent_again(fleet: Fleet, receiver: Receiver) -> None:
    hook = fleet.hook(receiver.url, verbs=("test",))
    (event,) = fleet.happen(a_device())
    receiver.fate = ["503"] * PATIENT.attempts
    rounds = []
    for _ in range(PATIENT.attempts):
        rounds.append(fleet.round())
        fleet.clock.pass_by(hours=2)
    assert [r.failed for r in rounds] == [1, 1, 1, 0]
    assert rounds[-1].dead == 1
    with fleet.registry.read() as reading:
        (dead,) = webhooks.deliveries(reading, DeliveryState.DEAD, hook.id)
    assert (dead.event, dead.attempts, dead.last_answer) == (event, PATIENT.attempts, "HTTP 503")
    assert fleet.round().idle
    assert keep.resend(fleet.registry, OPERATOR, hook.id, reason="their proxy was down") == 1
    receiver.fate = ["200"]
    assert fleet.round().delivered == 1
    assert receiver.seen[-1]["Tenure-Event"] == str(event)


def test_dead_letters_can_be_dropped_and_both_are_events(fleet: Fleet, receiver: Receiver) -> None:
    hook = fleet.hook(receiver.url, verbs=("test",))
    fleet.courier = replace(fleet.courier, patience=replace(PATIENT, attempts=1))
    receiver.fate = ["500", "500"]
    fleet.happen(a_device())
    assert fleet.round().dead == 1
    assert keep.resend(fleet.registry, OPERATOR, hook.id) == 1
    assert fleet.round().dead == 1
    assert keep.drop(fleet.registry, OPERATOR, hook.id, reason="of no use any more") == 1
    assert keep.drop(fleet.registry, OPERATOR, hook.id, reason="again") == 0
    assert fleet.states() == {}
    with fleet.registry.read() as reading:
        verbs = [t.event.verb for t in event_lists.page(reading, str(hook.id)).items]
    assert verbs == ["drop-webhook", "resend-webhook", "add-webhook"]


def test_a_receiver_that_is_down_delays_no_other_and_loses_nothing(fleet: Fleet, receiver: Receiver) -> None:
    gone = fleet.hook("http://127.0.0.1:9/closed", verbs=("test",))
    fleet.hook(receiver.url, verbs=("test",))
    events = fleet.happen(a_device(), a_device(), a_device())
    assert fleet.round() == Round(heard=6, delivered=3, failed=1)
    assert sorted(events_of(receiver)) == sorted(map(str, events))
    with fleet.registry.read() as reading:
        waiting = webhooks.deliveries(reading, DeliveryState.WAITING, gone.id)
    assert [d.attempts for d in waiting] == [1, 0, 0]  # those behind it lost no attempt
    assert len({d.next_at for d in waiting}) == 1


def test_a_webhook_of_an_owner_hears_only_of_devices_that_were_theirs_then(fleet: Fleet, receiver: Receiver) -> None:
    north, south = fleet.tenants["north"], fleet.tenants["south"]
    fleet.hook(receiver.url, owner=south.owner)
    passed = a_device(owner=north.owner, trust_domain=north.domain)
    (before,) = fleet.happen(passed)
    (theirs,) = fleet.happen(a_device(owner=south.owner))
    fleet.happen(a_device(owner=north.owner), a_device())
    with fleet.registry.change(OPERATOR) as work:
        held = hold(work, EVERYTHING, passed.id)
        change_device(work, held, replace(held.device, owner=south.owner), Cause("accept"))
    fleet.placed()
    fleet.clock.pass_by(seconds=1)
    with fleet.registry.change(OPERATOR) as work:
        held = hold(work, EVERYTHING, passed.id)
        change_device(work, held, replace(held.device, name="pump"), Cause("after"))
    fleet.placed()
    fleet.round()
    told = {e["event"]["id"]: e["event"]["verb"] for e in receiver.acted}
    assert str(theirs) in told
    assert str(before) not in told
    assert sorted(v for v in told.values() if v != "test") == ["accept", "after"]
    assert len(told) == 3  # not of the other devices, of no owner, of tenants


def test_a_webhook_that_is_off_hears_later_and_one_that_is_gone_never(fleet: Fleet, receiver: Receiver) -> None:
    hook = fleet.hook(receiver.url, verbs=("test",))
    keep.switch(fleet.registry, OPERATOR, hook.id, enabled=False)
    fleet.happen(a_device())
    assert fleet.round().idle
    keep.switch(fleet.registry, OPERATOR, hook.id, enabled=True)
    assert fleet.round().delivered == 1
    fleet.happen(a_device())
    keep.remove(fleet.registry, OPERATOR, hook.id)
    assert fleet.round().idle
    for verb in (keep.remove, keep.resend):
        with pytest.raises(NotFoundError):
            verb(fleet.registry, OPERATOR, hook.id)


def test_if_we_die_after_sending_it_comes_again_when_the_claim_ends(fleet: Fleet, receiver: Receiver) -> None:
    fleet.hook(receiver.url, verbs=("test",))
    (event,) = fleet.happen(a_device())
    real = fleet.courier.post

    class Killed(BaseException):
        pass

    def dying(message: Message) -> Answer:
        assert isinstance(real(message), Taken)
        raise Killed

    with pytest.raises(Killed):
        deliver(replace(fleet.courier, post=dying))
    assert events_of(receiver) == [str(event)]
    assert fleet.round().idle
    fleet.clock.pass_by(seconds=CLAIM.total_seconds())
    with fleet.registry.read() as reading:
        assert len(webhooks.deliveries(reading, DeliveryState.WAITING)) == 1
    sent: list[Message] = []
    assert deliver(replace(fleet.courier, post=lambda m: sent.append(m) or Taken(204))).delivered == 1  # type: ignore[func-returns-value]  # a list's append
    assert sent[0].headers["Tenure-Event"] == str(event)


def test_two_processes_send_each_event_once(fleet: Fleet, receiver: Receiver) -> None:
    fleet.hook(receiver.url, verbs=("test",))
    events = fleet.happen(*(a_device() for _ in range(20)))
    rounds: list[Round] = []
    both = [Thread(target=lambda: rounds.append(fleet.round())) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    while not (last := fleet.round()).idle:
        rounds.append(last)
    assert sum(r.delivered for r in rounds) == 20
    assert len(receiver.seen) == 20
    assert sorted(events_of(receiver)) == sorted(map(str, events))


def test_an_event_that_the_ledger_has_no_more_is_not_sent(fleet: Fleet, receiver: Receiver) -> None:
    fleet.hook(receiver.url, verbs=("test",))
    fleet.happen(a_device())

    class Rewritten(RegistryLedger):
        def placed(self, start: int | None = None, stop: int | None = None) -> Iterator[Placed]:
            for one in super().placed(start, stop):
                changed = stop is not None and start is not None and stop - start == 1
                yield replace(one, event=UUID(int=0)) if changed else one

    fleet.courier = replace(fleet.courier, ledger=Rewritten(fleet.registry))
    assert fleet.round() == Round(heard=1, failed=1)
    assert receiver.seen == []


@pytest.mark.parametrize("part", ["body", "signature", "url", "key", "late"])
def test_the_documented_receiver_refuses_what_is_not_ours(fleet: Fleet, receiver: Receiver, part: str) -> None:
    fleet.hook(receiver.url, verbs=("test",))
    fleet.happen(a_device())
    post = fleet.courier.post

    def tampered(message: Message) -> Answer:
        match part:
            case "body":
                message.body = message.body.replace(b'"verb":"test"', b'"verb":"rest"')
            case "signature":
                del message.headers["Signature"]
            case "url":
                message.url = message.url.replace("graz", "linz")
        return post(message)

    fleet.courier = replace(fleet.courier, post=tampered)
    if part == "key":
        fleet.courier = replace(fleet.courier, key=WebhookKey(KEY.id, Ed25519PrivateKey.generate()))
    if part == "late":
        now = fleet.clock
        fleet.courier = replace(fleet.courier, now=lambda: now() - timedelta(minutes=6))
    assert fleet.round().failed == 1
    assert (receiver.statuses, receiver.acted) == ([401], [])


@pytest.mark.parametrize(
    "url",
    [
        "http://receiver.example/x",
        "ftp://receiver.example/x",
        "https://user:secret@receiver.example/",
        "https://",
        "receiver.example/x",
        "https://receiver.example/x y",
        "https://receiver.example/#part",
        "",
    ],
)
def test_events_leave_over_tls_or_stay_on_this_machine(registry: Registry, url: str) -> None:
    with pytest.raises(WebhookError) as refused:
        keep.add(registry, OPERATOR, url)
    assert refused.value.fix
    assert "secret" not in str(refused.value)


def test_a_redirect_is_not_followed_and_a_dead_address_is_told(post: HttpPost) -> None:
    assert isinstance(post(Message("http://127.0.0.1:9/", b"{}", {})), Failed)
