"""Devices written: each insert and change with its event, its custody and its roots, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from tenure.model.devices import Device, HardwareRoot
from tenure.model.events import Cause, value_digest
from tenure.registry import adoptions, custody, tombstones
from tenure.registry.device_rows import device_row, root_row
from tenure.registry.devices import Held
from tenure.registry.faults import ConflictError, RootTakenError, TombstonedError, UnknownReferenceError
from tenure.registry.keys import hold_keys
from tenure.registry.ledger_runs import slices
from tenure.registry.tables.credentials import credential
from tenure.registry.tables.devices import device, hardware_root
from tenure.registry.tables.enforcement import obligation
from tenure.registry.tables.ledger import event, event_text
from tenure.registry.work import Work

KIND = "device"


def insert_device(work: Work, value: Device, cause: Cause) -> Device:
    """A device that was not here before. Raises RootTakenError, TombstonedError, UnknownReferenceError; then nothing stays."""
    salt = work.salt()
    value = in_order(value)
    try:
        work.write(insert(device).values(device_row(value, salt)))
    except IntegrityError as error:
        raise UnknownReferenceError(KIND, value.id) from error
    _add_roots(work, value.id, value.roots)
    custody.pass_on(work, None, value, cause.verb)
    work.note(cause, KIND, str(value.id), None, value_digest(salt, value))
    return value


def change_device(work: Work, held: Held, after: Device, cause: Cause) -> Device:
    """A held device becomes ``after``, at the next version. Raises what ``insert_device`` does, and ConflictError.

    A forgotten device loses its salt and the texts of its events with its description: what the ledger keeps of it are
    digests that nobody can guess back.
    """
    before = held.device
    after = replace(after, id=before.id, version=before.version + 1, roots=_sorted(after.roots))
    salt = None if after.forgotten_at else held.salt or work.salt()
    changed = update(device).where(device.c.id == before.id, device.c.version == before.version)
    try:
        touched = work.write(changed.values(device_row(after, salt)))
    except IntegrityError as error:
        raise UnknownReferenceError(KIND, before.id) from error
    if not touched:
        raise ConflictError(KIND, before.id, before.version)
    _change_roots(work, before, after)
    custody.pass_on(work, before, after, cause.verb)
    if after.forgotten_at and not before.forgotten_at:
        erase_texts(work, before.id)
        adoptions.erase(work, before.id)
    work.note(cause, KIND, str(before.id), value_digest(held.salt, before), value_digest(salt or b"", after))
    return after


def erase_texts(work: Work, id: UUID) -> None:
    """Empties what people wrote in the events of a device, its credentials, obligations and tombstones: salt and text go, the
    events stay."""
    of_it = [select(table.c.id).where(table.c.device == id) for table in (credential, obligation)]
    subjects = {str(id), *(str(row.id) for found in of_it for row in work.rows(found))}
    subjects |= {stone.spki.hex() for stone in tombstones.of_device(work, id)}
    for some in slices(sorted(subjects)):
        theirs = select(event.c.id).where(work.among(event.c.subject, some))
        work.write(delete(event_text).where(event_text.c.event.in_(theirs)))


def _change_roots(work: Work, before: Device, after: Device) -> None:
    """Roots that came, that went (with a forgotten device: its tombstones bar them), and that are proved better than before."""
    was, now = {root.spki: root for root in before.roots}, {root.spki: root for root in after.roots}
    if gone := was.keys() - now.keys():
        work.write(delete(hardware_root).where(hardware_root.c.device == before.id, hardware_root.c.spki.in_(gone)))
    for spki in now.keys() & was.keys():
        if now[spki] != was[spki]:
            work.write(update(hardware_root).where(hardware_root.c.spki == spki).values(root_row(before.id, now[spki])))
    _add_roots(work, before.id, [root for spki, root in now.items() if spki not in was])


def _add_roots(work: Work, id: UUID, roots: Sequence[HardwareRoot]) -> None:
    """Roots of this device and no other. Which of the two refusals comes says nothing about whose the root is."""
    hold_keys(work, [root.spki for root in roots])
    if barred := tombstones.barring(work, [root.spki for root in roots]):
        raise TombstonedError(barred[0].spki)
    for root in roots:
        try:
            work.write(insert(hardware_root).values(root_row(id, root)))
        except IntegrityError as error:
            raise RootTakenError(root.spki) from error


def in_order(value: Device) -> Device:
    """A device as it is first written: the same value whatever the order its roots came in."""
    return replace(value, version=1, roots=_sorted(value.roots))


def _sorted(roots: Sequence[HardwareRoot]) -> tuple[HardwareRoot, ...]:
    return tuple(sorted(roots, key=lambda root: root.spki))
