"""Bytes of an export as text: by its byte order mark, else UTF-8, else line by line Windows-1252. Nothing is lost.

Exports that grew out of several systems mix encodings, so one bad byte condemns only its own line. Memory is bounded by
LINE_BYTES whatever the file holds.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeAlias

Tell: TypeAlias = Callable[[int, str, str, bytes | None], None]
"""Where problems go: number of the line or entry, one sentence, code, the bytes in question."""

BLOCK_BYTES = 1 << 20
LINE_BYTES = 1 << 24
TOLD_LINES = 100  # problems of one kind told one by one; the rest is told by number

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_GZIP = b"\x1f\x8b"
_SINGLE = "tenure-single-bytes"


class ExportBytes:
    """An export opened for reading, decompressed where it is gzip. ``read`` gives b"" at the end.

    ``read`` raises EOFError, OSError or zlib.error where a compressed export was cut short or damaged.
    """

    def __init__(self, file: BinaryIO, progress: Callable[[int], None] = lambda _bytes: None) -> None:
        self._file = file
        self._progress = progress
        self._told = 0
        packed = file.read(2) == _GZIP
        file.seek(0)
        self._unpacked = gzip.GzipFile(fileobj=file) if packed else None

    def read(self) -> bytes:
        # read1: what was decompressed before the damage is still handed out
        data = self._file.read(BLOCK_BYTES) if self._unpacked is None else self._unpacked.read1(BLOCK_BYTES)
        here = self._file.tell()
        self._progress(here - self._told)
        self._told = here
        return data


def unpacked_head(head: bytes) -> bytes:
    """The first bytes of a file, decompressed as far as they go."""
    if head[:2] != _GZIP:
        return head
    try:
        return zlib.decompressobj(31).decompress(head, 65_536)
    except zlib.error:
        return b""


def decoded_lines(source: ExportBytes, tell: Tell) -> Iterator[str]:
    """Physical lines with their ends (``\\n`` or ``\\r\\n``; lone ``\\r`` where the file knows no other)."""
    first = source.read()
    for mark, encoding in _BOMS:
        if first.startswith(mark):
            first = first[len(mark) :]
            if encoding != "utf-8":
                yield from _wide_lines(first, source, encoding, tell)
                return
            break
    old_mac = b"\r" in first and b"\n" not in first
    number = 1
    foreign = _ForeignLines(tell)
    for block in _line_blocks(first, source, old_mac, tell):
        try:
            text = block.decode("utf-8")
        except UnicodeDecodeError:
            for at, raw in enumerate(io.BytesIO(block)):
                yield foreign.decode(raw, number + at)
        else:
            yield from io.StringIO(text, newline="\n")
        number += block.count(b"\n")
    foreign.finish()


def decoded_blocks(source: ExportBytes, tell: Tell) -> Iterator[str]:
    """The text in blocks that end anywhere, for formats that lines mean nothing to (JSON documents)."""
    first = source.read()
    encoding = "utf-8"
    for mark, named in _BOMS:
        if first.startswith(mark):
            first, encoding = first[len(mark) :], named
            break
    codecs.register_error(_SINGLE, _single_bytes)
    decoders = codecs.getincrementaldecoder(encoding)
    strict, lenient = decoders(), decoders(_SINGLE)
    block, wrong = first, False
    while True:
        before = strict.getstate()
        try:
            text = strict.decode(block, final=not block)
        except UnicodeDecodeError:
            lenient.setstate(before)
            text, wrong = lenient.decode(block, final=not block), True
            strict.setstate(lenient.getstate())
        yield text
        if not block:
            break
        block = source.read()
    if wrong:
        tell(1, f"some bytes are not {encoding.upper()}; read as Windows-1252", "encoding", None)


def one_line(raw: bytes) -> tuple[str, bool]:
    """A line's text, and whether it was UTF-8. What Windows-1252 leaves undefined is read as Latin-1."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return raw.decode(encoding), encoding == "utf-8"
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1"), False


class _ForeignLines:
    """Lines that are not UTF-8: decoded and told, the first hundred one by one."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._count = 0
        self._last = 0

    def decode(self, raw: bytes, number: int) -> str:
        text, utf8 = one_line(raw)
        if not utf8:
            self._count, self._last = self._count + 1, number
            if self._count <= TOLD_LINES:
                self._tell(number, "the line is not UTF-8; read as Windows-1252", "encoding", raw)
        return text

    def finish(self) -> None:
        if self._count > TOLD_LINES:
            reason = f"{self._count - TOLD_LINES} further lines up to this one are not UTF-8; read as Windows-1252"
            self._tell(self._last, reason, "encoding", None)


def _single_bytes(error: UnicodeError) -> tuple[str, int]:
    """A codec error handler that reads each undecodable byte by itself."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return one_line(error.object[error.start : error.end])[0], error.end


def _line_blocks(first: bytes, source: ExportBytes, old_mac: bool, tell: Tell) -> Iterator[bytes]:
    """Blocks of whole lines. A line beyond LINE_BYTES is cut, and told."""
    carried: list[bytes] = []
    size, lines = 0, 1
    block = first
    while block:
        if old_mac:
            block = block.replace(b"\r", b"\n")
        cut = block.rfind(b"\n") + 1
        if cut:
            whole = b"".join((*carried, block[:cut]))
            lines += whole.count(b"\n")
            yield whole
            carried, size = [block[cut:]], len(block) - cut
        else:
            carried.append(block)
            size += len(block)
            if size > LINE_BYTES:
                tell(lines, f"a line longer than {LINE_BYTES} bytes was cut in pieces", "long-line", None)
                lines += 1
                yield b"".join((*carried, b"\n"))
                carried, size = [], 0
        block = source.read()
    if rest := b"".join(carried):
        yield rest


def _wide_lines(first: bytes, source: ExportBytes, encoding: str, tell: Tell) -> Iterator[str]:
    """Lines of UTF-16 and UTF-32; what does not decode is U+FFFD, and told."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    carried, number, block = "", 1, first
    while True:
        text = carried + decoder.decode(block, final=not block)
        cut = len(text) if not block or len(text) > LINE_BYTES else text.rfind("\n") + 1
        for line in io.StringIO(text[:cut], newline="\n"):
            if "\ufffd" in line:
                tell(number, f"the line is not wholly {encoding.upper()}", "encoding", line.encode())
            yield line
            number += 1
        carried = text[cut:]
        if not block:
            return
        block = source.read()
