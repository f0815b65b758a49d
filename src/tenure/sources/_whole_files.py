"""Files that are read whole: regular ones of bearable size. Whatever else lies in an export is a problem, never a surprise."""

from __future__ import annotations

from pathlib import Path

from tenure.evidence.collection import CollectContext
from tenure.evidence.snapshot import SnapshotDraft


def storable(name: str) -> str:
    """A file name as text that can be stored; bytes that are no UTF-8 are written as ``\\xff``."""
    return name if name.isascii() else name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def relative(path: Path, to: Path) -> str:
    """A path below a place as it stands in origins: ``/`` separated, storable."""
    return storable(path.relative_to(to).as_posix())


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
    draft.problem(name, "file", reason, "unreadable-file")
    draft.cut_short(f"{name}: {reason}")
    return None
