"""Problems of logs, bounded: a log of ten million lines that nobody understands must not become ten million rows.

Lines of one shape (the text with numbers and long hex words taken out) are told one by one up to ``EACH``; the rest of
them become one row that keeps where they begin, how many they are and the hash of the first. Nothing goes uncounted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tenure.evidence.snapshot import SnapshotDraft

EACH: Final = 1_000
ALL: Final = 100_000  # told one by one over all shapes together
SHAPES: Final = 10_000  # kept apart; what has yet another shape is counted as one more

_VARIABLE = re.compile(r"[0-9A-Fa-f]{8,}|\d+")
_OTHER: Final = "..."


@dataclass(slots=True)
class _Rest:
    file: str
    place: str
    reason: str
    data: bytes
    count: int = 0


class LineProblems:
    """Writes problems of lines to a draft; ``close`` writes the rows that sum up the rest."""

    def __init__(self, draft: SnapshotDraft) -> None:
        self._draft = draft
        self._seen: dict[tuple[str, str, str], int] = {}
        self._rest: dict[tuple[str, str, str], _Rest] = {}
        self._told = 0
        self.total = 0

    def add(self, file: str, line: int, code: str, reason: str, text: str) -> None:
        """A line (counted from 1) that could not be read. ``text`` may hold surrogates in place of bytes that are no text."""
        self.total += 1
        data = text.encode("utf-8", "surrogateescape")
        key = (file, code, _VARIABLE.sub("#", text[:200]))
        if key not in self._seen and len(self._seen) >= SHAPES:
            key = (file, code, _OTHER)
        seen = self._seen[key] = self._seen.get(key, 0) + 1
        if seen <= EACH and self._told < ALL:
            self._told += 1
            self._draft.problem(file, f"line {line}", reason, code, data)
            return
        rest = self._rest.get(key)
        if rest is None:
            rest = self._rest[key] = _Rest(file, f"line {line}", reason, data)
        rest.count += 1

    def close(self) -> None:
        for (_, code, shape), rest in self._rest.items():
            kind = "of further shapes" if shape == _OTHER else "of this shape"
            reason = f"{rest.reason}; {rest.count} more lines {kind} from here on"
            self._draft.problem(rest.file, rest.place, reason, code, rest.data)
        self._rest.clear()
