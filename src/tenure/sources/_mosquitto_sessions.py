"""Follows one Mosquitto broker through its log: whose end an end is, who took over from whom, who was refused.

Certain or nothing. A line that ends a connection without naming its peer is attributed to an address only where the log
shows exactly one connection that had not come to its end or to its acceptance; else the address stays unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias

from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.vocabulary import Outcome, SubjectKind
from tenure.sources import _mosquitto_lines as lines
from tenure.sources._addresses import address
from tenure.sources._log_problems import LineProblems
from tenure.sources._log_sessions import OPEN_AT_ONCE, Session, SessionRows
from tenure.sources._log_time import moment
from tenure.sources._mosquitto_arrivals import Arrivals

REPLACED: Final = "already connected, closing old connection"
SUPERSEDED: Final = "superseded by a new connection of the client id; its own end is not in the log"
RESTARTED: Final = "broker restarted"
TERMINATED: Final = "broker terminated"
TIMED_OUT: Final = "has exceeded timeout"

_UNNAMED: Final = frozenset({"<unknown>", "(null)", "null", ""})
_LEFT_BY_ITSELF: Final = frozenset(
    {
        "closed its connection", "has exceeded timeout", "socket error", "disconnected", "disconnected: exceeded timeout",
        "disconnected: connection closed by client",
    }
)  # fmt: skip
_REFUSALS: Final = (
    "not authorised", "bad username or password", "client identifier not valid", "client banned", "banned",
    "bad authentication method", "server unavailable", "server busy", "connection rate exceeded", "quota exceeded",
)  # fmt: skip
_TAKEN_OVER: Final = ("disconnected: session taken over", "disconnected, session taken over")


_Open: TypeAlias = tuple[int, str | None, int | None, str, str, str, int]
"""An open session: start, address, port, user name or "", peer as written, file, line. A plain tuple: there are very many."""


class _Door(NamedTuple):
    """A CONNACK that refused, until the line of the end that belongs to it."""

    time: int
    file: str
    line: int
    name: str
    code: int


class Broker:
    """The state of one broker while its log is read; ``handle`` takes the events of ``_mosquitto_lines`` in their order."""

    def __init__(self, draft: SnapshotDraft, relying_party: str, problems: LineProblems) -> None:
        self._draft, self._relying_party, self._problems = draft, relying_party, problems
        self._rows = SessionRows(draft, relying_party)
        self._open: dict[str, _Open] = {}
        self._taking: dict[str, tuple[int, str, _Open | None]] = {}
        self._arrivals = Arrivals()
        self._door: _Door | None = None
        self._tls_error = ""
        self._timed_out = ""  # whose time-out was told last: 1.x tells a socket error of the same client after it
        self._from_start = False  # the log shows this broker's start: who is not open was not connected before either
        self._ports_written: bool | None = None
        self._file = ""
        self._last = 0
        self.orphans = self.given_up = self.subscriptions = 0
        self._handlers: dict[int, Callable[..., None]] = {
            lines.ACCEPTED: self._accepted, lines.ENDED: self._ended, lines.ARRIVED: self._arrived,
            lines.REPLACED: self._replaced, lines.TURNED_AWAY: self._turned_away, lines.CONNACK: self._connack,
            lines.TLS_ERROR: self._tls, lines.BROKER: self._broker, lines.WORDS: self._words, lines.LEFT: self._left,
        }  # fmt: skip

    def handle(self, file: str, first_line: int, events: list[tuple[Any, ...]], folds: dict[int, int]) -> None:
        """The events of one chunk whose lines count from ``first_line``.

        Acceptances and plain ends are nearly all events, and are handled here where nothing is out of the ordinary.
        """
        self._file = file
        handlers, still_open, add, waiting = self._handlers, self._open, self._rows.add, self._arrivals.waiting
        for event in events:
            kind, time = event[0], event[2]
            if kind == lines.STRANGE:
                self._problem(first_line + event[1], *event[3:])
                continue
            if time < self._last and folds:
                time = folds.get(time, time)
            self._last = time
            if kind == lines.LEFT and not self._door and not self._tls_error:
                session = still_open.get(event[3])
                if session is not None and time >= session[0]:
                    if event[4] == TIMED_OUT:
                        self._timed_out = event[3]
                    started, where, port, user, _, of_file, line = session
                    del still_open[event[3]]
                    add(
                        (
                            started, time, event[4], where, port, "accepted", None, "name" if user else "client-id", None, None,
                            user or None, event[3], "mqtt", of_file, line,
                        )
                    )  # fmt: skip
                    continue
            elif kind == lines.ACCEPTED and event[6] and not self._taking and not self._door:
                client = event[4]
                if client is not None and client not in still_open and len(still_open) < OPEN_AT_ONCE:
                    if waiting:
                        self._arrivals.settled(event[3])
                    self._ports_written, self._tls_error = True, ""
                    still_open[client] = (time, event[6], event[7], event[5], event[3], file, first_line + event[1])
                    continue
            if self._door and kind != lines.ENDED and kind != lines.LEFT:
                self._refuse_at_door()
            handlers[kind](time, first_line + event[1], *event[3:])

    def close(self) -> None:
        """The log is over: what is open stays without an end."""
        if self._door:
            self._refuse_at_door()
        for client in list(self._taking):
            self._take_over(client, None, "")
        for client, session in self._open.items():
            self._write(client, session, None, None)
        self._open.clear()
        self._rows.flush()

    def _origin(self, line: int) -> str:
        return f"{self._file}#{line}"

    def _arrived(self, time: int, _line: int, peer: str) -> None:
        self._tls_error = ""
        self._arrivals.arrived(peer, time)

    def _accepted(
        self, time: int, line: int, peer: str, client: str | None, user: str | None, where: str | None, port: int | None
    ) -> None:
        self._tls_error = ""
        self._arrivals.settled(peer)
        if where is None:
            where, port = self._peer(peer, line)
        else:
            self._ports_written = True
        if client is None or user is None:
            self._problem(line, "ambiguous-line", "client id or user name imitates the end of the line; neither is used", peer)
            self._rows.add(_anonymous(time, where, port, Outcome.ACCEPTED, None, self._file, line))
            return
        if (old := self._open.pop(client, None)) is not None:
            self._write(client, old, time, SUPERSEDED)
        if self._taking and client in self._taking:
            self._take_over(client, where, user)
        self._open[client] = (time, where, port, user, peer, self._file, line)
        if len(self._open) > OPEN_AT_ONCE:
            oldest = next(iter(self._open))
            self._write(oldest, self._open.pop(oldest), None, None)
            self.given_up += 1
            self._from_start = False

    def _left(self, time: int, line: int, client: str, reason: str) -> None:
        self._ended(time, line, client, "", reason, [])

    def _ended(self, time: int, line: int, client: str, peer: str, reason: str, readings: list[tuple[str, str, str]]) -> None:
        if readings:
            possible = [r for r in readings if r[0] in self._open] or readings[-1:]
            client, peer, reason = possible[0]
            if len(possible) > 1:
                self._problem(line, "ambiguous-line", "the end can be that of several open sessions", client)
                return
        if reason == "socket error" and client == self._timed_out and client not in self._open:
            return
        self._timed_out = client if reason == TIMED_OUT else ""
        door, self._door = self._door, None
        tls_error, self._tls_error = self._tls_error, ""
        if door and not self._same_door(door, client, peer):
            self._door = door
            self._refuse_at_door()
            door = None
        session = self._open.get(client)
        if session is None and peer and f"{client} [{peer}]" in self._open:
            client, peer = f"{client} [{peer}]", ""
            session = self._open[client]
        if session and not door and not self._is_refusal(session, peer, reason):
            del self._open[client]
            self._write(client, session, time, reason if not tls_error else f"{reason}; TLS: {tls_error}")
            if reason in _TAKEN_OVER:
                self._taking[client] = (time, self._origin(line), session)
            return
        self._end_of_stranger(time, line, client, peer, reason, door, tls_error)

    def _end_of_stranger(
        self, time: int, line: int, client: str, peer: str, reason: str, door: _Door | None, tls_error: str
    ) -> None:
        """An end of a connection that was not accepted, or of a session that began before the log."""
        unnamed = client in _UNNAMED or (peer and peer.rpartition(":")[0] == client)
        if reason in _TAKEN_OVER:
            self._taking[client] = (time, self._origin(line), None)
            self.orphans += 1
        elif unnamed or door or (len(self._arrivals) and (self._from_start or reason.endswith(_REFUSALS))):
            refused = door or tls_error or reason not in _LEFT_BY_ITSELF
            texts = [f"CONNACK {door.code}" if door else "", f"TLS: {tls_error}" if tls_error else "", reason]
            named_by_door = door.name if door and not self._is_peer(door.name) else ""
            self._refuse(
                time, line, named_by_door if unnamed else client, peer, door.name if door and not named_by_door else None,
                Outcome.REFUSED if refused else Outcome.UNKNOWN, "; ".join(filter(None, texts)),
            )  # fmt: skip
        else:
            self.orphans += 1

    def _same_door(self, door: _Door, client: str, peer: str) -> bool:
        return client in _UNNAMED or door.name == client or peer.rpartition(":")[0] == door.name

    def _is_refusal(self, session: _Open, peer: str, reason: str) -> bool:
        """Whether the end is that of another connection, refused while the session with this client id goes on."""
        if peer:
            return session[4] != peer and reason not in _TAKEN_OVER
        return bool(len(self._arrivals)) and reason.endswith(_REFUSALS)

    def _refuse(self, time: int, line: int, client: str, peer: str, at_address: str | None, outcome: Outcome, text: str) -> None:
        started: int | None
        if peer:
            found, started = peer, self._arrivals.settled(peer)
        else:
            known = self._arrivals.ended(at_address)
            found, started = known if known else (at_address or "", None)
        where, port = self._peer(found, line) if found else (None, None)
        if started == -1:  # several arrivals of one address without ports: the address is certain, the moment is not
            started = None
        began = time if started is None else min(started, time)
        kind = SubjectKind.CLIENT_ID if client else SubjectKind.NONE
        self._rows.add(
            (
                began, time, None, where, port, outcome.value, text, kind.value, None, None, None, client or None, "mqtt",
                self._file,
                line,
            )
        )  # fmt: skip

    def _refuse_at_door(self) -> None:
        if door := self._door:
            self._door = None
            here, self._file = self._file, door.file
            name = "" if self._is_peer(door.name) else door.name
            at_address = door.name if not name else None
            self._refuse(door.time, door.line, name, "", at_address, Outcome.REFUSED, f"CONNACK {door.code}")
            self._file = here

    def _is_peer(self, name: str) -> bool:
        """Whether the name in a CONNACK line is the address that 2.0 writes for a client without an id."""
        return name in _UNNAMED or (name not in self._open and address(name) is not None)

    def _replaced(self, time: int, line: int, client: str) -> None:
        old = self._open.pop(client, None)
        if old:
            self._write(client, old, time, REPLACED)
        self._taking[client] = (time, self._origin(line), old)

    def _take_over(self, client: str, new_address: str | None, new_user: str) -> None:
        time, origin, old = self._taking.pop(client)
        self._draft.add(
            "takeover",
            relying_party=self._relying_party,
            happened_at=moment(time),
            client_id=client,
            old_address=old[1] if old else None,
            new_address=new_address,
            old_user_name=old[3] or None if old else None,
            new_user_name=new_user or None,
            origin=origin,
        )

    def _turned_away(self, time: int, line: int, where: str, reason: str) -> None:
        found, port = self._peer(where, line)
        self._rows.add(_anonymous(time, found, port, Outcome.REFUSED, reason, self._file, line, ended=time))

    def _connack(self, time: int, line: int, name: str, code: int) -> None:
        self._door = _Door(time, self._file, line, name, code)

    def _tls(self, _time: int, _line: int, text: str) -> None:
        self._tls_error = text

    def _broker(self, time: int, _line: int, version: str, word: str) -> None:
        if word != "terminating":
            self._from_start = True
            self._ports_written = not version.startswith(("0.", "1."))
        for client, session in self._open.items():
            self._write(client, session, time, TERMINATED if word == "terminating" else RESTARTED)
        self._open.clear()
        self._arrivals.clear()

    def _words(self, _time: int, line: int, message: str, whole: str) -> None:
        """Debug lines of subscriptions begin with the client id; whoever is connected is known here only."""
        at = message.find(" ")
        while at > 0:
            if message[:at] in self._open:
                self.subscriptions += 1
                return
            at = message.find(" ", at + 1)
        self._problem(line, "unknown-line", lines.UNKNOWN, whole)

    def _write(self, client: str, session: _Open, ended: int | None, reason: str | None) -> None:
        started, where, port, user, _, file, line = session
        if ended is not None and ended < started:
            self._draft.note(
                f"{self._relying_party}: the clock of the log went back; sessions over such a step end where they begin"
            )
            ended = started
        self._rows.add(
            (
                started, ended, reason, where, port, "accepted", None, "name" if user else "client-id", None, None,
                user or None, client, "mqtt", file, line,
            )
        )  # fmt: skip

    def _peer(self, text: str, line: int) -> tuple[str | None, int | None]:
        """Address and port of a peer as written; before 2.0 without port, which an IPv6 address may look like having."""
        host, _, port = text.rpartition(":")
        digits = port.isascii() and port.isdigit() and len(port) <= 5
        if text.count(":") <= 1:
            found = address(host if host else text)
            if found and (not host or digits):
                self._ports_written = bool(host)
                return found, int(port) if host else None
        else:
            split, whole = address(host) if digits else None, address(text)
            if split and (not whole or self._ports_written):
                return split, int(port)
            if whole and (not split or self._ports_written is False):
                return whole, None
        self._problem(line, "address-unreadable", "the peer is no IP address, or one with or without a port", text)
        return None, None

    def _problem(self, line: int, code: str, reason: str, text: str) -> None:
        self._problems.add(self._file, line, code, reason, text)


def _anonymous(
    time: int,
    where: str | None,
    port: int | None,
    outcome: Outcome,
    text: str | None,
    file: str,
    line: int,
    ended: int | None = None,
) -> Session:
    return (
        time, ended, None, where, port, outcome.value, text, SubjectKind.NONE.value, None, None, None, None, "mqtt", file, line
    )  # fmt: skip
