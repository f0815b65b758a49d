"""Issuers that are nobody's here: who signed a credential that was adopted. What Tenure runs itself is issued elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from tenure.model.events import Cause, value_digest
from tenure.registry.keys import hold_keys
from tenure.registry.tables.credentials import issuer
from tenure.registry.work import Work

KIND = "issuer"
FOREIGN = "foreign"
"""State of an issuer that somebody else runs: its record of what it issued and revoked is not here."""


@dataclass(frozen=True, slots=True)
class ForeignIssuer:
    """Who signed, by name and key."""

    id: UUID
    name: str  # RFC 4514
    spki: bytes


def foreign(work: Work, name: str, spki: bytes, cause: Cause) -> UUID:
    """The issuer with this key, one of our own too; a foreign one is made where there is none. The key is held: two who look
    at once make one row."""
    hold_keys(work, [spki])
    row = work.row(select(issuer.c.id).where(issuer.c.spki == spki).order_by(issuer.c.id))
    if row is not None:
        return UUID(str(row.id))
    salt, new = work.salt(), ForeignIssuer(work.world.ids(), name, spki)
    told = {"id": new.id, "name": name, "spki": spki, "state": FOREIGN, "crl_number": 0}
    work.insert(issuer, told | {"created_at": work.at, "salt": salt, "version": 1})
    work.note(cause, KIND, str(new.id), None, value_digest(salt, new))
    return new.id
