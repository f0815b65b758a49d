"""What an app is made of, and what a route is told of its caller. Nothing here is global: two apps share nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from starlette.requests import Request
from structlog.typing import FilteringBoundLogger

from tenure.api.authentication import Door
from tenure.api.faults import Told
from tenure.api.health import Readiness
from tenure.api.idempotency import IdempotencyStore
from tenure.api.limits import Monotonic, Rate, Sizes
from tenure.api.metrics import Metrics
from tenure.api.paging import Binding, Cursors
from tenure.model.access import Actor, Scope


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every route."""

    doors: tuple[Door, ...]
    keys_seen: IdempotencyStore
    cursors: Cursors
    clock: Callable[[], datetime]
    monotonic: Monotonic
    ids: Callable[[], UUID]
    log: FilteringBoundLogger
    metrics: Metrics
    readiness: Readiness
    told: Told
    sizes: Sizes = field(default_factory=Sizes)
    per_address: Rate = Rate(200, 400)  # noqa: RUF009 - a frozen value
    per_caller: Rate = Rate(100, 200)  # noqa: RUF009 - a frozen value


@dataclass(slots=True)
class Asked:
    """A request that may be served: by whom, where they may, and when it came."""

    actor: Actor
    scope: Scope
    now: datetime
    request_id: str
    kept: bytes | None = None  # the answer without its secret, for repetitions (see idempotency)

    def binding(self, request: Request) -> Binding:
        """What a cursor of this list belongs to: all of the query but the cursor and the size of a page."""
        query = tuple((name, value) for name, value in request.query_params.multi_items() if name not in ("cursor", "limit"))
        return Binding(request.url.path, self.actor.text, query)


def asked(request: Request) -> Asked:
    found = request.state.asked
    assert isinstance(found, Asked)
    return found


Ask = Annotated[Asked, Depends(asked)]
