"""Kept findings and where each stands: what was decided on it, how old it is, whether it is overdue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tenure.lifecycle.finding_decisions import Standing, Targets, standings
from tenure.lifecycle.findings import KeptFinding
from tenure.model.access import Scope
from tenure.registry import finding_decisions, findings
from tenure.registry.findings import Wanted
from tenure.registry.registry import Registry
from tenure.registry.work import Reading


@dataclass(frozen=True, slots=True)
class FindingsPage:
    """A part of a list by id. ``last`` is where the next part begins; None: there is none."""

    standings: tuple[Standing, ...]
    last: str | None


def one(registry: Registry, scope: Scope, finding: str, targets: Targets, now: datetime) -> Standing:
    """Raises NotFoundError."""
    with registry.read() as reading:
        return _judged(reading, [findings.get(reading, scope, finding)], targets, now)[0]


def page(
    registry: Registry,
    scope: Scope,
    wanted: Wanted,
    targets: Targets,
    now: datetime,
    *,
    overdue: bool = False,
    after: str | None = None,
    limit: int = 100,
) -> FindingsPage:
    """``overdue``: only those; a page may hold fewer then, as suppressed ones are late and not overdue."""
    if overdue:
        wanted = replace(wanted, opened_before={s: now - timedelta(days=days) for s, days in targets.days.items()})
    with registry.read() as reading:
        found = findings.listed(reading, scope, wanted, after, limit + 1)
        shown = _judged(reading, found[:limit], targets, now)
    last = found[limit - 1].id if len(found) > limit else None
    return FindingsPage(tuple(s for s in shown if s.overdue or not overdue), last)


def _judged(reading: Reading, found: list[KeptFinding], targets: Targets, now: datetime) -> list[Standing]:
    """In the order of their ids, as pages go."""
    ids, rules = [f.id for f in found], {f.rule for f in found}
    told = standings(found, finding_decisions.touching(reading, ids, rules), targets, now)
    return sorted(told, key=lambda standing: standing.finding.id)
