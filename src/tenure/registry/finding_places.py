"""Whose a finding is: the one device of the registry it is about, where that is certain.

A serial, a name or an address is a claim, and shows nobody another's findings: a device is known by a hardware root, a
certificate or key by what the registry holds of the device in its present term. A finding about more than one device, or
with a subject that is not known here, is nobody's: only who may see everything sees it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, select

from tenure.model import identifiers
from tenure.model.findings import Subject
from tenure.registry.tables.credentials import credential
from tenure.registry.tables.devices import device, hardware_root
from tenure.registry.work import Reading

SLICE = 10_000  # values of one query: SQLite takes 32,766
V = TypeVar("V", str, bytes)


@dataclass(frozen=True, slots=True)
class Place:
    """The device a finding is about, and whose it is now."""

    device: UUID | None = None
    owner: UUID | None = None
    trust_domain: UUID | None = None


NOBODYS = Place()


def roll_id(root: bytes) -> str:
    """The id that the roll gives to a device it knows by this hardware key (SHA-256 of its SPKI)."""
    return "device-" + sha256(b"identifier hardware-key  " + root.hex().encode()).hexdigest()[:26]


def places(reading: Reading, about: Mapping[str, Sequence[Subject]]) -> dict[str, Place]:
    """For the subjects of each finding, by its id."""
    known = _known(reading, {subject for subjects in about.values() for subject in subjects})
    return {id: _one([known.get(subject, frozenset()) for subject in subjects]) for id, subjects in about.items()}


def _one(candidates: Sequence[frozenset[Place]]) -> Place:
    """The place where all subjects are known and are the same one device."""
    together = frozenset[Place]().union(*candidates)
    return next(iter(together)) if len(together) == 1 and all(candidates) else NOBODYS


def _known(reading: Reading, subjects: Collection[Subject]) -> dict[Subject, frozenset[Place]]:
    serials = {serial for s in subjects if s.kind == "device" and (serial := identifiers.serial(s.serial))}
    devices = _by_id(reading, serials)
    prints = _of_credentials(reading, credential.c.fingerprint, {d for s in subjects if (d := _digest(s.sha256))})
    keys = {d for s in subjects if (d := _digest(s.spki_sha256))}
    held = _of_credentials(reading, credential.c.spki, keys)
    for root, place in _of_roots(reading, keys):
        held[root].add(place)
    found: dict[Subject, frozenset[Place]] = {}
    for subject in subjects:
        if subject.kind == "device":
            found[subject] = frozenset(devices[subject.id])
        elif subject.kind in ("certificate", "key"):
            print_, key = _digest(subject.sha256), _digest(subject.spki_sha256)
            found[subject] = frozenset(prints[print_] if print_ else held[key] if key else ())
    return found


def _by_id(reading: Reading, serials: Collection[str]) -> defaultdict[str, set[Place]]:
    """Devices that claim one of these serials and have a hardware root, by each id the roll may know them under."""
    found: defaultdict[str, set[Place]] = defaultdict(set)
    rooted = _placed(hardware_root.c.spki).join(hardware_root, hardware_root.c.device == device.c.id)
    for row in _among(reading, rooted, device.c.serial_key, serials):
        found[roll_id(row[0])].add(_place(row))
    return found


def _of_credentials(reading: Reading, column: ColumnElement[Any], digests: Collection[bytes]) -> defaultdict[bytes, set[Place]]:
    found: defaultdict[bytes, set[Place]] = defaultdict(set)
    present = and_(credential.c.device == device.c.id, credential.c.term == device.c.term)
    for row in _among(reading, _placed(column).join(credential, present), column, digests):
        found[row[0]].add(_place(row))
    return found


def _of_roots(reading: Reading, digests: Collection[bytes]) -> Iterator[tuple[bytes, Place]]:
    rooted = _placed(hardware_root.c.spki).join(hardware_root, hardware_root.c.device == device.c.id)
    for row in _among(reading, rooted, hardware_root.c.spki, digests):
        yield row[0], _place(row)


def _placed(column: ColumnElement[Any]) -> Select[Any]:
    return select(column, device.c.id, device.c.owner, device.c.trust_domain).select_from(device)


def _place(row: Sequence[Any]) -> Place:
    return Place(row[1], row[2], row[3])


def _among(reading: Reading, found: Select[Any], column: ColumnElement[Any], values: Collection[V]) -> Iterator[Any]:
    for some in _slices(sorted(values)):
        yield from reading.rows(found.where(reading.among(column, some)))


def _slices(values: Sequence[V]) -> Iterator[Sequence[V]]:
    return (values[start : start + SLICE] for start in range(0, len(values), SLICE))


def _digest(text: str | None) -> bytes | None:
    """SHA-256 in hex; None for what is none."""
    try:
        found = bytes.fromhex(text or "")
    except ValueError:
        return None
    return found if len(found) == 32 else None
