"""From what was raised to the problem a caller is told. What no table names is a defect: told nothing but the request id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from structlog.typing import FilteringBoundLogger

from tenure.api import problem
from tenure.api.problem import Flaw, Kind, RefusalError
from tenure.errors import TenureError
from tenure.flows.findings.decide import DecisionRefusedError
from tenure.flows.tokens import TokenRefusedError
from tenure.flows.webhooks.address import WebhookError
from tenure.lifecycle.verdict import VerbRefusedError
from tenure.registry.faults import (
    ConflictError,
    NameTakenError,
    NotFoundError,
    RootTakenError,
    StoreBusyError,
    StoreDownError,
    TombstonedError,
    UnknownReferenceError,
    UnsettledError,
)

Told = Mapping[type[TenureError], Kind]

TOLD: Told = {
    NotFoundError: problem.NOT_FOUND,
    ConflictError: problem.STALE,
    RootTakenError: problem.CONFLICT,
    TombstonedError: problem.CONFLICT,
    NameTakenError: problem.CONFLICT,
    UnknownReferenceError: problem.CONFLICT,
    StoreBusyError: problem.BUSY,
    StoreDownError: problem.STORE_DOWN,
    UnsettledError: problem.UNSETTLED,
    TokenRefusedError: problem.INVALID,
    WebhookError: problem.INVALID,
    DecisionRefusedError: problem.INVALID,
}
"""What a caller may read of our own errors. One that does not stand here is a defect, and is told nothing of."""

BY_STATUS = {kind.status: kind for kind in reversed(problem.KINDS.values())}  # the first of a status stands for it
SPEAKING = ("Allow", "Retry-After", "WWW-Authenticate")


def request_id(request: Request) -> str:
    return str(request.scope["state"]["request_id"])


def kind_of(error: TenureError, told: Told) -> Kind:
    """The kind for an error's nearest ancestor in the table. What nobody put there is a defect of ours."""
    if isinstance(error, RefusalError):
        return error.kind
    if isinstance(error, VerbRefusedError):
        return problem.KINDS[error.code]
    return next((told[ancestor] for ancestor in type(error).__mro__ if ancestor in told), problem.DEFECT)


def install(app: FastAPI, told: Told, log: FilteringBoundLogger) -> None:
    """Makes every error of the app a problem document. ``told`` says which of our errors a caller may read."""

    def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, TenureError)
        kind = kind_of(error, told)
        if kind is problem.DEFECT:
            raise error  # the trail around us logs it and tells only the request id
        if kind.quiet:
            log.warning(kind.slug, problem=error.problem)
            return problem.answer(kind, request_id(request), headers={"Retry-After": "1"})
        headers = error.headers if isinstance(error, RefusalError) else None
        see = list(map(str, error.see)) if isinstance(error, VerbRefusedError) else []
        return problem.answer(kind, request_id(request), error.problem, error.fix, headers=headers, see=see)

    def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        unread = any(e["type"] == "json_invalid" for e in error.errors())
        kind = problem.MALFORMED if unread else problem.INVALID
        return problem.answer(kind, request_id(request), flaws=list(flaws(error)))

    def plain(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        kind = BY_STATUS.get(error.status_code, problem.DEFECT)
        if kind is problem.DEFECT:
            raise error
        kept = {name: value for name, value in (error.headers or {}).items() if name.title() in SPEAKING}
        return problem.answer(kind, request_id(request), headers=kept)

    app.add_exception_handler(TenureError, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, plain)


def flaws(error: RequestValidationError) -> Iterator[Flaw]:
    """Where and what, without the value: it may be a secret that stands in the wrong place."""
    for each in error.errors():
        yield Flaw(where=_pointer(each["loc"]), what=str(each["msg"]))


def _pointer(place: tuple[Any, ...]) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in place)
