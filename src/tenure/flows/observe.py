"""OBSERVE: say what lies in a folder of exports, and collect it into snapshots.

A folder that a source surely knows is taken whole (a CA folder, AWS CLI outputs); else its files are asked one by one,
and a folder of nothing but one kind (loose certificates) is taken together. What nobody recognises is told.
"""

from __future__ import annotations

import os
import stat
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tenure.errors import DeclarationError, SourceError, TenureError
from tenure.evidence.collection import HEAD_BYTES, CollectContext, Place, Recognition, Source
from tenure.evidence.digests import SecretDigest
from tenure.evidence.snapshot import Snapshot, SnapshotDraft
from tenure.model.declarations import Declarations, SourceDeclaration
from tenure.model.findings import FileVerdict

SURE = 50
"""From this sureness on, a source takes a folder whole without its files being asked."""

MANY = 20
"""More files of one kind than this are taken with their folder, although files that nobody recognises lie among them."""

DEEPEST = 64
"""Folders below folders that are looked into; what lies deeper is told."""

IGNORE = "ignore"
"""The kind that leaves a place out."""

_IGNORED = "audit.toml says ignore"

_NO_OPTIONS = {"path", "kind", "passwords", "max_age_days", "as_of", "strong_identifiers", "role"}
"""Declared of a source, and without effect on what is read from it: the roll heeds it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A place and the source that takes it."""

    place: Place
    kind: str
    why: str


@dataclass(frozen=True, slots=True)
class Known:
    """What a survey goes by."""

    sources: Mapping[str, Source]
    declarations: Declarations
    trees: Collection[str] = frozenset()  # kinds that read a tree of any shape: many folders of such are one place
    own: Collection[str] = frozenset()  # places of what Tenure itself reads or keeps among exports


def place_at(path: Path, relative: str) -> Place:
    """The place at a path, with the first bytes of a file. Raises SourceError when it cannot be read.

    A pipe or a device would keep us waiting for ever and is refused.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return Place(path, relative, b"")
        if not stat.S_ISREG(mode):
            raise SourceError(f"{path} is neither a file nor a folder", "save what it gives as a file first")
        with path.open("rb") as file:
            return Place(path, relative, file.read(HEAD_BYTES))
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}", "check the path and its permissions") from error


def survey(
    root: Path, known: Known, looked: Callable[[int], None] = lambda _places: None
) -> tuple[list[Taken], list[FileVerdict]]:
    """What each file or folder below ``root`` is taken for. Same tree, same answer: names are sorted, content decides.

    ``looked`` hears how many places were looked at since it was last called.
    """
    taken, verdicts = _Survey(known, looked).look(place_at(root, _storable(root.name) if root.is_file() else "."), 0)
    told = verdicts + [FileVerdict(t.place.relative, t.kind, t.why) for t in taken]
    return taken, sorted(told, key=lambda verdict: verdict.path)


@dataclass(frozen=True, slots=True)
class _Survey:
    known: Known
    looked: Callable[[int], None]

    def look(self, place: Place, depth: int) -> tuple[list[Taken], list[FileVerdict]]:
        """The places taken at or below a place, and what is told of the others."""
        self.looked(1)
        declared = _declared_at(place.relative, self.known.declarations)
        if declared is not None and declared.kind is not None:
            return self._as_declared(place, declared.kind)
        best = self._recognised(place)
        if not place.is_folder:
            if best is None:
                return [], [FileVerdict(place.relative, None, "no source recognises it")]
            return [Taken(place, best[0], best[1].why)], []
        below = _below(place.relative, self.known.declarations)
        if best is not None and best[1].sureness >= SURE and not any(entry.kind is not None for entry in below):
            self._refuse_store_within(place, best[0])
            return [Taken(place, best[0], best[1].why)], []
        taken: list[Taken] = []
        verdicts: list[FileVerdict] = []
        for child in self._children(place, depth, verdicts):
            more, said = self.look(child, depth + 1)
            taken += more
            verdicts += said
        if not below and not self._store_within(place) and (why := self._together(best, taken, verdicts)):
            return [Taken(place, taken[0].kind, why)], []
        return taken, verdicts

    def _store_within(self, place: Place) -> bool:
        """Whether Tenure's store lies in a folder, which its source would read as part of the export."""
        prefix = "" if place.relative == "." else place.relative + "/"
        return any(own.startswith(prefix) and (place.path / own.removeprefix(prefix)).is_dir() for own in self.known.own)

    def _refuse_store_within(self, place: Place, kind: str) -> None:
        if self._store_within(place):
            raise TenureError(f"the store lies in {place.path}, which is read as one export ({kind})", "name another --store")

    def _as_declared(self, place: Place, kind: str) -> tuple[list[Taken], list[FileVerdict]]:
        if kind == IGNORE:
            return [], [FileVerdict(place.relative, None, _IGNORED)]
        if place.is_folder:
            self._refuse_store_within(place, kind)
        if kind not in self.known.sources:
            raise DeclarationError(
                f"audit.toml: no kind of source is called {kind!r}",
                f"use one of {', '.join(sorted(self.known.sources))}, {IGNORE}",
            )
        return [Taken(place, kind, "audit.toml says so")], []

    def _recognised(self, place: Place) -> tuple[str, Recognition] | None:
        claims = []
        for kind, source in sorted(self.known.sources.items()):
            try:
                claim = source.recognise(place)
            except OSError:
                continue  # a folder that cannot be listed: told where its children are looked for
            if claim is not None:
                claims.append((kind, claim))
        return max(claims, key=lambda c: c[1].sureness) if claims else None

    def _together(
        self, best: tuple[str, Recognition] | None, taken: Sequence[Taken], verdicts: Sequence[FileVerdict]
    ) -> str | None:
        """Why a folder is taken whole after all: nothing but one kind lies in it, or a lot of that kind."""
        if len({t.kind for t in taken}) != 1 or (verdicts and len(taken) <= MANY):
            return None
        if best is not None and best[0] == taken[0].kind:
            return best[1].why
        return f"{len(taken)} places with {taken[0].kind}" if taken[0].kind in self.known.trees and len(taken) > 1 else None

    def _children(self, place: Place, depth: int, verdicts: list[FileVerdict]) -> Iterator[Place]:
        if depth >= DEEPEST:
            verdicts.append(FileVerdict(place.relative, None, f"not looked into: more than {DEEPEST} folders deep", unread=True))
            return
        try:
            with os.scandir(place.path) as listing:
                entries = sorted(listing, key=lambda e: e.name)
        except OSError as error:
            verdicts.append(_unread(place.relative, error))
            return
        for entry in entries:
            relative = _storable(entry.name if place.relative == "." else f"{place.relative}/{entry.name}")
            found = self._child(entry, relative)
            if isinstance(found, Place):
                yield found
            elif isinstance(found, FileVerdict):
                verdicts.append(found)
            elif found is not None:
                verdicts.append(FileVerdict(relative, None, found))

    def _child(self, entry: os.DirEntry[str], relative: str) -> Place | FileVerdict | str | None:
        """A place to look at, the verdict on it or why it is none, or None for what is Tenure's own."""
        path = Path(entry.path)
        if relative in self.known.own:
            return None
        declared = self.known.declarations
        if (said := _declared_at(relative, declared)) is not None and said.kind == IGNORE:
            return _IGNORED  # before it is opened: what cannot be read may be left out on purpose
        if entry.name.startswith(".") and _declared_at(relative, declared) is None and not _below(relative, declared):
            return "hidden, not looked at: declare it as [[source]] in audit.toml to have it read"
        try:
            if entry.is_symlink() and path.is_dir():
                return "a link to a folder is not followed"
            if entry.is_symlink() and not path.exists():
                return "a link to nothing"
            return place_at(path, relative)
        except SourceError as error:
            cause = error.__cause__
            return _unread(relative, cause) if isinstance(cause, OSError) else "neither a file nor a folder"
        except OSError as error:
            return _unread(relative, error)


def _unread(relative: str, error: OSError) -> FileVerdict:
    return FileVerdict(relative, None, f"cannot be read: {error.strerror or error}", unread=True)


def normal(path: str) -> str:
    """A declared path as places are named: ``/`` separated, relative to the audited folder, ``.`` for the folder itself."""
    return path.strip("/").removeprefix("./") or "."


def _declared_at(relative: str, declarations: Declarations) -> SourceDeclaration | None:
    return next((entry for entry in declarations.source if normal(entry.path) == relative), None)


def _below(relative: str, declarations: Declarations) -> list[SourceDeclaration]:
    prefix = "" if relative == "." else relative + "/"
    return [s for s in declarations.source if (at := normal(s.path)).startswith(prefix) and at not in (relative, ".")]


def _storable(name: str) -> str:
    """A file name as text that can be stored; bytes that are no UTF-8 are written as ``\\xff``."""
    return name if name.isascii() else name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


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
    """One place into one snapshot. A place that cannot be collected is a partial snapshot that says why, so nothing is lost.

    Raises only what people can mend in their declarations, and OSError where the store cannot be written.
    """
    declared = declarations.for_path(taken.place.relative)
    told, missing = _passwords(declared)
    context = CollectContext(
        declarations=declarations,
        declared=declared,
        digest=bench.digest,
        base=bench.base,
        passwords=bench.passwords + told,
        progress=progress,
    )
    try:
        with _draft(taken, source, declared, bench) as draft:
            for name in missing:
                draft.note(f"audit.toml names {name} for passwords, and the environment has no such variable")
            try:
                source.collect(taken.place, context, draft)
            except SourceError as error:
                _tell(draft, taken, str(error), "not-collected", error.problem)
            return draft.finish(bench.collected_at)
    except TenureError:
        raise
    except Exception as error:  # noqa: BLE001 - a collector's defect takes no other export's truth with it: it is told
        last = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"reading it failed: {type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"
    with _draft(taken, source, declared, bench) as draft:  # rows of a draft that broke may be half told: none are kept
        _tell(draft, taken, reason, "reading-failed", reason)
        return draft.finish(bench.collected_at)


def _draft(taken: Taken, source: Source, declared: SourceDeclaration, bench: Bench) -> SnapshotDraft:
    options = {
        key: str(value)
        for key, value in declared.model_dump(mode="json", exclude=_NO_OPTIONS).items()
        if value not in (None, [], ())
    }
    return SnapshotDraft(bench.store, source.kind, source.version, taken.place.relative, options)


def _tell(draft: SnapshotDraft, taken: Taken, reason: str, code: str, short: str) -> None:
    draft.problem(taken.place.relative, "whole", reason, code)
    draft.cut_short(short)


def _passwords(declared: SourceDeclaration) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    """The declared passwords that the environment holds, and the names of those that it does not."""
    there = tuple(name for name in declared.passwords if name.encode() in os.environb)
    return tuple(os.environb[name.encode()] for name in there), tuple(n for n in declared.passwords if n not in there)


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
