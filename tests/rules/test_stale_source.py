"""stale-source: a source older than its agreed age."""

from __future__ import annotations

from tests.rules.world import World

RULE = "stale-source"


def test_older_than_agreed(world: World) -> None:
    source = world.source("cmdb", speaks_as_of=world.ago(45), age_days=45.0, max_age_days=30.0, stale=True)
    (row,) = world.run(RULE)
    assert row["finding"] == row["subject_source"] == source
    assert (row["kind"], row["age_days"], row["agreed_age_days"]) == ("cmdb", 45.0, 30.0)
    assert (row["speaks_until"], row["since"]) == (world.ago(45), world.ago(15))


def test_within_its_age_or_without_one(world: World) -> None:
    world.source("cmdb", speaks_as_of=world.ago(29), age_days=29.0)
    world.source("device-classes", speaks_as_of=None, age_days=None, max_age_days=None)
    assert world.run(RULE) == []
