"""Credentials: recorded with their keys, found, ended under the issuer that signed them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from tenure.model.access import Scope
from tenure.model.credentials import Credential, KeyState
from tenure.model.events import Cause, canonical, value_digest
from tenure.model.vocabulary import CredentialRole, DeviceState
from tenure.registry import tombstones
from tenure.registry.faults import ConflictError, NotFoundError, TombstonedError, UnknownReferenceError
from tenure.registry.keys import hold_keys
from tenure.registry.scoping import visible
from tenure.registry.tables.credentials import credential, former_key, public_key
from tenure.registry.tables.devices import device
from tenure.registry.work import Reading, Work

KIND = "credential"
NOT_ENDED = (KeyState.PRE_ACTIVE, KeyState.ACTIVE, KeyState.SUSPENDED)
GONE = tuple(state for state in DeviceState if state.gone)
_NAMES = [field.name for field in fields(Credential)]


def get(reading: Reading, scope: Scope, id: UUID) -> Credential:
    """Raises NotFoundError, also for a credential of a device the caller may not see; one of no device takes a whole scope."""
    found = select(credential).outerjoin(device, device.c.id == credential.c.device).where(credential.c.id == id)
    rows = reading.rows(found.where(visible(scope, device)))
    if not rows:
        raise NotFoundError(KIND, id)
    return _value(rows[0])


def of_device(reading: Reading, id: UUID) -> tuple[Credential, ...]:
    """Of all terms, oldest first; the device's visibility was asked before."""
    return tuple(map(_value, reading.rows(select(credential).where(credential.c.device == id).order_by(credential.c.id))))


def by_serial(reading: Reading, issuer: UUID, serial: str) -> Credential | None:
    """What an issuer gave out under a serial number: for answering whether it is revoked."""
    row = reading.row(select(credential).where(credential.c.issuer == issuer, credential.c.serial == serial))
    return None if row is None else _value(row)


def by_fingerprint(reading: Reading, fingerprint: bytes) -> tuple[Credential, ...]:
    """By SHA-256 of the certificate, or keyed digest of a secret; a secret may be shared."""
    return tuple(map(_value, reading.rows(select(credential).where(credential.c.fingerprint == fingerprint))))


def expiring(reading: Reading, scope: Scope, start: datetime, end: datetime, limit: int = 1000) -> tuple[Credential, ...]:
    """Those not ended whose life ends in the time given, by its end."""
    found = select(credential).outerjoin(device, device.c.id == credential.c.device)
    in_time = and_(credential.c.not_after >= start, credential.c.not_after < end, credential.c.state.in_(NOT_ENDED))
    ordered = found.where(in_time, visible(scope, device)).order_by(credential.c.not_after, credential.c.id)
    return tuple(map(_value, reading.rows(ordered.limit(limit))))


def shared_with_others(reading: Reading, id: UUID, keys: Collection[bytes]) -> frozenset[bytes]:
    """Of these keys and fingerprints, those in a credential, not ended, of another device that is not gone. One of an earlier
    term of that device is to end anyway, and cuts nobody off."""
    if not keys:
        return frozenset()
    present = and_(credential.c.state.in_(NOT_ENDED), credential.c.term == device.c.term)
    live = and_(present, credential.c.device != id, device.c.state.not_in(GONE))
    joined = select(credential.c.spki, credential.c.fingerprint).join(device, device.c.id == credential.c.device).where(live)
    rows = [
        *reading.rows(joined.where(credential.c.spki.in_(keys))),
        *reading.rows(joined.where(credential.c.fingerprint.in_(keys))),
    ]
    return frozenset(keys) & {key for row in rows for key in (row.spki, row.fingerprint)}


def former_keys(reading: Reading, id: UUID, term: int) -> frozenset[bytes]:
    """Keys of a device's earlier terms here, and operational ones of its life elsewhere: never again on this device."""
    here = select(credential.c.spki).where(credential.c.device == id, credential.c.term < term, credential.c.spki.is_not(None))
    elsewhere = select(former_key.c.spki).where(former_key.c.device == id)
    return frozenset(row.spki for found in (here, elsewhere) for row in reading.rows(found))


def refuse_former(work: Work, id: UUID, spkis: Collection[bytes]) -> None:
    """Keys of a life elsewhere, from the handover: part of the registration's event by its evidence."""
    work.insert(former_key, *({"device": id, "spki": spki} for spki in sorted(set(spkis))))


def record(work: Work, given: Credential, cause: Cause) -> Credential:
    """A new credential of a device whose row is held (or of none). Raises TombstonedError, ConflictError for a serial the issuer
    gave out before, UnknownReferenceError."""
    salt, given = work.salt(), replace(given, version=1)
    if given.spki is not None:
        hold_keys(work, [given.spki])
        if given.state in NOT_ENDED and tombstones.barring(work, [given.spki]):
            raise TombstonedError(given.spki)
        _know_key(work, given.spki, given.device)
    try:
        work.write(insert(credential).values(_row(given) | {"salt": salt}))
    except IntegrityError as error:
        if by_unique(error):
            raise ConflictError(KIND, given.serial, 1) from error
        raise UnknownReferenceError(KIND, given.id) from error
    _expiry(work, given.device)
    work.note(cause, KIND, str(given.id), None, value_digest(salt, given))
    return given


def change(work: Work, after: Credential, cause: Cause) -> Credential:
    """It becomes ``after``, whose version is the one that was read. An end is a record that outlives the database.

    Raises NotFoundError, and ConflictError: also when one that has ended is to live again.
    """
    row = work.row(select(credential).where(credential.c.id == after.id).with_for_update())
    if row is None:
        raise NotFoundError(KIND, after.id)
    before = _value(row)
    revived = before.ended_at is not None and after.ended_at is None
    if row.version != after.version or before.issuer != after.issuer or revived:
        raise ConflictError(KIND, after.id, after.version)
    now, salt = replace(after, version=after.version + 1), row.salt or b""
    work.write(update(credential).where(credential.c.id == after.id).values(_row(now)))
    _expiry(work, now.device)
    ended = before.ended_at is None and now.ended_at is not None
    records = (("revocation", canonical(replace(now, subject=None))),) if ended else ()  # shipped: no names of people
    work.note(cause, KIND, str(after.id), value_digest(salt, before), value_digest(salt, now), records)
    return now


def seen(work: Work, sightings: Sequence[tuple[UUID, datetime]]) -> None:
    """Notes when credentials were last seen in use: forwards only, no event, no new version."""
    for id, at in sorted(sightings):
        work.write(update(credential).where(credential.c.id == id, credential.c.last_seen < at).values(last_seen=at))


def by_unique(error: IntegrityError) -> bool:
    """Whether it was a row of the same key; if not, a reference. PostgreSQL has a code for it, SQLite a text."""
    return getattr(error.orig, "sqlstate", None) == "23505" or str(error.orig).startswith("UNIQUE")


def _know_key(work: Work, spki: bytes, owner: UUID | None) -> None:
    """The key's own row: whose alone it is, or that devices share it. The key is held."""
    row = work.row(select(public_key).where(public_key.c.spki == spki))
    if row is None:
        new = {"spki": spki, "algorithm": "", "state": KeyState.ACTIVE, "device": owner, "shared": False, "first_seen": work.at}
        work.insert(public_key, new)
    elif owner is not None and row.device not in (None, owner):
        work.write(update(public_key).where(public_key.c.spki == spki).values(device=None, shared=True))


def _expiry(work: Work, id: UUID | None) -> None:
    """Keeps the device's ``expires``: the end of the last operational credential it can use."""
    if id is None:
        return
    usable = and_(
        credential.c.device == device.c.id,
        credential.c.role == CredentialRole.OPERATIONAL,
        credential.c.state == KeyState.ACTIVE,
    )
    last = work.row(select(func.max(credential.c.not_after)).where(usable, credential.c.device == id))
    work.write(update(device).where(device.c.id == id).values(expires=last[0] if last else None))


def _row(value: Credential) -> dict[str, Any]:
    return {name: getattr(value, name) for name in _NAMES}


def _value(row: Row[Any]) -> Credential:
    return Credential(**{name: getattr(row, name) for name in _NAMES})


def alone(reading: Reading, spki: bytes, id: UUID) -> bool:
    """Whether no other device was ever recorded with this key."""
    others = exists().where(credential.c.spki == spki, credential.c.device != id)
    return not reading.connection.execute(select(others)).scalar_one()
