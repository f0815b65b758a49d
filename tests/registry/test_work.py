"""A unit of work is whole or not there, readers see one moment, and whoever is in the way is told apart from what is broken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import text

from tenure.model.access import EVERYTHING
from tenure.model.events import Cause, Event, private_digest
from tenure.registry import devices
from tenure.registry.faults import StoreBusyError, StoreDownError
from tenure.registry.opening import open_registry
from tenure.registry.registry import Registry
from tenure.registry.tables.devices import device as device_table
from tenure.registry.tables.ledger import event, event_text
from tenure.registry.work import World, counted, event_of
from tests.registry.healthy import BECAUSE, OPERATOR, a_device, change, new_id, put


class SlipError(Exception):
    """The caller's own."""


def test_a_change_that_fails_was_never_there(registry: Registry) -> None:
    def fail() -> None:
        with registry.change(OPERATOR) as work:
            work.note(BECAUSE, "thing", "1", None, None)
            work.write(device_table.delete())
            raise SlipError

    put(registry, a_device())
    with pytest.raises(SlipError):
        fail()
    with registry.read() as reading:
        assert (counted(reading, event), counted(reading, device_table)) == (1, 1)


def test_events_are_handed_out_as_they_were_written(registry: Registry) -> None:
    with registry.change(OPERATOR) as work:
        work.note(Cause("test", "why", (b"\1" * 32, b"\2" * 32)), "thing", "1", b"\3" * 32, None)
        assert work.events == []
    with registry.read() as reading:
        (row,) = reading.rows(event.select())
        (words,) = reading.rows(event_text.select())
    assert work.events == [event_of(row)]
    assert work.events[0].private_digest == private_digest(words.salt, "why")
    assert work.events[0].at == work.at


def test_a_reader_sees_one_moment(registry: Registry) -> None:
    given = a_device(name="before")
    put(registry, given)
    with registry.read() as reading:
        before = devices.get(reading, EVERYTHING, given.id)
        change(registry, given.id, name="after")
        assert devices.get(reading, EVERYTHING, given.id) == before
    with registry.read() as reading:
        assert devices.get(reading, EVERYTHING, given.id).name == "after"


@contextmanager
def impatient(database_url: str, world: World, **more: int) -> Iterator[Registry]:
    opened = open_registry(database_url, world, wait=0.2, **more)
    yield opened
    opened.close()


def test_who_waits_too_long_is_told_that_nothing_changed(registry: Registry, database_url: str, world: World) -> None:
    given = a_device()
    put(registry, given)
    with impatient(database_url, world) as other, registry.change(OPERATOR) as work:
        devices.hold(work, EVERYTHING, given.id)
        with pytest.raises(StoreBusyError, match="holds"):
            change(other, given.id, name="other")


def test_no_connection_left_is_busy_not_broken(registry: Registry, database_url: str, world: World) -> None:
    with (
        impatient(database_url, world, pool=1) as other,
        other.read(),
        pytest.raises(StoreBusyError, match="in use"),
        other.read(),
    ):
        pass


def test_a_database_that_fails_is_told_apart(registry: Registry) -> None:
    postgres = registry.engine.dialect.name == "postgresql"
    statement = "SELECT pg_terminate_backend(pg_backend_pid())" if postgres else "SELECT * FROM no_such_table"
    with pytest.raises(StoreDownError), registry.change(OPERATOR) as work:
        work.rows(text(statement))


def test_a_leaf_is_the_same_bytes_everywhere() -> None:
    """Nobody changes this by accident: every tree ever signed rests on it."""
    at = datetime(2026, 11, 1, 12, 0, 0, 5, tzinfo=UTC)
    given = Event(UUID(int=1), UUID(int=2), 3, at, "token:x", "retire", "device", "ä", b"\0" * 32, None, (b"\1" * 32,))
    assert given.leaf().decode() == (
        '{"actor":"token:x","after":null,"at":"2026-11-01T12:00:00.000005Z","before":"'
        + "00" * 32
        + '","evidence":["'
        + "01" * 32
        + '"],"id":"00000000-0000-0000-0000-000000000001","instance":"00000000-0000-0000-0000-000000000002",'
        '"private_digest":null,"sequence":3,"subject":"ä","subject_kind":"device","v":1,"verb":"retire"}'
    )


def test_ids_are_time_ordered() -> None:
    ids = [new_id() for _ in range(100)]
    assert ids == sorted(ids)
