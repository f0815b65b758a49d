"""Kept findings: listed with where each stands, and decided on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from tenure.api.access_table import V1
from tenure.api.guard import GuardedRoute
from tenure.api.parts import Ask, Asked, Paged, Parts, Records, Works
from tenure.api.problem import BAD_CURSOR, NOT_FOUND, documented
from tenure.api.shapes.findings import (
    AcknowledgeOrder,
    AssignOrder,
    FindingForm,
    FindingId,
    FindingQuery,
    SuppressOrder,
    TargetsText,
    WithdrawOrder,
)
from tenure.api.shapes.wire import Page
from tenure.flows.findings import decide as deciding
from tenure.flows.findings import look
from tenure.flows.findings.decide import FindingChoice
from tenure.lifecycle.finding_decisions import Acknowledgement, Assignment, Targets
from tenure.model.decisions import FindingDecision
from tenure.registry.findings import Wanted
from tenure.registry.registry import Registry

router = APIRouter(prefix=f"{V1}/findings", route_class=GuardedRoute, tags=["findings"])


@router.get("", summary="Kept findings, page by page", responses=documented(BAD_CURSOR))
def listed(ask: Ask, pager: Paged, registry: Records, parts: Works, query: Annotated[FindingQuery, Query()]) -> Page[FindingForm]:
    wanted = Wanted(query.state, query.severity, query.rule, query.device, query.unresolved)
    place = pager.after(query.cursor)
    page = look.page(
        registry,
        ask.scope,
        wanted,
        _targets(parts, query.targets),
        ask.now,
        overdue=query.overdue,
        after=None if place is None else str(place[0]),
        limit=query.limit,
    )
    return Page(items=list(map(FindingForm.of, page.standings)), next=pager.next(None if page.last is None else (page.last,)))


@router.get("/{finding}", summary="One finding", responses=documented(NOT_FOUND))
def one(
    ask: Ask, registry: Records, parts: Works, finding: FindingId, targets: Annotated[TargetsText, Query()] = None
) -> FindingForm:
    return FindingForm.of(look.one(registry, ask.scope, finding, _targets(parts, targets), ask.now))


@router.post("/{finding}/acknowledge", summary="It is known, until a day", responses=documented(NOT_FOUND))
def acknowledged(ask: Ask, registry: Records, parts: Works, finding: FindingId, order: AcknowledgeOrder) -> FindingForm:
    return _decided(ask, registry, parts, Acknowledgement(finding, order.reason, order.who or ask.actor.text, order.until))


@router.post("/{finding}/suppress", summary="It is lived with, until a day", responses=documented(NOT_FOUND))
def suppressed(ask: Ask, registry: Records, parts: Works, finding: FindingId, order: SuppressOrder) -> FindingForm:
    return _decided(ask, registry, parts, FindingDecision(finding, order.reason, order.who or ask.actor.text, order.until))


@router.post("/{finding}/assign", summary="Somebody is to resolve it", responses=documented(NOT_FOUND))
def assigned(ask: Ask, registry: Records, parts: Works, finding: FindingId, order: AssignOrder) -> FindingForm:
    return _decided(ask, registry, parts, Assignment(finding, order.to, order.who or ask.actor.text))


@router.post("/{finding}/withdraw", summary="End what was decided on it", responses=documented(NOT_FOUND))
def withdrawn(ask: Ask, registry: Records, parts: Works, finding: FindingId, order: WithdrawOrder) -> FindingForm:
    deciding.withdraw(registry, ask.actor, ask.scope, finding, order.decision, order.reason)
    return _now(ask, registry, parts, finding)


def _decided(ask: Asked, registry: Registry, parts: Parts, choice: FindingChoice) -> FindingForm:
    deciding.decide(registry, ask.actor, ask.scope, choice)
    return _now(ask, registry, parts, choice.finding)


def _now(ask: Asked, registry: Registry, parts: Parts, finding: str) -> FindingForm:
    return FindingForm.of(look.one(registry, ask.scope, finding, parts.targets, ask.now))


def _targets(parts: Parts, text: str | None) -> Targets:
    """What the caller asks for, else the setting."""
    return Targets.parse(text) if text else parts.targets
