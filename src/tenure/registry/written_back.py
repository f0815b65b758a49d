"""Events of a gap written back as they were, without a place: the ledger then gives them the places they had."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, insert, select, update

from tenure.model.events import Event
from tenure.registry.ledger_runs import open_lanes
from tenure.registry.tables.ledger import event, instance, ledger_record
from tenure.registry.upserts import insert_if_absent, upsert
from tenure.registry.work import Work, event_row


@dataclass(frozen=True, slots=True)
class Shipped:
    """An event as the shelf has it, with the records it made (kind, content)."""

    event: Event
    records: tuple[tuple[str, bytes], ...]


def move_aside(work: Work, gap: Collection[UUID]) -> int:
    """Events without a place that are none of the gap's go to a lane of their own: somebody wrote them after the restore, under
    numbers that others had first. Nobody outside has seen them. Answers how many; all lanes are closed."""
    aside: list[UUID] = []
    for lane, following in open_lanes(work):
        rows = work.rows(select(event.c.id).where(event.c.instance == lane, event.c.sequence >= following))
        aside += [row.id for row in rows if row.id not in gap]
    if not aside:
        return 0
    lane = work.world.ids()
    work.insert(instance, {"id": lane, "created_at": work.at, "closed_at": work.at, "sequence": len(aside)})
    for number, id in enumerate(sorted(aside), 1):
        place = {"instance": lane, "sequence": number}
        work.write(update(event).where(event.c.id == id).values(place))
        work.write(update(ledger_record).where(ledger_record.c.event == id).values(place))
    return len(aside)


def write_back(work: Work, shipped: Iterable[Shipped]) -> None:
    """Events of the gap in their order, under their own ids, lanes and numbers. What is there already becomes what was shipped:
    it had no place yet, so nothing but the shelf vouches for it."""
    lanes: set[UUID] = set()
    for each in shipped:
        if (lane := each.event.instance) not in lanes:
            insert_if_absent(work, instance, {"id": lane, "created_at": work.at, "closed_at": work.at, "sequence": 0})
            lanes.add(lane)
        row = event_row(each.event)
        if not work.write(update(event).where(event.c.id == each.event.id).values(row)):
            work.write(insert(event).values(row))
        place = {"event": each.event.id, "instance": lane, "sequence": each.event.sequence}
        for kind, content in each.records:
            upsert(work, ledger_record, place | {"kind": kind, "content": content})
    last = select(func.max(event.c.sequence)).where(event.c.instance == instance.c.id).scalar_subquery()
    work.write(update(instance).values(sequence=func.coalesce(last, 0)))
