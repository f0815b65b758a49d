"""Which snapshots are superfluous, and that nothing else goes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tenure.errors import SnapshotError
from tenure.evidence.keeping import kept, reading
from tenure.flows.prune import Spare, prune, superfluous
from tests.evidence.test_keeping import DAY, NOW, snapshot


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two sources: one collected on four days, one long ago."""
    for days in (0, 10, 100, 200):
        snapshot(tmp_path, "a.csv", NOW - days * DAY, f"r{days}")
    snapshot(tmp_path, "b.csv", NOW - 300 * DAY, "other")
    return tmp_path


@pytest.mark.parametrize(
    ("spare", "gone"),
    [
        (Spare(keep=1), {("a.csv", 10), ("a.csv", 100), ("a.csv", 200)}),
        (Spare(keep=4), set()),
        (Spare(younger_than=timedelta(days=100)), {("a.csv", 100), ("a.csv", 200), ("b.csv", 300)}),
        (Spare(keep=1, younger_than=timedelta(days=30)), {("a.csv", 100), ("a.csv", 200)}),
        (Spare(keep=3, younger_than=timedelta(days=30)), {("a.csv", 200)}),
    ],
)
def test_what_nothing_spares_goes(store: Path, spare: Spare, gone: set[tuple[str, int]]) -> None:
    told = list(superfluous(kept(store), spare, NOW))
    before = kept(store)
    assert {(k.name, (NOW - k.collected_at).days) for k in told} == gone
    assert prune(store, spare, NOW) == tuple(told)
    assert kept(store) == [k for k in before if k not in told]


def test_an_audit_at_work_is_not_robbed(store: Path) -> None:
    with reading(store), pytest.raises(SnapshotError):
        prune(store, Spare(keep=1), NOW)
    assert len(kept(store)) == 5
