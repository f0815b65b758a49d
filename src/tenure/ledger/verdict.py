"""What a verification of the ledger says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID


class Deed(StrEnum):
    """What was done to the first row that is not what it was."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "re-ordered"


@dataclass(frozen=True, slots=True)
class BadRow:
    """The first row that is not what it was. ``found`` stands at its place now (None: nothing); ``was`` is the entry that
    got the place, where something outside still has it."""

    position: int
    deed: Deed
    found: UUID | None
    was: bytes | None

    def __str__(self) -> str:
        now = f"; event {self.found} stands there" if self.found else ""
        was = f"; it was {self.was.decode(errors='backslashreplace')}" if self.was else ""
        return f"the first row {self.deed} is that of place {self.position}{now}{was}"


@dataclass(frozen=True, slots=True)
class BadSpan:
    """The first bad row has a place in ``start`` to ``stop - 1``; no copy of the entries is left that could say which."""

    start: int
    stop: int

    def __str__(self) -> str:
        return f"the first bad row is among places {self.start} to {self.stop - 1}; only checkpoints vouch for these"


@dataclass(frozen=True, slots=True)
class Intact:
    """Every row gives what was signed."""

    def __str__(self) -> str:
        return "every row is what it was"


Finding: TypeAlias = Intact | BadRow | BadSpan


@dataclass(frozen=True, slots=True)
class Verdict:
    """``rows`` were read; up to ``vouched`` something outside the database speaks for them, the rest only the signature that
    lies in the database (with it somebody can still cut off the end). ``problems``: copies, signatures, tiles that are wrong."""

    rows: int
    vouched: int
    finding: Finding
    problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        return isinstance(self.finding, Intact) and not self.problems
