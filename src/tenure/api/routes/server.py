"""The server itself: alive, ready, its figures, the description of the API, and the pages that problem types point to."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, PlainTextResponse, Response

from tenure.api import problem
from tenure.api.access_table import V1
from tenure.api.guard import GuardedRoute
from tenure.api.metrics import CONTENT_TYPE
from tenure.api.parts import Frame

router = APIRouter(route_class=GuardedRoute, tags=["server"])


class Alive(BaseModel):
    status: str = Field(default="alive", examples=["alive"])


class Ready(BaseModel):
    status: str = Field(examples=["ready"])
    reasons: dict[str, str] = Field(default={}, description="What is wrong, by name of the check", examples=[{}])


@router.get("/healthz", summary="Whether the process answers")
async def alive() -> Alive:
    return Alive()


@router.get("/readyz", summary="Whether it can do its work", responses={503: {"model": Ready, "description": "Not ready"}})
async def ready(request: Request) -> Ready:
    frame: Frame = request.app.state.frame
    reasons = await frame.readiness.reasons()
    if reasons:
        return JSONResponse(Ready(status="not ready", reasons=reasons).model_dump(), 503)  # type: ignore[return-value]  # as is
    return Ready(status="ready")


@router.get("/metrics", summary="Figures for Prometheus", response_class=PlainTextResponse)
def metrics(request: Request) -> Response:
    frame: Frame = request.app.state.frame
    return Response(frame.metrics.exposition(), media_type=CONTENT_TYPE)


@router.get(f"{V1}/openapi.json", summary="This description", response_model=dict[str, object])
def description(request: Request) -> Response:
    return JSONResponse(request.app.state.description)


@router.get(
    f"{problem.PLACE}{{slug}}",
    summary="What a type of problem means",
    response_class=PlainTextResponse,
    responses=problem.documented(problem.NOT_FOUND),
)
def explained(slug: str) -> str:
    kind = problem.KINDS.get(slug)
    if kind is None:
        raise problem.RefusalError(problem.NOT_FOUND, "there is no such type of problem", "docs/api.md lists them")
    return f"{kind.type}\nstatus: {kind.status}\n\n{kind.title}.\nfix: {kind.fix}\n"
