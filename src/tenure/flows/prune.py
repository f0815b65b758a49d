"""Remove old snapshots: say which, and only then do it. Audits collect anew each time and need none of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path

from tenure.evidence import keeping
from tenure.evidence.keeping import Kept


@dataclass(frozen=True, slots=True)
class Spare:
    """Which snapshots stay: the newest ``keep`` of each source, and all that are no older than ``younger_than``."""

    keep: int = 0
    younger_than: timedelta = timedelta()


def superfluous(snapshots: Iterable[Kept], spare: Spare, now: datetime) -> Iterator[Kept]:
    """The snapshots that nothing spares. ``snapshots`` are by source, newest first, as ``keeping.kept`` gives them."""
    for _, of_one_source in groupby(snapshots, key=lambda k: (k.kind, k.name)):
        for number, snapshot in enumerate(of_one_source):
            if number >= spare.keep and now - snapshot.collected_at >= spare.younger_than:
                yield snapshot


def prune(store: Path, spare: Spare, now: datetime) -> tuple[Kept, ...]:
    """Removes what nothing spares, and abandoned drafts; gives the snapshots that went.

    Raises SnapshotError while an audit reads the store. If we die on the way, the rest goes the next time.
    """
    with keeping.removing(store):
        keeping.clear_abandoned(store, now)
        gone = tuple(superfluous(keeping.kept(store), spare, now))
        for snapshot in gone:
            keeping.remove(snapshot)
    return gone
