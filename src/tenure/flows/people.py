"""People who answer for tokens and approve: added, found, and ended, which ends every token they answer for."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from tenure.model.access import Actor, Person
from tenure.model.events import Cause
from tenure.registry import people
from tenure.registry.registry import Registry


def add(registry: Registry, actor: Actor, name: str, contact: str, subject: str | None, reason: str) -> Person:
    """Raises NameTakenError for a subject of the identity provider that is somebody else's."""
    with registry.change(actor) as work:
        person = Person(registry.world.ids(), name, contact, work.at, subject)
        people.add_person(work, person, Cause("add", reason))
    return person


def get(registry: Registry, id: UUID) -> Person:
    """Raises NotFoundError."""
    with registry.read() as reading:
        return people.get_person(reading, id)


def end(registry: Registry, actor: Actor, id: UUID, reason: str) -> Person:
    """They answer for nothing any more; the doors refuse their tokens from now on. Again is no error. Raises NotFoundError."""
    with registry.change(actor) as work:
        before = people.get_person(work, id)
        if before.ended_at is not None:
            return before
        return people.change_person(work, replace(before, ended_at=work.at), Cause("end", reason))
