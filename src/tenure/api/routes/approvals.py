"""Requests for a second person: what waits, and what was decided."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from tenure.api.access_table import V1
from tenure.api.conditional import etag
from tenure.api.guard import GuardedRoute
from tenure.api.parts import Ask, Paged, Records
from tenure.api.problem import BAD_CURSOR, NOT_FOUND, documented
from tenure.api.shapes.obligations import ApprovalForm
from tenure.api.shapes.wire import Page, Paging
from tenure.model.approvals import ApprovalState
from tenure.registry import approvals

router = APIRouter(prefix=f"{V1}/approvals", route_class=GuardedRoute, tags=["approvals"])


class ApprovalQuery(Paging):
    state: ApprovalState | None = None


@router.get("", summary="Requests, page by page", responses=documented(BAD_CURSOR))
def listed(ask: Ask, pager: Paged, registry: Records, query: Annotated[ApprovalQuery, Query()]) -> Page[ApprovalForm]:
    with registry.read() as reading:
        found = approvals.listed(reading, ask.scope, query.state, pager.after_id(query.cursor), query.limit + 1)
    return pager.page(found, query.limit, ApprovalForm)


@router.get("/{approval}", summary="One request, for the second person to read", responses=documented(NOT_FOUND))
def one(ask: Ask, registry: Records, approval: UUID, response: Response) -> ApprovalForm:
    with registry.read() as reading:
        found = approvals.get(reading, ask.scope, approval)
    response.headers["ETag"] = etag(found.version)
    return ApprovalForm.model_validate(found)
