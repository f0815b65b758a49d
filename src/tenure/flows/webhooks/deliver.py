"""Telling receivers what happened: at least once, each event by itself, from a place in the ledger that is never lost.

1. Look, without writing: has anything been placed that a webhook has not heard of, or is a letter due?
2. Hold the lease: one process delivers. In the same transaction what is heard waits for delivery, and the cursors move on.
3. Send, each letter signed anew; receivers side by side. No transaction is open meanwhile.
4. Settle in one transaction: delivered, or due again after a longer wait, or a dead letter.

A receiver may hear of an event twice (we died between 3 and 4, its answer was lost, or the lease ran out under us) and out of
order (a later one came through first): ``Tenure-Event`` tells.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from tenure.flows.webhooks.hear import heard
from tenure.flows.webhooks.patience import Patience
from tenure.flows.webhooks.post import Answer, Failed, Post, Taken
from tenure.flows.webhooks.signing import WebhookKey, message, sign
from tenure.model.access import Actor, ActorKind
from tenure.model.webhooks import Delivery, DeliveryState, Webhook
from tenure.registry import hearing, letters, webhooks
from tenure.registry.registry import Registry
from tenure.registry.work import Reading, Work

ACTOR = Actor(ActorKind.SYSTEM, "webhooks")
BATCH = 100
"""Letters to one receiver in a round."""

LONGEST = 12.0
"""Seconds after which no further letter is begun: a slow receiver does not hold up the round of the others."""

IN_A_ROW = 3
"""After so many failures one behind the other it is the receiver, not the letter: the rest waits with them."""

LEASE = timedelta(minutes=2)
"""Much longer than a round. Who died holding it is followed after this time."""


@dataclass(frozen=True, slots=True)
class Courier:
    """What deliveries are made with."""

    registry: Registry
    post: Post
    key: Callable[[], WebhookKey]  # asked for each round: a rotation is heard of without a restart
    holder: str  # of the lease: this process and no other
    chance: Callable[[], float]  # in [0, 1)
    clock: Callable[[], datetime]  # by which letters are signed
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did. ``moved`` counts cursors."""

    moved: int = 0
    heard: int = 0
    delivered: int = 0
    failed: int = 0
    dead: int = 0

    @property
    def more(self) -> bool:
        """Whether the next round is likely to find something."""
        return bool(self.moved or self.delivered)


Batch = tuple[Webhook, Sequence[Delivery]]


@dataclass(frozen=True, slots=True)
class _Sent:
    """What came of a batch to one receiver. ``rest`` was not tried."""

    tried: tuple[tuple[Delivery, Answer], ...]
    rest: tuple[Delivery, ...]


def deliver(courier: Courier) -> Round:
    """One round; nothing while another process delivers."""
    registry = courier.registry
    with registry.read() as reading:
        new = heard(reading)
        if not new and not _batches(reading, registry.world.now(), 1):
            return Round()
    with registry.change(ACTOR) as work:
        if not webhooks.take_lease(work, courier.holder, work.at + LEASE):
            return Round()
        moved = [each for each in new if webhooks.move(work, each.webhook, each.before, each.after)]
        for each in moved:
            letters.enqueue(work, each.webhook, each.events)
        batches = _batches(work, work.at, BATCH)
        leaves = hearing.leaves(work, [letter.event for _, batch in batches for letter in batch])
    sent = asyncio.run(_send(courier, batches, leaves)) if batches else []
    with registry.change(ACTOR) as work:
        settled = [state for each in sent for state in _settle(work, courier, each)]
    return Round(
        len(moved),
        sum(len(each.events) for each in moved),
        settled.count("delivered"),
        settled.count(DeliveryState.WAITING),
        settled.count(DeliveryState.DEAD),
    )


def release(courier: Courier) -> None:
    """Gives the lease back, so that another process need not wait for its end."""
    with courier.registry.change(ACTOR) as work:
        webhooks.end_lease(work, courier.holder)


def _batches(reading: Reading, now: datetime, limit: int) -> list[Batch]:
    """What is due, by receiver."""
    found = ((webhook, letters.due(reading, webhook.id, now, limit)) for webhook, _ in webhooks.cursors(reading))
    return [(webhook, batch) for webhook, batch in found if batch]


async def _send(courier: Courier, batches: Sequence[Batch], leaves: Mapping[UUID, bytes]) -> list[_Sent]:
    key = courier.key()
    return await asyncio.gather(*(_send_batch(courier, key, batch, leaves) for batch in batches))


async def _send_batch(courier: Courier, key: WebhookKey, batch: Batch, leaves: Mapping[UUID, bytes]) -> _Sent:
    webhook, due = batch
    time = asyncio.get_running_loop().time
    over, in_a_row, tried = time() + LONGEST, 0, list[tuple[Delivery, Answer]]()
    for letter in due:
        if in_a_row == IN_A_ROW or time() >= over:
            break
        answer: Answer = Failed("the event is not in the registry any more")
        if leaf := leaves.get(letter.event):
            request = message(webhook, letter, leaf)
            sign(request, key, courier.clock())
            answer = await courier.post(request)
        in_a_row = 0 if isinstance(answer, Taken) else in_a_row + 1
        tried.append((letter, answer))
    return _Sent(tuple(tried), tuple(due[len(tried) :]))


def _settle(work: Work, courier: Courier, sent: _Sent) -> list[str]:
    """Step 4 for one receiver. What was not tried behind a failure waits as long as it, and loses no attempt."""
    states, wait_until = [], None
    for letter, answer in sent.tried:
        if isinstance(answer, Taken):
            letters.delivered(work, letter)
            states.append("delivered")
            wait_until = None
            continue
        now = _failed(courier, letter, answer, work.at)
        letters.settle(work, letter, now)
        states.append(now.state.value)
        wait_until = max(now.next_at, wait_until or now.next_at)
    if wait_until is not None:
        for letter in sent.rest:
            letters.settle(work, letter, replace(letter, next_at=wait_until))
    return states


def _failed(courier: Courier, letter: Delivery, answer: Failed, now: datetime) -> Delivery:
    attempts = letter.attempts + 1
    wait = courier.patience.wait(attempts, courier.chance())
    state, due = (DeliveryState.DEAD, now) if wait is None else (DeliveryState.WAITING, now + wait)
    return replace(letter, state=state, attempts=attempts, next_at=due, last_answer=answer.why)
