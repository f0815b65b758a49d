"""The audit: point it at a folder of exports and read which identities are what they should not be.

1. Survey: what is each file or folder? (told, also where nobody knows)
2. Collect: every export into its snapshot; an unchanged export gives the snapshot it gave before.
3. Link: snapshots and declarations into the roll, as of one moment.
4. Judge: the rules over the roll, in a process of their own.
5. Tell: findings with what they rest on: sources, coverage, problems, defaults nobody confirmed.
"""

from __future__ import annotations

import fcntl
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

import duckdb

from tenure.errors import DeclarationError, LinkError, SourceError, TenureError
from tenure.evidence import keeping
from tenure.evidence.collection import Source
from tenure.evidence.snapshot import Snapshot
from tenure.flows import observe
from tenure.model.controls import Controls
from tenure.model.decisions import Decision
from tenure.model.declarations import Declarations
from tenure.model.findings import AuditResult, FileVerdict, ProblemSummary, SuppressedFinding
from tenure.roll import summary, wire
from tenure.roll.judge import Judgement, Suppressed, judge
from tenure.roll.judge_process import JudgeProcess
from tenure.roll.link import Limits, Roll, link
from tenure.roll.rules import Rule


class Progress(Protocol):
    """Who is told how far an audit is. ``step`` begins one with an amount of work (0: not known), ``done`` advances it."""

    def step(self, name: str, total: int = 0, unit: str = "") -> None: ...

    def done(self, amount: int) -> None: ...


class Silent:
    """Tells nobody."""

    def step(self, name: str, total: int = 0, unit: str = "") -> None:
        pass

    def done(self, amount: int) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where an audit works: the store of snapshots, the roll's file, the cache of checked signatures, what it may use."""

    bench: observe.Bench
    roll: Path
    edges: Path | None
    limits: Limits
    judging: wire.Limits = field(default_factory=wire.Limits)
    own: frozenset[str] = frozenset()  # places among the exports that are Tenure's own


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked of the roll."""

    rules: Sequence[Rule]
    controls: Controls
    decisions: Collection[Decision]

    def check(self, declarations: Declarations) -> None:
        """Raises DeclarationError for ``[rule.ID]`` entries that set what does not exist: before the work, not after it."""
        by_id = {rule.id: rule for rule in self.rules}
        for name, values in declarations.rule.items():
            if name not in by_id:
                raise DeclarationError(f"[rule.{name}] names no rule", "`tenure rules` lists the rules there are")
            by_id[name].bound(values)


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What lies in a folder: what is taken for an export, and what is told of each file or folder."""

    taken: tuple[observe.Taken, ...]
    files: tuple[FileVerdict, ...]


@dataclass(frozen=True, slots=True)
class Linked:
    """What an audit knows before it judges."""

    roll: Roll
    snapshots: tuple[Snapshot, ...]
    files: tuple[FileVerdict, ...]
    notes: tuple[str, ...] = ()  # what was declared in vain


def look(
    root: Path,
    sources: Mapping[str, Source],
    declarations: Declarations,
    own: frozenset[str] = frozenset(),
    progress: Progress | None = None,
    trees: Collection[str] = (),
) -> Surveyed:
    """Step 1. ``trees`` are kinds of source that read a tree of any shape."""
    told = progress or Silent()
    told.step("looking at files", unit="files")
    taken, files = observe.survey(root, observe.Known(sources, declarations, trees, own), told.done)
    return Surveyed(tuple(taken), tuple(files))


def collect_and_link(
    root: Path,
    surveyed: Surveyed,
    sources: Mapping[str, Source],
    declarations: Declarations,
    place: Workplace,
    as_of: datetime,
    progress: Progress | None = None,
) -> Linked:
    """Steps 2 and 3. Raises SourceError when nothing below ``root`` is an export that any source knows, LinkError when
    the roll cannot be made."""
    told = progress or Silent()
    if not surveyed.taken:
        raise SourceError(
            f"nothing in {root} is an export that Tenure knows{_first(surveyed.files)}",
            "see docs/sources/ for what each source expects, or name the kind in audit.toml ([[source]] path, kind); "
            "`tenure audit --init` writes one to begin with",
        )
    with keeping.reading(place.bench.store):
        keeping.clear_abandoned(place.bench.store, place.bench.collected_at)
        told.step("collecting", observe.size_of(surveyed.taken), "bytes")
        snapshots = [observe.collect_one(t, sources[t.kind], declarations, place.bench, told.done) for t in surveyed.taken]
        told.step("linking")
        roll = _linked(snapshots, declarations, place, as_of, told)
    return Linked(roll, tuple(snapshots), surveyed.files, tuple(_in_vain(root, declarations)))


def _linked(snapshots: Sequence[Snapshot], said: Declarations, place: Workplace, as_of: datetime, told: Progress) -> Roll:
    place.roll.parent.mkdir(parents=True, exist_ok=True)
    try:
        return link(snapshots, said, as_of, place.roll, limits=place.limits, edge_cache=place.edges, progress=told.step)
    except duckdb.OutOfMemoryException as error:
        raise LinkError(
            f"linking needs more memory: {error}", "give it more with --memory, or room for its spill files"
        ) from error


def audit(
    root: Path,
    sources: Mapping[str, Source],
    declarations: Declarations,
    place: Workplace,
    questions: Questions,
    as_of: datetime,
    progress: Progress | None = None,
    trees: Collection[str] = (),
) -> AuditResult:
    """All five steps. Same exports, declarations and as-of time give the same result.

    The process that runs the rules starts while the roll is linked; ``judge`` ends it, and so does any failure before.
    """
    told = progress or Silent()
    questions.check(declarations)
    with alone(place.roll), JudgeProcess(place.roll, place.judging) as process:
        surveyed = look(root, sources, declarations, place.own, told, trees)
        if surveyed.taken:
            process.start()
        linked = collect_and_link(root, surveyed, sources, declarations, place, as_of, told)
        told.step("judging", len(questions.rules), "rules")
        judgement = judge(
            linked.roll.path,
            questions.rules,
            as_of=as_of,
            parameters=declarations.rule,
            limits=place.judging,
            decisions=questions.decisions,
            controls=questions.controls,
            process=process,
            progress=lambda _rule: told.done(1),
        )
        return _result(linked, judgement, as_of)


@contextmanager
def alone(roll: Path) -> Iterator[None]:
    """Holds the roll's lock: two audits of one folder in one store would write one file. The kernel lets go if we die.

    Raises TenureError when another process holds it.
    """
    roll.parent.mkdir(parents=True, exist_ok=True)
    with roll.with_suffix(".lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TenureError(
                "another audit of this folder is at work in the same store", "wait for it, or give this one its own --store"
            ) from None
        yield


def _result(linked: Linked, judgement: Judgement, as_of: datetime) -> AuditResult:
    with duckdb.connect(str(linked.roll.path), read_only=True) as con:
        coverage = summary.coverage(con)
        return AuditResult(
            as_of=as_of,
            sources=summary.sources(con, linked.snapshots),
            coverage=coverage,
            problems=(*_unread(linked.files), *summary.problems(con)),
            findings=judgement.findings,
            rules=judgement.outcomes,
            figures=summary.figures(con),
            files=linked.files,
            suppressed_findings=tuple(map(_suppressed, judgement.suppressed)),
            notes=tuple(dict.fromkeys([*linked.notes, *_defaults(linked.snapshots), *judgement.notes])),
        )


def _suppressed(one: Suppressed) -> SuppressedFinding:
    found, held = one.finding, one.decision
    return SuppressedFinding(
        found.id, found.rule, found.severity, found.title, found.subjects, held.target, held.reason, held.who, held.until
    )


def _defaults(snapshots: Sequence[Snapshot]) -> list[str]:
    """What rests on a default, as the collectors noted it."""
    return [f"{s.manifest.name}: {note}" for s in snapshots for note in s.manifest.notes]


def _unread(files: Sequence[FileVerdict]) -> Iterator[ProblemSummary]:
    """A file or folder we were not let into is a problem of no source: nobody knows whose it is."""
    for file in files:
        if file.unread:
            yield ProblemSummary(file.path, file.path, "whole", f"{file.why}; what it holds is missing here")


def _in_vain(root: Path, declarations: Declarations) -> Iterator[str]:
    """Declared paths where nothing lies: a slip of the pen would otherwise go unseen."""
    base = root if root.is_dir() else root.parent
    for table, path in (*(("source", s.path) for s in declarations.source), *(("anchors", a.path) for a in declarations.anchors)):
        if not (base / observe.normal(path)).exists():
            yield f"audit.toml: [[{table}]] names {path}, and there is nothing"


def _first(files: Sequence[FileVerdict]) -> str:
    """The first of the files that nobody knows, for a message."""
    if not files:
        return ": it is empty"
    more = f", and {len(files) - 1} more" if len(files) > 1 else ""
    return f" ({files[0].path}: {files[0].why}{more})"
