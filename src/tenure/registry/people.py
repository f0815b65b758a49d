"""People, the tokens that act for them, and the roles both hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from tenure.model.access import Area, Person, RoleAssignment, Token
from tenure.model.events import Cause, value_digest
from tenure.registry.credentials import by_unique
from tenure.registry.faults import ConflictError, NameTakenError, NotFoundError, UnknownReferenceError
from tenure.registry.tables.access import person, role_assignment, token
from tenure.registry.work import Reading, Work

USE_NOTED = timedelta(hours=1)
"""How exactly the last use of a token is known: one write an hour for each, not one a request."""

_PERSON = [field.name for field in fields(Person)]
_TOKEN = [field.name for field in fields(Token) if field.name != "assignments"]


def get_person(reading: Reading, id: UUID) -> Person:
    """Raises NotFoundError."""
    return _one_person(reading, person.c.id == id, id)


def by_subject(reading: Reading, subject: str) -> tuple[Person, tuple[RoleAssignment, ...]]:
    """Whoever an identity provider vouches for, with their roles. Raises NotFoundError."""
    found = _one_person(reading, person.c.subject == subject, subject)
    return found, tuple(_assignments(reading, [found.id])[found.id])


def add_person(work: Work, given: Person, cause: Cause, assignments: Sequence[RoleAssignment] = ()) -> None:
    """Raises NameTakenError for a subject that is somebody else's."""
    salt = work.salt()
    try:
        work.write(insert(person).values({name: getattr(given, name) for name in _PERSON} | {"salt": salt, "version": 1}))
    except IntegrityError as error:
        raise NameTakenError("person", given.subject or "") from error
    work.note(cause, "person", str(given.id), None, value_digest(salt, replace(given, version=1)))
    _assign(work, given.id, assignments, cause)


def change_person(work: Work, after: Person, cause: Cause) -> Person:
    """Raises NotFoundError, ConflictError. A person who has ended keeps the row: events name its id."""
    row = work.row(select(person).where(person.c.id == after.id).with_for_update())
    if row is None:
        raise NotFoundError("person", after.id)
    if row.version != after.version:
        raise ConflictError("person", after.id, after.version)
    now, salt = replace(after, version=after.version + 1), row.salt or b""
    work.write(update(person).where(person.c.id == after.id).values({name: getattr(now, name) for name in _PERSON}))
    work.note(cause, "person", str(after.id), value_digest(salt, _person(row)), value_digest(salt, now))
    return now


def roles_of(reading: Reading, holder: UUID) -> tuple[RoleAssignment, ...]:
    """Those a person or token holds now."""
    return tuple(_assignments(reading, [holder])[holder])


def get_token(reading: Reading, id: UUID) -> Token | None:
    """With its roles: for the door, which answers alike whatever is wrong."""
    return next(iter(_tokens(reading, reading.rows(select(token).where(token.c.id == id)))), None)


def token_by_certificate(reading: Reading, sha256: bytes) -> Token | None:
    return next(iter(_tokens(reading, reading.rows(select(token).where(token.c.certificate == sha256)))), None)


def listed_tokens(reading: Reading, after: UUID | None = None, limit: int = 100) -> tuple[Token, ...]:
    """By id, behind ``after``."""
    found = select(token).order_by(token.c.id).limit(limit)
    return _tokens(reading, reading.rows(found if after is None else found.where(token.c.id > after)))


def add_token(work: Work, given: Token, cause: Cause) -> None:
    """Raises NameTakenError for a certificate that is another token's, UnknownReferenceError for a person who is not there."""
    salt = work.salt()
    try:
        work.write(insert(token).values({name: getattr(given, name) for name in _TOKEN} | {"salt": salt, "version": 1}))
    except IntegrityError as error:
        raise (NameTakenError("token", given.name) if by_unique(error) else UnknownReferenceError("token", given.id)) from error
    work.note(cause, "token", str(given.id), None, value_digest(salt, replace(given, version=1)))
    _assign(work, given.id, given.assignments, cause, noted=True)


def end_token(work: Work, id: UUID, cause: Cause) -> None:
    """Ends it now and for good; again is no error. Raises NotFoundError."""
    row = work.row(select(token).where(token.c.id == id).with_for_update())
    if row is None:
        raise NotFoundError("token", id)
    if row.ended_at is not None:
        return
    before = _tokens(work, [row])[0]
    now, salt = replace(before, ended_at=work.at, version=before.version + 1), row.salt or b""
    work.write(update(token).where(token.c.id == id).values(ended_at=work.at, version=now.version))
    work.note(cause, "token", str(id), value_digest(salt, before), value_digest(salt, now))


def token_used(work: Work, id: UUID) -> None:
    """Notes that it was used, if that was not noted lately. No event."""
    stale = or_(token.c.last_used.is_(None), token.c.last_used < work.at - USE_NOTED)
    work.write(update(token).where(token.c.id == id, stale).values(last_used=work.at))


def last_used(reading: Reading, ids: Collection[UUID]) -> dict[UUID, datetime]:
    rows = reading.rows(select(token.c.id, token.c.last_used).where(token.c.id.in_(ids), token.c.last_used.is_not(None)))
    return {row.id: row.last_used for row in rows}


def any_token(reading: Reading) -> bool:
    """Whether there ever was one: the first start makes the first."""
    return reading.row(select(token.c.id).limit(1)) is not None


def _assign(work: Work, holder: UUID, given: Sequence[RoleAssignment], cause: Cause, *, noted: bool = False) -> None:
    """Roles of a new holder. A token's are part of its own event."""
    for each in given:
        id = work.world.ids()
        row = {"id": id, "holder": holder, "role": each.role, "since": work.at}
        try:
            work.write(insert(role_assignment).values(row | {"owner": each.area.owner, "trust_domain": each.area.trust_domain}))
        except IntegrityError as error:
            raise UnknownReferenceError("role", id) from error
        if not noted:
            work.note(cause, "role", f"{holder}", None, value_digest(b"", each))


def assign(work: Work, holder: UUID, given: RoleAssignment, cause: Cause) -> None:
    """One more role for a person."""
    _assign(work, holder, [given], cause)


def unassign(work: Work, holder: UUID, given: RoleAssignment, cause: Cause) -> None:
    """Takes a role away. Raises NotFoundError when the holder does not have it."""
    c = role_assignment.c
    same = (
        c.holder == holder,
        c.role == given.role,
        c.owner.is_not_distinct_from(given.area.owner),
        c.trust_domain.is_not_distinct_from(given.area.trust_domain),
        c.ended_at.is_(None),
    )
    if not work.write(update(role_assignment).where(*same).values(ended_at=work.at)):
        raise NotFoundError("role", given.role)
    work.note(cause, "role", f"{holder}", value_digest(b"", given), None)


def _assignments(reading: Reading, holders: Collection[UUID]) -> defaultdict[UUID, list[RoleAssignment]]:
    found: defaultdict[UUID, list[RoleAssignment]] = defaultdict(list)
    held = select(role_assignment).where(role_assignment.c.holder.in_(holders), role_assignment.c.ended_at.is_(None))
    for row in reading.rows(held.order_by(role_assignment.c.id)) if holders else ():
        found[row.holder].append(RoleAssignment(row.role, Area(row.owner, row.trust_domain)))
    return found


def _tokens(reading: Reading, rows: Sequence[Row[Any]]) -> tuple[Token, ...]:
    roles = _assignments(reading, [row.id for row in rows])
    return tuple(Token(**{name: getattr(row, name) for name in _TOKEN}, assignments=tuple(roles[row.id])) for row in rows)


def _one_person(reading: Reading, which: ColumnElement[bool], named: object) -> Person:
    row = reading.row(select(person).where(which))
    if row is None:
        raise NotFoundError("person", named)
    return _person(row)


def _person(row: Row[Any]) -> Person:
    return Person(**{name: getattr(row, name) for name in _PERSON})
