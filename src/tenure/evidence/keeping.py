"""What lies in a store of snapshots: whole ones, what nobody can read, and drafts whose writers are gone.

A snapshot's age counts from when its content was last collected: the same content collected again makes it young.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from tenure.errors import SnapshotError
from tenure.evidence.snapshot import DRAFT, MANIFEST, open_snapshot

ABANDONED_AFTER: Final = timedelta(days=1)
UNREADABLE: Final = "(unreadable)"
"""The kind of what lies there like a snapshot and cannot be opened: damaged, or of another version."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot in a store. ``name`` is where it was collected from, relative to the audited folder."""

    folder: Path
    content_id: str
    kind: str
    name: str
    collected_at: datetime  # for the last time
    size: int


@contextmanager
def reading(store: Path) -> Iterator[None]:
    """Inside the ``with`` nobody removes snapshots from the store. The kernel lets go if we die."""
    store.mkdir(parents=True, exist_ok=True)
    with _locked(store, fcntl.LOCK_SH):
        yield


@contextmanager
def removing(store: Path) -> Iterator[None]:
    """Inside the ``with`` nobody begins to read snapshots. Raises SnapshotError where somebody does already."""
    try:
        with _locked(store, fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield
    except BlockingIOError:
        raise SnapshotError("an audit reads snapshots of this store just now", "try again when it has ended") from None


def kept(store: Path) -> list[Kept]:
    """The snapshots of a store by kind and name, the one last collected first."""
    folders = [p for p in store.iterdir() if p.is_dir() and not p.name.startswith(".")] if store.is_dir() else []
    return sorted(map(_kept, folders), key=lambda k: (k.kind, k.name, -k.collected_at.timestamp(), k.content_id))


def remove(snapshot: Kept) -> None:
    """Takes it out of the store. If we die on the way it is a draft that nobody finishes, and is cleared as such."""
    doomed = snapshot.folder.with_name(DRAFT + secrets.token_hex(8))
    snapshot.folder.rename(doomed)
    shutil.rmtree(doomed)


def clear_abandoned(store: Path, now: datetime) -> int:
    """Removes drafts that nobody writes to (their writer holds their lock) and nobody touched for a day; gives their number."""
    cleared = 0
    for draft in store.glob(f"{DRAFT}*"):
        try:
            if now - _touched(draft) > ABANDONED_AFTER:
                with _locked(draft, fcntl.LOCK_EX | fcntl.LOCK_NB):
                    shutil.rmtree(draft)
                    cleared += 1
        except OSError:  # in use, or gone since, or not ours to remove: all three may stay as they are
            continue
    return cleared


def _kept(folder: Path) -> Kept:
    manifest = folder / MANIFEST
    when = datetime.fromtimestamp((manifest if manifest.is_file() else folder).stat().st_mtime, UTC)
    size = sum(path.stat().st_size for path in folder.iterdir())
    try:
        told = open_snapshot(folder).manifest
    except SnapshotError:
        return Kept(folder, folder.name, UNREADABLE, folder.name, when, size)
    return Kept(folder, told.content_id, told.kind, told.name, when, size)


def _touched(folder: Path) -> datetime:
    """When something in a folder was last written."""
    return datetime.fromtimestamp(max(path.stat().st_mtime for path in (folder, *folder.iterdir())), UTC)


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    """Holds the lock of a folder. Raises BlockingIOError where another process's excludes ours."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)
