"""Follows the connections of one AWS account through its log: Connect and Disconnect of one connection, and take-overs.

A Disconnect names client id, principal, address and port, so its Connect is found by these and not by order alone: the
Disconnect of a replaced connection is often told after the Connect that replaced it, and its time may lie before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.vocabulary import Outcome, SubjectKind
from tenure.sources._cloudwatch_lines import CONNECTED, NOT_CONNECTED
from tenure.sources._log_sessions import OPEN_AT_ONCE, SessionRows
from tenure.sources._log_time import moment

DUPLICATE: Final = ("DUPLICATE_CLIENTID", "DUPLICATE_CLIENT_ID")  # disconnectReason and reason spell it differently
SUPERSEDED: Final = "superseded by a new connection of the client id; its own end is not in the log"

_CERTIFICATE_ID = re.compile(r"[0-9a-f]{64}")
_SUBJECTS: Final = 100_000  # principals whose reading is remembered

_Connection: TypeAlias = tuple[int, str | None, int | None, str, str, str, int]
"""Start, address, port, principal, protocol, file, line. A plain tuple: there are very many."""
_Subject: TypeAlias = tuple[str, bytes | None, str | None]


class Account:
    """The open connections of one account while its log is read; ``take`` gets the events of ``_cloudwatch_lines`` in order."""

    def __init__(self, draft: SnapshotDraft, relying_party: str) -> None:
        self._draft, self._relying_party = draft, relying_party
        self._rows = SessionRows(draft, relying_party)
        self._open: dict[str, _Connection] = {}  # the newest of each client id
        self._replaced: dict[str, tuple[_Connection, int]] = {}  # the one before it and when it was replaced, until it ends
        self._taking: dict[str, tuple[int, str, _Connection]] = {}
        self._subjects: dict[str, _Subject] = {}
        self.orphans = self.given_up = 0

    def take(self, events: Iterable[tuple[Any, ...]], file: str, first_line: int) -> None:
        """Events of one file. Connects and Disconnects that belong together are nearly all, and are handled at once."""
        still_open, subjects, add = self._open, self._subjects, self._rows.add
        for event in events:
            if event[0] == CONNECTED:
                _, line, time, _, client, principal, where, port, protocol = event
                connection = (time, where, port, principal, protocol, file, first_line + line)
                if client in still_open or client in self._taking or len(still_open) >= OPEN_AT_ONCE:
                    self._connected(client, connection)
                else:
                    still_open[client] = connection
                continue
            if event[0] == NOT_CONNECTED:
                self._not_connected(event, file, first_line)
                continue
            _, line, time, _, client, principal, where, port, reason = event
            found = still_open.get(client)
            if (
                found
                and found[2] == port
                and found[1] == where
                and port
                and found[0] <= time
                and reason not in DUPLICATE
                and client
            ):
                del still_open[client]
                started, _, _, principal, protocol, of_file, of_line = found
                kind, digest, user = subjects.get(principal) or self._subject(principal)
                add(
                    (
                        started, time, reason or None, where, port, "accepted", None, kind, digest, principal or None, user,
                        client, protocol, of_file, of_line,
                    )
                )  # fmt: skip
            else:
                self._disconnected(client, (time, where, port, principal, "", file, first_line + line), reason)

    def _not_connected(self, event: tuple[Any, ...], file: str, first_line: int) -> None:
        _, line, time, _, client, principal, where, port, protocol, status, why = event
        outcome = Outcome.REFUSED if status == "Failure" else Outcome.UNKNOWN
        connection = (time, where, port, principal, protocol, file, first_line + line)
        self._write(client, connection, time, None, outcome.value, why or status or None)

    def close(self) -> None:
        """The log is over: what is open stays without an end, but for connections that another one replaced."""
        for client in list(self._taking):
            self._take_over(client, None)
        for client in list(self._replaced):
            self._superseded(client)
        for client, connection in self._open.items():
            self._write(client, connection, None, None)
        self._open.clear()
        self._rows.flush()

    def _connected(self, client: str, connection: _Connection) -> None:
        if client in self._taking:
            self._take_over(client, connection)
        if old := self._open.pop(client, None):
            self._superseded(client)  # two that wait for their ends are enough: the log has lost one
            self._replaced[client] = (old, connection[0])
        self._open[client] = connection
        if len(self._open) > OPEN_AT_ONCE:
            oldest = next(iter(self._open))
            self._superseded(oldest)
            self._write(oldest, self._open.pop(oldest), None, None)
            self.given_up += 1

    def _disconnected(self, client: str, ended: _Connection, reason: str) -> None:
        replaced, newest = self._replaced.get(client), self._open.get(client)
        found = _ending([c for c in (replaced and replaced[0], newest) if c], ended)
        if found is None:
            self.orphans += 1
        else:
            if replaced and found is replaced[0]:
                del self._replaced[client]
            else:
                del self._open[client]
            self._write(client, found, max(ended[0], found[0]), reason or None)
        if reason in DUPLICATE:
            self._taking[client] = (ended[0], f"{ended[5]}#{ended[6]}", found or ended)
            if client in self._open:
                self._take_over(client, self._open[client])

    def _superseded(self, client: str) -> None:
        if waiting := self._replaced.pop(client, None):
            self._write(client, waiting[0], waiting[1], SUPERSEDED)

    def _take_over(self, client: str, new: _Connection | None) -> None:
        time, origin, old = self._taking.pop(client)
        self._draft.add(
            "takeover",
            relying_party=self._relying_party,
            happened_at=moment(time),
            client_id=client,
            old_address=old[1],
            new_address=new[1] if new else None,
            old_user_name=old[3] or None,
            new_user_name=new[3] or None if new else None,
            origin=origin,
        )

    def _write(
        self, client: str, connection: _Connection, ended: int | None, reason: str | None,
        outcome: str = "accepted", why: str | None = None,
    ) -> None:  # fmt: skip
        started, where, port, principal, protocol, file, line = connection
        kind, digest, user = self._subjects.get(principal) or self._subject(principal)
        if kind == SubjectKind.CLIENT_ID and not client:
            kind = SubjectKind.NONE.value
        self._rows.add(
            (
                started, ended, reason, where, port, outcome, why, kind, digest, principal or None, user, client or None,
                protocol, file, line,
            )
        )  # fmt: skip

    def _subject(self, principal: str) -> _Subject:
        """What kind of subject a principal makes; its digest or its name."""
        found: _Subject = (SubjectKind.CLIENT_ID.value, None, None)
        if _CERTIFICATE_ID.fullmatch(principal):  # AWS names a certificate by the SHA-256 of its DER
            found = (SubjectKind.CERTIFICATE.value, bytes.fromhex(principal), None)
        elif principal and principal.casefold() != "anonymous":
            found = (SubjectKind.NAME.value, None, principal)
        if len(self._subjects) >= _SUBJECTS:
            self._subjects.clear()
        self._subjects[principal] = found
        return found


def _ending(connections: list[_Connection], ended: _Connection) -> _Connection | None:
    """The connection that a Disconnect names: by address and port, else by principal where no port tells otherwise."""
    _, where, port, principal, *_ = ended
    for connection in connections:
        if port and connection[2] == port and connection[1] == where:
            return connection
    return next((c for c in connections if c[3] == principal and (not port or not c[2])), None)
