"""OBSERVE: say what lies in a folder of exports, and collect it into snapshots.

A folder that a source surely knows is taken whole (a CA folder, AWS CLI outputs); else its files are asked one by one,
and a folder of nothing but one kind (loose certificates) is taken together. What nobody recognises is told.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tenure.errors import DeclarationError, SourceError
from tenure.evidence.collection import HEAD_BYTES, CollectContext, Place, Recognition, Source
from tenure.evidence.digests import SecretDigest
from tenure.evidence.snapshot import Snapshot, SnapshotDraft
from tenure.model.declarations import Declarations
from tenure.model.findings import FileVerdict

SURE = 50
"""From this sureness on, a source takes a folder whole without its files being asked."""

OWN_FILES = frozenset({"audit.toml", "decisions.toml", ".tenure"})
"""What Tenure itself keeps beside exports."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A place and the source that takes it."""

    place: Place
    kind: str
    why: str


def place_at(path: Path, relative: str) -> Place:
    """The place at a path, with the first bytes of a file. Raises SourceError when it cannot be read."""
    try:
        if path.is_dir():
            return Place(path, relative, b"")
        with path.open("rb") as file:
            return Place(path, relative, file.read(HEAD_BYTES))
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}", "check the path and its permissions") from error


def survey(root: Path, sources: Mapping[str, Source], declarations: Declarations) -> tuple[list[Taken], list[FileVerdict]]:
    """What each file or folder below ``root`` is taken for. Same tree, same answer: names are sorted, content decides."""
    taken, verdicts = _look(place_at(root, root.name if root.is_file() else "."), sources, declarations)
    return taken, verdicts + [FileVerdict(t.place.relative, t.kind, t.why) for t in taken]


def _look(place: Place, sources: Mapping[str, Source], declarations: Declarations) -> tuple[list[Taken], list[FileVerdict]]:
    declared = declarations.for_path(place.relative)
    if declared.path.strip("/") == place.relative and declared.kind is not None:
        if declared.kind == "ignore":
            return [], [FileVerdict(place.relative, None, "audit.toml says ignore")]
        if declared.kind not in sources:
            raise DeclarationError(
                f"audit.toml: no kind of source is called {declared.kind!r}", f"use one of {', '.join(sorted(sources))}"
            )
        return [Taken(place, declared.kind, "audit.toml says so")], []
    best = _recognised(place, sources)
    if not place.is_folder:
        if best is None:
            return [], [FileVerdict(place.relative, None, "no source recognises it")]
        return [Taken(place, best[0], best[1].why)], []
    if best is not None and best[1].sureness >= SURE and not _declared_below(place.relative, declarations):
        return [Taken(place, best[0], best[1].why)], []
    taken: list[Taken] = []
    verdicts: list[FileVerdict] = []
    for child in _children(place, verdicts):
        below, said = _look(child, sources, declarations)
        taken += below
        verdicts += said
    if best is not None and taken and {t.kind for t in taken} == {best[0]} and not _declared_below(place.relative, declarations):
        return [Taken(place, best[0], best[1].why)], []
    return taken, verdicts


def _recognised(place: Place, sources: Mapping[str, Source]) -> tuple[str, Recognition] | None:
    claims = [(kind, claim) for kind, source in sorted(sources.items()) if (claim := source.recognise(place)) is not None]
    return max(claims, key=lambda c: c[1].sureness) if claims else None


def _declared_below(relative: str, declarations: Declarations) -> bool:
    prefix = "" if relative == "." else relative + "/"
    return any(
        s.kind is not None and s.path.strip("/").startswith(prefix) and s.path.strip("/") != relative for s in declarations.source
    )


def _children(place: Place, verdicts: list[FileVerdict]) -> Iterator[Place]:
    for entry in sorted(os.scandir(place.path), key=lambda e: e.name):
        relative = entry.name if place.relative == "." else f"{place.relative}/{entry.name}"
        if entry.name in OWN_FILES:
            continue
        if not (entry.is_file() or entry.is_dir()):
            verdicts.append(FileVerdict(relative, None, "neither a file nor a folder"))
        elif entry.is_symlink() and entry.is_dir():
            verdicts.append(FileVerdict(relative, None, "a link to a folder is not followed"))
        else:
            try:
                yield place_at(Path(entry.path), relative)
            except SourceError as error:
                verdicts.append(FileVerdict(relative, None, error.problem))


@dataclass(frozen=True, slots=True)
class Bench:
    """What collecting needs from outside: where snapshots go, the digest key, passwords, and the clock's word."""

    store: Path
    digest: SecretDigest
    base: Path
    passwords: tuple[bytes, ...]
    collected_at: datetime


def collect_one(
    taken: Taken, source: Source, declarations: Declarations, bench: Bench, progress: Callable[[int], None] = lambda _n: None
) -> Snapshot:
    """One place into one snapshot. A place that cannot be collected is a partial snapshot that says why, so nothing is lost."""
    declared = declarations.for_path(taken.place.relative)
    options = {
        key: str(value)
        for key, value in declared.model_dump(mode="json", exclude={"path", "passwords", "max_age_days", "as_of"}).items()
        if value not in (None, [], ())
    }
    environment = tuple(os.environb[n.encode()] for n in declared.passwords if n.encode() in os.environb)
    context = CollectContext(
        declarations=declarations,
        declared=declared,
        digest=bench.digest,
        base=bench.base,
        passwords=bench.passwords + environment,
        progress=progress,
    )
    with SnapshotDraft(bench.store, source.kind, source.version, taken.place.relative, options) as draft:
        try:
            source.collect(taken.place, context, draft)
        except SourceError as error:
            draft.problem(taken.place.relative, "whole", str(error), "not-collected")
            draft.cut_short(error.problem)
        return draft.finish(bench.collected_at)


def size_of(places: Sequence[Taken]) -> int:
    """Bytes below the places, for a progress bar; what cannot be read counts as nothing."""
    total = 0
    for taken in places:
        files = taken.place.path.rglob("*") if taken.place.is_folder else [taken.place.path]
        for path in files:
            try:
                total += path.stat().st_size
            except OSError:
                continue
    return total
