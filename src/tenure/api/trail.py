"""The trail of a request: its id, its line in the log, its figures, and the last net below it.

What no one answered ends here as 500 with nothing but the request id; the cause goes to the log.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars
from structlog.typing import FilteringBoundLogger

from tenure.api import problem
from tenure.api.limits import Monotonic, address
from tenure.api.metrics import Metrics

UNROUTED = "(none)"


class Trail:
    """ASGI, outermost but for headers. Puts ``request_id`` into ``scope["state"]``; routes may put ``caller`` there."""

    def __init__(
        self, app: ASGIApp, ids: Callable[[], UUID], monotonic: Monotonic, log: FilteringBoundLogger, metrics: Metrics
    ) -> None:
        self._app, self._ids, self._monotonic, self._log, self._metrics = app, ids, monotonic, log, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(self._ids())
        scope["state"] = {**scope.get("state", {}), "request_id": request_id}
        began, status = self._monotonic(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).setdefault("X-Request-Id", request_id)
            await send(message)

        self._metrics.began()
        with bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, sending)
            except Exception:  # noqa: BLE001 - the verdict is 500: nothing of it may reach the caller
                self._log.exception("defect", method=scope["method"], route=route_of(scope))
                if not status:
                    await problem.answer(problem.DEFECT, request_id)(scope, receive, sending)
            finally:
                self._ended(scope, status or 500, self._monotonic() - began)

    def _ended(self, scope: Scope, status: int, seconds: float) -> None:
        route = route_of(scope)
        self._metrics.answered(_method(scope), route, status, seconds)
        self._log.info(
            "request",
            method=scope["method"][:16],
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 3),
            caller=scope["state"].get("caller"),
            address=address(scope),
        )


def route_of(scope: Scope) -> str:
    """The template of the route that matched, with its prefix; paths never stand in logs or figures."""
    return str(scope["state"].get("route", UNROUTED))


def _method(scope: Scope) -> str:
    method = scope["method"]
    return method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"
