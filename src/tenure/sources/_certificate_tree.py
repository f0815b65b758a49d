"""Which files of a tree are read for certificates, in which portions, and what of the tree is not read.

Names are sorted, so the same tree gives the same portions. Links: one to something inside the tree is passed over, since
what it points to is read under its own name; one that leaves the tree is followed only to a file in a certificate store of
the system (``/etc/ssl/certs`` is a folder of such links), since a tree that came from elsewhere must not make us read files
of our own. Any other link is a problem.
"""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

PORTION_BYTES: Final = 1 << 23
PORTION_FILES: Final = 8_000
"""How much is read in one go: some thousand certificates."""

SYSTEM_STORES: Final = tuple(
    f"{path}/"
    for path in ("/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates")
)
OWN_STORE: Final = ".tenure"
_BEGIN: Final = b"-----BEGIN "


class Piece(NamedTuple):
    """A file, or a part of a big file of armoured certificates: its bytes from ``start``, the first block is number ``first``."""

    path: str
    origin: str
    size: int
    whole: bool = True
    start: int = 0
    first: int = 1


class Trouble(NamedTuple):
    """Something in the tree that is not read."""

    origin: str
    reason: str
    code: str


@dataclass(slots=True)
class Portion:
    """What is read in one go, in order; ``troubles`` are told after it."""

    pieces: list[Piece] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    size: int = 0


def portions(root: Path, name: str) -> Iterator[Portion]:
    """All that is to be read below ``root``; ``name`` is the origin of ``root`` where it is a file itself."""
    portion = Portion()
    for found in _tree(root) if root.is_dir() else _file(str(root), name):
        if isinstance(found, Trouble):
            portion.troubles.append(found)
        else:
            portion.pieces.append(found)
            portion.size += found.size
        if portion.size >= PORTION_BYTES or len(portion.pieces) + len(portion.troubles) >= PORTION_FILES:
            yield portion
            portion = Portion()
    if portion.pieces or portion.troubles:
        yield portion


def _tree(root: Path) -> Iterator[Piece | Trouble]:
    inside = os.path.realpath(root) + os.sep
    levels = [_entries(str(root), "")]
    while levels:
        found = next(levels[-1], None)
        if found is None:
            levels.pop()
        elif isinstance(found, Trouble):
            yield found
        elif found.entry.is_symlink():
            yield from _link(found.entry, found.origin, inside)
        elif found.entry.is_dir(follow_symlinks=False):
            levels.append(_entries(found.entry.path, found.origin + "/"))
        else:
            yield from _file(found.entry.path, found.origin)


class _Entry(NamedTuple):
    entry: os.DirEntry[str]
    origin: str


def _entries(folder: str, prefix: str) -> Iterator[_Entry | Trouble]:
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        yield Trouble(prefix.rstrip("/") or ".", f"the folder cannot be read: {error.strerror}", "unreadable")
        return
    for entry in entries:
        if entry.name != OWN_STORE:
            yield _Entry(entry, prefix + _printable(entry.name))


def _printable(name: str) -> str:
    """A file name whose bytes are no UTF-8, as text that can be stored."""
    return name if name.isascii() else name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _link(entry: os.DirEntry[str], origin: str, inside: str) -> Iterator[Piece | Trouble]:
    try:
        final = os.path.realpath(entry.path, strict=True)
        here = os.path.realpath(os.path.dirname(entry.path))  # noqa: PTH120 - Path costs ten times as much, once a file
        target = os.path.normpath(os.path.join(here, os.readlink(entry.path)))  # noqa: PTH115, PTH118 - as above
    except OSError as error:
        yield Trouble(origin, f"a link that leads nowhere: {error.strerror}", "link-broken")
        return
    if target.startswith(inside):
        return
    if final.startswith(SYSTEM_STORES) and os.path.isfile(final):  # noqa: PTH113 - as above
        yield from _file(final, origin)
    else:
        yield Trouble(origin, "a link out of the tree is not followed", "link-not-followed")


def _file(path: str, origin: str) -> Iterator[Piece | Trouble]:
    """The file as a piece; as several where it is big and full of armour, so that it can be read on several cores."""
    try:
        status = os.stat(path)  # noqa: PTH116 - as above
        if not stat.S_ISREG(status.st_mode):
            yield Trouble(origin, "neither a file nor a folder", "not-a-file")
        elif status.st_size > 2 * PORTION_BYTES:
            yield from _parts(path, origin, status.st_size)
        else:
            yield Piece(path, origin, status.st_size)
    except OSError as error:
        yield Trouble(origin, f"the file cannot be read: {error.strerror}", "unreadable")


def _parts(path: str, origin: str, size: int) -> Iterator[Piece]:
    """Parts that begin at a BEGIN line each; what stands before the first belongs to the first."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:  # noqa: PTH123 - as above
        at = data.find(_BEGIN, 0, PORTION_BYTES)
        if at < 0 or b"\0" in data[:4096]:
            yield Piece(path, origin, size)
            return
        at = 0
        number = 1
        while at < size:
            stop = data.find(_BEGIN, at + PORTION_BYTES)
            stop = size if stop < 0 else stop
            yield Piece(path, origin, stop - at, whole=at == 0 and stop == size, start=at, first=number)
            number += data[at:stop].count(_BEGIN)
            at = stop
