"""Whether a change has its place in the ledger yet: every answer to a change says so, and a caller may wait for it.

``Tenure-Event`` names the last event of the change, ``Tenure-Sequenced`` says whether all of it has a place. Whoever sends
``Prefer: wait=SECONDS`` (RFC 7240) is answered when it has, or when the time is over. The change stands either way.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tenure.model.access import Actor
from tenure.registry.ledger_runs import positions
from tenure.registry.registry import Registry
from tenure.registry.work import Work

LONGEST_WAIT = 30
LOOK = 0.05  # seconds between two looks
_PREFERRED = re.compile(r'(?:^|[,\s])wait\s*=\s*"?([0-9]{1,6})"?')


@dataclass(frozen=True, slots=True)
class WatchedRegistry(Registry):
    """The registry of one request: notes the last event of each transaction. A transaction's events get places in order."""

    last: list[UUID] = field(default_factory=list)

    @contextmanager
    def change(self, actor: Actor) -> Iterator[Work]:
        with Registry.change(self, actor) as work:
            yield work
        if work.events:
            self.last.append(work.events[-1].id)


def watched(registry: Registry) -> WatchedRegistry:
    return WatchedRegistry(**{field.name: getattr(registry, field.name) for field in fields(Registry)})


async def told(request: Request, response: Response) -> Response:
    """The response, with what it says of its events. Without a change it is as it was."""
    registry = getattr(request.state, "registry", None)
    if not isinstance(registry, WatchedRegistry) or not registry.last:
        return response
    wait = _wait(request.headers.get("Prefer"))
    looks = max(1, int(wait / LOOK))
    while not (sequenced := await run_in_threadpool(_placed, registry, registry.last)) and looks > 1:
        looks -= 1
        await asyncio.sleep(LOOK)
    response.headers["Tenure-Event"] = str(registry.last[-1])
    response.headers["Tenure-Sequenced"] = "true" if sequenced else "false"
    if wait:
        response.headers["Preference-Applied"] = f"wait={wait}"
    return response


def _wait(prefer: str | None) -> int:
    found = _PREFERRED.search(prefer or "")
    return min(LONGEST_WAIT, int(found[1])) if found else 0


def _placed(registry: Registry, events: Sequence[UUID]) -> bool:
    with registry.read() as reading:
        return len(positions(reading, events)) == len(set(events))
