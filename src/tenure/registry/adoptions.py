"""What devices were adopted with: written once, looked up by, exported; gone with the description of a forgotten device."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update

from tenure.model.devices import VOLATILE
from tenure.model.events import Cause, value_digest
from tenure.model.vocabulary import CredentialKind, IdentifierKind
from tenure.registry.ledger_runs import slices
from tenure.registry.tables.adoption import adoption, device_identifier
from tenure.registry.tables.credentials import credential
from tenure.registry.tables.devices import hardware_root
from tenure.registry.work import Reading, Work

KIND = "adoption"


@dataclass(frozen=True, slots=True)
class StrongIdentifier:
    """A value that means one device, in the notation and within the scope that linking uses."""

    kind: IdentifierKind
    value: str
    scope: str = ""
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class Adoption:
    """A device taken over from a roll: what it is found again by, and the snapshots that showed it."""

    device: UUID
    identifiers: tuple[StrongIdentifier, ...]
    snapshots: tuple[bytes, ...]  # content ids
    left_service_at: datetime | None = None  # of one that came as gone
    at: datetime | None = field(default=None, metadata=VOLATILE)  # when it was adopted, once it is


def keep(work: Work, adopted: Sequence[Adoption], cause: Cause) -> None:
    """One event for each, whose evidence is the snapshots."""
    identifiers = []
    rows = []
    for each in adopted:
        salt = work.salt()
        row = {"device": each.device, "at": work.at, "snapshots": b"".join(each.snapshots)}
        rows.append(row | {"left_service_at": each.left_service_at, "salt": salt})
        identifiers += [
            {"device": each.device, "kind": i.kind, "value": i.value, "scope": i.scope, "raw": i.raw} for i in each.identifiers
        ]
        because = Cause(cause.verb, cause.reason, (*cause.evidence, *each.snapshots))
        work.note(because, KIND, str(each.device), None, value_digest(salt, each))
    work.insert(adoption, *rows)
    work.insert(device_identifier, *identifiers)


def holders(reading: Reading, wanted: Collection[StrongIdentifier]) -> dict[tuple[IdentifierKind, str, str], set[UUID]]:
    """Devices that were adopted with one of these."""
    found: defaultdict[tuple[IdentifierKind, str, str], set[UUID]] = defaultdict(set)
    table = device_identifier
    for some in slices(sorted({each.value for each in wanted})):
        for row in reading.rows(select(table).where(reading.among(table.c.value, some))):
            found[row.kind, row.value, row.scope].add(row.device)
    return found


def by_roots(reading: Reading, spkis: Collection[bytes]) -> dict[bytes, UUID]:
    """Whose these hardware roots are."""
    found: dict[bytes, UUID] = {}
    for some in slices(sorted(set(spkis))):
        wanted = select(hardware_root.c.spki, hardware_root.c.device).where(reading.among(hardware_root.c.spki, some))
        found |= {row.spki: row.device for row in reading.rows(wanted)}
    return found


def recorded(reading: Reading, ids: Sequence[UUID]) -> dict[UUID, set[tuple[CredentialKind, bytes]]]:
    """Kinds, with fingerprints and keys, of the credentials of these devices, of all terms."""
    found: defaultdict[UUID, set[tuple[CredentialKind, bytes]]] = defaultdict(set)
    wanted = select(credential.c.device, credential.c.kind, credential.c.fingerprint, credential.c.spki)
    for some in slices(sorted(set(ids))):
        for row in reading.rows(wanted.where(credential.c.device.in_(some))):
            found[row.device] |= {(row.kind, told) for told in (row.fingerprint, row.spki) if told is not None}
    return found


def of_devices(reading: Reading, ids: Sequence[UUID]) -> dict[UUID, Adoption]:
    """Those that were adopted."""
    identifiers: defaultdict[UUID, list[StrongIdentifier]] = defaultdict(list)
    table = device_identifier
    ordered = select(table).where(table.c.device.in_(ids)).order_by(table.c.device, table.c.kind, table.c.value, table.c.scope)
    for row in reading.rows(ordered) if ids else ():
        identifiers[row.device].append(StrongIdentifier(row.kind, row.value, row.scope, row.raw))
    kept = reading.rows(select(adoption).where(adoption.c.device.in_(ids))) if ids else ()
    return {
        row.device: Adoption(row.device, tuple(identifiers[row.device]), _unpacked(row.snapshots), row.left_service_at, row.at)
        for row in kept
    }


def erase(work: Work, device: UUID) -> None:
    """Identifiers go with what describes a device; which snapshots showed it stays, and tells nothing by itself."""
    work.write(delete(device_identifier).where(device_identifier.c.device == device))
    work.write(update(adoption).where(adoption.c.device == device).values(salt=None))


def _unpacked(packed: bytes) -> tuple[bytes, ...]:
    return tuple(packed[at : at + 32] for at in range(0, len(packed), 32))
