"""Audits that are kept in a registry, a day after each other, and what is known of them then."""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import select

from tenure.flows.findings import look
from tenure.flows.findings.keep import Tally, keep
from tenure.lifecycle.finding_decisions import Standing, Targets
from tenure.model.access import EVERYTHING, Scope
from tenure.model.findings import AuditResult
from tenure.registry.findings import Wanted
from tenure.registry.registry import Registry
from tenure.registry.tables.ledger import event
from tests.databases import Clock
from tests.lifecycle.test_findings import day
from tests.registry.healthy import OPERATOR


def clock(registry: Registry) -> Clock:
    now = registry.world.now
    assert isinstance(now, Clock)
    return now


def kept(registry: Registry, result: AuditResult, name: str = "fleet") -> Tally:
    """Kept an hour after the time of which it speaks, if that is still to come."""
    clock(registry).at = max(clock(registry).at, result.as_of.replace(hour=1))
    return keep(registry, OPERATOR, result, name, digest(result))


def digest(result: AuditResult) -> bytes:
    return sha256(repr(result.as_of).encode()).digest()


def at(registry: Registry, number: int) -> None:
    clock(registry).at = day(number).replace(hour=12)


def shown(registry: Registry, scope: Scope = EVERYTHING, wanted: Wanted = Wanted()) -> tuple[Standing, ...]:  # noqa: B008 - frozen
    page = look.page(registry, scope, wanted, Targets(), registry.world.now())
    assert page.last is None
    return page.standings


def the(registry: Registry) -> Standing:
    (only,) = shown(registry)
    return only


def verbs(registry: Registry, kind: str) -> list[str]:
    """What events tell was done to things of a kind, in its order."""
    with registry.read() as reading:
        rows = reading.rows(select(event.c.verb).where(event.c.subject_kind == kind).order_by(event.c.at, event.c.sequence))
    return [row.verb for row in rows]
