"""Judging a roll: which rules can be assessed, running them in a process of their own, findings, and what people decided.

Order: what was collected is looked at first, so that a rule whose inputs are missing is never run and never says "none";
then the rules run one after the other; then the subjects of all of them are looked up at once; decisions come last, so
that a suppressed finding is still counted. The same roll, rules and as-of time give the same findings.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import pyarrow as pa

from tenure.errors import DeclarationError, RuleError
from tenure.model.controls import Controls
from tenure.model.decisions import Decision, Decisions, FindingDecision, SubjectDecision, in_force
from tenure.model.findings import Finding, RuleOutcome
from tenure.model.vocabulary import RuleStatus, Severity
from tenure.roll.inputs import Inputs, read_inputs
from tenure.roll.judge_process import Failed, JudgeProcess, Rows
from tenure.roll.packing import Packed, pack, subject_columns
from tenure.roll.rules import Parameter, Rule
from tenure.roll.subjects import Index, look_up
from tenure.roll.wire import Limits, Request

Overrides: TypeAlias = Mapping[str, Mapping[str, Parameter]]
"""``[rule.ID]`` of the declarations: rule id -> parameter -> value."""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that a decision keeps out of the reports."""

    finding: Finding
    decision: FindingDecision | SubjectDecision


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say of one roll. Findings by severity, rule and id; outcomes by rule."""

    findings: tuple[Finding, ...]
    outcomes: tuple[RuleOutcome, ...]
    notes: tuple[str, ...] = ()  # decisions that ended or meet nothing, rules replaced by a user's
    suppressed: tuple[Suppressed, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ran:
    """A rule on its way: assessed until something says otherwise."""

    rule: Rule
    parameters: Mapping[str, Parameter]
    status: RuleStatus = RuleStatus.ASSESSED
    reason: str = ""
    seconds: float = 0.0
    table: pa.Table | None = None
    findings: tuple[Finding, ...] = ()

    def failed(self, reason: str, seconds: float = 0.0) -> _Ran:
        return replace(self, status=RuleStatus.UNKNOWN, reason=reason, seconds=seconds, table=None)

    def doubted(self, reason: str) -> _Ran:
        """Keeps its findings, which are true, but they may not be all."""
        return replace(self, status=RuleStatus.UNKNOWN, reason="; ".join(filter(None, (self.reason, reason))))


def judge(
    roll_path: Path,
    rules: Sequence[Rule],
    *,
    as_of: datetime,
    parameters: Overrides | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen, and the default is the documentation
    decisions: Collection[Decision] = (),
    controls: Controls = Controls(),  # noqa: B008 - frozen
    process: JudgeProcess | None = None,
    progress: Callable[[str], None] = lambda _rule: None,
) -> Judgement:
    """Judge the roll in a DuckDB file that nobody holds open for writing.

    ``process`` may have been started before, while the roll was linked; else one is. ``progress`` hears the id of each rule
    that is done. Raises DeclarationError for overrides of what does not exist; what a rule does wrong is its outcome.
    """
    held = in_force(decisions, as_of)
    waiting = [_Ran(rule, values) for rule, values in _bound(rules, parameters or {})]
    with duckdb.connect(str(roll_path), read_only=True) as roll:
        inputs = read_inputs(roll)
        with process or JudgeProcess(roll_path, limits) as runner:
            ran = _run_all(waiting, inputs, held, runner, as_of, limits, progress)
        packed = _pack_all(ran, roll, controls)
    rank = {severity: severity.rank for severity in Severity}
    findings = tuple(sorted((f for one in packed for f in one.findings), key=lambda f: (rank[f.severity], f.rule, f.id)))
    suppressed = tuple(Suppressed(f, d) for f in findings if (d := held.on(f)))
    hidden = {(s.finding.rule, s.finding.id) for s in suppressed}
    left_out = Counter(s.finding.rule for s in suppressed)
    return Judgement(
        tuple(f for f in findings if (f.rule, f.id) not in hidden),
        tuple(_outcome(one, left_out[one.rule.id]) for one in packed),
        tuple(_notes(packed, held, suppressed)),
        suppressed,
    )


def _bound(rules: Sequence[Rule], overrides: Overrides) -> list[tuple[Rule, dict[str, Parameter]]]:
    by_id = {rule.id: rule for rule in rules}
    for name in overrides:
        if name not in by_id:
            raise DeclarationError(f"[rule.{name}] names no rule", "see docs/rules.md for the rules there are")
    return [(by_id[name], by_id[name].bound(overrides.get(name, {}))) for name in sorted(by_id)]


def _run_all(
    waiting: Sequence[_Ran],
    inputs: Inputs,
    held: Decisions,
    runner: JudgeProcess,
    as_of: datetime,
    limits: Limits,
    progress: Callable[[str], None],
) -> list[_Ran]:
    at = as_of.astimezone(UTC).replace(tzinfo=None).isoformat()
    end = time.monotonic() + limits.total_seconds
    ran = []
    for one in waiting:
        if decision := held.rules.get(one.rule.id):
            until = f"{decision.reason} (switched off by {decision.who} until {decision.until.isoformat()})"
            one = replace(one, status=RuleStatus.SWITCHED_OFF, reason=until)
        elif missing := inputs.missing(one.rule):
            one = replace(one, status=RuleStatus.NOT_ASSESSED, reason=missing)
        elif (left := end - time.monotonic()) <= 0:
            one = one.failed(f"not run: all rules together may take {limits.total_seconds:g} s")
        else:
            one = _unless_cut_short(
                _run(one, runner, Request(one.rule.query, at, dict(one.parameters), min(limits.seconds, left))), inputs
            )
        ran.append(one)
        progress(one.rule.id)
    return ran


def _unless_cut_short(one: _Ran, inputs: Inputs) -> _Ran:
    """What was found in a source that was cut short is true and may not be all; what was missed there may only not have been read."""
    if not (short := inputs.cut_short(one.rule)):
        return one
    if one.rule.absence:
        return one.failed(f"it reports what is missing, and a source it needs was cut short: {', '.join(short)}", one.seconds)
    return one.doubted(f"a source it needs was cut short, there may be more: {', '.join(short)}")


def _run(one: _Ran, runner: JudgeProcess, request: Request) -> _Ran:
    match runner.ask(request):
        case Failed(reason, seconds):
            return one.failed(reason, seconds)
        case Rows(table, seconds):
            try:
                subject_columns(table)
            except RuleError as error:
                return one.failed(f"refused: {error.problem}; {error.fix}", seconds)
            return replace(one, table=table, seconds=seconds)


def _pack_all(ran: Sequence[_Ran], roll: duckdb.DuckDBPyConnection, controls: Controls) -> list[_Ran]:
    wanted: dict[str, list[pa.ChunkedArray[Any]]] = {}
    for one in ran:
        if one.table is not None:
            for name, kind in subject_columns(one.table).items():
                wanted.setdefault(kind, []).append(one.table.column(name))
    index = look_up(roll, wanted)
    return [_packed(one, index, controls) for one in ran]


def _packed(one: _Ran, index: Index, controls: Controls) -> _Ran:
    if one.table is None:
        return one
    packed: Packed = pack(one.rule, one.table, index, controls.of(one.rule.id))
    done = replace(one, table=None, findings=packed.findings)
    return done.doubted("; ".join(packed.trouble)) if packed.trouble else done


def _outcome(one: _Ran, suppressed: int) -> RuleOutcome:
    rule = one.rule
    return RuleOutcome(
        id=rule.id,
        title=rule.title,
        severity=rule.severity,
        status=one.status,
        findings=len(one.findings) - suppressed,
        suppressed=suppressed,
        reason=one.reason,
        seconds=one.seconds,
        why=rule.why,
        fix=rule.fix,
        reference=rule.reference,
        moves_with_time=rule.moves_with_time,
        parameters=" ".join(f"{name}={one.parameters[name]}" for name in sorted(one.parameters)),
    )


def _notes(ran: Sequence[_Ran], held: Decisions, suppressed: Sequence[Suppressed]) -> list[str]:
    """What a reader must know besides the findings: replaced rules, and decisions that do nothing or should end."""
    notes = [f"rule {one.rule.id} is {one.rule.file}, in place of the built-in one" for one in ran if one.rule.replaces]
    known = {one.rule.id for one in ran}
    met = {s.decision for s in suppressed}
    for decision in held.ended:
        notes.append(f"decision on {decision.target} ended on {decision.until.isoformat()} and no longer applies")
    for decision in held.long:
        notes.append(f"decision on {decision.target} lasts until {decision.until.isoformat()}, more than a year")
    for rule in sorted(held.rules.keys() - known):
        notes.append(f"decision on rule {rule}: there is no such rule")
    singles: list[FindingDecision | SubjectDecision] = [*held.findings.values(), *held.subjects.values()]
    for single in singles:
        if isinstance(single, SubjectDecision) and single.rule not in known:
            notes.append(f"decision on {single.target}: there is no such rule")
        elif single not in met:
            notes.append(f"decision on {single.target} meets no finding: it may be mended, and the decision can go")
    return notes
