"""The name of a registry: its oldest lane, which stays for as long as it has a history, after a restore too."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from tenure.registry.faults import RegistryError
from tenure.registry.tables.ledger import instance
from tenure.registry.work import Reading


def home(reading: Reading) -> UUID:
    """Raises RegistryError before the first event."""
    oldest = select(instance.c.id).order_by(instance.c.id).limit(1)  # PostgreSQL 15 has no min() of UUIDs
    found: UUID | None = reading.connection.execute(oldest).scalar_one_or_none()
    if found is None:
        raise RegistryError("nothing has happened in this registry yet", "make an owner first")
    return found
