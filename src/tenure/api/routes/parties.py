"""Owners, sites, trust domains and device classes: four lists of one form.

Annotations here are values, not texts: the forms of a kind are variables, and FastAPI reads them from the signatures.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response

from tenure.api.access_table import V1
from tenure.api.conditional import etag, expected, number_of
from tenure.api.guard import GuardedRoute
from tenure.api.parts import Ask, Paged, Records
from tenure.api.problem import BAD_CURSOR, CONFLICT, NO_PRECONDITION, NOT_FOUND, STALE, documented
from tenure.api.shapes import parties as shapes
from tenure.api.shapes.wire import Order, Page, Paging
from tenure.flows import parties
from tenure.model.parties import DeviceClass, Owner, Party, Site, TrustDomain

TAGGED = {"headers": {"ETag": {"description": "The version, for If-Match", "schema": {"type": "string"}}}}
IfMatch = Annotated[str | None, Header(description="The ETag you decided on, or *")]


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the four: its word in paths, its value, and its forms on the wire."""

    word: str
    singular: str
    value: Any  # the frozen class
    form: Any
    new: Any
    changed: Any


KINDS = (
    Kind("owners", "owner", Owner, shapes.OwnerForm, shapes.NewOwner, shapes.OwnerChange),
    Kind("sites", "site", Site, shapes.SiteForm, shapes.NewSite, shapes.SiteChange),
    Kind("trust-domains", "trust domain", TrustDomain, shapes.TrustDomainForm, shapes.NewTrustDomain, shapes.TrustDomainChange),
    Kind("device-classes", "device class", DeviceClass, shapes.DeviceClassForm, shapes.NewDeviceClass, shapes.DeviceClassChange),
)


def routes(kind: Kind) -> APIRouter:
    """The five routes of one kind. FastAPI reads the forms from the signatures, which are made here for each kind."""
    router = APIRouter(prefix=f"{V1}/{kind.word}", route_class=GuardedRoute, tags=[kind.word])
    form, new, changed = kind.form, kind.new, kind.changed

    def listed(ask: Ask, pager: Paged, registry: Records, query: Annotated[Paging, Query()]) -> Any:
        found = parties.page(registry, ask.scope, kind.value, pager.after_id(query.cursor), query.limit + 1)
        return pager.page(found, query.limit, form)

    def one(ask: Ask, registry: Records, id: UUID, response: Response) -> Any:
        return _tagged(response, parties.get(registry, ask.scope, kind.value, id))

    def added(ask: Ask, registry: Records, order: new, response: Response) -> Any:  # type: ignore[valid-type]  # a variable, see above
        value = parties.add(registry, ask.actor, kind.value, *_told(order, named_alone=False))
        response.headers["Location"] = f"{V1}/{kind.word}/{value.id}"
        return _tagged(response, value)

    def altered(ask: Ask, registry: Records, id: UUID, order: changed, response: Response, if_match: IfMatch = None) -> Any:  # type: ignore[valid-type]  # a variable, see above
        version = number_of(expected(if_match))
        return _tagged(response, parties.change(registry, ask.actor, kind.value, id, version, *_told(order)))

    def ended(ask: Ask, registry: Records, id: UUID, order: shapes.Ending, response: Response, if_match: IfMatch = None) -> Any:
        version = number_of(expected(if_match))
        return _tagged(response, parties.end(registry, ask.actor, kind.value, id, version, ask.now, order.reason))

    here, there = documented(NOT_FOUND), documented(NOT_FOUND, CONFLICT, STALE, NO_PRECONDITION)
    add = router.add_api_route
    add(
        "",
        listed,
        methods=["GET"],
        response_model=Page[form],  # type: ignore[valid-type]  # a variable, see above
        summary=f"Each {kind.singular}, page by page",
        responses=documented(BAD_CURSOR),
    )
    add(
        "",
        added,
        methods=["POST"],
        response_model=form,
        status_code=201,
        summary=f"Add a {kind.singular}",
        responses={201: TAGGED, **documented(CONFLICT)},
    )
    add("/{id}", one, methods=["GET"], response_model=form, summary=f"One {kind.singular}", responses={200: TAGGED, **here})
    add(
        "/{id}",
        altered,
        methods=["PATCH"],
        response_model=form,
        summary=f"Change a {kind.singular}",
        responses={200: TAGGED, **there},
    )
    add(
        "/{id}/end",
        ended,
        methods=["POST"],
        response_model=form,
        summary=f"End a {kind.singular}",
        responses={200: TAGGED, **there},
    )
    return router


def _told(order: Order, *, named_alone: bool = True) -> tuple[dict[str, Any], str]:
    """Plain values by name (of a change only what was named), and the reason."""
    told = order.model_dump(exclude_none=named_alone)
    reason = told.pop("reason")
    return {name: value.value if isinstance(value, Enum) else value for name, value in told.items()}, reason


def _tagged(response: Response, value: Party) -> Party:
    response.headers["ETag"] = etag(value.version)
    return value


ROUTERS = tuple(map(routes, KINDS))
