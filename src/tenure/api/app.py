"""The application: the frame around the routes. Everything it works with is given; nothing is read from the world here."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware

from tenure import __version__
from tenure.api import faults
from tenure.api.access_table import ACCESS, Access
from tenure.api.guard import Guard
from tenure.api.limits import Buckets, Limits
from tenure.api.openapi import describe, unlisted
from tenure.api.parts import Frame, Parts
from tenure.api.routes import ROUTERS
from tenure.api.security_headers import SecurityHeaders
from tenure.api.trail import Trail
from tenure.errors import TenureError


class AccessTableError(TenureError):
    """The access table and the routes do not match."""


def framed(frame: Frame, routers: Sequence[APIRouter], access: Access) -> FastAPI:
    """An app of these routes within the frame. Raises AccessTableError when a route has no entry, or an entry no route."""
    addresses = Buckets(frame.per_address, frame.monotonic)
    app = FastAPI(
        title="Tenure",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(Trail, ids=frame.ids, monotonic=frame.monotonic, log=frame.log, metrics=frame.metrics),
            Middleware(Limits, sizes=frame.sizes, addresses=addresses),
        ],
    )
    for router in routers:
        app.include_router(router)
    if wrong := unlisted(app, access):
        raise AccessTableError(wrong[0], "give every route one entry in api/access_table.py")
    faults.install(app, frame.told, frame.log)
    app.state.guard = Guard(frame, access, addresses)
    app.state.frame = frame
    app.state.description = describe(app, access)
    return app


def create_app(parts: Parts) -> FastAPI:
    """The whole API."""
    app = framed(parts.frame, ROUTERS, ACCESS)
    app.state.parts = parts
    return app
