"""The contract of sources: recognise a location, collect it into a snapshot draft. Two verbs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

from tenure.evidence.digests import SecretDigest
from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.declarations import Declarations, SourceDeclaration

HEAD_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder that may be an export. ``head`` is the first HEAD_BYTES of a file, empty for a folder."""

    path: Path
    relative: str  # to the audited folder, "/" separated; the file name alone when collected by itself
    head: bytes

    @property
    def is_folder(self) -> bool:
        return self.path.is_dir()


@dataclass(frozen=True, slots=True)
class Recognition:
    """This source says the place is its own. The surest wins; a folder taken is taken with all that is in it."""

    sureness: int  # 100: a format nobody else writes; 50: looks like it; 10: could be, if nobody else wants it
    why: str  # one clause for people: "AWS CLI list-things output"


@dataclass(frozen=True, slots=True)
class CollectContext:
    """What a collection is given from outside: declarations, secrets to open files with, and whom to tell of progress."""

    declarations: Declarations
    declared: SourceDeclaration
    digest: SecretDigest
    base: Path  # folder that declared paths (mapping files) are relative to
    passwords: tuple[bytes, ...] = field(default=(), repr=False)
    progress: Callable[[int], None] = lambda _bytes: None  # called with bytes read since the last call


class Source(Protocol):
    """One kind of export. A member is a module-level instance named in ``wiring``.

    ``collect`` writes rows and problems to the draft and returns; it raises SourceError only when the location cannot be
    collected at all. What it cannot parse becomes a problem row; a source cut short calls ``draft.cut_short``. The order
    of rows depends on nothing but the content (sort directory listings), so that the content id is stable.
    """

    kind: ClassVar[str]
    version: ClassVar[int]
    title: ClassVar[str]

    def recognise(self, place: Place) -> Recognition | None: ...

    def collect(self, place: Place, context: CollectContext, draft: SnapshotDraft) -> None: ...
