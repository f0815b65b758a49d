"""The year of time stamps that name none (RFC 3164 syslog), counted back from the moment up to which a log speaks.

The last line is taken to be as late as it can be without lying over a day after that moment; each turn from a late month
to an early one is a new year. One pass over the months of all lines, before the pass that reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from tenure.sources._lines import Chunk, LogFile, first_bytes
from tenure.sources._log_time import turn_of_year, yearless_month


def names_no_year(files: Iterable[LogFile]) -> bool:
    """Whether the first line with a time that can be read as one has no year in it."""
    for file in files:
        for line in first_bytes(file).decode("utf-8", "replace").split("\n")[:200]:
            if yearless_month(line) is not None:
                return True
            if line[:4].isdigit():
                return False
    return False


def years_of(chunks: Iterable[Chunk], until: datetime) -> list[int]:
    """For each chunk, in their order, the year of its first line that names none."""
    turns: list[int] = []
    turned, before, last = 0, 0, (1, 1)
    for chunk in chunks:
        at_start: int | None = None
        for line in chunk.read().split(b"\n"):
            text = line[:80].decode("latin-1")
            month = yearless_month(text)
            if month is None:
                continue
            turned += turn_of_year(before, month)
            before, last = month, (month, _day(text))
            at_start = turned if at_start is None else at_start
        turns.append(turned if at_start is None else at_start)
    limit = until + timedelta(days=1)
    year_of_last = limit.year if last <= (limit.month, limit.day) else limit.year - 1
    return [year_of_last - turned + turn for turn in turns]


def _day(text: str) -> int:
    at = text.find(" ")
    day = text[at + 1 : at + 3].strip()
    return int(day) if day.isdigit() else 1
