"""Requests for a second person: asked for, read, decided."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Header, Query, Response

from tenure.api.access_table import V1
from tenure.api.conditional import etag, number_of, optional
from tenure.api.guard import GuardedRoute
from tenure.api.parts import Ask, Asked, Paged, Records, Works
from tenure.api.problem import BAD_CURSOR, CONFLICT, NOT_FOUND, STALE, documented
from tenure.api.shapes.obligations import ApprovalForm
from tenure.api.shapes.verbs import Decision, NewApproval, RequestedApproval
from tenure.api.shapes.wire import Page, Paging
from tenure.flows.devices import approvals as flow
from tenure.model.approvals import ApprovalState
from tenure.registry import approvals
from tenure.registry.registry import Registry

router = APIRouter(prefix=f"{V1}/approvals", route_class=GuardedRoute, tags=["approvals"])


class ApprovalQuery(Paging):
    state: ApprovalState | None = None


@router.get("", summary="Requests, page by page", responses=documented(BAD_CURSOR))
def listed(ask: Ask, pager: Paged, registry: Records, query: Annotated[ApprovalQuery, Query()]) -> Page[ApprovalForm]:
    with registry.read() as reading:
        found = approvals.listed(reading, ask.scope, query.state, pager.after_id(query.cursor), query.limit + 1)
    return pager.page(found, query.limit, ApprovalForm)


@router.post("", status_code=201, summary="Ask for the consent of a second person", responses=documented(NOT_FOUND, CONFLICT))
def requested(
    ask: Ask, registry: Records, parts: Works, order: Annotated[NewApproval, Body()], response: Response
) -> RequestedApproval:
    made = flow.request(registry, ask.actor, order.device, order.command(), order.reason, parts.approval_life)
    response.headers["Location"] = f"{V1}/approvals/{made.approval.id}"
    challenge = made.challenge.decode() if made.challenge else None
    return RequestedApproval(**dict(ApprovalForm.model_validate(made.approval)), challenge=challenge)


@router.get("/{approval}", summary="One request, for the second person to read", responses=documented(NOT_FOUND))
def one(ask: Ask, registry: Records, approval: UUID, response: Response) -> ApprovalForm:
    with registry.read() as reading:
        found = approvals.get(reading, ask.scope, approval)
    response.headers["ETag"] = etag(found.version)
    return ApprovalForm.model_validate(found)


@router.post("/{approval}/approve", summary="Consent, as another person", responses=documented(NOT_FOUND, CONFLICT, STALE))
def approved(
    ask: Ask, registry: Records, approval: UUID, order: Decision, if_match: Annotated[str | None, Header()] = None
) -> ApprovalForm:
    return _decided(ask, registry, approval, order, if_match, consent=True)


@router.post("/{approval}/refuse", summary="Refuse, as another person", responses=documented(NOT_FOUND, CONFLICT, STALE))
def refused(
    ask: Ask, registry: Records, approval: UUID, order: Decision, if_match: Annotated[str | None, Header()] = None
) -> ApprovalForm:
    return _decided(ask, registry, approval, order, if_match, consent=False)


def _decided(ask: Asked, registry: Registry, id: UUID, order: Decision, if_match: str | None, *, consent: bool) -> ApprovalForm:
    version = number_of(optional(if_match))
    return ApprovalForm.model_validate(
        flow.decide(registry, ask.actor, id, consent=consent, version=version, reason=order.reason)
    )
