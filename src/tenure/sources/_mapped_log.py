"""A list or log of issued certificates through its mapping.

A first, quiet pass finds how serials are written and up to when the log speaks; the second writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tenure.evidence.collection import CollectContext
from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.vocabulary import CredentialStatus
from tenure.sources._issuance_rows import IssuanceRows, Issued, Stated, state_with_reason
from tenure.sources._reading import Reading
from tenure.sources._serial_notation import SerialNotation
from tenure.sources._tabular import Chunk

_HEX_BYTES = re.compile(r"(?:\\x|0x)((?:[0-9A-Fa-f]{2})+)")  # how PostgreSQL and MySQL print bytes
_TEXTS = ("serial", "subject", "issuer", "requester", "certificate", "sha256")
_MOMENTS = ("issued_at", "not_after", "revoked_at")
_SENTINEL_YEAR = 2090


@dataclass(frozen=True, slots=True)
class Entry:
    """One row that is about a certificate, in our words."""

    place: int
    text: dict[str, str | None]
    moments: dict[str, datetime | None]
    state: str | None
    reason: str | None
    words: str | None  # the log's own for state and reason
    revokes: bool  # a revocation alone, no issuance


class MappedLog:
    """Reads one log. What is no issued certificate (refused requests, other lines) is counted in a note."""

    def __init__(self, reading: Reading, context: CollectContext, draft: SnapshotDraft) -> None:
        self._reading, self._table, self._draft = reading, reading.table, draft
        self._options = reading.mapping.options
        self._as_of = context.declared.as_of
        self._month_first = self._options.get("month_first") is True and context.declared.timestamp_format is None
        self._serials = SerialNotation(str(self._options.get("serial", "auto")))
        self._latest: datetime | None = None
        self._others = self._sha1 = 0
        self._rows = IssuanceRows(
            self._table,
            context,
            draft,
            complete=self._options.get("complete") is True,
            revocation=reading.has("state") or reading.has("revoked_at"),
        )

    def read(self) -> None:
        self._look_ahead()
        self._serials.settle(self._table)
        self._rows.stated_at = self._rows.stated_at or self._latest
        for chunk in self._table.chunks(self._reading.mapping.wanted):
            for entry in self._entries(chunk):
                self._write(entry)
        self._rows.finish()
        self._draft.speaks_until(self._latest or self._as_of)
        name = self._table.relative
        if self._others:
            self._draft.note(f"{self._others} entries of {name} are no issued certificates (other lines, refused requests)")
        if self._sha1:
            self._draft.note(f"{self._sha1} fingerprints of {name} are SHA-1: issuer and serial name those certificates")
        if self._month_first:
            self._draft.note(f"dates of {name} with slashes were read month first: declare `timestamp_format` if that is wrong")

    def _look_ahead(self) -> None:
        for chunk in self._table.chunks(self._reading.mapping.wanted, quiet=True):
            self._serials.look_at(self._reading.text(chunk, "serial"))
            for field in ("issued_at", "revoked_at"):
                moments = self._reading.moments.column(self._reading.text(chunk, field))
                newest = max((m for m in moments if m is not None and m.year < _SENTINEL_YEAR), default=None)
                if newest is not None:
                    self._latest = newest if self._latest is None else max(self._latest, newest)
                self._reading.moments.forget_if_many()

    def _entries(self, chunk: Chunk) -> Iterator[Entry]:
        reading = self._reading
        text = {f: reading.text(chunk, f) for f in _TEXTS}
        moments = {f: reading.moment(chunk, f) for f in _MOMENTS}
        states, states_text = reading.word(chunk, "state", CredentialStatus.UNKNOWN)
        reasons, reasons_text = reading.word(chunk, "revocation_reason", None)
        events, _own = reading.word(chunk, "event", "other")
        outcomes, _own = reading.word(chunk, "outcome", "failed")
        for at, place in enumerate(chunk.places):
            nameless = text["serial"][at] is None and text["certificate"][at] is None
            other = events[at] == "other" or outcomes[at] == "failed" or states[at] == "not-issued"
            if other or (nameless and self._options.get("log") is True):
                self._others += 1
                continue
            words = "; ".join(word for word in (states_text[at], reasons_text[at]) if word is not None)
            yield Entry(
                place=place,
                text={field: column[at] for field, column in text.items()},
                moments={field: column[at] for field, column in moments.items()},
                state=states[at],
                reason=reasons[at],
                words=words or None,
                revokes=events[at] == "revoked",
            )

    def _write(self, entry: Entry) -> None:
        encoded = entry.text["certificate"]
        facts = None if encoded is None else self._rows.certificate(entry.place, _bytes(encoded))
        serial = self._serial(entry)
        if entry.revokes:
            issuer = facts.issuer if facts is not None else self._rows.known_issuer(entry.text["issuer"])
            if serial is None:
                self._table.tell(entry.place, "the entry names no serial number of a certificate", "no-serial", None)
            else:
                stated = Stated(CredentialStatus.REVOKED, entry.words, entry.moments["revoked_at"] or entry.moments["issued_at"])
                self._rows.stated(entry.place, serial, issuer, stated, None if facts is None else facts.sha256)
            return
        issued = Issued(
            entry.place,
            serial,
            facts,
            issuer=entry.text["issuer"],
            subject=entry.text["subject"],
            sha256=self._fingerprint(entry),
            issued_at=entry.moments["issued_at"],
            not_after=entry.moments["not_after"],
            requester=entry.text["requester"],
        )
        self._rows.issued(issued, _stated(entry))

    def _serial(self, entry: Entry) -> str | None:
        if (cell := entry.text["serial"]) is None:
            return None
        if (serial := self._serials.hex(cell)) is None:
            self._table.wrong(entry.place, "no serial number", cell, "bad-serial")
        return serial

    def _fingerprint(self, entry: Entry) -> bytes | None:
        if (cell := entry.text["sha256"]) is None:
            return None
        plain = re.sub(r"(?i)^sha-?(256|1)[:= ]|[:\s]", "", cell)
        if re.fullmatch("[0-9A-Fa-f]{64}", plain):
            return bytes.fromhex(plain)
        if re.fullmatch("[0-9A-Fa-f]{40}", plain):
            self._sha1 += 1
        else:
            self._table.wrong(entry.place, "no fingerprint of a certificate", cell, "bad-digest")
        return None


def _stated(entry: Entry) -> Stated | None:
    """What the row says of the certificate's state; None where it says nothing."""
    if entry.state is None and entry.moments["revoked_at"] is None:
        return None
    status = state_with_reason(entry.state or CredentialStatus.REVOKED, entry.reason)
    ended = CredentialStatus(status).ends_trust
    return Stated(status, entry.words, entry.moments["revoked_at"] if ended else None)


def _bytes(cell: str) -> bytes:
    """A certificate cell: bytes as databases print them, else PEM or base64."""
    if found := _HEX_BYTES.fullmatch(cell):
        return bytes.fromhex(found[1])
    return cell.encode("ascii", "replace")
