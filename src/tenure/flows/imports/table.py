"""A file of devices, CSV or JSON Lines, as records: each with the line it begins at. What cannot be read is a record too."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, BinaryIO, TypeAlias

from tenure.errors import TenureError
from tenure.model.devices import RootKind

ROOTS = tuple(kind.value for kind in RootKind)
COLUMNS = ("state", "owner", "site", "trust_domain", "device_class", "maker", "model", "serial", "name", *ROOTS)
"""What a column, or a member of an object, may be called."""

REMARKS = ("line", "problem", "fix")
"""What a file of rejects says beside the columns: passed over, so that it can be mended and imported as it is."""

LONGEST_LINE = 1 << 20
_FIX = "see docs/devices.md for the form of the file"


class FileKind(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


class ImportFileError(TenureError):
    """The file is none of devices, or cannot be read any further."""


@dataclass(frozen=True, slots=True)
class Record:
    """One device as the file has it: what stands in which column, empty ones left out."""

    line: int
    cells: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that is no record, as it stands."""

    line: int
    text: str
    problem: str


Read: TypeAlias = Record | Unreadable


def records(file: BinaryIO, kind: FileKind) -> Iterator[Read]:
    """All of a file, in order, in bounded memory. Raises ImportFileError where it is no such file, or not UTF-8."""
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    try:
        yield from _csv(text) if kind is FileKind.CSV else _jsonl(text)
    except UnicodeDecodeError as error:
        raise ImportFileError(f"the file is not UTF-8 (byte {error.object[error.start]:#04x})", "convert it to UTF-8") from error
    finally:
        text.detach()  # the file is its opener's to close


def _csv(text: io.TextIOWrapper) -> Iterator[Read]:
    reader = csv.reader(text, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check(header)
        at = reader.line_num + 1
        for cells in reader:
            if cells:
                yield _row(at, header, cells)
            at = reader.line_num + 1
    except csv.Error as error:
        raise ImportFileError(f"line {reader.line_num}: {error}", "mend its quotes: what comes after cannot be told") from error


def _check(header: Sequence[str]) -> None:
    strange = [name for name in header if name not in COLUMNS and name not in REMARKS]
    if strange:
        raise ImportFileError(f"{strange[0]!r} is no column of devices", f"columns are: {', '.join(COLUMNS)}")
    if len(set(header)) < len(header):
        raise ImportFileError("a column stands there twice", "name each once")
    if not set(header) & set(COLUMNS):
        raise ImportFileError("the file has no column of devices", f"its first line names them: {', '.join(COLUMNS)}")


def _row(line: int, header: Sequence[str], cells: Sequence[str]) -> Read:
    if len(cells) != len(header):
        return Unreadable(line, ",".join(cells), f"it has {len(cells)} cells, the header {len(header)}")
    named = zip(header, cells, strict=True)
    return Record(line, {name: cell.strip() for name, cell in named if name not in REMARKS and cell.strip()})


def _jsonl(text: io.TextIOWrapper) -> Iterator[Read]:
    number = 0
    while whole := text.readline(LONGEST_LINE):
        number += 1
        if len(whole) == LONGEST_LINE:
            raise ImportFileError(f"line {number} is longer than {LONGEST_LINE} characters", "write one object a line")
        if whole.strip():
            yield _object(number, whole.strip())


def _object(line: int, text: str) -> Read:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return Unreadable(line, text, "it is no JSON")
    if not isinstance(told, dict):
        return Unreadable(line, text, "it is no JSON object")
    if strange := [name for name in told if name not in COLUMNS and name not in REMARKS]:
        return Unreadable(line, text, f"{strange[0]!r} is no member of a device: {', '.join(COLUMNS)}")
    return Record(line, {k: v for k, v in told.items() if k not in REMARKS and v not in (None, "", [])})


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that does not come in, and why."""

    read: Read
    problem: str
    fix: str

    @property
    def line(self) -> int:
        return self.read.line


RejectWriter: TypeAlias = Callable[[Reject], None]


def reject_writer(file: io.TextIOBase, kind: FileKind) -> RejectWriter:
    """Writes rejects in the form of the file they came from, with remarks: mended, it can be imported as it is."""
    if kind is FileKind.JSONL:
        return lambda reject: _reject_object(file, reject)
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*COLUMNS, *REMARKS])
    return lambda reject: writer.writerow(_reject_row(reject))


def _reject_object(file: io.TextIOBase, reject: Reject) -> None:
    if isinstance(reject.read, Unreadable):
        told: dict[str, Any] = {"text": reject.read.text}
    else:
        told = dict(reject.read.cells)
    file.write(json.dumps({**told, "line": reject.line, "problem": reject.problem, "fix": reject.fix}, ensure_ascii=False) + "\n")


def _reject_row(reject: Reject) -> list[str]:
    if isinstance(reject.read, Unreadable):
        return [*("" for _ in COLUMNS), str(reject.line), f"{reject.problem}: {reject.read.text}", reject.fix]
    cells = (reject.read.cells.get(name, "") for name in COLUMNS)
    return [
        *(cell if isinstance(cell, str) else json.dumps(cell) for cell in cells),
        str(reject.line),
        reject.problem,
        reject.fix,
    ]
