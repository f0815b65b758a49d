"""What each webhook hears of next: events that have their place, from its cursor on, as far as it may hear of them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tenure.model.webhooks import DeliveryState, Webhook
from tenure.registry import hearing, letters, webhooks
from tenure.registry.work import Reading

PAGE = 500
"""Events a webhook hears of at once."""

WAITING = 1000
"""With so many letters waiting its cursor stands still: the ledger is the queue, and the table stays small."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a webhook hears of (position and event), and where its cursor stands before and after."""

    webhook: UUID
    events: tuple[tuple[int, UUID], ...]
    before: int
    after: int


def heard(reading: Reading) -> list[Heard]:
    """For each webhook that is on and behind. Where nothing is for it, its cursor moves on all the same."""
    found = []
    for webhook, cursor in webhooks.cursors(reading):
        if letters.count(reading, webhook.id, DeliveryState.WAITING) >= WAITING:
            continue
        if placed := hearing.placed(reading, cursor, PAGE):
            events = tuple((t.position, t.event) for t in hearing.told(reading, placed) if hears(webhook, t))
            found.append(Heard(webhook.id, events, cursor, max(placed) + 1))
    return found


def hears(webhook: Webhook, told: hearing.Told) -> bool:
    """Whether a webhook may hear of an event. One that is about no device is for those who may see everything."""
    if webhook.verbs and told.verb not in webhook.verbs:
        return False
    return webhook.whole or any(webhook.area.holds(*place) for place in told.places)
