"""One transaction: reading, or a unit of work whose changes and events are committed together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Executable,
    Insert,
    Row,
    Table,
    any_,
    bindparam,
    func,
    insert,
    literal,
    select,
    update,
)

from tenure.model.access import Actor
from tenure.model.events import Cause, Event, private_digest
from tenure.registry import gate
from tenure.registry.tables import ledger

SALT = 16


@dataclass(frozen=True, slots=True)
class World:
    """What the registry needs of the world, as arguments."""

    now: Callable[[], datetime]  # aware, to the microsecond
    ids: Callable[[], UUID]  # UUIDv7
    entropy: Callable[[int], bytes]


@dataclass(slots=True)
class Reading:
    """One consistent view of the registry. Closed, it answers nothing any more."""

    connection: Connection

    @property
    def postgres(self) -> bool:
        return self.connection.dialect.name == "postgresql"

    def rows(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        return self.connection.execute(statement, parameters).all()

    def among(self, column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
        """Whether it is one of these. PostgreSQL gets one array: hundreds of parameters cost more to send than to look up."""
        if self.postgres:
            return column == any_(literal(list(values), ARRAY(column.type)))
        return column.in_(values)

    def row(self, statement: Executable) -> Row[Any] | None:
        return self.connection.execute(statement).first()


@dataclass(frozen=True, slots=True)
class _Noted:
    cause: Cause
    subject_kind: str
    subject: str
    before: bytes | None
    after: bytes | None
    text: tuple[bytes, str] | None
    records: tuple[tuple[str, bytes], ...]

    def event(self, id: UUID, lane: UUID, sequence: int, at: datetime, actor: str) -> Event:
        cause, text = self.cause, self.text
        named = (sha256(content).digest() for _, content in self.records)
        evidence = (*cause.evidence, *(digest for digest in named if digest != self.after))
        private = private_digest(*text) if text else None
        about = (cause.verb, self.subject_kind, self.subject, self.before, self.after)
        return Event(id, lane, sequence, at, actor, *about, evidence, private)


@dataclass(slots=True)
class Work(Reading):
    """A unit of work. Whoever writes a row notes its event here; the two are one transaction."""

    actor: Actor
    at: datetime  # one moment for all it changes
    world: World
    events: list[Event] = field(default_factory=list)  # after the commit: as they were written
    _noted: list[_Noted] = field(default_factory=list)

    def salt(self) -> bytes:
        return self.world.entropy(SALT)

    def write(self, statement: Executable, parameters: Sequence[Mapping[str, Any]] | None = None) -> int:
        """How many rows an update or delete touched; of an insert nothing is known."""
        return self.connection.execute(statement, parameters).rowcount

    def insert(self, table: Table, *rows: Mapping[str, Any]) -> None:
        if rows:
            self.connection.execute(_into(table), list(rows))

    def note(
        self,
        cause: Cause,
        subject_kind: str,
        subject: str,
        before: bytes | None,
        after: bytes | None,
        records: tuple[tuple[str, bytes], ...] = (),
    ) -> None:
        """One event. ``records`` are what must survive the database: kind and content, whose SHA-256 the event names."""
        text = (self.salt(), cause.reason) if cause.reason else None
        self._noted.append(_Noted(cause, subject_kind, subject, before, after, text, records))

    def settle(self) -> None:
        """Writes the noted events: the last step before the commit, so that a lane is held as short as can be.

        The lane's row is locked until the commit, so its sequences have no gaps and are committed in their order; writers
        on PostgreSQL take different lanes and do not wait for one another. Ids are made while the lane is held, so that
        within a lane they rise with the sequence.
        """
        if not self._noted:
            return
        lane, last = self._lane(len(self._noted))
        first = last - len(self._noted) + 1
        actor = self.actor.text
        written = [noted.event(self.world.ids(), lane, number, self.at, actor) for number, noted in enumerate(self._noted, first)]
        self.insert(ledger.event, *map(event_row, written))
        both = list(zip(written, self._noted, strict=True))
        self.insert(
            ledger.event_text, *({"event": e.id, "salt": n.text[0], "text": n.text[1], "at": e.at} for e, n in both if n.text)
        )
        self.insert(
            ledger.ledger_record,
            *(
                {"event": e.id, "kind": k, "instance": lane, "sequence": e.sequence, "content": c}
                for e, n in both
                for k, c in n.records
            ),
        )
        self.events.extend(written)
        self._noted.clear()

    def _lane(self, count: int) -> tuple[UUID, int]:
        """A lane nobody else holds, its sequence moved on by ``count``. There are about as many lanes as writers at the peak."""
        if found := self.connection.execute(_TAKE_LANE, {"count": count}).first():
            return found.id, found.sequence
        gate.pass_through(self)
        new = self.world.ids()
        self.insert(ledger.instance, {"id": new, "created_at": self.at, "sequence": count})
        return new, count


@cache
def _into(table: Table) -> Insert:
    return insert(table)


_LANE = ledger.instance
_FREE = select(_LANE.c.id).where(_LANE.c.closed_at.is_(None)).order_by(_LANE.c.id).limit(1).with_for_update(skip_locked=True)
_TAKE_LANE = (
    update(_LANE)
    .where(_LANE.c.id == _FREE.scalar_subquery())
    .values(sequence=_LANE.c.sequence + bindparam("count", type_=BigInteger))
    .returning(_LANE.c.id, _LANE.c.sequence)
)
"""Built once: building it cost more than running it."""


def event_row(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "instance": event.instance,
        "sequence": event.sequence,
        "at": event.at,
        "actor": event.actor,
        "verb": event.verb,
        "subject_kind": event.subject_kind,
        "subject": event.subject,
        "before": event.before,
        "after": event.after,
        "evidence": b"".join(event.evidence),
        "private_digest": event.private_digest,
    }


def event_of(row: Row[Any]) -> Event:
    packed: bytes = row.evidence
    return Event(
        row.id,
        row.instance,
        row.sequence,
        row.at,
        row.actor,
        row.verb,
        row.subject_kind,
        row.subject,
        row.before,
        row.after,
        tuple(packed[i : i + 32] for i in range(0, len(packed), 32)),
        row.private_digest,
    )


def counted(reading: Reading, table: Table) -> int:
    """How many rows a table has: a full scan, for checks and tests."""
    return reading.connection.execute(select(func.count()).select_from(table)).scalar_one()
