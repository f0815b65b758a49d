"""Lines of logs: plain or gzip files, the rotated files of one log in order, read in chunks and parsed by helpers.

Memory does not grow with a log: at most a few chunks are under way. A chunk is the unit of work; it ends where a line
ends, so that it can be parsed without its neighbours, here or in another process, with the same result.
"""

from __future__ import annotations

import marshal
import os
import re
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

CHUNK_BYTES: Final = 4 << 20
LONGEST_LINE: Final = 4 << 20  # what is longer is no line of a log; it is cut, so that memory stays bounded
WORTH_HELPERS: Final = 48 << 20  # below this many bytes, starting processes costs more than it saves

_GZIP: Final = b"\x1f\x8b"
_PACKED_BYTES: Final = 1 << 16  # fed to the unpacker at once: at most a thousand times as much comes out
_ROTATED = re.compile(
    r"(?P<stem>.+?)(?:\.log|\.jsonl?|\.txt)?(?:[.\-_](?P<date>(?:19|20)\d\d-?\d\d-?\d\d(?:[\-T_.]?\d\d(?:[:\-.]?\d\d){0,2})?))?"
    r"(?:\.(?P<number>\d{1,4}))?(?:\.log|\.jsonl?|\.txt)?(?:\.gz)?"
)

Argument = TypeVar("Argument")


@dataclass(frozen=True, slots=True)
class LogFile:
    """One file of a log. ``relative`` is how origins name it."""

    path: Path
    relative: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines of one file. ``first_line`` counts from 1; ``ended`` says that the last line has its line feed."""

    file: LogFile
    first_line: int
    data: bytes
    ended: bool


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


def logs_of(path: Path, relative: str) -> list[list[LogFile]]:
    """The logs at a place, each a list of its files from old to new. A folder may hold several logs, told by their names."""
    if not path.is_dir():
        return [[LogFile(path, relative)]]
    found: dict[str, list[LogFile]] = {}
    for file in sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith(".")):
        inside = file.relative_to(path)
        found.setdefault((inside.parent / stem(file.name)).as_posix(), []).append(LogFile(file, inside.as_posix()))
    return [sorted(files, key=lambda f: age_order(f.path.name)) for _, files in sorted(found.items())]


def first_bytes(file: LogFile, size: int = 1 << 16) -> bytes:
    """The beginning of a file, unpacked."""
    with file.path.open("rb") as raw:
        return plain_head(raw.read(size))


def size_of(files: Iterable[LogFile]) -> int:
    return sum(f.path.stat().st_size for f in files)


def chunks(
    file: LogFile,
    progress: Callable[[int], None],
    torn: Callable[[str], None],
    size: int = CHUNK_BYTES,
) -> Iterator[Chunk]:
    """The file in chunks of about ``size`` bytes. ``torn`` is told why, where a gzip file ends too soon or is damaged."""
    rest, line = b"", 1
    with file.path.open("rb") as raw:
        for block in _blocks(raw, progress, torn, size):
            cut = block.rfind(b"\n") + 1
            if cut == 0:
                rest += block
                if len(rest) < LONGEST_LINE:
                    continue
                data, rest = rest, b""
            else:
                data, rest = rest + block[:cut], block[cut:]
            yield Chunk(file, line, data, data.endswith(b"\n"))
            line += data.count(b"\n") + (not data.endswith(b"\n"))
    if rest:
        yield Chunk(file, line, rest, ended=False)


def _blocks(raw: BinaryIO, progress: Callable[[int], None], torn: Callable[[str], None], size: int) -> Iterator[bytes]:
    packed = raw.read(2) == _GZIP
    raw.seek(0)
    unpack = _Unpacker() if packed else None
    held: list[bytes] = []
    while block := raw.read(_PACKED_BYTES if unpack else size):
        progress(len(block))
        if unpack is None:
            yield block
            continue
        held.append(unpack.more(block))
        if sum(map(len, held)) >= size or unpack.trouble:
            yield b"".join(held)
            held.clear()
        if unpack.trouble:
            break
    if held:
        yield b"".join(held)
    if unpack and (trouble := unpack.trouble or unpack.unfinished):
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


def parsed(
    source: Iterable[tuple[Chunk, Argument]],
    parse: Callable[[bytes, bool, Argument], tuple[Any, ...]],
    helpers: int,
) -> Iterator[tuple[Chunk, tuple[Any, ...]]]:
    """Each chunk with what ``parse(data, ended, argument)`` makes of it, in the order of the chunks.

    ``parse`` is a function of a module and returns plain tuples, lists, dicts, numbers and text, since with ``helpers``
    over 0 it runs in as many processes. These are spawned, not forked: Arrow's threads run here.
    """
    if helpers <= 0:
        for chunk, argument in source:
            yield chunk, parse(chunk.data, chunk.ended, argument)
        return
    under_way: deque[tuple[Chunk, Future[bytes]]] = deque()
    with ProcessPoolExecutor(helpers, mp_context=get_context("spawn")) as pool:
        for chunk, argument in source:
            under_way.append((chunk, pool.submit(_parse_and_pack, parse, chunk.data, chunk.ended, argument)))
            if len(under_way) > helpers + 1:
                yield _unpacked(*under_way.popleft())
        while under_way:
            yield _unpacked(*under_way.popleft())


def helpers_for(files: Sequence[LogFile]) -> int:
    """How many processes parsing is worth: none for a small log, else two (this process pairs and writes meanwhile)."""
    spare = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return 0 if spare < 2 or size_of(files) < WORTH_HELPERS else 2


def _parse_and_pack(parse: Callable[[bytes, bool, Any], tuple[Any, ...]], data: bytes, ended: bool, argument: Any) -> bytes:
    # marshal packs a million small tuples ten times as fast as pickle, which is what the pool would use.
    return marshal.dumps(parse(data, ended, argument))


def _unpacked(chunk: Chunk, result: Future[bytes]) -> tuple[Chunk, tuple[Any, ...]]:
    found: tuple[Any, ...] = marshal.loads(result.result())  # noqa: S302 - bytes our own helper packed
    return chunk, found
