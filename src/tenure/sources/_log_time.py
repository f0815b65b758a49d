"""Time stamps before the lines of a log: where they end, and which instant they mean.

Styles, told apart line by line: seconds since 1970; ``YYYY-MM-DD?HH:MM:SS`` with any separator, fraction and offset; a
declared strptime format; and behind these or instead of them the prefix of syslog (RFC 3164, RFC 5424), journald or
docker. Where a line carries several, the one that names its zone counts, then the one that names its year.

Local times use the declared zone. In the hour that comes twice in autumn a time means its first pass until the log steps
back (the caller knows, see ``folds``); in the hour that is left out in spring it means the offset from before the change.
Times without a year (RFC 3164) need one from outside: the caller counts back from the moment the export speaks of.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

_SECOND: Final = 1_000_000
_DAY: Final = 86_400
LATEST: Final = 253_402_300_800 * _SECOND  # the end of the year 9999
_EPOCH_UTC: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_SHOWN: Final = datetime(1970, 1, 1)  # what clocks show, of no zone
_MONTHS: Final = {
    "Jan": 1, "Feb": 2, "Mar": 3, "Apr": 4, "May": 5, "Jun": 6, "Jul": 7, "Aug": 8, "Sep": 9, "Oct": 10, "Nov": 11, "Dec": 12,
}  # fmt: skip

_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[^\d:](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?: ?(Z|UTC|GMT|[+-]\d\d:?\d\d))?")
_EPOCH = re.compile(r"(\d{9,11})(?:\.(\d{1,9}))?")
_SYSLOG = re.compile(r"([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?")
_OWN = re.compile(rf"({_EPOCH.pattern}|{_ISO.pattern}): ")
_PREFIX = re.compile(
    rf"(?P<rfc5424><\d{{1,3}}>1 )?(?:<\d{{1,3}}>)?(?:[A-Z][a-z]{{2}} (?=\d{{4}}-))?"
    rf"(?:(?P<iso>{_ISO.pattern})|(?P<bsd>{_SYSLOG.pattern})|(?P<unix>\d{{9,11}}\.\d{{1,9}})) (?:[A-Z]{{3,5}} (?=\S+ \S+: ))?"
    r"(?(rfc5424)\S+ (?P<app>\S+) (?:\d+|-) \S+ (?:-|\[.*?\]) |"
    r"(?:(?!(?:OpenSSL )?(?:Warning|Error|Info|Notice|Note)\b)(?:\S+ )?(?P<program>[A-Za-z_][\w./@-]*)(?:\[\d+\])?: )?)"
)
_ZONED = re.compile(r"(?:Z|UTC|GMT|[+-]\d\d:?\d\d)$")
_COMPOSE = re.compile(r"[\w.-]+ +\| ")
WITHIN_HOUR: Final = {f":{at // 60:02}:{at % 60:02}": at * _SECOND for at in range(3600)}
"""Microseconds since the hour began, by ``:MM:SS``."""
_DIRECTIVES: Final = {
    "Y": r"(?P<Y>\d{4})", "m": r"(?P<m>\d\d)", "d": r"(?P<d>\d\d)", "H": r"(?P<H>\d\d)", "M": r"(?P<M>\d\d)",
    "S": r"(?P<S>\d\d)", "f": r"\d{1,6}", "z": r"(?:Z|[+-]\d\d:?\d\d)", "y": r"\d\d", "j": r"\d{3}", "I": r"\d\d",
    "b": r"[^\W\d]+\.?", "B": r"[^\W\d]+", "a": r"[^\W\d]+\.?", "A": r"[^\W\d]+", "p": r"[^\W\d]+", "Z": r"[A-Z]{0,5}",
    "e": r"(?P<d>[ \d]\d)", "%": "%",
}  # fmt: skip
_SHORTHANDS: Final = {"F": "%Y-%m-%d", "T": "%H:%M:%S", "R": "%H:%M", "D": "%m/%d/%y"}


@dataclass(frozen=True, slots=True)
class Clock:
    """How the times of a log are to be read. ``year`` is that of the first line that names none; None: nobody knows it."""

    zone: str = "UTC"
    pattern: str | None = None  # strptime format of the log's own time stamps
    year: int | None = None


class TimeUnknown(ValueError):  # noqa: N818 - says what is the matter, the caller makes a problem of it
    """A time stamp that means no instant. ``code`` is the problem's code."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Stamps:
    """Reads the time stamps of one chunk, remembering days and hours.

    ``zoneless`` says that some stamp named no zone; ``folds`` maps the first pass of an instant that comes twice to the
    second.
    """

    def __init__(self, clock: Clock) -> None:
        self._zone: tzinfo = ZoneInfo(clock.zone)
        self._utc = clock.zone in ("UTC", "Etc/UTC", "GMT")
        self._year, self._month = clock.year, 0
        self._format = translated(clock.pattern) if clock.pattern else None
        self._strptime = _strptime_format(clock.pattern or "")
        self._days: dict[tuple[str, str, str], int] = {}
        self._hours: dict[tuple[int, int], int | None] = {}
        self._hour_starts: dict[str, int] = {}
        self.zoneless = False
        self.folds: dict[int, int] = {}

    def split(self, line: str) -> tuple[str, str, str]:
        """A line as stamp, program and message. The stamp is empty where there is none, the program where none is named."""
        if self._format and (match := self._format.match(line)):
            return match[0][:-2], "", line[match.end() :]
        if match := _COMPOSE.match(line):
            line = line[match.end() :]
        if match := _OWN.match(line):
            return match[1], "", line[match.end() :]
        if not (match := _PREFIX.match(line)):
            return "", "", line
        outer = match["iso"] or match["bsd"] or match["unix"]
        program, rest = match["program"] or match["app"] or "", line[match.end() :]
        if self._format and (own := self._format.match(rest)):
            return own[0][:-2], program, rest[own.end() :]
        if not (own := _OWN.match(rest)):
            return outer, program, rest
        exact = match["unix"] or (match["iso"] and _ZONED.search(outer))
        return (outer if exact and not _EPOCH.fullmatch(own[1]) else own[1]), program, rest[own.end() :]

    def instant(self, stamp: str) -> int:
        """Microseconds since 1970 in UTC, up to the year 9999. Raises TimeUnknown."""
        start, within = self._hour_starts.get(stamp[:13]), WITHIN_HOUR.get(stamp[13:])
        if start is not None and within is not None:
            return start + within
        try:
            at = self._read(stamp)
        except TimeUnknown:
            raise
        except (ValueError, OverflowError) as error:
            raise TimeUnknown("bad-time", f"the time {stamp!r} does not exist") from error
        if not 0 <= at < LATEST:
            raise TimeUnknown("bad-time", f"the time {stamp!r} is out of all reason")
        return at

    def _read(self, stamp: str) -> int:
        if match := _EPOCH.fullmatch(stamp):
            return int(match[1]) * _SECOND + _fraction(match[2])
        if match := _ISO.fullmatch(stamp):
            at = self._of_iso(match)
            if len(stamp) == 19 and 0 <= at < LATEST:
                self._remember(stamp, match, at)
            return at
        if match := _SYSLOG.fullmatch(stamp):
            return self._of_syslog(match)
        if self._format and (match := self._format.fullmatch(stamp + ": ")):
            return self._of_format(stamp, match)
        raise TimeUnknown("bad-time", f"the time {stamp!r} is in no form that is known or declared")

    def _of_iso(self, match: re.Match[str]) -> int:
        year, month, day, hour, minute, second, fraction, offset = match.groups()
        at = self._clock_time(year, month, day, hour, minute, second) * _SECOND + _fraction(fraction)
        if offset is None:
            return self._local(at)
        if offset[0] in "+-":
            away = int(offset[1:3]) * 3600 + int(offset[-2:]) * 60
            return at - (away if offset[0] == "+" else -away) * _SECOND
        return at

    def _remember(self, stamp: str, match: re.Match[str], at: int) -> None:
        """Keep what makes the next stamp of this hour two look-ups."""
        day = self._days[match[1], match[2], match[3]] // _DAY
        if self._utc or self._hours.get((day, int(match[4]))) is not None:
            self._hour_starts[stamp[:13]] = at - (int(match[5]) * 60 + int(match[6])) * _SECOND

    def _of_syslog(self, match: re.Match[str]) -> int:
        month, day, hour, minute, second, fraction = match.groups()
        if self._year is None:
            raise TimeUnknown("year-unknown", "the time names no year, and nothing tells up to when the log speaks")
        number = _MONTHS.get(month)
        if number is None:
            raise TimeUnknown("bad-time", f"the month {month!r} is not known")
        self._year += turn_of_year(self._month, number)
        self._month = number
        at = self._clock_time(str(self._year), str(number), day, hour, minute, second) * _SECOND
        return self._local(at + _fraction(fraction))

    def _of_format(self, stamp: str, match: re.Match[str]) -> int:
        found = match.groupdict()
        if self._strptime is None:
            return self._local(self._clock_time(*(found[k].strip() for k in "YmdHMS")) * _SECOND)
        moment = datetime.strptime(stamp, self._strptime)
        if moment.tzinfo is not None:
            return _micros(moment)
        return self._local(_micros(moment.replace(tzinfo=UTC)))

    def _clock_time(self, year: str, month: str, day: str, hour: str, minute: str, second: str) -> int:
        key = (year, month, day)
        if (start := self._days.get(key)) is None:
            start = self._days[key] = int(datetime(int(year), int(month), int(day), tzinfo=UTC).timestamp())
        h, m, s = int(hour), int(minute), int(second)
        if h > 23 or m > 59 or s > 60:
            raise ValueError(f"{hour}:{minute}:{second}")
        return start + h * 3600 + m * 60 + s

    def _local(self, at: int) -> int:
        """The instant at which clocks of the zone show ``at`` (given as if it were UTC)."""
        self.zoneless = True
        if self._utc:
            return at
        day, hour = divmod(at // _SECOND // 3600, 24)
        key = (day, hour)
        if key not in self._hours:
            start = _EPOCH_SHOWN + timedelta(days=day, hours=hour)
            offsets = {self._offset(start + timedelta(minutes=m), fold) for m in (0, 15, 30, 45, 59) for fold in (0, 1)}
            self._hours[key] = offsets.pop() if len(offsets) == 1 else None
        if (offset := self._hours[key]) is not None:
            return at - offset
        shown = _EPOCH_SHOWN + timedelta(microseconds=at)
        first, second = at - self._offset(shown, 0), at - self._offset(shown, 1)
        if first < second:
            self.folds[first] = second
        return first

    def _offset(self, shown: datetime, fold: int) -> int:
        offset = self._zone.utcoffset(shown.replace(fold=fold))
        return 0 if offset is None else offset // timedelta(microseconds=1)


def translated(pattern: str) -> re.Pattern[str]:
    """The regular expression of a strftime format with the ``: `` that Mosquitto puts behind it.

    Raises ValueError for a directive that no line could be read back by (``%c``, ``%x``: they depend on the locale).
    """
    for short, long in _SHORTHANDS.items():
        pattern = pattern.replace(f"%{short}", long)
    parts: list[str] = []
    named: set[str] = set()
    for piece in re.findall(r"%.|[^%]+|%", pattern):
        if piece[0] != "%" or len(piece) == 1:
            parts.append(re.escape(piece))
            continue
        known = _DIRECTIVES.get(piece[1])
        if known is None:
            raise ValueError(f"timestamp_format has {piece}, which cannot be read back")
        group = re.search(r"\?P<(\w)>", known)
        parts.append(re.sub(r"\?P<\w>", "?:", known) if group and group[1] in named else known)
        if group:
            named.add(group[1])
    return re.compile("".join(parts) + ": ")


def yearless_month(line: str) -> int | None:
    """The month of a line that names no year; None where it names one, or no time."""
    match = _PREFIX.match(line)
    if not match or not match["bsd"] or _OWN.match(line[match.end() :]):
        return None
    return _MONTHS.get(match["bsd"][:3])


def turn_of_year(before: int, month: int) -> int:
    """1 where a line of this month after one of that month begins a new year, -1 where it fell back into the old, else 0."""
    if before == 0 or abs(before - month) <= 6:
        return 0
    return 1 if before > month else -1


def moment(micros: int) -> datetime:
    """Microseconds since 1970 as an aware UTC datetime."""
    return _EPOCH_UTC + timedelta(microseconds=micros)


def _fraction(digits: str | None) -> int:
    return int(digits[:6].ljust(6, "0")) if digits else 0


def _micros(when: datetime) -> int:
    return (when - _EPOCH_UTC) // timedelta(microseconds=1)


def _strptime_format(pattern: str) -> str | None:
    """The format where its numbers alone do not tell the time; None where year to second stand in it as numbers."""
    for short, long in _SHORTHANDS.items():
        pattern = pattern.replace(f"%{short}", long)
    plain = set(re.findall(r"%(.)", pattern)) - {"%"}
    return None if plain in ({"Y", "m", "d", "H", "M", "S"}, {"Y", "m", "e", "H", "M", "S"}) else pattern
