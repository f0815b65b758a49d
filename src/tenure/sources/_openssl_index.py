"""The database of ``openssl ca`` (``index.txt``): one line per certificate issued, six fields apart by tabs.

Status letter, end of validity, revocation (``date[,reason[,argument]]``), serial in hex, file name (mostly ``unknown``),
subject. Dates are ASN.1 UTCTime (two-digit year, RFC 5280 4.1.2.5.1) or GeneralizedTime. A tab inside a field is written
with a backslash before it, a line that begins with ``#`` is a comment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tenure.model.identifiers import serial_hex_text
from tenure.model.vocabulary import CredentialStatus

_FIELD_END = re.compile(r"(?<!\\)\t")
_TIME = re.compile(r"(\d{10}|\d{12}|\d{14})(?:[.,]\d+)?(Z|[+-]\d{4})?")

_STATUS = {
    "V": CredentialStatus.VALID,
    "R": CredentialStatus.REVOKED,
    "E": CredentialStatus.EXPIRED,
    "S": CredentialStatus.SUSPENDED,
}
_REVOKED_REASONS = frozenset(
    r.casefold()
    for r in (
        "unspecified", "keyCompromise", "CACompromise", "affiliationChanged", "superseded", "cessationOfOperation",
        "privilegeWithdrawn", "AACompromise", "keyTime", "CAkeyTime",
    )
)  # fmt: skip
_HOLD_REASONS = frozenset(("certificatehold", "holdinstruction"))


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One line as far as it could be read; ``doubts`` are (code, reason) of what could not."""

    line: int
    status: CredentialStatus
    status_text: str
    serial_hex: str
    not_after: datetime | None
    revoked_at: datetime | None
    subject: str | None
    doubts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class IndexRefusal:
    """A line that tells of no certificate one could name."""

    line: int
    reason: str
    code: str


def asn1_time(text: str) -> datetime | None:
    """A UTCTime or GeneralizedTime with or without seconds; None for what is neither.

    Two-digit years from 50 are of the last century. A GeneralizedTime without zone, which DER does not allow, is UTC.
    """
    if (found := _TIME.fullmatch(text.strip())) is None:
        return None
    digits, zone = found.groups()
    if len(digits) == 14 or (len(digits) == 12 and digits[:2] in ("19", "20") and not _plausible(digits[2:])):
        year, rest = int(digits[:4]), digits[4:]
    else:
        year, rest = int(digits[:2]), digits[2:]
        year += 1900 if year >= 50 else 2000
    month, day, hour, minute, second = (int((rest + "00")[i : i + 2]) for i in range(0, 10, 2))
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        if zone and zone != "Z":
            offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
            moment -= offset if zone[0] == "+" else -offset
    except (ValueError, OverflowError):
        return None
    return moment


def _plausible(rest: str) -> bool:
    """Whether ten digits can be month, day, hour, minute and second."""
    month, day, hour, minute, second = (int(rest[i : i + 2]) for i in range(0, 10, 2))
    return 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 62


def read_line(number: int, text: str) -> IndexEntry | IndexRefusal | None:
    """One line of an index; None for an empty line or a comment."""
    if not text.strip() or text.startswith("#"):
        return None
    fields = [f.replace("\\\t", "\t") for f in _FIELD_END.split(text.rstrip("\r\n"))]
    if len(fields) != 6:
        return IndexRefusal(number, f"{len(fields)} fields apart by tabs, an index line has 6", "index-line")
    letter, end, revocation, serial, _, subject = fields
    if (serial_hex := serial_hex_text(serial)) is None:
        return IndexRefusal(number, f"{serial[:80]!r} is no serial in hex", "index-line")
    status, word, revoked_at, doubts = _state(letter, revocation)
    if (not_after := asn1_time(end)) is None:
        doubts.append(("index-date", f"{end[:80]!r} is no end of validity"))
    return IndexEntry(number, status, word, serial_hex, not_after, revoked_at, subject or None, tuple(doubts))


def _state(letter: str, revocation: str) -> tuple[CredentialStatus, str, datetime | None, list[tuple[str, str]]]:
    """Status, the index's own words for it, when it was revoked, and what is doubtful about them."""
    doubts: list[tuple[str, str]] = []
    date, _, reason = revocation.partition(",")
    status = _STATUS.get(letter, CredentialStatus.UNKNOWN)
    if status is CredentialStatus.UNKNOWN:
        doubts.append(("unknown-status", f"the status {letter[:20]!r} is none of V, R, E and S"))
    word = f"{letter} {reason}".strip()[:200]
    if letter != "R":
        if revocation:
            doubts.append(("index-line", f"a revocation ({revocation[:80]!r}) on a line whose status is {letter[:20]!r}"))
        return status, word, asn1_time(date), doubts
    plain = reason.partition(",")[0].strip().casefold()
    if plain in _HOLD_REASONS:
        status = CredentialStatus.SUSPENDED
    elif plain and plain not in _REVOKED_REASONS:
        doubts.append(("unknown-status", f"the revocation reason {reason[:80]!r} is none of openssl ca"))
    if (revoked_at := asn1_time(date)) is None:
        doubts.append(("index-date", f"{date[:80]!r} is no date of revocation"))
    return status, word, revoked_at, doubts
