"""Verbs on webhooks: add, pause, resume, remove, and a new try for what was not delivered. Each is one change with its event."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tenure.flows.webhooks.address import WebhookError, check_url
from tenure.model.access import Actor
from tenure.model.events import Cause
from tenure.model.webhooks import DeliveryState, Webhook
from tenure.registry import hearing, letters, webhooks
from tenure.registry.registry import Registry

MOST = 100
"""Each is a look of its own in every round."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A webhook as it is asked for. ``since`` is the ledger position it hears from; None: from now on."""

    url: str
    owner: UUID | None = None
    trust_domain: UUID | None = None
    verbs: tuple[str, ...] = ()
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What was not delivered yet, and what was given up."""

    waiting: int
    dead: int


def add(registry: Registry, actor: Actor, wanted: Wanted, reason: str = "") -> Webhook:
    """Raises WebhookError, UnknownReferenceError."""
    url = check_url(wanted.url)
    with registry.change(actor) as work:
        if webhooks.counted(work) >= MOST:
            raise WebhookError(f"there are {MOST} webhooks already", "remove one, or let one receiver pass events on")
        made = Webhook(registry.world.ids(), url, work.at, wanted.owner, wanted.trust_domain, wanted.verbs)
        cursor = hearing.next_position(work) if wanted.since is None else wanted.since
        webhooks.add(work, made, cursor, Cause("add-webhook", reason))
    return made


def switch(registry: Registry, actor: Actor, id: UUID, *, enabled: bool, reason: str = "") -> Webhook:
    """Paused, it keeps its cursor and what waits for it. Raises NotFoundError."""
    with registry.change(actor) as work:
        return webhooks.switch(work, id, enabled, Cause("resume-webhook" if enabled else "pause-webhook", reason))


def remove(registry: Registry, actor: Actor, id: UUID, reason: str = "") -> Webhook:
    """Raises NotFoundError."""
    with registry.change(actor) as work:
        return webhooks.remove(work, id, Cause("remove-webhook", reason))


def resend(registry: Registry, actor: Actor, id: UUID, reason: str = "") -> int:
    """Dead letters and those that wait for their next attempt are due at once; how many. Raises NotFoundError."""
    with registry.change(actor) as work:
        webhooks.touch(work, id, Cause("resend-webhook", reason))
        return letters.make_due(work, id)


def standing(registry: Registry, id: UUID) -> Standing:
    """Raises NotFoundError."""
    with registry.read() as reading:
        webhooks.get(reading, id)
        return Standing(*(letters.count(reading, id, state) for state in (DeliveryState.WAITING, DeliveryState.DEAD)))
