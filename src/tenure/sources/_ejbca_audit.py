"""EJBCA's audit log as Log4j writes it: certificates created (embedded in the line) and revoked.

A line ends with ``time;event;outcome;module;service;administrator;CA id;serial;user;details``. Whose CA an id is, is learnt
from the certificates it created.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from tenure.evidence.collection import CollectContext
from tenure.evidence.snapshot import SnapshotDraft
from tenure.model import identifiers
from tenure.model.vocabulary import CredentialStatus
from tenure.sources._issuance_rows import IssuanceRows, Issued, Stated
from tenure.sources._tabular import Table

_EVENT = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d);([A-Z_]+);(SUCCESS|FAILURE|VOID);[A-Z_]*;[A-Z_]*;"
    r"([^;]*);([^;]*);([^;]*);([^;]*);(.*)"
)
_CERTIFICATE = re.compile(r"(?:^|;)cert=([A-Za-z0-9+/=]+)")
_SUBJECT = re.compile(r"(?:^|;)subjectdn=([^;]*)")
_REASON = re.compile(r"(?i)revocation ?reason[ :='\"]*(-?\d+)")
_HOLD = "6"  # CRLReason certificateHold


def is_ejbca_audit(text: str) -> bool:
    """Whether the beginning of a file holds a line of EJBCA's audit log."""
    return "cesecore" in text and any(_EVENT.search(line) for line in text.splitlines())


class AuditLog:
    """Reads one audit log; everything but creation and revocation is counted."""

    def __init__(self, table: Table, context: CollectContext, draft: SnapshotDraft) -> None:
        self._table, self._draft, self._as_of = table, draft, context.declared.as_of
        self._rows = IssuanceRows(table, context, draft, complete=False, revocation=False)
        self._issuers: dict[str, str] = {}  # CA id -> issuer name
        self._revoked: list[tuple[int, str, str, Stated]] = []  # of CA ids not met yet
        self._others = 0

    def read(self) -> None:
        for place, line in enumerate(self._table.lines(), 1):
            found = _EVENT.search(line)
            if found is None:
                if ";CERT_CREATION;" in line or ";CERT_REVOKED;" in line:
                    reason = "an audit line about a certificate that cannot be read"
                    self._table.tell(place, reason, "audit-line", line.encode("utf-8", "surrogatepass"))
                else:
                    self._others += bool(line.strip())
                continue
            at = datetime.fromisoformat(found[1]).astimezone(UTC)
            self._rows.since = at if self._rows.since is None else min(self._rows.since, at)
            self._draft.speaks_until(at)
            if found[3] == "SUCCESS" and found[2] == "CERT_CREATION":
                self._created(place, at, found)
            elif found[3] == "SUCCESS" and found[2] == "CERT_REVOKED":
                self._ended(place, at, found)
            else:
                self._others += 1
        for place, ca, serial, stated in self._revoked:
            if (issuer := self._issuers.get(ca) or self._rows.known_issuer(None)) is None:
                self._table.tell(place, f"a revocation by CA {ca}, which this log does not name", "unknown-issuer", None)
            self._rows.stated(place, serial, issuer, stated)
        self._rows.finish()
        if self._rows.since is None:
            self._draft.speaks_until(self._as_of)
        if self._others:
            self._draft.note(f"{self._others} lines of {self._table.relative} are about other things than certificates")

    def _created(self, place: int, at: datetime, found: re.Match[str]) -> None:
        encoded, subject = _CERTIFICATE.search(found[8]), _SUBJECT.search(found[8])
        facts = None if encoded is None else self._rows.certificate(place, encoded[1].encode())
        if facts is not None and facts.issuer is not None:
            self._issuers[found[5]] = facts.issuer
        self._rows.issued(
            Issued(
                place,
                identifiers.serial_hex_text(found[6]),
                facts,
                issuer=self._issuers.get(found[5]),
                subject=subject[1] if subject is not None and subject[1] else None,
                issued_at=at,
                requester=found[7] or None,
            )
        )

    def _ended(self, place: int, at: datetime, found: re.Match[str]) -> None:
        """A revocation, or, under the same event, the end of a hold."""
        if (serial := identifiers.serial_hex_text(found[6])) is None:
            self._table.tell(place, "the entry names no serial number of a certificate", "no-serial", None)
            return
        reason = _REASON.search(found[8])
        if re.search(r"(?i)un-?revoke|reactivat", found[8]):
            status = CredentialStatus.VALID
        else:
            held = reason is not None and reason[1] == _HOLD
            status = CredentialStatus.SUSPENDED if held else CredentialStatus.REVOKED
        text = found[2] if reason is None else f"{found[2]} reason {reason[1]}"
        self._revoked.append((place, found[5], serial, Stated(status, text, at)))


def collect_ejbca_audit(table: Table, context: CollectContext, draft: SnapshotDraft) -> None:
    """The certificates an audit log tells of."""
    AuditLog(table, context, draft).read()
