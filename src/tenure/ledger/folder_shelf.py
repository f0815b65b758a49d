"""A shelf in a folder: on another disk, a network share, or what a backup tool carries away."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile

from tenure.ledger.refusals import ShelfError

_FIX = "look at the folder, its disk and its permissions"


class FolderShelf:
    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str) -> bytes | None:
        try:
            return self._at(path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ShelfError(f"{path} on the shelf cannot be read: {error}", _FIX) from error

    def put(self, path: str, content: bytes) -> None:
        try:
            self._write(self._at(path), content)
        except OSError as error:
            raise ShelfError(f"{path} on the shelf cannot be written: {error}", _FIX) from error

    def swap(self, path: str, before: bytes | None, after: bytes) -> bool:
        with self._alone():
            if self.read(path) != before:
                return False
            self.put(path, after)
            return True

    def drop(self, folder: str) -> None:
        shutil.rmtree(self._at(folder), ignore_errors=True)

    def _at(self, path: str) -> Path:
        relative = PurePosixPath(path)
        if relative.is_absolute() or ".." in relative.parts or not relative.parts:
            raise ShelfError(f"{path!r} is no path on a shelf", "relative paths without ..")
        return self._root / relative

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Among all processes on this folder; the kernel lets go if we die. A network share has to support locks."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            lock = (self._root / ".lock").open("wb")
        except OSError as error:
            raise ShelfError(f"the shelf cannot be locked: {error}", _FIX) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, target: Path, content: bytes) -> None:
        """1. Content beside it, on disk. 2. Renamed. 3. The name on disk. Dead before 2: a leftover ``.new`` that nobody
        reads; between 2 and 3: one of the two contents."""
        _make_folder(target.parent)
        with NamedTemporaryFile(dir=target.parent, prefix=".", suffix=".new", delete=False) as beside:
            try:
                beside.write(content)
                beside.flush()
                os.fchmod(beside.fileno(), 0o644)
                os.fsync(beside.fileno())
                Path(beside.name).replace(target)
            except OSError:
                Path(beside.name).unlink(missing_ok=True)
                raise
        _sync_folder(target.parent)


def _make_folder(folder: Path) -> None:
    """With its parents; each new name is on disk before anything is put below it."""
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        _sync_folder(made.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
