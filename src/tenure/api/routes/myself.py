"""Who one is to this server."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from tenure.api.access_table import V1
from tenure.api.guard import GuardedRoute
from tenure.api.parts import Ask
from tenure.api.shapes.tokens import AssignmentForm
from tenure.api.shapes.wire import Form, example

router = APIRouter(prefix=f"{V1}/me", route_class=GuardedRoute, tags=["me"])


class CallerForm(Form):
    """A caller and its roles."""

    model_config = example(
        actor="token:019363f0-7c1e-7bb2-8b1a-3c4d5e6f7a8b",
        person=None,
        assignments=[{"role": "operator", "area": {"owner": "019363ef-11aa-7c00-9d3e-0a1b2c3d4e5f", "trust_domain": None}}],
    )

    actor: str = Field(validation_alias="text", description="As events carry it")
    person: UUID | None = Field(description="The accountable person behind a token")
    assignments: tuple[AssignmentForm, ...]


@router.get("", summary="Who you are, and where you may do what")
def myself(ask: Ask) -> CallerForm:
    return CallerForm.model_validate(ask.actor)
