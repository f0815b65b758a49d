"""An export read as a table: CSV, JSON Lines or JSON documents alike become chunks of columns of text, with places.

Reading streams and may be repeated (a first pass to see what is double, a second that writes). Column names are compared
by ``column_key``: case, blanks and punctuation do not matter, so ``Serial number`` is ``serial_number``.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Literal, TypeAlias

from tenure.evidence.collection import CollectContext, Place
from tenure.evidence.snapshot import SnapshotDraft
from tenure.sources._csv_rows import CsvRows
from tenure.sources._decoded_lines import ExportBytes, Tell, decoded_blocks, decoded_lines, unpacked_head
from tenure.sources._json_entries import BrokenOff, document_entries, flattened, is_lines, line_entries

CHUNK_ROWS = 8_192  # small enough that a chunk stays in the processor's cache: a quarter quicker than 32,768
SHOWN = 120  # characters of a cell that problems repeat
Shape: TypeAlias = Literal["csv", "lines", "document"]
Entry: TypeAlias = dict[str, Any]
_NOT_NAME = re.compile(r"[^\w.]+")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a]")  # a first line with many of these is no text


@dataclass(frozen=True, slots=True)
class Peek:
    """What the beginning of a file shows: its shape and the keys of its columns."""

    shape: Shape
    columns: frozenset[str]
    text: str = ""  # the beginning of the file
    entry: Entry | None = None  # the first entry of JSON


@dataclass(frozen=True, slots=True)
class Chunk:
    """Up to CHUNK_ROWS rows by column. A cell that is not there is ""."""

    places: Sequence[int]  # line of CSV and JSON Lines, entry of a document
    columns: dict[str, Sequence[str]]

    def __len__(self) -> int:
        return len(self.places)


@lru_cache(maxsize=65_536)
def column_key(name: str) -> str:
    """A column's name as it is compared: case folded, runs of anything but letters, digits and dots are one ``_``."""
    return _NOT_NAME.sub("_", name.strip().strip("\ufeff").casefold()).strip("_.")


def peek(place: Place) -> Peek | None:
    """The shape and columns of a file by its head; None for folders, binary files and what has no rows."""
    return None if place.is_folder else _peeked(place.head)


@lru_cache(maxsize=4)  # several kinds of source look at each file in turn
def _peeked(head: bytes) -> Peek | None:
    head = unpacked_head(head)
    text = "".join(decoded_lines(ExportBytes(io.BytesIO(head)), _nobody))
    first = text.lstrip()
    line = first.partition("\n")[0]
    if not first or len(_CONTROL.findall(line)) * 20 > len(line):
        return None
    if first[0] in "[{":
        shape: Shape = "lines" if is_lines(text) else "document"
        entry = _first_entry(text, shape)
        return None if entry is None else Peek(shape, frozenset(map(column_key, flattened(entry, nulls=True))), text, entry)
    header = CsvRows(iter(io.StringIO(text, newline="\n")), _nobody).header()
    return Peek("csv", frozenset(_unique(header)), text) if header else None


def _first_entry(text: str, shape: Shape) -> Entry | None:
    entries = line_entries(iter([*text.splitlines()]), _nobody) if shape == "lines" else document_entries(iter([text]), _nobody)
    try:
        return next((entry for _number, entry in entries), None)
    except BrokenOff:
        return None


class Table:
    """One export file. What cannot be read is told to the draft, once: quiet passes tell nothing.

    ``secret`` is for files that may hold secrets in clear: problems then hold neither cells nor hashes of them, and CSV
    rows that are not as wide as the header are not read, since a secret could stand where something else is expected.
    """

    def __init__(self, place: Place, context: CollectContext, draft: SnapshotDraft, *, secret: bool = False) -> None:
        self._path, self.relative = place.path, place.relative
        self._context, self._draft, self.secret = context, draft, secret
        seen = peek(place)
        self.shape: Shape = "csv" if seen is None else seen.shape
        self.columns: frozenset[str] = frozenset() if seen is None else seen.columns

    def tell(self, place: int, reason: str, code: str, data: bytes | None = None) -> None:
        """A problem at a line or entry."""
        word = "entry" if self.shape == "document" else "line"
        self._draft.problem(self.relative, f"{word} {place}", reason, code, None if self.secret else data)

    def wrong(self, place: int, what: str, cell: str, code: str) -> None:
        """A problem with one cell, which is shown."""
        self.tell(place, f"{what}: {self.show(cell)}", code, cell.encode("utf-8", "surrogatepass"))

    def show(self, cell: str) -> str:
        """A cell as it may stand in a problem."""
        return "(not shown)" if self.secret else repr(cell if len(cell) <= SHOWN else cell[:SHOWN] + "…")

    def origin(self, place: int) -> str:
        return f"{self.relative}#{place}"

    def lines(self) -> Iterator[str]:
        """The physical lines of a file that is no table (logs, known_hosts); lines that are not text are told."""
        with self._path.open("rb") as file:
            try:
                yield from decoded_lines(ExportBytes(file, self._context.progress), self.tell)
            except (EOFError, OSError, zlib.error) as error:
                self._cut_short(error, self.tell)

    def entries(self, *, quiet: bool = False) -> Iterator[tuple[int, Entry]]:
        """The entries of a JSON export with their places."""
        tell: Tell = _nobody if quiet else self.tell
        with self._path.open("rb") as file:
            source = ExportBytes(file, _no_progress if quiet else self._context.progress)
            try:
                if self.shape == "lines":
                    yield from line_entries(decoded_lines(source, tell), tell)
                else:
                    yield from document_entries(decoded_blocks(source, tell), tell)
            except BrokenOff as broken:
                if not quiet:
                    self._draft.cut_short(f"{self.relative} breaks off at entry {broken.entry}: {broken}")
            except (EOFError, OSError, zlib.error) as error:
                self._cut_short(error, tell)

    def chunks(
        self,
        wanted: frozenset[str] | None = None,
        *,
        quiet: bool = False,
        reshape: Callable[[Entry], Entry | None] | None = None,
    ) -> Iterator[Chunk]:
        """All rows. ``wanted`` are the keys of the columns to keep; ``reshape`` may change or leave out a JSON entry."""
        if self.shape != "csv":
            yield from self._json_chunks(wanted, quiet, reshape)
            return
        tell: Tell = _nobody if quiet else self.tell
        with self._path.open("rb") as file:
            progress = _no_progress if quiet else self._context.progress
            rows = CsvRows(decoded_lines(ExportBytes(file, progress), tell), tell, exact=self.secret)
            try:
                keys = self._keys(rows.header(), tell)
                for places, batch in rows.batches(CHUNK_ROWS):
                    columns = zip(keys, zip(*batch, strict=True), strict=True)
                    yield Chunk(places, {key: column for key, column in columns if wanted is None or key in wanted})
            except (EOFError, OSError, zlib.error) as error:
                self._cut_short(error, tell)

    def _json_chunks(
        self, wanted: frozenset[str] | None, quiet: bool, reshape: Callable[[Entry], Entry | None] | None
    ) -> Iterator[Chunk]:
        entries = self.entries(quiet=quiet)
        while batch := list(islice(_rows_of(entries, wanted, reshape), CHUNK_ROWS)):
            keys = dict.fromkeys(key for _place, row in batch for key in row)
            yield Chunk([place for place, _row in batch], {k: [row.get(k, "") for _place, row in batch] for k in keys})

    def _keys(self, header: list[str], tell: Tell) -> list[str]:
        keys = _unique(header)
        for key, name in zip(keys, header, strict=True):
            if key != column_key(name) and column_key(name):
                tell(1, f"the column {name!r} stands twice; the later one is read as {key!r}", "duplicate-column", None)
        return keys

    def _cut_short(self, error: Exception, tell: Tell) -> None:
        reason = f"the file ends too early or is damaged: {error}"
        if tell is not _nobody:
            self._draft.problem(self.relative, "end", reason, "truncated")
            self._draft.cut_short(f"{self.relative}: {reason}")


def _rows_of(
    entries: Iterator[tuple[int, Entry]], wanted: frozenset[str] | None, reshape: Callable[[Entry], Entry | None] | None
) -> Iterator[tuple[int, dict[str, str]]]:
    for place, entry in entries:
        shaped = entry if reshape is None else reshape(entry)
        if shaped is not None:
            row = {column_key(path): text for path, text in flattened(shaped).items()}
            yield place, row if wanted is None else {key: text for key, text in row.items() if key in wanted}


def _unique(header: list[str]) -> list[str]:
    """Keys of a header: empty names by position, a name that stands again with a number behind it."""
    keys: dict[str, None] = {}
    for position, name in enumerate(header, 1):
        key = wanted = column_key(name) or f"column_{position}"
        again = 1
        while key in keys:
            again += 1
            key = f"{wanted}_{again}"
        keys[key] = None
    return list(keys)


def _nobody(_place: int, _reason: str, _code: str, _data: bytes | None) -> None:
    """Tells nobody: for recognition and for first passes."""


def _no_progress(_bytes: int) -> None:
    """First passes are not counted: bytes are told once."""
