"""Owners, sites, trust domains and device classes: what a caller may see of them, and changes with their events."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from tenure.model.access import Actor, Scope
from tenure.model.events import Cause
from tenure.model.parties import DeviceClass, Owner, Party, Site, TrustDomain
from tenure.registry import parties
from tenure.registry.faults import ConflictError, NotFoundError
from tenure.registry.registry import Registry

P = TypeVar("P", Owner, Site, TrustDomain, DeviceClass)


def within(scope: Scope, kind: type[Party]) -> frozenset[UUID] | None:
    """Which of a kind a scope lets one see: None is all. Of sites, those of these owners.

    An owner shows only to whom an area names it: owners are tenants. An area of one owner in every trust domain shows all
    trust domains, because that owner's devices may be put into any. Device classes are makes of devices, and no secret.
    """
    if scope.whole or kind is DeviceClass:
        return None
    if kind is TrustDomain:
        named = {area.trust_domain for area in scope.areas}
        return None if None in named else frozenset(d for d in named if d is not None)
    return frozenset(area.owner for area in scope.areas if area.owner is not None)


def get(registry: Registry, scope: Scope, kind: type[P], id: UUID) -> P:
    """Raises NotFoundError: foreign is the same as none."""
    with registry.read() as reading:
        found = parties.get(reading, kind, id)
    only = within(scope, kind)
    if only is not None and _place(found) not in only:
        raise NotFoundError(parties.TABLES[kind].name, id)
    return found


def page(registry: Registry, scope: Scope, kind: type[P], after: UUID | None, limit: int) -> tuple[P, ...]:
    """By id, behind ``after``."""
    with registry.read() as reading:
        return parties.listed(reading, kind, after, limit, within(scope, kind))


def add(registry: Registry, actor: Actor, kind: type[P], what: dict[str, Any], reason: str) -> P:
    """A new one. Raises NameTakenError where a name is one of a kind, UnknownReferenceError."""
    with registry.change(actor) as work:
        value = kind(id=registry.world.ids(), created_at=work.at, **what)
        parties.add(work, value, Cause("add", reason))
    return value


def change(
    registry: Registry, actor: Actor, kind: type[P], id: UUID, version: int | None, what: dict[str, Any], reason: str
) -> P:
    """The fields named become what they are given. ``version``: on which the caller decided; None: whatever it is now.

    Raises NotFoundError, ConflictError, NameTakenError, UnknownReferenceError.
    """
    return _become(registry, actor, kind, id, version, what, Cause("change", reason))


def end(registry: Registry, actor: Actor, kind: type[P], id: UUID, version: int | None, at: datetime, reason: str) -> P:
    """It is not to be used for anything new. What refers to it stays."""
    return _become(registry, actor, kind, id, version, {"ended_at": at}, Cause("end", reason))


def _become(
    registry: Registry, actor: Actor, kind: type[P], id: UUID, version: int | None, what: dict[str, Any], cause: Cause
) -> P:
    with registry.change(actor) as work:
        before = parties.get(work, kind, id)
        if version is not None and before.version != version:
            raise ConflictError(parties.TABLES[kind].name, id, version)
        after = replace(before, **what)
        return before if after == before else parties.change(work, after, cause)


def _place(party: Party) -> UUID | None:
    return party.owner if isinstance(party, Site) else party.id
