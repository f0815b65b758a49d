"""Transfers between two owners of this Tenure: offered by one, accepted or declined by the other."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from tenure.api.access_table import V1
from tenure.api.guard import GuardedRoute
from tenure.api.parts import Ask, Paged, Records, Works
from tenure.api.problem import BAD_CURSOR, CONFLICT, NOT_FOUND, documented
from tenure.api.shapes.devices import DeviceForm
from tenure.api.shapes.parties import Ending
from tenure.api.shapes.verbs import Acceptance, NewOffer, OfferForm, StatementForm
from tenure.api.shapes.wire import Page, Paging
from tenure.flows.devices import transfers
from tenure.model.devices import OfferState
from tenure.registry import offers

router = APIRouter(prefix=f"{V1}/transfers", route_class=GuardedRoute, tags=["transfers"])


class OfferQuery(Paging):
    state: OfferState | None = None


@router.get("", summary="Offers of either party, page by page", responses=documented(BAD_CURSOR))
def listed(ask: Ask, pager: Paged, registry: Records, query: Annotated[OfferQuery, Query()]) -> Page[OfferForm]:
    with registry.read() as reading:
        found = offers.listed(reading, ask.scope, query.state, pager.after_id(query.cursor), query.limit + 1)
    return pager.page(found, query.limit, OfferForm)


@router.get("/{offer}", summary="One offer", responses=documented(NOT_FOUND))
def one(ask: Ask, registry: Records, offer: UUID) -> OfferForm:
    with registry.read() as reading:
        return OfferForm.model_validate(offers.get(reading, ask.scope, offer))


@router.post("", status_code=201, summary="Offer devices to another owner", responses=documented(NOT_FOUND, CONFLICT))
def offered(ask: Ask, registry: Records, parts: Works, order: NewOffer, response: Response) -> OfferForm:
    made = transfers.offer(
        registry,
        ask.actor,
        order.devices,
        order.to_owner,
        order.to_trust_domain,
        order.until,
        order.reason,
        parts.approval_over,
    )
    response.headers["Location"] = f"{V1}/transfers/{made.id}"
    return OfferForm.model_validate(made)


@router.post("/{offer}/accept", summary="Accept, as the receiver", responses=documented(NOT_FOUND, CONFLICT))
def accepted(ask: Ask, registry: Records, parts: Works, offer: UUID, order: Acceptance) -> list[DeviceForm]:
    signer = parts.handover_signer()
    after = transfers.accept(registry, ask.actor, signer, offer, order.trust_domain, order.site, order.reason)
    return list(map(DeviceForm.model_validate, after))


@router.get(
    "/{offer}/statements",
    summary="Signed statements of what was handed over, one for each device",
    description="Those of the caller's side: DSSE 1.0, signed with a handover key of `/keys`.",
    responses=documented(NOT_FOUND),
)
def stated(ask: Ask, registry: Records, offer: UUID) -> list[StatementForm]:
    with registry.read() as reading:
        return list(map(StatementForm.model_validate_json, transfers.statements(reading, ask.scope, offer)))


@router.post(
    "/{offer}/cancel", summary="Take back, decline, or end what was not answered", responses=documented(NOT_FOUND, CONFLICT)
)
def cancelled(ask: Ask, registry: Records, offer: UUID, order: Ending) -> OfferForm:
    transfers.cancel(registry, ask.actor, offer, order.reason)
    with registry.read() as reading:
        return OfferForm.model_validate(offers.get(reading, ask.scope, offer))
