"""People decide on a kept finding: it is known, lived with, somebody's to resolve; and what was decided is withdrawn.

1. See: the finding, within the scope of who decides. 2. Alone. 3. What stands: the same again changes nothing.
4. The decision before it of its kind is ended, the new one begins, each with its event.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TypeAlias

from tenure.errors import TenureError
from tenure.lifecycle.finding_decisions import Acknowledgement, Assignment, holds
from tenure.model.access import Actor, Scope
from tenure.model.decisions import FindingDecision
from tenure.model.events import Cause
from tenure.registry import finding_decisions, findings
from tenure.registry.faults import NotFoundError
from tenure.registry.registry import Registry
from tenure.registry.work import Work

FindingChoice: TypeAlias = FindingDecision | Acknowledgement | Assignment


class DecidedKind(StrEnum):
    """What can be decided on a finding."""

    ACKNOWLEDGED = finding_decisions.ACKNOWLEDGED
    SUPPRESSED = finding_decisions.SUPPRESSED
    ASSIGNED = finding_decisions.ASSIGNED


class DecisionRefusedError(TenureError):
    """A decision that could not hold."""


def decide(registry: Registry, actor: Actor, scope: Scope, choice: FindingChoice) -> None:
    """Raises NotFoundError, DecisionRefusedError when its last day is over."""
    with registry.change(actor) as work:
        findings.get(work, scope, choice.finding)
        until: date | None = getattr(choice, "until", None)
        if until is not None and not holds(until, work.at):
            raise DecisionRefusedError(f"{until.isoformat()} is over", "name the last day on which it is to hold")
        finding_decisions.hold(work)
        kind = finding_decisions.kind_of(choice)
        _replace(work, choice, [held for held in finding_decisions.on_finding(work, choice.finding) if held.kind == kind])


def withdraw(registry: Registry, actor: Actor, scope: Scope, finding: str, kind: DecidedKind | None, reason: str) -> int:
    """Ends what was decided on the finding itself, of one kind or of all. Raises NotFoundError where there is nothing.

    What suppresses all findings of a rule, or of a subject, is not one finding's: it ends in the file of decisions.
    """
    with registry.change(actor) as work:
        findings.get(work, scope, finding)
        finding_decisions.hold(work)
        standing = [held for held in finding_decisions.on_finding(work, finding) if kind is None or held.kind == kind.value]
        if not standing:
            raise NotFoundError(f"{kind.value if kind else 'decision'} on finding", finding)
        for held in standing:
            finding_decisions.end(work, held, Cause("withdraw", reason))
    return len(standing)


def _replace(work: Work, choice: FindingChoice, standing: list[finding_decisions.Held]) -> None:
    if [held.choice for held in standing] == [choice]:
        return
    for held in standing:
        finding_decisions.end(work, held, Cause("withdraw"))
    finding_decisions.add(work, choice)
