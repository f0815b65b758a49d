"""What Mosquitto 1.4 to 2.1 writes, line by line: a chunk of a log becomes events. No state passes from line to line.

The one thing looked at across lines is that an arrival which is followed at once by the acceptance of the same peer says
nothing more, and is left out. Everything else (whose end an end is, take-overs, who was refused) is for the reader of the
whole log. Runs in helper processes: takes bytes, returns plain tuples.

Forms that changed: 1.4 writes peers without port and ``(c1, k60)``; 1.6 adds the protocol version ``p2``; 2.0 adds the
port; 2.1 names the peer in ends too (``Client X [ADDR:PORT] disconnected: REASON.``) and writes the address for a client
that has not named itself, where older ones write ``<unknown>``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from tenure.sources._addresses import IPV4
from tenure.sources._log_time import Clock, Stamps, TimeUnknown

ACCEPTED: Final = 1  # (peer, client, user, address, port): client and user None where ambiguous, address None where not plain
ENDED: Final = 2  # (client, peer or "", reason, readings): readings hold other ways to read an ambiguous line
ARRIVED: Final = 3  # (peer,)
REPLACED: Final = 4  # (client,)
TURNED_AWAY: Final = 5  # (address, reason): refused before it became a connection
CONNACK: Final = 6  # (client or address, code)
TLS_ERROR: Final = 7  # (text,)
BROKER: Final = 8  # (version, starting | running | terminating)
WORDS: Final = 9  # (message, line): not understood, may be a subscription of a connected client
STRANGE: Final = 0  # (code, reason, line): a line that could not be read; its time is 0
LEFT: Final = 10  # (client, reason): the plain ends, which nearly all are

Event = tuple[Any, ...]

UNKNOWN: Final = "no version of Mosquitto is known to write this"
UNTIMED: Final = "the line has no time stamp that is known or declared (timestamp_format)"

_PARAMETERS = re.compile(r" \((?:p\d+, )?c[01], k\d+(?:, u'(.*)')?\)\.", re.S)
_PLAIN_PEER = re.compile(rf"({IPV4}):(\d{{1,5}})", re.ASCII)
_IMITATED = re.compile(r" \((?:p\d+, )?c[01], k\d+")
_TURNED_AWAY = re.compile(r"Client connection from (\S+) (failed: .*|denied.*)\.?", re.S)
_CONNACK = re.compile(r"Sending CONNACK to (.*) \((\d+), (\d+)\)", re.S)
_TLS_ERROR = re.compile(r"OpenSSL Error(?:\[\d+\])?: (.*)", re.S)
_BROKER = re.compile(r"mosquitto version (\S+)(?: \(.*\))? (starting|running|terminating)")
_BRACKET = re.compile(r"(.*) \[([^\[\]\s]+:\d+)\]", re.S)
_REPLACED = re.compile(r"Client (.+) already connected, closing old connection\.", re.S)
_BAD_SOCKET = re.compile(r"Bad socket read/write on client (.+): (.*)", re.S)
_QUIET = re.compile(r"Client .* (?:negotiated (?:TLS|SSL)\S* cipher \S+|connected with too large Will payload)", re.S)
_SOMEWHERE = re.compile(r": (?:New (?:connection|client|bridge) |Client |Socket error on |mosquitto version )")
_DISCONNECTED = re.compile(r" disconnected(?=\.$|: .*\.$|, .*\.$| due to .*\.$)", re.S)
_ENDS: Final = (
    ("Client ", " closed its connection.", "closed its connection"),
    ("Client ", " has exceeded timeout, disconnecting.", "has exceeded timeout"),
    ("Client ", " been disconnected by administrative action.", "disconnected by administrative action"),
    ("Socket error on client ", ", disconnecting.", "socket error"),
)

KNOWN: Final = (
    "\t", "Received ", "Sending ", "No will message specified.", "Will message specified (", "Saving in-memory database",
    "Denied ", "Dropped ", "Dropping ", "Outgoing messages are being dropped for client ", "mosquitto version ",
    "Config loaded from ", "Using default config", "Loading config file ", "Opening ", "Loading plugin: ", "Plugin ",
    "Starting in local only mode", "Create a configuration file", "For more details see ", "Reloading config.", "Reloading ",
    "Warning: ", "Error: ", "Error ", "Info: ", "Notice: ", "Note: ", "Deprecated: ", "Expiring ", "Reused message ID ",
    "Invalid ", "Empty ", "Too high QoS ", "Bad client ", "Protocol error from ", "Bridge ", "Connecting bridge ",
    "Unable to accept new connection", "Unable to ", "Failed to ", "TLS key logging ", "Restored ", "Restoring ", "Persistence ",
    "Message ", "Shared ", "Removing ", "The '", "This ", "These ", "|-- ", "Setting ", "Session ", "Websockets ", "Topic ",
    "Permission denied", "Log ", "Disconnecting ", "Connection messages ", "Per-listener ", "No such file or directory",
)  # fmt: skip
"""Beginnings of lines that tell of no session: messages, debugging, configuration, plugins."""


def parse(data: bytes, ended: bool, clock: Clock) -> tuple[Any, ...]:
    """A chunk as ``(lines, of sessions, known, of other programs, first, last, zoneless, folds, events)``.

    Every line is counted in one of sessions, known and other programs, or is an event WORDS or STRANGE. Events are
    ``(kind, line, time, ...)``; lines count from 0, times are microseconds since 1970.
    """
    return _Reading(clock).of(data, ended)


class _Reading:
    def __init__(self, clock: Clock) -> None:
        self._stamps = Stamps(clock)
        self._declared = clock.pattern is not None
        self._stamp, self._time = "", 0
        self._known = self._others = 0
        self._first: int | None = None
        self._last = 0
        self._events: list[Event] = []

    def of(self, data: bytes, ended: bool) -> tuple[Any, ...]:
        lines = _lines(data)
        ascii_only = data.isascii()
        cut = -1 if ended else len(lines) - 1
        events, fixed, beginnings, sessions = self._events, not self._declared, _BEGINNINGS, 0
        waiting: Event | None = None
        for number, line in enumerate(lines):
            if fixed and line[19:21] == ": " and line[4:5] == "-":
                stamp, message = line[:19], line[21:]
            elif fixed and line[10:12] == ": " and line[:10].isdigit():
                stamp, message = line[:10], line[12:]
            else:
                stamp, program, message = self._stamps.split(line)
                if program and not program.startswith("mosquitto"):
                    self._others += 1
                    continue
            if message[-1:] == "\r":
                message = message[:-1]
            understand = beginnings.get(message[:7])
            event = understand(message) if understand else None
            if event is None:
                self._without_session(number, stamp, message, line, number == cut)
                continue
            kind = event[0]
            timeless = not stamp and kind == TLS_ERROR  # 1.x writes OpenSSL's words without a time, before the end they explain
            if (stamp != self._stamp or not stamp) and not timeless and not self._tell_time(number, stamp, line):
                continue
            if not ascii_only and not _encodable(line):
                self._tell_strange(number, "not-utf8", "the line is not UTF-8", line)
                continue
            sessions += 1
            if waiting:
                if kind != ACCEPTED or event[1] != waiting[3]:
                    events.append(waiting)
                waiting = None
            if kind == ARRIVED:
                waiting = (ARRIVED, number, self._time, event[1])
            else:
                events.append((kind, number, self._time, *event[1:]))
        if waiting:
            events.append(waiting)
        return (
            len(lines), sessions, self._known, self._others, self._first, self._last, self._stamps.zoneless,
            self._stamps.folds, events,
        )  # fmt: skip

    def _tell_time(self, number: int, stamp: str, line: str) -> bool:
        """Whether the line says when; if not, it is a problem."""
        if not stamp:
            self._tell_strange(number, "no-time", UNTIMED, line)
            return False
        try:
            self._time = time = self._stamps.instant(stamp)
        except TimeUnknown as trouble:
            self._tell_strange(number, trouble.code, trouble.reason, line)
            return False
        self._stamp = stamp
        if self._first is None or time < self._first:
            self._first = time
        if time > self._last:
            self._last = time
        return True

    def _tell_strange(self, number: int, code: str, reason: str, line: str) -> None:
        self._events.append((STRANGE, number, 0, code, reason, line))

    def _without_session(self, number: int, stamp: str, message: str, line: str, cut: bool) -> None:
        if message.startswith(KNOWN) or not message.strip() or _QUIET.fullmatch(message):
            if not stamp or stamp == self._stamp or self._tell_time(number, stamp, line):
                self._known += 1
        elif cut:
            self._tell_strange(number, "truncated-line", "the last line is cut in the middle", line)
        elif not stamp and _SOMEWHERE.search(message):
            self._tell_strange(number, "no-time", UNTIMED, line)
        elif stamp and " " in message and _encodable(line):
            if stamp == self._stamp or self._tell_time(number, stamp, line):
                self._events.append((WORDS, number, self._time, message, line))
        else:
            self._tell_strange(number, "unknown-line", UNKNOWN, line)


def _lines(data: bytes) -> list[str]:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("utf-8", "surrogateescape")
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def _accepted(message: str) -> Event | None:
    peer, found, rest = message[26:].partition(" as ")
    if not found or " " in peer or message[10:26] != " connected from ":
        return None
    at = rest.rfind(" (")
    match = _PARAMETERS.fullmatch(rest, at) if at > 0 else None
    if rest.count(", k") > 1 and len(_IMITATED.findall(rest)) > 1:
        return (ACCEPTED, peer, None, None, *_peer(peer))  # client id or user name imitates the line's own end: both may lie
    if match is None:  # before 1.4, or a user name with " (" in it
        match = _PARAMETERS.search(rest)
        if match is None:
            return (ACCEPTED, peer, rest[:-1], "", *_peer(peer)) if rest[-1:] == "." and len(rest) > 1 else None
        at = match.start()
    return (ACCEPTED, peer, rest[:at], match[1] or "", *_peer(peer))


def _peer(text: str) -> tuple[str | None, int | None]:
    """Address and port where the peer is plainly both; else the reader of the whole log decides."""
    match = _PLAIN_PEER.fullmatch(text)
    return (match[1], int(match[2])) if match else (None, None)


def _arrived(message: str) -> Event | None:
    at = message.rfind(" on port ")
    peer = message[20:at]
    if at < 0 or message[-1] != "." or message[:20] != "New connection from " or " " in peer:
        return None
    return (ARRIVED, peer)


def _client(message: str) -> Event | None:
    cut = message.rfind(" disconnected")
    if cut < 0:
        if message.endswith(" closed its connection.") and len(message) > 30 and message[-24] != "]":
            return (LEFT, message[7:-23], "closed its connection")
        if message.endswith(" has exceeded timeout, disconnecting.") and len(message) > 44 and message[-38] != "]":
            return (LEFT, message[7:-37], "has exceeded timeout")
    elif cut + 14 == len(message) and message[-1] == "." and message[cut - 1] != "]" and message.find(" disconnected") == cut:
        return (LEFT, message[7:cut], "disconnected") if cut > 7 else None
    if match := _REPLACED.fullmatch(message):
        return (REPLACED, match[1])
    if match := _TURNED_AWAY.fullmatch(message):
        return (TURNED_AWAY, match[1], match[2].rstrip("."))
    return _ended(message)


def _ended(message: str) -> Event | None:
    """An end in any form. Client ids are any text, so some lines can be read in several ways: all are given."""
    readings = [
        (*_client_and_peer(message[7 : m.start()]), message[m.start() + 1 : -1])
        for m in _DISCONNECTED.finditer(message)
        if m.start() > 7 and message.startswith("Client ")
    ]
    for before, after, reason in _ENDS:
        if message.startswith(before) and message.endswith(after) and len(message) > len(before) + len(after):
            readings.append((*_client_and_peer(message[len(before) : len(message) - len(after)]), reason))
    if match := _BAD_SOCKET.fullmatch(message):
        readings.append((*_client_and_peer(match[1]), f"bad socket read/write: {match[2]}"))
    return (ENDED, *readings[-1], readings if len(readings) > 1 else []) if readings else None


def _client_and_peer(text: str) -> tuple[str, str]:
    if text[-1:] == "]" and (match := _BRACKET.fullmatch(text)):
        return match[1], match[2]
    return text, ""


def _refusal(message: str) -> Event | None:
    match = _CONNACK.fullmatch(message) if message[8:15] == "CONNACK" else None
    return (CONNACK, match[1], int(match[3])) if match and match[3] != "0" else None


def _tls_error(message: str) -> Event | None:
    return (TLS_ERROR, match[1]) if (match := _TLS_ERROR.fullmatch(message)) else None


def _broker(message: str) -> Event | None:
    return (BROKER, match[1], match[2]) if (match := _BROKER.fullmatch(message)) else None


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_BEGINNINGS: Final[dict[str, Callable[[str], Event | None]]] = {
    "New con": _arrived, "New cli": _accepted, "New bri": _accepted, "Client ": _client, "Sending": _refusal,
    "Socket ": _ended, "Bad soc": _ended, "OpenSSL": _tls_error, "mosquit": _broker,
}  # fmt: skip
"""Who reads a line, by its first seven characters."""
