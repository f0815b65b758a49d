"""Lines of logs: plain or gzip files, the rotated files of one log in order, cut into chunks.

Memory does not grow with a log. A chunk is the unit of work; it ends where a line ends, so that it can be parsed without its
neighbours, here or in another process, with the same result. Of a plain file it is a range, which whoever parses it reads.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from tenure.evidence.snapshot import SnapshotDraft
from tenure.sources._whole_files import folders_below, readable

CHUNK_BYTES: Final = 1 << 20  # larger ones leave the processor caches, and are slower
LONGEST_LINE: Final = 4 << 20  # what is longer is no line of a log; it is cut, so that memory stays bounded

_GZIP: Final = b"\x1f\x8b"
_WINDOW: Final = 1 << 16  # read at once to look for a line's end, or to unpack: at most a thousand times as much comes out
_ROTATED = re.compile(
    r"(?P<stem>.+?)(?:\.log|\.jsonl?|\.txt)?(?:[.\-_](?P<date>(?:19|20)\d\d-?\d\d-?\d\d(?:[\-T_.]?\d\d(?:[:\-.]?\d\d){0,2})?))?"
    r"(?:\.(?P<number>\d{1,4}))?(?:\.log|\.jsonl?|\.txt)?(?:\.gz)?"
)


@dataclass(frozen=True, slots=True)
class LogFile:
    """One file of a log. ``relative`` is how origins name it."""

    path: Path
    relative: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines of one file. ``ended`` says that the last one has its line feed; ``unpacked`` holds those of a gzip file."""

    file: LogFile
    offset: int
    size: int
    ended: bool
    unpacked: bytes | None = None

    def read(self) -> bytes:
        return read_range(self.file.path, self.offset, self.size) if self.unpacked is None else self.unpacked


def read_range(path: Path, offset: int, size: int) -> bytes:
    with path.open("rb", buffering=0) as raw:
        raw.seek(offset)
        parts = []
        while size > 0 and (part := raw.read(size)):
            parts.append(part)
            size -= len(part)
    return b"".join(parts)


def plain_head(head: bytes) -> bytes:
    """The beginning of a file as text bytes: what of a gzip head can be unpacked, else the head itself."""
    if not head.startswith(_GZIP):
        return head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, 1 << 18)
    except zlib.error:
        return b""


def stem(name: str) -> str:
    """What a log is called without extension, rotation and compression: ``mosquitto.log.2.gz`` -> ``mosquitto``."""
    match = _ROTATED.fullmatch(name)
    return match["stem"] if match else name


def age_order(name: str) -> tuple[int, str, int, str]:
    """Sorts rotated files of one log from old to new: dated ones by date, numbered ones from high to low, then the bare."""
    match = _ROTATED.fullmatch(name)
    date, number = (match["date"] or "", int(match["number"] or 0)) if match else ("", 0)
    return (0 if date else 1, re.sub(r"\D", "", date), -number, name)


def logs_of(path: Path, relative: str, draft: SnapshotDraft) -> list[list[LogFile]]:
    """The logs at a place, each a list of its files from old to new. A folder may hold several logs, told by their names.

    What of it cannot be read is a problem, makes the snapshot partial, and does not keep the other logs from being read.
    """
    if not path.is_dir():
        return [[LogFile(path, relative)]]
    found: dict[str, list[LogFile]] = {}
    for folder, _, names in folders_below(path, draft):
        for file in (folder / name for name in names if not name.startswith(".")):
            inside = file.relative_to(path)
            if readable(file, inside.as_posix(), draft):
                found.setdefault((inside.parent / stem(file.name)).as_posix(), []).append(LogFile(file, inside.as_posix()))
    return [sorted(files, key=lambda f: age_order(f.path.name)) for _, files in sorted(found.items())]


def first_bytes(file: LogFile, size: int = 1 << 16) -> bytes:
    """The beginning of a file, unpacked."""
    with file.path.open("rb") as raw:
        return plain_head(raw.read(size))


def tell_torn(file: LogFile, draft: SnapshotDraft, why: str) -> None:
    """A gzip file ends too soon or is damaged: what it still held is not known."""
    draft.problem(file.relative, "end", why, "gzip-damaged")
    draft.cut_short(f"{file.relative}: {why}")


def size_of(files: Iterable[LogFile]) -> int:
    return sum(f.path.stat().st_size for f in files)


def chunks(
    file: LogFile,
    progress: Callable[[int], None],
    torn: Callable[[str], None],
    size: int = CHUNK_BYTES,
) -> Iterator[Chunk]:
    """The file in chunks of about ``size`` bytes. ``torn`` is told why, where a gzip file ends too soon or is damaged."""
    with file.path.open("rb") as raw:
        if raw.read(2) == _GZIP:
            raw.seek(0)
            yield from _of_packed(file, raw, progress, torn, size)
            return
        at, length = 0, raw.seek(0, 2)
        while at < length:
            end, ended = _end_of_line(raw, at, min(at + size, length), length)
            progress(end - at)
            yield Chunk(file, at, end - at, ended)
            at = end


def _end_of_line(raw: BinaryIO, at: int, end: int, length: int) -> tuple[int, bool]:
    """Where a chunk from ``at`` to about ``end`` is to end so that it holds whole lines, and whether a line feed ends it."""
    for start in (max(at, end - _WINDOW), at):
        raw.seek(start)
        found = raw.read(end - start).rfind(b"\n")
        if found >= 0 and (end == length or start + found + 1 > at):
            return (end, start + found + 1 == end) if end == length else (start + found + 1, True)
    while end < length and end - at < LONGEST_LINE:
        raw.seek(end)
        block = raw.read(_WINDOW)
        found = block.find(b"\n")
        if found >= 0:
            return end + found + 1, True
        end += len(block)
    return end, False


def _of_packed(
    file: LogFile, raw: BinaryIO, progress: Callable[[int], None], torn: Callable[[str], None], size: int
) -> Iterator[Chunk]:
    unpack, rest = _Unpacker(), b""
    held: list[bytes] = []
    while not unpack.trouble and (block := raw.read(_WINDOW)):
        progress(len(block))
        held.append(unpack.more(block))
        if sum(map(len, held)) < size:
            continue
        data = rest + b"".join(held)
        held.clear()
        cut = data.rfind(b"\n") + 1 or (len(data) if len(data) >= LONGEST_LINE else 0)
        rest = data[cut:]
        if cut:
            yield Chunk(file, 0, cut, data[cut - 1 : cut] == b"\n", data[:cut])
    if rest := rest + b"".join(held):
        yield Chunk(file, 0, len(rest), rest.endswith(b"\n"), rest)
    if trouble := unpack.trouble or unpack.unfinished:
        torn(trouble)


class _Unpacker:
    """Unpacks a gzip file of one or several members, and keeps what came before damage."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)
        self._begun = False
        self.trouble = ""

    def more(self, packed: bytes) -> bytes:
        plain = []
        while packed:
            self._begun = True
            try:
                plain.append(self._stream.decompress(packed))
            except zlib.error as error:
                self.trouble = f"the gzip data is damaged ({error})"
                break
            packed = b""
            if self._stream.eof:
                packed = self._stream.unused_data.lstrip(b"\0")
                self._stream, self._begun = zlib.decompressobj(wbits=31), False
        return b"".join(plain)

    @property
    def unfinished(self) -> str:
        return "the gzip file ends before its data does" if self._begun else ""
