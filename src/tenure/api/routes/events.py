"""Events and the ledger: what was done, and the proof that it was."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import PlainTextResponse, Response

from tenure.api.access_table import V1
from tenure.api.guard import GuardedRoute
from tenure.api.parts import Ask, Paged, Records, Works
from tenure.api.problem import BAD_CURSOR, CONFLICT, NOT_FOUND, RefusalError, documented
from tenure.api.shapes.events import EventForm
from tenure.api.shapes.wire import Page, Paging
from tenure.ledger.proof import prove
from tenure.registry import devices, event_lists

router = APIRouter(prefix=V1, route_class=GuardedRoute, tags=["events"])


class EventQuery(Paging):
    subject: UUID | None = None


@router.get("/events", summary="All events, newest first", responses=documented(BAD_CURSOR))
def listed(pager: Paged, registry: Records, query: Annotated[EventQuery, Query()]) -> Page[EventForm]:
    subject = None if query.subject is None else str(query.subject)
    with registry.read() as reading:
        page = event_lists.page(reading, subject, pager.after_id(query.cursor), query.limit)
    return Page(items=list(map(EventForm.of, page.items)), next=pager.next((str(page.next),) if page.next else None))


@router.get("/devices/{device}/events", summary="Events of a device, newest first", responses=documented(BAD_CURSOR, NOT_FOUND))
def of_device(ask: Ask, pager: Paged, registry: Records, device: UUID, query: Annotated[Paging, Query()]) -> Page[EventForm]:
    with registry.read() as reading:
        devices.get(reading, ask.scope, device)
        page = event_lists.of_device(reading, ask.scope, device, pager.after_id(query.cursor), query.limit)
    items = [EventForm.within(ask.scope, told) for told in page.items]
    return Page(items=items, next=pager.next((str(page.next),) if page.next else None))


@router.get("/events/{event}", summary="One event", responses=documented(NOT_FOUND))
def one(registry: Records, event: UUID) -> EventForm:
    with registry.read() as reading:
        return EventForm.of(event_lists.get(reading, event))


@router.get(
    "/events/{event}/proof",
    summary="Proof that an event is in the ledger",
    description="A file that is checked offline (docs/ledger.md), with the C2SP tlog-proof in it.",
    response_model=dict[str, object],
    responses=documented(NOT_FOUND, CONFLICT),
)
def proof(registry: Records, parts: Works, event: UUID) -> Response:
    with registry.read() as reading:
        position = event_lists.get(reading, event).position
    if position is None:
        raise RefusalError(CONFLICT, "the event has no place in the ledger yet", "ask again in a moment")
    return Response(prove(parts.ledger, parts.identity, position), media_type="application/json")


@router.get(
    "/ledger/checkpoint",
    summary="The signed head of the ledger (C2SP tlog-checkpoint)",
    response_class=PlainTextResponse,
    responses=documented(NOT_FOUND),
)
def checkpoint(parts: Works) -> Response:
    signed = parts.ledger.checkpoint()
    if signed is None:
        raise RefusalError(NOT_FOUND, "nothing has a place in the ledger yet", "ask again in a moment")
    return PlainTextResponse(signed)
