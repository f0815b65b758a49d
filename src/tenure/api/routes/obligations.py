"""Obligations: what is still open where, and the evidence that came."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from tenure.api.access_table import V1
from tenure.api.guard import GuardedRoute
from tenure.api.parts import Ask, Paged, Records
from tenure.api.problem import BAD_CURSOR, NOT_FOUND, documented
from tenure.api.shapes.obligations import EvidenceForm, ObligationForm, ObligationWithEvidence
from tenure.api.shapes.wire import Instant, Page, Paging
from tenure.registry import devices, obligations

router = APIRouter(prefix=V1, route_class=GuardedRoute, tags=["obligations"])


class OpenQuery(Paging):
    """Which of the open ones."""

    relying_party: UUID | None = None
    due_before: Instant | None = None


@router.get("/obligations", summary="Open obligations, page by page", responses=documented(BAD_CURSOR))
def listed(ask: Ask, pager: Paged, registry: Records, query: Annotated[OpenQuery, Query()]) -> Page[ObligationForm]:
    with registry.read() as reading:
        found = obligations.listed_open(
            reading,
            ask.scope,
            relying_party=query.relying_party,
            due_before=query.due_before,
            after=pager.after_id(query.cursor),
            limit=query.limit + 1,
        )
    return pager.page(found, query.limit, ObligationForm)


@router.get("/obligations/{obligation}", summary="One obligation with its evidence", responses=documented(NOT_FOUND))
def one(ask: Ask, registry: Records, obligation: UUID) -> ObligationWithEvidence:
    with registry.read() as reading:
        found = obligations.get(reading, ask.scope, obligation)
        came = obligations.evidence_of(reading, [obligation])
    form = ObligationForm.model_validate(found)
    return ObligationWithEvidence(**dict(form), evidence=list(map(EvidenceForm.model_validate, came)))


@router.get(
    "/devices/{device}/obligations",
    summary="Obligations of a device, oldest first",
    description="Those of a term in which it was another's show to that owner and to who may see everything.",
    responses=documented(NOT_FOUND),
)
def of_device(ask: Ask, registry: Records, device: UUID) -> list[ObligationForm]:
    with registry.read() as reading:
        devices.get(reading, ask.scope, device)
        return list(map(ObligationForm.model_validate, obligations.seen_of_device(reading, ask.scope, device)))
