"""Follows the connections of one AWS account through its log: Connect and Disconnect of one connection, and take-overs.

A Disconnect names client id, principal, address and port, so its Connect is found by these and not by order alone: the
Disconnect of a replaced connection is often told after the Connect that replaced it, and its time may lie before.
"""

from __future__ import annotations

import re
from typing import Final

from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.vocabulary import Outcome, SubjectKind
from tenure.sources._log_sessions import OPEN_AT_ONCE, SessionRows, address
from tenure.sources._log_time import moment

DUPLICATE: Final = "DUPLICATE_CLIENTID"
SUPERSEDED: Final = "superseded by a new connection of the client id; its own end is not in the log"

_CERTIFICATE_ID = re.compile(r"[0-9a-f]{64}")


class _Connection:
    """An open connection. ``replaced`` is when another one of its client id began."""

    __slots__ = ("address", "origin", "port", "principal", "protocol", "replaced", "started")

    def __init__(self, started: int, address: str | None, port: int | None, principal: str, protocol: str, origin: str) -> None:
        self.started, self.address, self.port = started, address, port
        self.principal, self.protocol, self.origin = principal, protocol, origin
        self.replaced: int | None = None


class Account:
    """The open connections of one account while its log is read."""

    def __init__(self, draft: SnapshotDraft, relying_party: str) -> None:
        self._draft, self._relying_party = draft, relying_party
        self._rows = SessionRows(draft, relying_party)
        self._open: dict[str, list[_Connection]] = {}
        self._taking: dict[str, tuple[int, str, _Connection | None]] = {}
        self._count = 0
        self.orphans = self.given_up = 0

    def connected(
        self, time: int, origin: str, client: str, principal: str, where: str, port: int | None, protocol: str,
        status: str, why: str,
    ) -> None:  # fmt: skip
        """A Connect record: a session that begins, or one that was refused."""
        connection = _Connection(time, address(where), port, principal, protocol, origin)
        if status != "Success":
            outcome = Outcome.REFUSED if status == "Failure" else Outcome.UNKNOWN
            self._write(client, connection, time, None, outcome, why or status or None)
            return
        if client in self._taking:
            self._take_over(client, connection)
        others = self._open.setdefault(client, [])
        if others:
            others[-1].replaced = time
        if len(others) > 1:  # two that wait for their ends are enough: the log lost one
            self._superseded(client, others.pop(0))
        others.append(connection)
        self._count += 1
        if self._count > OPEN_AT_ONCE:
            self._give_up()

    def disconnected(
        self, time: int, origin: str, client: str, principal: str, where: str, port: int | None, reason: str
    ) -> None:
        """A Disconnect record: the end of the connection it names."""
        others = self._open.get(client, [])
        found = self._ending(others, principal, address(where), port)
        if found is None:
            self.orphans += 1
        else:
            others.remove(found)
            self._count -= 1
            if not others:
                del self._open[client]
            self._write(client, found, max(time, found.started), reason or None)
        if reason != DUPLICATE:
            return
        ended = found or _Connection(time, address(where), port, principal, "", origin)
        self._taking[client] = (time, origin, ended)
        if others:
            self._take_over(client, others[-1])

    def close(self) -> None:
        """The log is over: what is open stays without an end, but for connections that another one replaced."""
        for client in list(self._taking):
            self._take_over(client, None)
        for client, connections in self._open.items():
            for connection in connections:
                self._superseded(client, connection)
        self._open.clear()
        self._rows.flush()

    def _ending(self, connections: list[_Connection], principal: str, where: str | None, port: int | None) -> _Connection | None:
        for connection in connections:
            if port is not None and connection.port == port and connection.address == where:
                return connection
        alike = [c for c in connections if c.principal == principal and (port is None or c.port is None)]
        return alike[0] if alike else None

    def _superseded(self, client: str, connection: _Connection) -> None:
        self._write(client, connection, connection.replaced, SUPERSEDED if connection.replaced is not None else None)
        self._count -= 1

    def _give_up(self) -> None:
        client = next(iter(self._open))
        for connection in self._open.pop(client):
            self._superseded(client, connection)
            self.given_up += 1

    def _take_over(self, client: str, new: _Connection | None) -> None:
        time, origin, old = self._taking.pop(client)
        self._draft.add(
            "takeover",
            relying_party=self._relying_party,
            happened_at=moment(time),
            client_id=client,
            old_address=old.address if old else None,
            new_address=new.address if new else None,
            old_user_name=old.principal or None if old else None,
            new_user_name=new.principal or None if new else None,
            origin=origin,
        )

    def _write(
        self, client: str, connection: _Connection, ended: int | None, reason: str | None,
        outcome: Outcome = Outcome.ACCEPTED, why: str | None = None,
    ) -> None:  # fmt: skip
        principal, digest, user, kind = connection.principal, None, None, SubjectKind.NONE
        if _CERTIFICATE_ID.fullmatch(principal):  # AWS names a certificate by the SHA-256 of its DER
            digest, kind = bytes.fromhex(principal), SubjectKind.CERTIFICATE
        elif principal and principal.casefold() != "anonymous":
            user, kind = principal, SubjectKind.NAME
        elif client:
            kind = SubjectKind.CLIENT_ID
        self._rows.add(
            (
                connection.started, ended, reason, connection.address, connection.port, outcome.value, why, kind.value, digest,
                principal or None, user, client or None, connection.protocol.lower() or "mqtt", connection.origin,
            )
        )  # fmt: skip
