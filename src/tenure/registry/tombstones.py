"""Tombstones: what retired or lost hardware and its keys leave behind. Nothing here removes one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, or_, select, update

from tenure.model.devices import Tombstone, TombstoneKind
from tenure.model.events import Cause, canonical, value_digest
from tenure.registry.keys import hold_keys
from tenure.registry.tables.devices import tombstone
from tenure.registry.work import Reading, Work

KIND = "tombstone"


def barring(reading: Reading, spkis: Collection[bytes]) -> tuple[Tombstone, ...]:
    """Those among these keys that hold now. To decide on the answer, take ``hold_keys`` first."""
    if not spkis:
        return ()
    holds = or_(tombstone.c.kind == TombstoneKind.KEY, tombstone.c.returned_at.is_(None))
    return _stones(
        reading.rows(select(tombstone).where(reading.among(tombstone.c.spki, list(spkis)), holds).order_by(tombstone.c.id))
    )


def of_device(reading: Reading, device: UUID) -> tuple[Tombstone, ...]:
    """All that a device left, of all terms, oldest first."""
    return _stones(reading.rows(select(tombstone).where(tombstone.c.device == device).order_by(tombstone.c.id)))


def bury(work: Work, stones: Collection[Tombstone], cause: Cause) -> None:
    """Writes tombstones. Each is an event whose record is shipped with the ledger: a restored backup does not bring it back."""
    hold_keys(work, [stone.spki for stone in stones])
    for stone in stones:
        work.insert(tombstone, {"id": work.world.ids(), **_row(stone)})
        _note(work, cause, None, stone)


def lift(work: Work, stones: Collection[Tombstone], cause: Cause) -> None:
    """Notes on tombstones of roots that the hardware came back by a return; they stay as its history."""
    hold_keys(work, [stone.spki for stone in stones])
    for stone in stones:
        same = (
            tombstone.c.spki == stone.spki,
            tombstone.c.device == stone.device,
            tombstone.c.term == stone.term,
            tombstone.c.kind == TombstoneKind.ROOT,
        )
        was = _stones(work.rows(select(tombstone).where(*same)))
        work.write(update(tombstone).where(*same).values(returned_at=stone.returned_at))
        for before in was:
            _note(work, cause, before, stone)


def _note(work: Work, cause: Cause, before: Tombstone | None, after: Tombstone) -> None:
    was = None if before is None else value_digest(b"", before)
    record = ("tombstone", canonical(after))
    work.note(cause, KIND, after.spki.hex(), was, value_digest(b"", after), (record,))


def _row(stone: Tombstone) -> dict[str, Any]:
    return {
        "spki": stone.spki,
        "kind": stone.kind,
        "device": stone.device,
        "term": stone.term,
        "state": stone.state,
        "at": stone.at,
        "returned_at": stone.returned_at,
    }


def _stones(rows: Sequence[Row[Any]]) -> tuple[Tombstone, ...]:
    return tuple(Tombstone(r.spki, r.kind, r.device, r.term, r.state, r.at, r.returned_at) for r in rows)
