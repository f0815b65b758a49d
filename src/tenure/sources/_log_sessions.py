"""Session rows of a log, gathered by column and written in batches: a log has millions of them."""

from __future__ import annotations

from typing import Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from tenure.evidence.snapshot import SnapshotDraft

BATCH: Final = 65_536
OPEN_AT_ONCE: Final = 1_000_000  # sessions kept waiting for their end; the oldest beyond that are written as not ended

Session: TypeAlias = tuple[
    int, int | None, str | None, str | None, int | None, str, str | None, str, bytes | None, str | None, str | None, str | None,
    str, str, int,
]  # fmt: skip
"""A session as a broker's or cloud's log tells it: started, ended (microseconds since 1970), end_reason, address, port,
outcome, outcome_text, subject_kind, sha256, principal, user_name, client_id, protocol, file, line. There are millions: a
tuple, and the origin is put together by column."""

_COLUMNS: Final = (
    ("started_at", pa.int64()), ("ended_at", pa.int64()), ("end_reason", pa.string()), ("address", pa.string()),
    ("port", pa.int64()), ("outcome", pa.string()), ("outcome_text", pa.string()), ("subject_kind", pa.string()),
    ("sha256", pa.binary(32)), ("principal", pa.string()), ("user_name", pa.string()), ("client_id", pa.string()),
    ("protocol", pa.string()),
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
        *columns, files, lines = zip(*self._rows, strict=True)
        arrays = {name: pa.array(values, kind) for (name, kind), values in zip(_COLUMNS, columns, strict=True)}
        size = len(self._rows)
        numbers = pc.cast(pa.array(lines, pa.int64()), pa.string())
        origins = pc.binary_join_element_wise(pa.array(files, pa.string()), numbers, _repeated("#", size))
        party = _repeated(self._relying_party, size)
        self._draft.add_columns("session", {"relying_party": party, **arrays, "origin": origins})
        self._rows.clear()


def _repeated(text: str, size: int) -> pa.StringArray:
    return pa.repeat(pa.scalar(text, pa.string()), size)
