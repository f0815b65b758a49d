"""Numbers that only rise, also over a restore: of CRLs, for each issuer and shard.

Each number given out is a record that is shipped with its event. What was given out in the last seconds before a database was
lost may not have been shipped; so a restore leaves ``MARGIN`` numbers out, far more than those seconds can have used.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import select, update

from tenure.model.events import Cause, canonical, value_digest
from tenure.registry.tables.restore import high_water
from tenure.registry.upserts import insert_if_absent
from tenure.registry.work import Work

KIND = "high-water"
MARGIN = 1_000_000


@dataclass(frozen=True, slots=True)
class HighWater:
    """The last number given out under a name."""

    name: str
    value: int


def next_number(work: Work, name: str, cause: Cause) -> int:
    """One more than ever before under this name; the first is 1. Two who ask at once get two numbers."""
    insert_if_absent(work, high_water, {"name": name, "value": 0})
    raised = update(high_water).where(high_water.c.name == name).values(value=high_water.c.value + 1)
    value: int = work.connection.execute(raised.returning(high_water.c.value)).scalar_one()
    now = HighWater(name, value)
    work.note(cause, KIND, name, None, value_digest(b"", now), ((KIND, canonical(now)),))
    return value


def carry_over(work: Work, shipped: dict[str, int]) -> None:
    """After a restore: every number goes on ``MARGIN`` above all that this database or the shelf knows of it."""
    for name in shipped:
        insert_if_absent(work, high_water, {"name": name, "value": 0})
    for row in work.rows(select(high_water)):
        value = max(row.value, shipped.get(row.name, 0)) + MARGIN
        work.write(update(high_water).where(high_water.c.name == row.name).values(value=value))


def high_water_in(content: bytes) -> HighWater:
    """The value of a shipped record."""
    form = json.loads(content)
    return HighWater(form["name"], form["value"])
