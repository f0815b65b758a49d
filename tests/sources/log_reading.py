"""Reading a log in a test: written to a file, collected with or without helpers, in chunks of any size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tenure.evidence.collection import CollectContext
from tenure.evidence.digests import SecretDigest
from tenure.evidence.snapshot import Snapshot, SnapshotDraft
from tenure.model.declarations import Declarations, SourceDeclaration
from tenure.sources._lines import CHUNK_BYTES, LogFile
from tests.sources.collected import COLLECTED_AT

Counts = TypeVar("Counts")
CollectLog = Callable[[list[LogFile], CollectContext, SnapshotDraft, int, int], Counts]


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of a log: its snapshot, and the counts its collector gives."""

    snapshot: Snapshot
    counts: Any

    @property
    def sessions(self) -> list[dict[str, Any]]:
        return list(self.snapshot.rows("session"))

    @property
    def takeovers(self) -> list[dict[str, Any]]:
        return list(self.snapshot.rows("takeover"))

    @property
    def problems(self) -> list[dict[str, Any]]:
        return list(self.snapshot.rows("problem"))


def reading(
    collect_log: CollectLog[Any],
    folder: Path,
    text: str | bytes,
    helpers: int = 0,
    chunk_bytes: int = CHUNK_BYTES,
    name: str = "broker.log",
    **declared: Any,
) -> Reading:
    """A log of this text, read by ``collect_log``; ``declared`` is what its [[source]] entry says."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    source = SourceDeclaration(path=name, **declared)
    context = CollectContext(Declarations(source=(source,)), source, SecretDigest(b"k" * 32), folder)
    with SnapshotDraft(folder / "store", "test", 1, name) as draft:
        counts = collect_log([LogFile(path, name)], context, draft, helpers, chunk_bytes)
        return Reading(draft.finish(COLLECTED_AT), counts)
