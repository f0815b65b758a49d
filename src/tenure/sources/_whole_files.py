"""Files that are read whole: regular ones of bearable size. Whatever else lies in an export is a problem, never a surprise."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from tenure.evidence.collection import CollectContext
from tenure.evidence.snapshot import SnapshotDraft


def storable(name: str) -> str:
    """A file name as text that can be stored; bytes that are no UTF-8 are written as ``\\xff``."""
    return name if name.isascii() else name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def relative(path: Path, to: Path) -> str:
    """A path below a place as it stands in origins: ``/`` separated, storable."""
    return storable(path.relative_to(to).as_posix())


def folders_below(root: Path, draft: SnapshotDraft) -> Iterator[tuple[Path, list[str], list[str]]]:
    """A tree folder by folder: each with the names of its folders and of its files, sorted; hidden folders are left out.

    A folder that cannot be listed is a problem and makes the snapshot partial. Links to folders are named, not followed.
    """

    def not_listed(error: OSError) -> None:
        name, reason = relative(Path(error.filename), root), f"the folder cannot be read: {error.strerror or error}"
        _tell_unreadable(draft, name, "folder", reason)

    for folder, folders, names in os.walk(root, onerror=not_listed):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        yield Path(folder), folders, sorted(names)


def readable(path: Path, name: str, draft: SnapshotDraft) -> bool:
    """Whether a file can be opened. What cannot is a problem and makes the snapshot partial; a pipe or a device is not tried."""
    reason = "no regular file, or a link to nothing"
    try:
        if path.is_file():
            path.open("rb").close()
            return True
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
    _tell_unreadable(draft, name, "file", reason)
    return False


def content(path: Path, name: str, longest: int, context: CollectContext, draft: SnapshotDraft) -> bytes | None:
    """The bytes of a file; None for what cannot be read, which is a problem and makes the snapshot partial.

    A pipe or a device would keep us waiting for ever, so only regular files (and links to them) are opened.
    """
    reason = "no regular file, or a link to nothing"
    try:
        if path.is_file():
            if (size := path.stat().st_size) <= longest:
                data = path.read_bytes()
                context.progress(len(data))
                return data
            reason = f"{size} bytes, more than the {longest} that are read"
        elif path.is_dir():
            reason = "a link to a folder, which is not followed"
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
    _tell_unreadable(draft, name, "file", reason)
    return None


def _tell_unreadable(draft: SnapshotDraft, name: str, place: str, reason: str) -> None:
    draft.problem(name, place, reason, "unreadable-file")
    draft.cut_short(f"{name}: {reason}")
