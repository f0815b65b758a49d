"""The description of the API (OpenAPI 3.1): what FastAPI knows, and what the frame adds to every route."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel

from tenure import __version__
from tenure.api import conditional, idempotency, problem
from tenure.api.access_table import Access, Entry, Open, grant_of
from tenure.api.limits import LIMITS

ABOUT = """\
The lifecycle control plane for the machine identities of IoT fleets.

Errors are problem documents (RFC 9457) with a `fix`. Lists are read page by page with `cursor`. What you change you name
the version of (`If-Match`). A POST may carry an `Idempotency-Key` and is then done once. All times are UTC (RFC 3339).
"""
SECURITY: list[dict[str, list[str]]] = [{"token": []}, {"certificate": []}]
SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token, `tenure_...`; shown once when it is made"},
    "certificate": {"type": "mutualTLS", "description": "A client certificate that was registered for a caller"},
}
KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A name for this very request: sent again with it, it is not done again",
    "schema": {"type": "string", "pattern": idempotency.PATTERN},
}
IF_MATCH = {"type": "string", "pattern": conditional.PATTERN}
SCHEMAS: dict[str, type[BaseModel]] = {"Problem": problem.Problem, "Flaw": problem.Flaw}
KEYED = (problem.MALFORMED, problem.BUSY_KEY, problem.UNKNOWN_OUTCOME, problem.REUSED_KEY)


def describe(app: FastAPI, access: Access) -> dict[str, Any]:
    """The whole document. It is made once, at start-up."""
    document = get_openapi(title="Tenure", version=__version__, description=ABOUT, routes=app.routes, openapi_version="3.1.0")
    components = document.setdefault("components", {})
    components["securitySchemes"] = SCHEMES
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for name, model in SCHEMAS.items():
        schemas[name] = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas[name].pop("$defs", None)
    for path, methods in document.get("paths", {}).items():
        for method, operation in methods.items():
            _complete(operation, method.upper(), access[method.upper(), path])
    return document


def _complete(operation: dict[str, Any], method: str, entry: Entry) -> None:
    responses = operation["responses"]
    kinds = [*LIMITS, problem.INVALID]
    if not isinstance(entry, Open):
        operation["security"] = SECURITY
        operation["description"] = f"{operation.get('description', '')}\n\nPermission: {grant_of(entry).text}.".strip()
        kinds += [problem.UNAUTHENTICATED, problem.FORBIDDEN, problem.BUSY, problem.STORE_DOWN, problem.UNSETTLED]
    else:
        operation["security"] = []
    responses.pop("422", None)
    if "requestBody" in operation:
        kinds += [problem.MALFORMED]
    for parameter in operation.get("parameters", []):
        if parameter["name"] == "if-match":
            parameter |= {"name": "If-Match", "required": "428" in responses, "schema": IF_MATCH}
            kinds += [problem.MALFORMED]
    if method == "POST" and not isinstance(entry, Open):
        operation.setdefault("parameters", []).append(KEY_HEADER)
        kinds += KEYED
    _merge(responses, kinds)


def _merge(responses: dict[str, Any], kinds: list[problem.Kind]) -> None:
    """Adds what the frame may answer; a route's own words for a status stay and the others follow."""
    for status, response in problem.documented(*kinds).items():
        own = responses.setdefault(str(status), response)
        if own is not response and response["description"] not in own["description"]:
            own["description"] += f"; {response['description']}"


def unlisted(app: FastAPI, access: Access) -> list[str]:
    """Routes that no entry of the access table lets anybody reach, and entries for routes there are not."""
    there = {(method, str(context.path)) for context in iter_route_contexts(app.routes) for method in context.methods or ()}
    missing = [f"{method} {path} has no entry in the access table" for method, path in sorted(there - access.keys())]
    idle = [
        f"{method} {path} is in the access table, and there is no such route" for method, path in sorted(access.keys() - there)
    ]
    return missing + idle
