"""Webhooks: who is told of events, what was not delivered, and a new try for it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from tenure.api.access_table import V1
from tenure.api.guard import GuardedRoute
from tenure.api.parts import Ask, Paged, Records
from tenure.api.problem import BAD_CURSOR, CONFLICT, NOT_FOUND, documented
from tenure.api.shapes.webhooks import Acting, LetterForm, NewWebhook, Resent, WebhookForm, WebhookStanding
from tenure.api.shapes.wire import Page, Paging
from tenure.flows.webhooks import keep
from tenure.flows.webhooks.keep import Wanted
from tenure.registry import letters, webhooks

router = APIRouter(prefix=f"{V1}/webhooks", route_class=GuardedRoute, tags=["webhooks"])


@router.get("", summary="Webhooks, page by page", responses=documented(BAD_CURSOR))
def listed(pager: Paged, registry: Records, query: Annotated[Paging, Query()]) -> Page[WebhookForm]:
    with registry.read() as reading:
        found = webhooks.listed(reading, pager.after_id(query.cursor), query.limit + 1)
    return pager.page(found, query.limit, WebhookForm)


@router.post("", status_code=201, summary="Tell a receiver of events", responses=documented(CONFLICT))
def added(ask: Ask, registry: Records, order: NewWebhook, response: Response) -> WebhookForm:
    wanted = Wanted(order.url, order.owner, order.trust_domain, tuple(order.verbs), order.since)
    made = keep.add(registry, ask.actor, wanted, order.reason)
    response.headers["Location"] = f"{V1}/webhooks/{made.id}"
    return WebhookForm.model_validate(made)


@router.get("/{webhook}", summary="One webhook, and what was not delivered to it", responses=documented(NOT_FOUND))
def one(registry: Records, webhook: UUID) -> WebhookStanding:
    with registry.read() as reading:
        found = WebhookForm.model_validate(webhooks.get(reading, webhook))
    standing = keep.standing(registry, webhook)
    return WebhookStanding(**dict(found), waiting=standing.waiting, dead=standing.dead)


@router.get("/{webhook}/dead", summary="Its dead letters, by position", responses=documented(BAD_CURSOR, NOT_FOUND))
def dead(pager: Paged, registry: Records, webhook: UUID, query: Annotated[Paging, Query()]) -> Page[LetterForm]:
    after = pager.after(query.cursor)
    with registry.read() as reading:
        webhooks.get(reading, webhook)
        found = letters.dead(reading, webhook, None if after is None else int(str(after[0])), query.limit + 1)
    shown = found[: query.limit]
    following = pager.next((str(shown[-1].position),)) if len(found) > query.limit else None
    return Page(items=[LetterForm.model_validate(letter) for letter in shown], next=following)


@router.post("/{webhook}/resend", summary="What was not delivered is due at once", responses=documented(NOT_FOUND))
def resent(ask: Ask, registry: Records, webhook: UUID, order: Acting) -> Resent:
    return Resent(due=keep.resend(registry, ask.actor, webhook, order.reason))


@router.post("/{webhook}/pause", summary="Tell it nothing for now; it keeps its place", responses=documented(NOT_FOUND))
def paused(ask: Ask, registry: Records, webhook: UUID, order: Acting) -> WebhookForm:
    return WebhookForm.model_validate(keep.switch(registry, ask.actor, webhook, enabled=False, reason=order.reason))


@router.post("/{webhook}/resume", summary="Tell it what it missed, and go on", responses=documented(NOT_FOUND))
def resumed(ask: Ask, registry: Records, webhook: UUID, order: Acting) -> WebhookForm:
    return WebhookForm.model_validate(keep.switch(registry, ask.actor, webhook, enabled=True, reason=order.reason))


@router.post("/{webhook}/remove", summary="Remove it, with its letters", responses=documented(NOT_FOUND))
def removed(ask: Ask, registry: Records, webhook: UUID, order: Acting) -> WebhookForm:
    return WebhookForm.model_validate(keep.remove(registry, ask.actor, webhook, order.reason))
