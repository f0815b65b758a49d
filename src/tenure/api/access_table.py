"""Who may: the one table. Route -> permission -> roles. What does not stand here is refused, and fails at start-up.

A role is held in areas (an owner, a trust domain, or both). A permission with ``whole`` is about things that belong to
no one owner, so it needs the role everywhere. ``docs/api-access.md`` is made from this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tenure.lifecycle.approval import APPROVING
from tenure.lifecycle.transitions import TABLE
from tenure.model.access import Actor, Role, Scope
from tenure.model.devices import Verb


@dataclass(frozen=True, slots=True)
class Grant:
    """Who holds a permission, and whether the role must be held everywhere."""

    text: str
    roles: frozenset[Role]
    whole: bool = False


_READERS = frozenset(Role)
_WORKERS = frozenset({Role.OPERATOR, Role.ADMIN})
_WATCHERS = frozenset({Role.AUDITOR, Role.ADMIN})
_ADMINS = frozenset({Role.ADMIN})


class Permission(Enum):
    """What can be permitted beside the verbs of devices, whose roles stand in ``lifecycle.transitions``."""

    READ_SELF = Grant("read who one is", _READERS)
    READ_DEVICES = Grant("read devices and what hangs on them", _READERS)
    READ_PARTIES = Grant("read owners, sites, trust domains and device classes", _READERS)
    CHANGE_PARTIES = Grant("make and end owners, sites, trust domains and device classes", _ADMINS, whole=True)
    READ_APPROVALS = Grant("read requests that need a second person", _READERS)
    ASK_APPROVAL = Grant("ask for the consent of a second person", _WORKERS)
    DECIDE_APPROVALS = Grant("approve or refuse what another person asked for", APPROVING)
    READ_EVENTS = Grant("read events of devices", _WATCHERS)
    READ_LEDGER = Grant("read all events, their proofs, and checkpoints, which tell how many there are", _WATCHERS, whole=True)
    READ_TOKENS = Grant("read tokens and people, and their roles", _WATCHERS, whole=True)
    CHANGE_TOKENS = Grant("make and revoke tokens, add people", _ADMINS, whole=True)
    READ_FINDINGS = Grant("read findings of scheduled audits", _READERS)
    DECIDE_FINDINGS = Grant("acknowledge, suppress and assign findings", _WORKERS)
    READ_WEBHOOKS = Grant("read who outside is told of events, and what was not delivered", _WATCHERS, whole=True)
    CHANGE_WEBHOOKS = Grant("add, pause and remove webhooks, send again", _ADMINS, whole=True)
    READ_METRICS = Grant("read figures of the server", _WATCHERS, whole=True)


class Open(Enum):
    """Routes that ask nobody who they are."""

    PUBLIC = "public"


Guarded = Permission | Verb
Entry = Guarded | Open
Access = dict[tuple[str, str], Entry]


def grant_of(entry: Guarded) -> Grant:
    """What an entry asks. Roles for a verb stand in the table of verbs and nowhere else."""
    if isinstance(entry, Permission):
        return entry.value
    return Grant(f"{entry.value} devices", TABLE[entry].roles)


def permitted(actor: Actor, entry: Guarded) -> Scope | None:
    """Where an actor may use a route; None: nowhere."""
    grant = grant_of(entry)
    scope = actor.scope(grant.roles)
    return scope if scope.whole or (scope.areas and not grant.whole) else None


V1 = "/api/v1"
ACCESS: Access = {
    ("GET", "/healthz"): Open.PUBLIC,
    ("GET", "/readyz"): Open.PUBLIC,
    ("GET", f"{V1}/keys"): Open.PUBLIC,
    ("GET", "/problems/{slug}"): Open.PUBLIC,
    ("GET", f"{V1}/openapi.json"): Open.PUBLIC,
    ("GET", "/metrics"): Permission.READ_METRICS,
    ("GET", f"{V1}/me"): Permission.READ_SELF,
    ("GET", f"{V1}/tokens"): Permission.READ_TOKENS,
    ("POST", f"{V1}/tokens"): Permission.CHANGE_TOKENS,
    ("GET", f"{V1}/tokens/{{token}}"): Permission.READ_TOKENS,
    ("POST", f"{V1}/tokens/{{token}}/revoke"): Permission.CHANGE_TOKENS,
    ("POST", f"{V1}/people"): Permission.CHANGE_TOKENS,
    ("GET", f"{V1}/people/{{person}}"): Permission.READ_TOKENS,
    ("POST", f"{V1}/people/{{person}}/end"): Permission.CHANGE_TOKENS,
    ("GET", f"{V1}/devices"): Permission.READ_DEVICES,
    ("GET", f"{V1}/devices/{{device}}"): Permission.READ_DEVICES,
    ("GET", f"{V1}/devices/by-root/{{spki}}"): Permission.READ_DEVICES,
    ("GET", f"{V1}/devices/by-serial"): Permission.READ_DEVICES,
    ("GET", f"{V1}/devices/{{device}}/credentials"): Permission.READ_DEVICES,
    ("GET", f"{V1}/devices/{{device}}/obligations"): Permission.READ_DEVICES,
    ("GET", f"{V1}/devices/{{device}}/events"): Permission.READ_EVENTS,
    ("GET", f"{V1}/events"): Permission.READ_LEDGER,
    ("GET", f"{V1}/events/{{event}}"): Permission.READ_LEDGER,
    ("GET", f"{V1}/events/{{event}}/proof"): Permission.READ_LEDGER,
    ("GET", f"{V1}/ledger/checkpoint"): Permission.READ_LEDGER,
    ("GET", f"{V1}/obligations"): Permission.READ_DEVICES,
    ("GET", f"{V1}/obligations/{{obligation}}"): Permission.READ_DEVICES,
    ("GET", f"{V1}/findings"): Permission.READ_FINDINGS,
    ("GET", f"{V1}/findings/{{finding}}"): Permission.READ_FINDINGS,
    **{
        ("POST", f"{V1}/findings/{{finding}}/{verb}"): Permission.DECIDE_FINDINGS
        for verb in ("acknowledge", "suppress", "assign", "withdraw")
    },
    ("GET", f"{V1}/webhooks"): Permission.READ_WEBHOOKS,
    ("POST", f"{V1}/webhooks"): Permission.CHANGE_WEBHOOKS,
    ("GET", f"{V1}/webhooks/{{webhook}}"): Permission.READ_WEBHOOKS,
    ("GET", f"{V1}/webhooks/{{webhook}}/dead"): Permission.READ_WEBHOOKS,
    **{
        ("POST", f"{V1}/webhooks/{{webhook}}/{verb}"): Permission.CHANGE_WEBHOOKS
        for verb in ("resend", "pause", "resume", "remove")
    },
    ("GET", f"{V1}/approvals"): Permission.READ_APPROVALS,
    ("GET", f"{V1}/approvals/{{approval}}"): Permission.READ_APPROVALS,
    ("POST", f"{V1}/devices"): Verb.REGISTER,
    **{
        ("POST", f"{V1}/devices/{{device}}/{verb.value}"): verb
        for verb in Verb
        if verb not in (Verb.REGISTER, Verb.OFFER, Verb.ACCEPT, Verb.CANCEL)
    },
    ("GET", f"{V1}/transfers"): Permission.READ_DEVICES,
    ("GET", f"{V1}/transfers/{{offer}}"): Permission.READ_DEVICES,
    ("GET", f"{V1}/transfers/{{offer}}/statements"): Permission.READ_DEVICES,
    ("POST", f"{V1}/transfers"): Verb.OFFER,
    ("POST", f"{V1}/transfers/{{offer}}/accept"): Verb.ACCEPT,
    ("POST", f"{V1}/transfers/{{offer}}/cancel"): Verb.CANCEL,
    ("POST", f"{V1}/approvals"): Permission.ASK_APPROVAL,
    ("POST", f"{V1}/approvals/{{approval}}/approve"): Permission.DECIDE_APPROVALS,
    ("POST", f"{V1}/approvals/{{approval}}/refuse"): Permission.DECIDE_APPROVALS,
    **{
        (method, f"{V1}/{word}{rest}"): permission
        for word in ("owners", "sites", "trust-domains", "device-classes")
        for method, rest, permission in (
            ("GET", "", Permission.READ_PARTIES),
            ("POST", "", Permission.CHANGE_PARTIES),
            ("GET", "/{id}", Permission.READ_PARTIES),
            ("PATCH", "/{id}", Permission.CHANGE_PARTIES),
            ("POST", "/{id}/end", Permission.CHANGE_PARTIES),
        )
    },
}
