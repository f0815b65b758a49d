"""The gate after a restore: while a gap is open, no event is written, so nothing is issued, activated or changed.

Shutting it closes every lane. A writer then finds none, and asks the gate before it makes a new one: a healthy registry pays
nothing for this. A lane that was closed stays so, and its sequences are given out once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import insert, select, text, update

from tenure.registry.faults import UnsettledError
from tenure.registry.tables.ledger import instance
from tenure.registry.tables.restore import restore_gap

if TYPE_CHECKING:
    from tenure.registry.work import Reading, Work

_LANES = 0x74656E75726533  # the advisory lock of who makes lanes and who closes them all


@dataclass(frozen=True, slots=True)
class OpenGap:
    """What a restored database lacks: the entries from ``known`` up to ``outside``, as the checkpoint ``note`` has them."""

    id: UUID
    known: int
    outside: int
    note: bytes
    forked: bool  # its own entries are not those outside


def open_gap(reading: Reading) -> OpenGap | None:
    """None: nothing stands in the way."""
    row = reading.row(select(restore_gap).where(restore_gap.c.settled_at.is_(None)))
    return None if row is None else OpenGap(row.id, row.known, row.outside, row.note, row.forked)


def pass_through(work: Work) -> None:
    """Asked before a lane is made, and by what writes no event yet must not be done. Raises UnsettledError."""
    if work.postgres:
        work.connection.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": _LANES})
    if open_gap(work) is not None:
        raise UnsettledError


def shut(work: Work, known: int, outside: int, note: bytes, *, forked: bool) -> OpenGap:
    """Closes all lanes for good and opens a gap, or widens the one that is open. Waits for writers that are under way."""
    if work.postgres:
        work.connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LANES})
    work.write(update(instance).where(instance.c.closed_at.is_(None)).values(closed_at=work.at))
    found = open_gap(work)
    gap = OpenGap(found.id if found else work.world.ids(), min(known, found.known) if found else known, outside, note, forked)
    values = {"known": gap.known, "outside": outside, "note": note, "forked": forked}
    if found:
        work.write(update(restore_gap).where(restore_gap.c.id == gap.id).values(values))
    else:
        work.write(insert(restore_gap).values(values | {"id": gap.id, "found_at": work.at}))
    return gap


def reopen(work: Work, gap: OpenGap, outcome: str) -> None:
    """From here on this transaction may write events; others once it is committed."""
    work.write(update(restore_gap).where(restore_gap.c.id == gap.id).values(settled_at=work.at, outcome=outcome))
