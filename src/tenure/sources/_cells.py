"""Cells of text turned into moments and words, by column: memoised, and remembering which cells could not be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tenure.errors import DeclarationError
from tenure.model import identifiers

Wrong: TypeAlias = Callable[[int, str, str, str], None]
"""Where wrong cells are told: place, what is wrong, the cell, code."""

MEMO_ENTRIES = 100_000
NOTHING = frozenset({"", "-", "--", "n/a", "na", "none", "null", "nil", "nan", "empty", "(empty)", "never"})
"""Cells that say there is no value, case folded."""
_ZERO_DATES = ("0000-00-00", "0001-01-01")
_PLAIN_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
)  # year first, or days before months as everywhere where dots part them: nothing that can be read two ways
EPOCHS = {"epoch": 1, "epoch-ms": 1000}


def trimmed(cells: Sequence[str]) -> list[str | None]:
    """``identifiers.trimmed`` of each cell; the short way where all of the column is ASCII."""
    if (text := "".join(cells)).isascii():
        return [cell or None for cell in map(str.strip, cells)] if text else [None] * len(cells)
    return [identifiers.trimmed(cell) for cell in cells]


class Moments(dict[str, datetime | None]):
    """Text to UTC instants. ISO 8601, then ``formats`` (strptime, ``epoch``, ``epoch-ms``), then forms with one meaning.

    A time without an offset is in ``zone``; a date alone is midnight UTC. Words for nothing and zero dates are None; what
    cannot be read is None too and is in ``unread``.
    """

    def __init__(self, formats: Sequence[str] = (), zone: str = "UTC") -> None:
        super().__init__()
        self._formats = (*formats, *_PLAIN_FORMATS)
        self._epoch = not EPOCHS.keys().isdisjoint(formats)
        try:
            self._zone: tzinfo = UTC if zone == "UTC" else ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise DeclarationError(f"no time zone {zone!r}", "use an IANA name such as Europe/Berlin") from error
        self.plain = self._zone is UTC and not formats
        """Nothing is declared that makes ISO 8601 mean anything else."""
        self.unread: set[str] = set()

    def __missing__(self, text: str) -> datetime | None:
        moment = self._read(text)
        if moment is None and text.casefold() not in NOTHING and not text.startswith(_ZERO_DATES):
            self.unread.add(text)
        self[text] = moment
        return moment

    def column(self, cells: Sequence[str | None]) -> list[datetime | None]:
        return [None if cell is None else self[cell] for cell in cells]

    def tell_unread(self, what: str, cells: Sequence[str | None], places: Sequence[int], wrong: Wrong) -> None:
        """A problem for each cell of the column that could not be read."""
        if self.unread:
            for cell, place in zip(cells, places, strict=True):
                if cell is not None and cell in self.unread:
                    wrong(place, f"{what} is no date that can be read", cell, "bad-date")
        self.forget_if_many()

    def forget_if_many(self) -> None:
        """Called between chunks, when what is unread was told or will be read again."""
        if len(self) > MEMO_ENTRIES:
            self.clear()
            self.unread.clear()

    def _read(self, text: str) -> datetime | None:
        if text.startswith(_ZERO_DATES):
            return None
        try:
            return self._iso(text) or self._formatted(text)
        except (OverflowError, ValueError, OSError):
            return None

    def _iso(self, text: str) -> datetime | None:
        # fromisoformat also takes week dates and runs of digits that are no dates
        if (text.isdigit() and (self._epoch or len(text) not in (8, 14))) or "W" in text[4:6]:
            return None
        if text[-4:] in (" UTC", " GMT"):
            text = text[:-4] + "Z"
        try:
            if len(text) == 14 and text.isdigit():
                return self._utc(datetime.strptime(text, "%Y%m%d%H%M%S"), False)
            return self._utc(datetime.fromisoformat(text), len(text) <= 10)
        except ValueError:
            return None

    def _formatted(self, text: str) -> datetime | None:
        for form in self._formats:
            try:
                if unit := EPOCHS.get(form):
                    moment = datetime.fromtimestamp(int(text) / unit, UTC) if text.isdigit() and text != "0" else None
                else:
                    moment = self._utc(datetime.strptime(text, form), "%H" not in form and "%I" not in form)
            except ValueError:
                continue
            if moment is not None:
                return moment
        return None

    def _utc(self, moment: datetime, date_alone: bool) -> datetime:
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC if date_alone else self._zone)
        return moment.astimezone(UTC)


class Words(dict[str, str | None]):
    """The export's words to ours by an explicit table, case and white space ignored. ``*`` is the table's own default.

    A word that is not in the table gives ``unknown`` and is in ``unread``: never a guess.
    """

    def __init__(self, table: Mapping[str, str], unknown: str | None) -> None:
        super().__init__()
        self._table = {_word(word): ours for word, ours in table.items()}
        self._unknown = unknown
        self.unread: set[str] = set()

    def __missing__(self, text: str) -> str | None:
        ours = self._table.get(_word(text), self._table.get("*"))
        if ours is None and text.casefold() not in NOTHING:
            self.unread.add(text)
            ours = self._unknown
        self[text] = ours
        return ours

    def forget_if_many(self) -> None:
        """Called when the unread cells of a chunk were told."""
        if len(self) > MEMO_ENTRIES:
            self.clear()
            self.unread.clear()


def _word(text: str) -> str:
    return " ".join(text.replace("_", " ").replace("-", " ").casefold().split())
