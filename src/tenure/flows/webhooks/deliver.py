"""Telling receivers what happened: at least once, each event by itself, from a place in the ledger that is never lost.

1. Hear: for each webhook, the events placed since its cursor that it may hear wait for delivery; its cursor moves on, together.
2. Claim: what is due is put off, so that no other process sends it; if we die, it is due again when the claim ends.
3. Send: signed anew; receivers side by side, so that a slow one delays no other. No transaction is open meanwhile.
4. Settle: delivered, or due again after a longer wait, or a dead letter that stands until somebody settles it.

A receiver may hear of an event twice (we died between 3 and 4, or its answer was lost) and out of order (a later one came
through first): ``Tenure-Event`` and ``position`` tell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby

from tenure.flows.webhooks.patience import Patience
from tenure.flows.webhooks.post import Answer, Failed, Post, Taken
from tenure.flows.webhooks.signing import WebhookKey, message, sign
from tenure.ledger.store import LedgerRows
from tenure.model.access import Actor, ActorKind, Area
from tenure.model.webhooks import Delivery, DeliveryState, Webhook
from tenure.registry import hearing, webhooks
from tenure.registry.registry import Registry

ACTOR = Actor(ActorKind.SYSTEM, "webhooks")
PAGE = 500
"""Events heard of in one transaction."""

BATCH = 100
"""Deliveries claimed at once."""

CLAIM = timedelta(minutes=20)
"""Longer than a batch can take, with each of its messages running into the time limit."""

SIDE_BY_SIDE = 8


@dataclass(frozen=True, slots=True)
class Courier:
    """What deliveries are made with."""

    registry: Registry
    ledger: LedgerRows
    post: Post
    key: WebhookKey
    chance: Callable[[], float]  # in [0, 1)
    now: Callable[[], datetime]
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did."""

    heard: int = 0
    delivered: int = 0
    failed: int = 0
    dead: int = 0

    @property
    def idle(self) -> bool:
        return self == Round()


def deliver(courier: Courier) -> Round:
    """One round: a page of events heard of, a batch of deliveries tried. Call it until it is idle, then again after a while."""
    heard = _hear(courier)
    with courier.registry.change(ACTOR) as work:
        claimed = webhooks.claim(work, BATCH, work.at + CLAIM)
    of_one = [list(group) for _, group in groupby(sorted(claimed, key=_by_receiver), lambda c: c[0].id)]
    with ThreadPoolExecutor(SIDE_BY_SIDE, "webhook") as pool:
        settled = [delivery for done in pool.map(lambda batch: _send_all(courier, batch), of_one) for delivery in done]
    states = [delivery.state for delivery in settled]
    return Round(
        heard, states.count(DeliveryState.DELIVERED), states.count(DeliveryState.WAITING), states.count(DeliveryState.DEAD)
    )


def _by_receiver(claimed: tuple[Webhook, Delivery]) -> tuple[str, int]:
    return str(claimed[0].id), claimed[1].position


def _hear(courier: Courier) -> int:
    """Step 1. The cursor stands behind what was looked at, heard or not, in the transaction that makes it wait."""
    count = 0
    with courier.registry.change(ACTOR) as work:
        for webhook, cursor in webhooks.cursors(work):
            placed = {p.position: p.event for p in courier.ledger.placed(cursor, cursor + PAGE)}
            if not placed:
                continue
            heard = [t for t in hearing.told(work, placed) if hears(webhook, t)]
            webhooks.enqueue(work, webhook.id, ((t.position, t.event) for t in heard), max(placed) + 1)
            count += len(heard)
    return count


def hears(webhook: Webhook, told: hearing.Told) -> bool:
    """Whether a webhook may hear of an event. One that is about no device is for those who may see everything."""
    if webhook.verbs and told.verb not in webhook.verbs:
        return False
    area = Area(webhook.owner, webhook.trust_domain)
    return webhook.hears_all or any(area.holds(owner, domain) for owner, domain in told.places)


def _send_all(courier: Courier, batch: Sequence[tuple[Webhook, Delivery]]) -> list[Delivery]:
    """Steps 3 and 4 for one receiver. After a failure the rest waits with it, and loses no attempt."""
    settled: list[Delivery] = []
    for number, (webhook, delivery) in enumerate(batch, 1):
        now = _settled(courier, delivery, _answer(courier, webhook, delivery))
        settled.append(now)
        down = now.state is not DeliveryState.DELIVERED
        rest = [replace(waiting, next_at=now.next_at) for _, waiting in batch[number:]] if down else []
        with courier.registry.change(ACTOR) as work:
            for one in (now, *rest):
                webhooks.settle(work, one)
        if down:
            break
    return settled


def _answer(courier: Courier, webhook: Webhook, delivery: Delivery) -> Answer:
    placed = next(courier.ledger.placed(delivery.position, delivery.position + 1), None)
    if placed is None or placed.event != delivery.event:
        return Failed(f"the ledger does not have event {delivery.event} at position {delivery.position}")
    request = message(webhook.url, delivery.position, delivery.event, placed.leaf)
    sign(request, courier.key, courier.now())
    return courier.post(request)


def _settled(courier: Courier, delivery: Delivery, answer: Answer) -> Delivery:
    attempts, now = delivery.attempts + 1, courier.now()
    if isinstance(answer, Taken):
        told = f"HTTP {answer.status}"
        return replace(delivery, state=DeliveryState.DELIVERED, attempts=attempts, next_at=now, last_answer=told)
    wait = courier.patience.wait(attempts, courier.chance())
    state, due = (DeliveryState.DEAD, now) if wait is None else (DeliveryState.WAITING, now + wait)
    return replace(delivery, state=state, attempts=attempts, next_at=due, last_answer=answer.why)
