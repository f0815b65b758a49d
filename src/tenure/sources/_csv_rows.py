"""CSV as spreadsheets and inventories really write it: rows with the number of their first line, quoting repaired.

A stray quote would make the csv module swallow line after line; here a record of several lines is believed only when it
has the width of the header and is strictly well formed, else its first line is told and reading goes on with the second.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

from tenure.sources._decoded_lines import Tell

DELIMITERS = (",", ";", "\t", "|")
RECORD_LINES = 1000  # longest record; 8 once a file has shown RECORD_FAULTS broken ones
RECORD_FAULTS = 100


def sniffed(line: str) -> str:
    """The delimiter that parts a header line into most cells."""
    return max(DELIMITERS, key=lambda delimiter: len(_alone(line, delimiter) or ()))


class CsvRows:
    """The rows of one CSV text. Read ``header`` once, then ``batches`` to the end.

    ``exact`` takes no row that is not as wide as the header, for files in which a cell must not be taken for another.
    """

    def __init__(self, lines: Iterator[str], tell: Tell, *, exact: bool = False) -> None:
        self._lines = lines
        self._tell = tell
        self._exact = exact
        self._again: deque[str] = deque()
        self._record: list[str] = []  # physical lines of the record being read
        self._line = 1  # number of the record's first line
        self._faults = 0
        self._empty = self._first_empty = 0  # rows without content
        self._header: list[str] = []
        self.delimiter = ","

    def header(self) -> list[str]:
        """The first line that is neither blank nor a comment; [] for an empty file."""
        for line in self._lines:
            text = line.strip()
            if text.lower().startswith("sep=") and len(text) == 5:
                self.delimiter = text[4]
                self._line += 1
                return self._header_after(next(self._lines, ""))
            if text and not text.startswith("#"):
                self.delimiter = sniffed(line)
                return self._header_after(line)
            self._line += 1
        return []

    def _header_after(self, line: str) -> list[str]:
        if line:
            self._again.append(line)
        for _number, cells in self._records():
            self._header = cells
            break
        return self._header

    def batches(self, size: int) -> Iterator[tuple[Sequence[int], list[list[str]]]]:
        """Line numbers and rows of the header's width, up to ``size`` and a record at a time."""
        self._line += len(self._record)
        self._record.clear()
        while lines := list(islice(self._lines, size)):
            if (rows := self._plain(lines)) is not None:
                yield range(self._line, self._line + len(lines)), rows
                self._line += len(lines)
                continue
            self._again.extend(lines)
            numbers: list[int] = []
            checked: list[list[str]] = []
            for number, cells in self._records():
                if (row := self._checked(number, cells)) is not None:
                    numbers.append(number)
                    checked.append(row)
                if not self._again:
                    break
            self._line += len(self._record)
            self._record.clear()
            if checked:
                yield numbers, checked
        if self._empty:
            told = f"{self._empty} rows without any content, the first here"
            self._tell(self._first_empty, told, "empty-rows", None)

    def _plain(self, lines: list[str]) -> list[list[str]] | None:
        """The rows of lines that are one record each, with nothing wrong; None where they need a closer look."""
        try:
            rows = list(csv.reader(lines, delimiter=self.delimiter))
        except csv.Error:
            return None
        whole = len(rows) == len(lines) and set(map(len, rows)) == {len(self._header)} and all(map(any, rows))
        # a quote left open in the last line would have taken its line end into the last cell
        return rows if whole and self._header not in rows and not rows[-1][-1].endswith(("\n", "\r")) else None

    def _checked(self, number: int, cells: list[str]) -> list[str] | None:
        """A record as a row of the header's width; what is wrong with it is told. None for what is no row."""
        width = len(self._header)
        if len(cells) != width:
            if any(cells[width:]) or (len(cells) < width and any(cells)):
                code = "too-many-cells" if len(cells) > width else "too-few-cells"
                told = f"{len(cells)} cells where the header has {width}"
                self._tell(number, told + "; the row is not read" * self._exact, code, _bytes(self._record))
                if self._exact:
                    return None
            cells = cells[:width] + [""] * (width - len(cells))
        if not any(cells):
            self._empty, self._first_empty = self._empty + 1, self._first_empty or number
            return None
        if cells == self._header:
            self._tell(number, "the header stands here again", "repeated-header", None)
            return None
        return cells

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        record = self._record
        reader = csv.reader(self._feed(), delimiter=self.delimiter)
        while True:
            self._line += len(record)
            record.clear()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                told = f"not well-formed CSV: {error}"
            else:
                if len(record) == 1 or not self._header or (len(cells) == len(self._header) and self._strict(record)):
                    if cells:
                        yield self._line, cells
                    continue
                told = "a quote is opened and not closed where it should be"
            # Only the first line is judged alone; the others are read again as if nothing had been.
            self._faults += 1
            self._again.extendleft(reversed(record[1:]))
            del record[1:]
            alone = None if self._exact else _alone(record[0], self.delimiter)
            kept = "kept as far as it can be read" if alone else "not read"
            self._tell(self._line, f"{told}; the line is {kept}", "csv", _bytes(record))
            if alone:
                yield self._line, alone
            reader = csv.reader(self._feed(), delimiter=self.delimiter)

    def _feed(self) -> Iterator[str]:
        """Physical lines for the csv module; ends early where one record takes too many."""
        again, lines, record = self._again, self._lines, self._record
        limit = RECORD_LINES if self._faults < RECORD_FAULTS else 8
        while len(record) < limit:
            if again:
                line = again.popleft()
            else:
                try:
                    line = next(lines)
                except StopIteration:
                    return
            record.append(line)
            yield line

    def _strict(self, record: list[str]) -> bool:
        try:
            return len(list(csv.reader(record, delimiter=self.delimiter, strict=True))) == 1
        except csv.Error:
            return False


def _alone(line: str, delimiter: str) -> list[str] | None:
    """The cells of one physical line; None where even that cannot be had."""
    try:
        return next(csv.reader([line.rstrip("\r\n").replace("\r", " ")], delimiter=delimiter), None)
    except csv.Error:
        return None


def _bytes(record: list[str]) -> bytes:
    return "".join(record).encode("utf-8", "surrogatepass")
