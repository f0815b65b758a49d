"""Collecting a place in a test: the snapshot of one source, with nothing around it."""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tenure.evidence.collection import HEAD_BYTES, CollectContext, Place, Source
from tenure.evidence.digests import SecretDigest
from tenure.evidence.snapshot import Snapshot, SnapshotDraft
from tenure.model.declarations import Declarations

COLLECTED_AT = datetime(2026, 11, 1, tzinfo=UTC)


def place_of(path: Path, relative: str | None = None) -> Place:
    return Place(path, relative or path.name, b"" if path.is_dir() else path.read_bytes()[:HEAD_BYTES])


def collect(
    source: Source,
    path: Path,
    declarations: Declarations | None = None,
    passwords: tuple[bytes, ...] = (),
    relative: str | None = None,
) -> Snapshot:
    """The snapshot of a place, in a store of its own."""
    place = place_of(path, relative)
    said = declarations or Declarations()
    context = CollectContext(said, said.for_path(place.relative), SecretDigest(b"k" * 32), path.parent, passwords)
    with SnapshotDraft(Path(tempfile.mkdtemp(prefix="tenure-test-")), source.kind, source.version, place.relative) as draft:
        source.collect(place, context, draft)
        return draft.finish(COLLECTED_AT)


def rows(snapshot: Snapshot, table: str) -> list[dict[str, Any]]:
    return list(snapshot.rows(table))


def codes(snapshot: Snapshot) -> dict[str, int]:
    """How many problems of each kind there are."""
    return dict(Counter(row["code"] for row in snapshot.rows("problem")))
