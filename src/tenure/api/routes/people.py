"""People: who answers for tokens, and who approves."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from tenure.api.access_table import V1
from tenure.api.guard import GuardedRoute
from tenure.api.parts import Ask, Records
from tenure.api.problem import CONFLICT, NOT_FOUND, documented
from tenure.api.shapes.parties import Ending
from tenure.api.shapes.tokens import NewPerson, PersonForm
from tenure.flows import people

router = APIRouter(prefix=f"{V1}/people", route_class=GuardedRoute, tags=["people"])


@router.post("", status_code=201, summary="Add a person", responses=documented(CONFLICT))
def added(ask: Ask, registry: Records, order: NewPerson, response: Response) -> PersonForm:
    person = people.add(registry, ask.actor, order.name, order.contact, order.subject, order.reason)
    response.headers["Location"] = f"{V1}/people/{person.id}"
    return PersonForm.model_validate(person)


@router.get("/{person}", summary="One person", responses=documented(NOT_FOUND))
def one(registry: Records, person: UUID) -> PersonForm:
    return PersonForm.model_validate(people.get(registry, person))


@router.post("/{person}/end", summary="End a person, and with them every token they answer for", responses=documented(NOT_FOUND))
def ended(ask: Ask, registry: Records, person: UUID, order: Ending) -> PersonForm:
    return PersonForm.model_validate(people.end(registry, ask.actor, person, order.reason))
