"""What stands before every route, in this order. A route class, so that no route can be without it.

1. Who is it? (authentication; a wrong credential costs its address more)
2. May they, and where? (the access table; no entry: no)
3. Not too often? (rate of the caller)
4. POST with Idempotency-Key: seen before?
5. The route itself.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tenure.api import idempotency, sequencing
from tenure.api.access_table import Access, Open, permitted
from tenure.api.authentication import Presented, authenticate
from tenure.api.faults import kind_of, request_id
from tenure.api.idempotency import Answer, Begun, Key
from tenure.api.limits import Buckets, address, too_many
from tenure.api.parts import Asked, Frame
from tenure.api.peer_certificate import peer_certificate
from tenure.api.problem import DEFECT, FORBIDDEN, INVALID, STORE_DOWN, RefusalError
from tenure.errors import TenureError
from tenure.model.access import Actor

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
WRONG_CREDENTIAL = 20.0  # requests it costs its address
NOT_KNOWN = (DEFECT, STORE_DOWN)  # after these the work may have been done
KEPT_HEADERS = ("content-type", "etag", "location", "tenure-event")


class Guard:
    """The five steps for one app. Buckets belong to its event loop."""

    def __init__(self, frame: Frame, access: Access, addresses: Buckets) -> None:
        self._frame, self._access, self._addresses = frame, access, addresses
        self._callers = Buckets(frame.per_caller, frame.monotonic)

    async def admit(self, request: Request, path: str, handle: Handler) -> Response:
        """Steps 1 to 5."""
        _no_doubles(request)
        entry = self._access.get((request.method, path))
        if entry is Open.PUBLIC:
            return await handle(request)
        now = self._frame.clock()
        actor = await self._who(request)
        scope = permitted(actor, entry) if entry is not None else None
        if scope is None:
            self._frame.metrics.refused("forbidden")
            raise RefusalError(FORBIDDEN)
        if wait := self._callers.take(actor.text):
            self._frame.metrics.refused("too-many-of-caller")
            raise too_many(wait)
        request.state.asked = Asked(actor, scope, now, request_id(request))
        await request.body()  # read under the limit here: nothing below can take it for its own failure
        if request.method == "POST" and (header := request.headers.get("Idempotency-Key")) is not None:
            return await self._once(idempotency.read_key(header, actor.text), request, handle)
        return await sequencing.told(request, await handle(request))

    async def _who(self, request: Request) -> Actor:
        presented = Presented(request.headers.get("Authorization"), peer_certificate(request.scope))
        try:
            actor = await run_in_threadpool(authenticate, self._frame.doors, presented, self._frame.clock())
        except RefusalError:
            if presented != Presented(None, None):
                self._addresses.charge(address(request.scope), WRONG_CREDENTIAL)
            self._frame.metrics.refused("unauthenticated")
            raise
        request.state.caller = actor.text
        return actor

    async def _once(self, key: Key, request: Request, handle: Handler) -> Response:
        """Step 4: see ``idempotency``. What refuses has done nothing and frees the key; what fails leaves it unfinished."""
        store = self._frame.keys_seen
        wanted = idempotency.digest(request.method, request.url.path, request.scope["query_string"], await request.body())
        seen = await run_in_threadpool(store.begin, key, wanted, self._frame.clock())
        if not isinstance(seen, Begun):
            return _response(idempotency.replay(seen, wanted, self._frame.clock()), replayed=True)
        try:
            response = await handle(request)
        except (TenureError, RequestValidationError, HTTPException) as error:
            if not (isinstance(error, TenureError) and kind_of(error, self._frame.told) in NOT_KNOWN):
                await run_in_threadpool(store.release, key)
            raise
        response = await sequencing.told(request, response)
        await run_in_threadpool(store.finish, key, _kept(request, response))
        return response


def _no_doubles(request: Request) -> None:
    """No parameter is a list. Of two values one would be passed over, and not all who look at a request choose the same."""
    names = [name for name, _ in request.query_params.multi_items()]
    if len(set(names)) < len(names):
        raise RefusalError(INVALID, "a parameter stands twice in the query", "name each parameter once")


def _kept(request: Request, response: Response) -> Answer:
    headers = tuple((name, value) for name, value in response.headers.items() if name.lower() in KEPT_HEADERS)
    without_secret = request.state.asked.kept
    return Answer(response.status_code, headers, bytes(response.body) if without_secret is None else without_secret)


def _response(answer: Answer, *, replayed: bool) -> Response:
    headers = dict(answer.headers) | ({"Idempotency-Replayed": "true"} if replayed else {})
    return Response(answer.body, answer.status, headers)


class GuardedRoute(APIRoute):
    """A route that is reached through the guard alone."""

    def get_route_handler(self) -> Handler:
        handle, path = super().get_route_handler(), self.path

        async def guarded(request: Request) -> Response:
            request.state.route = path
            guard: Guard = request.app.state.guard
            return await guard.admit(request, path, handle)

        return guarded
