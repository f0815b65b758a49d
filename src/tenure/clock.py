"""Time as an argument: RFC 3339 instants in UTC, and the one place that reads the wall clock."""

from __future__ import annotations

from datetime import UTC, datetime

from tenure.errors import TenureError


def now() -> datetime:
    """The present moment in UTC, to the second. Faces call it once and pass the value on."""
    return datetime.now(UTC).replace(microsecond=0)


def instant(text: str) -> datetime:
    """An RFC 3339 date-time (or a bare date, midnight UTC) as an aware UTC datetime.

    Raises TenureError when the text is neither, or names no offset.
    """
    try:
        moment = datetime.fromisoformat(text.strip().replace("z", "Z"))
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:  # the first and the last day have no UTC in every zone
        raise TenureError(f"not a time: {text!r}", "write RFC 3339, for example 2026-11-01T00:00:00Z") from error
    if len(text.strip()) > len("2026-11-01"):
        raise TenureError(f"no offset in {text!r}", "add Z or an offset such as +02:00")
    return moment.replace(tzinfo=UTC)


def rfc3339(moment: datetime) -> str:
    """The instant as RFC 3339 in UTC with ``Z``; fractions only where there are some."""
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")
