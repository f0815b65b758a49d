"""The audit: point it at a folder of exports and read which identities are what they should not be.

1. Survey: what is each file or folder? (told, also where nobody knows)
2. Collect: every export into its snapshot; an unchanged export gives the snapshot it gave before.
3. Link: snapshots and declarations into the roll, as of one moment.
4. Judge: the rules over the roll, in a process of their own.
5. Tell: findings with what they rest on: sources, coverage, problems, defaults nobody confirmed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import duckdb

from tenure.errors import SourceError
from tenure.evidence.collection import Source
from tenure.evidence.snapshot import Snapshot
from tenure.flows import observe
from tenure.model.controls import Controls
from tenure.model.decisions import Decision
from tenure.model.declarations import Declarations
from tenure.model.findings import AuditResult, FileVerdict
from tenure.roll import summary
from tenure.roll.judge import Judgement, judge
from tenure.roll.link import Limits, Roll, link
from tenure.roll.rules import Rule


class Progress(Protocol):
    """Who is told how far an audit is. ``step`` begins one with an amount of work (0: not known), ``done`` advances it."""

    def step(self, name: str, total: int = 0) -> None: ...

    def done(self, amount: int) -> None: ...


class Silent:
    """Tells nobody."""

    def step(self, name: str, total: int = 0) -> None:
        pass

    def done(self, amount: int) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where an audit works: the store of snapshots, the roll's file, the cache of checked signatures."""

    bench: observe.Bench
    roll: Path
    edges: Path | None
    limits: Limits


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked of the roll."""

    rules: Sequence[Rule]
    controls: Controls
    decisions: Collection[Decision]


@dataclass(frozen=True, slots=True)
class Linked:
    """What an audit knows before it judges."""

    roll: Roll
    snapshots: tuple[Snapshot, ...]
    files: tuple[FileVerdict, ...]


def observe_and_link(
    root: Path,
    sources: Mapping[str, Source],
    declarations: Declarations,
    place: Workplace,
    as_of: datetime,
    progress: Progress | None = None,
) -> Linked:
    """Steps 1 to 3. Raises SourceError when nothing below ``root`` is an export that any source knows."""
    told = progress or Silent()
    taken, files = observe.survey(root, sources, declarations)
    if not taken:
        raise SourceError(
            f"nothing in {root} is an export that Tenure knows",
            "see docs/sources/ for what each source expects, or name the kind in audit.toml ([[source]] path, kind)",
        )
    told.step("collecting", observe.size_of(taken))
    snapshots = [observe.collect_one(t, sources[t.kind], declarations, place.bench, told.done) for t in taken]
    told.step("linking")
    place.roll.parent.mkdir(parents=True, exist_ok=True)
    roll = link(snapshots, declarations, as_of, place.roll, limits=place.limits, edge_cache=place.edges, progress=told.step)
    return Linked(roll, tuple(snapshots), tuple(files))


def audit(
    root: Path,
    sources: Mapping[str, Source],
    declarations: Declarations,
    place: Workplace,
    questions: Questions,
    as_of: datetime,
    progress: Progress | None = None,
) -> AuditResult:
    """All five steps. Same exports, declarations and as-of time give the same result."""
    told = progress or Silent()
    linked = observe_and_link(root, sources, declarations, place, as_of, told)
    told.step("judging", len(questions.rules))
    judgement = judge(
        linked.roll.path,
        questions.rules,
        as_of=as_of,
        parameters=declarations.rule,
        decisions=questions.decisions,
        controls=questions.controls,
        progress=lambda _rule: told.done(1),
    )
    return _result(linked, judgement, as_of)


def _result(linked: Linked, judgement: Judgement, as_of: datetime) -> AuditResult:
    with duckdb.connect(str(linked.roll.path), read_only=True) as con:
        coverage = summary.coverage(con)
        return AuditResult(
            as_of=as_of,
            sources=summary.sources(linked.snapshots),
            coverage=coverage,
            problems=summary.problems(con),
            findings=judgement.findings,
            rules=judgement.outcomes,
            figures=summary.figures(con),
            files=linked.files,
            notes=tuple(dict.fromkeys([*_defaults(linked.snapshots), *judgement.notes])),
        )


def _defaults(snapshots: Sequence[Snapshot]) -> list[str]:
    """What rests on a default, as the collectors noted it."""
    return [f"{s.manifest.name}: {note}" for s in snapshots for note in s.manifest.notes]
