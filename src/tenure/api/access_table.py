"""Who may: the one table. Route -> permission -> roles. What does not stand here is refused, and fails at start-up.

A role is held in areas (an owner, a trust domain, or both). A permission with ``whole`` is about things that belong to
no one owner, so it needs the role everywhere. ``docs/api-access.md`` is made from this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tenure.model.access import Actor, Role, Scope


@dataclass(frozen=True, slots=True)
class Grant:
    """Who holds a permission, and whether the role must be held everywhere."""

    text: str
    roles: frozenset[Role]
    whole: bool = False


_READERS = frozenset(Role)
_WORKERS = frozenset({Role.OPERATOR, Role.ADMIN})
_WATCHERS = frozenset({Role.AUDITOR, Role.ADMIN})


class Permission(Enum):
    """What can be permitted. Deciding on an approval is no admin's by itself: the second pair of eyes is a role of its own."""

    READ_DEVICES = Grant("read devices and what hangs on them", _READERS)
    OPERATE_DEVICES = Grant("change devices by verbs", _WORKERS)
    READ_PARTIES = Grant("read owners, sites, trust domains and classes in reach", _READERS)
    CHANGE_SITES = Grant("change sites", _WORKERS)
    CHANGE_PARTIES = Grant("change owners, trust domains and classes", frozenset({Role.ADMIN}), whole=True)
    READ_APPROVALS = Grant("read requests that need a second person", _READERS)
    DECIDE_APPROVALS = Grant("approve or refuse what another person asked for", frozenset({Role.APPROVER}))
    READ_EVENTS = Grant("read events and their proofs", _WATCHERS)
    READ_LEDGER = Grant("read checkpoints, which show how many events there are", _WATCHERS, whole=True)
    READ_TOKENS = Grant("read who may: tokens and their roles", _WATCHERS)
    CHANGE_TOKENS = Grant("make and revoke tokens within one's own reach", frozenset({Role.ADMIN}))
    READ_FINDINGS = Grant("read findings of scheduled audits", _READERS, whole=True)
    DECIDE_FINDINGS = Grant("acknowledge, suppress and assign findings", _WORKERS, whole=True)
    READ_METRICS = Grant("read figures of the server", _WATCHERS, whole=True)

    def scope(self, actor: Actor) -> Scope:
        """Where the actor holds it; no area: nowhere."""
        return actor.scope(self.value.roles)


class Open(Enum):
    """Routes that ask nobody who they are."""

    PUBLIC = "public"


Entry = Permission | Open
Access = dict[tuple[str, str], Entry]

V1 = "/api/v1"
ACCESS: Access = {
    ("GET", "/healthz"): Open.PUBLIC,
    ("GET", "/readyz"): Open.PUBLIC,
    ("GET", "/problems/{slug}"): Open.PUBLIC,
    ("GET", f"{V1}/openapi.json"): Open.PUBLIC,
    ("GET", "/metrics"): Permission.READ_METRICS,
}


def permitted(actor: Actor, permission: Permission) -> Scope | None:
    """Where an actor may use a permission; None: not at all."""
    scope = permission.scope(actor)
    if not scope.areas or (permission.value.whole and not scope.whole):
        return None
    return scope
