"""What an app is made of, and what a route is told of its caller. Nothing here is global: two apps share nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar
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
from tenure.api.paging import Binding, Cursors, Place
from tenure.api.sequencing import watched
from tenure.api.shapes.wire import Form, Page
from tenure.flows.tokens import DigestKeys
from tenure.ledger.checkpoint import Identity
from tenure.ledger.store import LedgerStore
from tenure.lifecycle.envelope import Signer
from tenure.lifecycle.finding_decisions import Targets
from tenure.model.access import Actor, Scope
from tenure.model.own_keys import OwnKey
from tenure.registry.registry import Registry

F = TypeVar("F", bound=Form)


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


def asked(request: Request) -> Asked:
    found = request.state.asked
    assert isinstance(found, Asked)
    return found


Ask = Annotated[Asked, Depends(asked)]


@dataclass(frozen=True, slots=True)
class Pager:
    """The cursors of one list, for one caller."""

    cursors: Cursors
    binding: Binding

    def after(self, cursor: str | None) -> Place | None:
        """Where the page before ended. Raises RefusalError (bad-cursor)."""
        return None if cursor is None else self.cursors.open(cursor, self.binding)

    def next(self, place: Place | None) -> str | None:
        return None if place is None else self.cursors.seal(place, self.binding)

    def after_id(self, cursor: str | None) -> UUID | None:
        """The same, for a list by id."""
        place = self.after(cursor)
        return None if place is None else UUID(str(place[0]))

    def page(self, found: Sequence[Any], limit: int, form: type[F]) -> Page[F]:
        """A page of a list by id, of which one more than ``limit`` was asked for."""
        shown = found[:limit]
        last = (str(shown[-1].id),) if len(found) > limit else None
        return Page(items=[form.model_validate(item) for item in shown], next=self.next(last))


def pager(request: Request, ask: Ask) -> Pager:
    """Bound to all of the query but the cursor and the size of a page."""
    query = tuple((name, value) for name, value in request.query_params.multi_items() if name not in ("cursor", "limit"))
    return Pager(request.app.state.frame.cursors, Binding(request.url.path, ask.actor.text, query))


Paged = Annotated[Pager, Depends(pager)]


@dataclass(frozen=True, slots=True)
class Parts:
    """The frame, and what the routes work on."""

    frame: Frame
    registry: Registry
    ledger: LedgerStore
    identity: Identity  # of the ledger: its name, and the keys it is known by
    digest_keys: DigestKeys
    token_life: timedelta
    token_life_most: timedelta
    approval_over: int  # devices beyond which one offer is refused
    approval_life: timedelta
    handover_signer: Callable[[], Signer]  # of statements; looked for when one is to be signed
    published: Callable[[], Sequence[OwnKey]] = tuple  # Tenure's own keys, as far as others may rely on them
    targets: Targets = field(default_factory=Targets)  # by when findings are to be resolved


def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


def registry_of(request: Request) -> Registry:
    """The registry, watched: the answer says what became of the events of this request."""
    request.state.registry = watched(parts_of(request).registry)
    return request.state.registry  # type: ignore[no-any-return]  # as above


Works = Annotated[Parts, Depends(parts_of)]
Records = Annotated[Registry, Depends(registry_of)]
