"""What AWS IoT (v2 logging) writes to CloudWatch, in the shapes in which it is exported: a chunk becomes events.

Shapes, told apart line by line: the bare record; a record behind a time stamp (export to S3, ``aws logs tail``); a record as
the escaped ``message`` of a log event, one event a line or in the indented document that ``aws logs filter-log-events``
prints. Records of the usual shape are read by one regular expression, all others by the JSON parser; both agree (tested).
Runs in helper processes: takes bytes, returns plain tuples.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tenure.sources._addresses import IPV4, address
from tenure.sources._log_time import LATEST, WITHIN_HOUR

CONNECTED: Final = 1  # (account, client, principal, address or None, port, protocol)
DISCONNECTED: Final = 2  # (account, client, principal, address or None, port, reason)
NOT_CONNECTED: Final = 3  # (account, client, principal, address or None, port, protocol, status, why)

Event = tuple[Any, ...]
Strange = tuple[int, str, str, str]

_TEXT: Final = r'"([^"\\\x00-\x1f]*+)"'
_ANY: Final = r'"[^"\\\x00-\x1f]*+"'
_USUAL = re.compile(
    rf'\{{"timestamp": ?"(\d{{4}}-\d\d-\d\d \d\d)(:\d\d:\d\d)\.(\d{{3}})", ?"logLevel": ?{_ANY}, ?"traceId": ?{_ANY}, ?'
    rf'"accountId": ?{_TEXT}, ?"status": ?{_TEXT}, ?"eventType": ?"(?:'
    rf'((?:Disc|C)onnect)", ?"protocol": ?{_TEXT}, ?"clientId": ?{_TEXT}, ?"principalId": ?{_TEXT}, ?'
    rf'"sourceIp": ?"({IPV4})", ?"sourcePort": ?([1-9]\d{{0,4}}|0)'
    rf'(?:, ?"reason": ?{_TEXT})?(?:, ?"details": ?{_TEXT})?(?:, ?"disconnectReason": ?{_TEXT})?|'
    rf'((?!(?:Disc|C)onnect"|Connection\.AuthNError")[^"\\\x00-\x1f]++)"'
    rf'(?:, ?"(?!timestamp"|accountId"|status"|eventType")[\w.-]*+": ?(?:{_ANY}|0|-?[1-9]\d{{0,17}}|true|false|null))*+'
    r")\}\r?(?:\n|\Z)",
    re.ASCII,
)
"""A record of the usual shape: a Connect or Disconnect with all its fields, or another kind, of which only the head matters."""
_FRAME = re.compile(
    r'\s*(?:[{}\[\]]{1,3},?|"(?:events|logStreamName|timestamp|ingestionTime|eventId|searchedLogStreams|searchedCompletely|'
    r'nextForwardToken|nextBackwardToken|logGroupName)": ?.*)?\s*'
)
_MESSAGE = re.compile(r'\s*"message": ?("(?:[^"\\]|\\.)*"),?\s*')
_NEXT_PAGE = re.compile(r'\s*"nextToken": ?"[^"]+",?\s*')
_STAMPED = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
_FIRST_DAY: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _NotARecord(ValueError):  # noqa: N818 - carries the problem's code
    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def parse(data: bytes, ended: bool, _argument: None) -> tuple[Any, ...]:
    """A chunk as ``(lines, framing lines, accounts, other kinds, more pages, events, strange)``.

    ``accounts`` maps an account to ``[records, first, last]``; ``other kinds`` an event type and status to its count. Events
    are ``(kind, line, time, ...)``, strange lines ``(line, code, reason, text)``; lines count from 0.
    """
    reading = _Reading()
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("utf-8", "surrogateescape")
        reading.all_text = False
    lines = reading.of(text, ended)
    return (
        lines, reading.framing, reading.accounts, reading.others, reading.more_pages, reading.events, reading.strange,
    )  # fmt: skip


class _Reading:
    def __init__(self) -> None:
        self.all_text = True  # no bytes in the chunk are other than UTF-8
        self.framing, self.more_pages = 0, False
        self.accounts: dict[str, list[int]] = {}
        self.others: dict[str, int] = {}
        self.events: list[Event] = []
        self.strange: list[Strange] = []
        self._hours: dict[str, int] = {}
        self._words: dict[str, str] = {}

    def of(self, text: str, ended: bool) -> int:
        """Read all lines of a chunk; how many there are."""
        at = number = 0
        usual, size, read = _USUAL.match, len(text), self._usual
        while at < size:
            if self.all_text and (match := usual(text, at)):
                read(number, match)
                at = match.end()
            else:
                end = text.find("\n", at)
                cut, end = end < 0 and not ended, size if end < 0 else end
                self._line(number, text[at:end], cut)
                at = end + 1
            number += 1
        return number

    def _line(self, number: int, line: str, cut: bool) -> None:
        if not self.all_text and any("\ud800" <= c <= "\udfff" for c in line):
            self.strange.append((number, "not-utf8", "the line is not UTF-8", line))
            return
        try:
            self._unusual(number, line)
        except _NotARecord as trouble:
            code = "truncated-line" if cut and trouble.code == "torn-record" else trouble.code
            self.strange.append((number, code, trouble.reason, line))

    def _usual(self, number: int, match: re.Match[str]) -> None:
        """A record of the usual shape, which nearly all are."""
        (
            hour, within, milli, account, status, kind, protocol, client, principal, where, port, reason, details, ending, other
        ) = match.groups()  # fmt: skip
        start, after, words = self._hours.get(hour) or self._hour(hour), WITHIN_HOUR.get(within), self._words
        if start is None or after is None:
            self.strange.append((number, "bad-time", "the time stamp does not exist", match[0].rstrip("\r\n")))
            return
        time = start + after + int(milli) * 1_000
        span = self.accounts.get(account) or self._seen(account, time)
        span[0] += 1
        if time > span[2]:
            span[2] = time
        elif time < span[1]:
            span[1] = time
        if other:
            self._count(other, status)
            return
        account = words.setdefault(account, account)  # one text for all: fewer to pack, and fewer to keep
        if kind == "Disconnect":
            ending = ending or reason or ""
            ending = words.setdefault(ending, ending)
            self.events.append((DISCONNECTED, number, time, account, client, principal, where, int(port), ending))
            return
        protocol = words.get(protocol) or words.setdefault(protocol, _protocol(protocol))
        if status == "Success":
            self.events.append((CONNECTED, number, time, account, client, principal, where, int(port), protocol))
        else:
            why = "; ".join(filter(None, (reason, details)))
            event = (NOT_CONNECTED, number, time, account, client, principal, where, int(port), protocol, status, why)
            self.events.append(event)

    def _hour(self, text: str) -> int | None:
        """Microseconds at the beginning of an hour; None for one that does not exist."""
        try:
            start = _micros(datetime.fromisoformat(f"{text}:00:00+00:00"))
        except ValueError:
            return None
        if not 0 <= start < LATEST:
            return None
        self._hours[text] = start
        return start

    def _count(self, kind: str, status: str) -> None:
        named = f"{kind} {status}".strip()
        self.others[named] = self.others.get(named, 0) + 1

    def _unusual(self, number: int, line: str) -> None:
        text = line.strip().removesuffix(",")
        if text[:1] == "{" and text[-1:] == "}":
            self._value(number, _decoded(text), None)
        elif match := _MESSAGE.fullmatch(line):
            message = _decoded(match[1])
            self._message(number, message if isinstance(message, str) else "", None)
        elif _FRAME.fullmatch(line):
            self.framing += 1
        elif _NEXT_PAGE.fullmatch(line):
            self.framing, self.more_pages = self.framing + 1, True
        elif (start := line.find("{")) > 0 and _STAMPED.match(line):
            self._message(number, line[start:].rstrip(), None)
        elif text[:1] == "{":
            raise _NotARecord("torn-record", "the record is cut in the middle")
        else:
            raise _NotARecord("unknown-line", "the line is no record of AWS IoT, nor a part of an export of CloudWatch")

    def _message(self, number: int, text: str, time: int | None) -> None:
        if usual := _USUAL.fullmatch(text.strip()):
            self._usual(number, usual)
        else:
            self._value(number, _decoded(text), time)

    def _value(self, number: int, value: object, time: int | None) -> None:
        if not isinstance(value, dict):
            raise _NotARecord("unknown-line", "the line is JSON, but no record")
        if isinstance(events := value.get("events"), list):
            self.more_pages = self.more_pages or bool(value.get("nextToken"))
            for event in events:
                self._value(number, event, None)
            self.framing += not events
            return
        message = value.get("message", value.get("@message"))
        if isinstance(message, str) and "eventType" not in value:
            self._message(number, message, _event_time(value.get("timestamp", value.get("@timestamp"))))
            return
        self._record(number, value, time)

    def _record(self, number: int, record: Mapping[str, Any], time: int | None) -> None:
        kind, status = _text(record, "eventType"), _text(record, "status")
        if not kind:
            raise _NotARecord("unknown-line", "the record has no eventType: it is none of AWS IoT's v2 log")
        time = _event_time(record.get("timestamp")) or time
        if time is None or not 0 <= time < LATEST:
            raise _NotARecord("bad-time", "the record has no time stamp that can be read")
        account = _text(record, "accountId")
        if kind not in ("Connect", "Disconnect", "Connection.AuthNError"):
            self._count(kind, status)
            self._record_seen(account, time)
            return
        port = record.get("sourcePort")
        if isinstance(port, str) and port.isascii() and port.isdigit():
            port = int(port)
        if port is not None and (not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= 99_999):
            raise _NotARecord("bad-record", "sourcePort is no port")
        who = (account, _text(record, "clientId"), _text(record, "principalId"), address(_text(record, "sourceIp")), port)
        protocol = _protocol(_text(record, "protocol"))
        why = "; ".join(filter(None, (_text(record, "reason"), _text(record, "details"))))
        ending = _text(record, "disconnectReason") or _text(record, "reason")
        self._record_seen(account, time)
        if kind == "Disconnect":
            self.events.append((DISCONNECTED, number, time, *who, ending))
        elif kind == "Connect" and status == "Success":
            self.events.append((CONNECTED, number, time, *who, protocol))
        else:
            self.events.append((NOT_CONNECTED, number, time, *who, protocol, status, why))

    def _seen(self, account: str, time: int) -> list[int]:
        span = self.accounts[account] = [0, time, time]
        return span

    def _record_seen(self, account: str, time: int) -> None:
        span = self.accounts.get(account) or self._seen(account, time)
        span[0] += 1
        span[1], span[2] = min(span[1], time), max(span[2], time)


def _decoded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _NotARecord("torn-record", "the record is no JSON; it may be cut in the middle") from error


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _NotARecord("bad-record", f"{key} is no text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _NotARecord("bad-record", f"{key} holds half a surrogate pair") from None
    return value


def _protocol(written: str) -> str:
    return written.lower() or "mqtt"


def _event_time(value: object) -> int | None:
    """Microseconds of a log event's time: milliseconds since 1970, or text in UTC."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 45:
        return value * 1_000
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
        except ValueError:
            return None
        return _micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return None


def _micros(moment: datetime) -> int:
    return (moment - _FIRST_DAY) // timedelta(microseconds=1)
