"""The file of decisions comes into the registry and goes out of it: one file for ``tenure audit`` and for kept findings.

1. Read: every entry, or nothing is changed. 2. Alone. 3. Plan: pure, entry by entry; what the file does not name stays.
4. Write: changed ones end the one before, new ones begin; an entry whose last day is over ends the one it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from tenure.lifecycle.finding_decisions import holds, plan_import
from tenure.model.access import Actor
from tenure.model.decisions import (
    Decision,
    FindingDecision,
    RuleDecision,
    SubjectDecision,
    format_decisions,
    parse_decisions,
)
from tenure.model.events import Cause
from tenure.registry import finding_decisions
from tenure.registry.finding_decisions import Held
from tenure.registry.registry import Registry
from tenure.registry.work import Reading


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file changed."""

    new: int
    changed: int
    same: int
    ended: int  # were in force, and the file gives them a day that is over
    over: int  # of entries that ended before and are not kept: passed over


def import_decisions(registry: Registry, actor: Actor, text: str, name: str) -> Imported:
    """Raises DeclarationError with the number of the entry; nothing is changed then."""
    file = parse_decisions(text, name)
    evidence = (sha256(text.encode()).digest(),)
    with registry.change(actor) as work:
        finding_decisions.hold(work)
        standing = _suppressions(work)
        plan = plan_import([decision for decision, _ in standing.values()], file)
        new = [decision for decision in plan.new if holds(decision.until, work.at)]
        changed = [decision for _, decision in plan.changed if holds(decision.until, work.at)]
        for before, _ in plan.changed:
            finding_decisions.end(work, standing[before.target][1], Cause("withdraw", evidence=evidence))
        for decision in (*new, *changed):
            finding_decisions.add(work, decision, evidence)
    return Imported(len(new), len(changed), plan.same, len(plan.changed) - len(changed), len(plan.new) - len(new))


def export_decisions(registry: Registry) -> str:
    """All suppressions that were not ended, as the file that ``tenure audit`` reads."""
    with registry.read() as reading:
        return format_decisions([decision for decision, _ in _suppressions(reading).values()])


def _suppressions(reading: Reading) -> dict[str, tuple[Decision, Held]]:
    """By what they are on."""
    told = ((each.choice, each) for each in finding_decisions.held(reading))
    return {c.target: (c, each) for c, each in told if isinstance(c, RuleDecision | FindingDecision | SubjectDecision)}
