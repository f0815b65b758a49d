"""Tokens: made (shown once), listed, revoked."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from tenure.api.access_table import V1
from tenure.api.guard import GuardedRoute
from tenure.api.parts import Ask, Paged, Records, Works
from tenure.api.problem import BAD_CURSOR, CONFLICT, NOT_FOUND, documented
from tenure.api.shapes.parties import Ending
from tenure.api.shapes.tokens import AssignmentOrder, MadeToken, NewToken, TokenForm
from tenure.api.shapes.wire import Page, Paging
from tenure.flows import tokens
from tenure.flows.tokens import Wanted
from tenure.model.access import Area, RoleAssignment

router = APIRouter(prefix=f"{V1}/tokens", route_class=GuardedRoute, tags=["tokens"])


@router.get("", summary="Tokens, page by page, ended ones too", responses=documented(BAD_CURSOR))
def listed(pager: Paged, registry: Records, query: Annotated[Paging, Query()]) -> Page[TokenForm]:
    found, used = tokens.page(registry, pager.after_id(query.cursor), query.limit + 1)
    page = pager.page(found, query.limit, TokenForm)
    return page.model_copy(update={"items": [t.model_copy(update={"last_used": used.get(t.id)}) for t in page.items]})


@router.post(
    "", status_code=201, summary="Make a token; its text is shown in this answer alone", responses=documented(CONFLICT, NOT_FOUND)
)
def made(ask: Ask, registry: Records, parts: Works, order: NewToken, response: Response) -> MadeToken:
    wanted = Wanted(
        order.name,
        order.expires_at or ask.now + parts.token_life,
        tuple(map(_assignment, order.assignments)),
        order.person,
        bytes.fromhex(order.certificate) if order.certificate else None,
    )
    new = tokens.make(registry, ask.actor, parts.digest_keys, wanted, parts.token_life_most, order.reason)
    response.headers["Location"] = f"{V1}/tokens/{new.token.id}"
    shown = MadeToken(**dict(TokenForm.model_validate(new.token)), token=new.text)
    ask.kept = shown.model_copy(update={"token": None}).model_dump_json().encode()
    return shown


@router.get("/{token}", summary="One token", responses=documented(NOT_FOUND))
def one(registry: Records, token: UUID) -> TokenForm:
    return TokenForm.model_validate(tokens.get(registry, token))


@router.post("/{token}/revoke", summary="End a token at once, for good", responses=documented(NOT_FOUND))
def revoked(ask: Ask, registry: Records, token: UUID, order: Ending) -> TokenForm:
    tokens.revoke(registry, ask.actor, token, order.reason)
    return TokenForm.model_validate(tokens.get(registry, token))


def _assignment(order: AssignmentOrder) -> RoleAssignment:
    return RoleAssignment(order.role, Area(order.area.owner, order.area.trust_domain))
