"""Verbs on webhooks: add, switch, remove, and what becomes of dead letters. Each is one change with its event."""

from __future__ import annotations

from uuid import UUID

from tenure.flows.webhooks.post import check_url
from tenure.model.access import Actor
from tenure.model.events import Cause
from tenure.model.webhooks import Webhook
from tenure.registry import hearing, webhooks
from tenure.registry.registry import Registry


def add(
    registry: Registry,
    actor: Actor,
    url: str,
    *,
    owner: UUID | None = None,
    trust_domain: UUID | None = None,
    verbs: tuple[str, ...] = (),
    since: int | None = None,
    reason: str = "",
) -> Webhook:
    """A webhook that hears of what is placed from now on, or from a ledger position on (0: of everything)."""
    checked = check_url(url)
    with registry.change(actor) as work:
        made = Webhook(registry.world.ids(), checked, work.at, owner, trust_domain, verbs)
        cursor = hearing.next_position(work) if since is None else since
        webhooks.add(work, made, cursor, Cause("add-webhook", reason))
    return made


def switch(registry: Registry, actor: Actor, id: UUID, *, enabled: bool, reason: str = "") -> Webhook:
    """On or off. Off, it keeps its cursor and what waits for it."""
    with registry.change(actor) as work:
        return webhooks.switch(work, id, enabled, Cause("enable-webhook" if enabled else "disable-webhook", reason))


def remove(registry: Registry, actor: Actor, id: UUID, *, reason: str = "") -> None:
    with registry.change(actor) as work:
        webhooks.remove(work, id, Cause("remove-webhook", reason))


def resend(registry: Registry, actor: Actor, id: UUID, *, reason: str = "") -> int:
    """Dead letters are tried again from the first attempt on; how many."""
    with registry.change(actor) as work:
        return webhooks.resend(work, id, Cause("resend-webhook", reason))


def drop(registry: Registry, actor: Actor, id: UUID, *, reason: str) -> int:
    """Dead letters are given up for good; how many."""
    with registry.change(actor) as work:
        return webhooks.drop(work, id, Cause("drop-webhook", reason))
