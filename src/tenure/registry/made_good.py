"""What ended in a gap, ended again: tombstones, credentials, tokens, people and roles as the shelf has them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Table, select

from tenure.model.access import EVERYTHING
from tenure.model.credentials import Credential
from tenure.model.devices import Tombstone
from tenure.model.events import Cause, value_digest
from tenure.registry import credentials, people, tombstones
from tenure.registry.faults import NotFoundError
from tenure.registry.tables.credentials import credential, issuer
from tenure.registry.tables.devices import device, tombstone
from tenure.registry.work import Work


def bury_missing(work: Work, stones: Iterable[Tombstone], cause: Cause) -> None:
    """Tombstones that are not here. One that a return had lifted bars again: the return is not known here, and is done anew."""
    missing = []
    for stone in stones:
        same = (tombstone.c.spki == stone.spki, tombstone.c.device == stone.device, tombstone.c.term == stone.term)
        if work.row(select(tombstone.c.id).where(*same)) is None:
            missing.append(replace(stone, returned_at=None))
    tombstones.bury(work, missing, cause)


def end_credential(work: Work, shipped: Credential, cause: Cause) -> bool:
    """Ends it as it was ended; one that was issued in the gap is recorded as ended, under the issuer that signed it. False when
    that issuer is not known here."""
    if _there(work, credential, shipped.id):
        current = credentials.get(work, EVERYTHING, shipped.id)
        if current.ended_at is None:
            after = replace(current, state=shipped.state, ended_at=shipped.ended_at, end_reason=shipped.end_reason)
            credentials.change(work, after, cause)
        return True
    if shipped.issuer is not None and not _there(work, issuer, shipped.issuer):
        return False
    known = shipped.device is not None and _there(work, device, shipped.device)
    credentials.record(work, shipped if known else replace(shipped, device=None), cause)
    return True


def end_token(work: Work, id: UUID, cause: Cause) -> bool:
    """False when it was made in the gap: then it is of no use here."""
    try:
        people.end_token(work, id, cause)
    except NotFoundError:
        return False
    return True


def end_person(work: Work, id: UUID, cause: Cause) -> bool:
    """False when they are not known here."""
    try:
        known = people.get_person(work, id)
    except NotFoundError:
        return False
    if known.ended_at is None:
        people.change_person(work, replace(known, ended_at=work.at), cause)
    return True


def take_role(work: Work, holder: UUID, held: bytes, cause: Cause) -> bool:
    """Takes away the role whose digest the entry names, where the holder has it."""
    for each in people.roles_of(work, holder):
        if value_digest(b"", each) == held:
            people.unassign(work, holder, each, cause)
            return True
    return False


def _there(work: Work, table: Table, id: UUID) -> bool:
    return work.row(select(table.c.id).where(table.c.id == id)) is not None
