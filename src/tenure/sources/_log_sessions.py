"""Session rows of a log, gathered by column and written in batches: a log has millions of them."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import Final, TypeAlias

import pyarrow as pa

from tenure.evidence.snapshot import SnapshotDraft

BATCH: Final = 65_536
OPEN_AT_ONCE: Final = 1_000_000  # sessions kept waiting for their end; the oldest beyond that are written as not ended

_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}", re.ASCII)


Session: TypeAlias = tuple[
    int, int | None, str | None, str | None, int | None, str, str | None, str, bytes | None, str | None, str | None, str | None,
    str, str,
]  # fmt: skip
"""A session as a broker's or cloud's log tells it: started, ended (microseconds since 1970), end_reason, address, port,
outcome, outcome_text, subject_kind, sha256, principal, user_name, client_id, protocol, origin. There are millions: a tuple."""


_COLUMNS: Final = (
    ("started_at", pa.int64()), ("ended_at", pa.int64()), ("end_reason", pa.string()), ("address", pa.string()),
    ("port", pa.int64()), ("outcome", pa.string()), ("outcome_text", pa.string()), ("subject_kind", pa.string()),
    ("sha256", pa.binary(32)), ("principal", pa.string()), ("user_name", pa.string()), ("client_id", pa.string()),
    ("protocol", pa.string()), ("origin", pa.string()),
)  # fmt: skip


class SessionRows:
    """Takes sessions of one relying party in the order in which they are told of, and writes them to a draft."""

    def __init__(self, draft: SnapshotDraft, relying_party: str) -> None:
        self._draft, self._relying_party = draft, relying_party
        self._rows: list[Session] = []

    def add(self, session: Session) -> None:
        self._rows.append(session)
        if len(self._rows) >= BATCH:
            self.flush()

    def flush(self) -> None:
        if not self._rows:
            return
        columns = {
            name: pa.array(values, kind) for (name, kind), values in zip(_COLUMNS, zip(*self._rows, strict=True), strict=True)
        }
        party = pa.repeat(pa.scalar(self._relying_party, pa.string()), len(self._rows))
        self._draft.add_columns("session", {"relying_party": party, **columns})
        self._rows.clear()


def address(text: str) -> str | None:
    """An IP address in one notation (IPv4 in IPv6 as IPv4); None for what is none."""
    if _IPV4.fullmatch(text):
        return text
    if ":" not in text:
        return None
    try:
        found = IPv6Address(text)
    except ValueError:
        return None
    return str(found.ipv4_mapped or found)
