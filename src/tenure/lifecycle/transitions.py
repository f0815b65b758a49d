"""The lifecycle as data: for each verb from which states to which, who may, and what it demands. ``docs/lifecycle.md`` shows it.

What a verb means beyond its row stands in the module of its kind (arrival, service, transfer, departure, comeback).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from tenure.model.access import Role
from tenure.model.devices import Verb
from tenure.model.vocabulary import DeviceState

_S = DeviceState
_OPERATING = frozenset({Role.OPERATOR, Role.ADMIN})

STATES = (_S.MANUFACTURED, _S.CLAIMED, _S.ACTIVE, _S.QUARANTINED, _S.TRANSFERRING, _S.LOST, _S.RETIRED)
"""Those the registry gives; the other words of the vocabulary are what foreign sources say."""


class Demand(StrEnum):
    """What must be shown before a verb is permitted."""

    FREE_ROOTS = "no root is another device's or tombstoned"
    OWNER = "an owner and a trust domain"
    NEW_KEY = "after a change of owner or a return: a credential with a key of this term"
    OPEN_OFFER = "an offer that is open"
    RECEIVER = "the receiver acts, in time"
    EITHER_PARTY = "giver or receiver acts, or the offer has ended"
    SUCCESSOR = "other hardware of the same owner, not yet in service"
    FRESH_ROOT = "fresh proof of a hardware root"
    SETTLED = "no obligation is open"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: a verb, and all that is asked of everybody who wants it."""

    verb: Verb
    sources: frozenset[DeviceState]  # empty: there is no device yet
    target: DeviceState | None  # None: where it was before the offer
    reason: bool  # a text is demanded
    demands: tuple[Demand, ...]
    roles: frozenset[Role]
    irreversible: bool  # no verb brings back what was; a return starts something new
    four_eyes: bool  # a second person approves this very request first


def _row(
    verb: Verb,
    sources: str,
    target: DeviceState | None,
    *demands: Demand,
    reason: bool = False,
    irreversible: bool = False,
    four_eyes: bool = False,
) -> Rule:
    return Rule(verb, frozenset(map(DeviceState, sources.split())), target, reason, demands, _OPERATING, irreversible, four_eyes)


_ANY_BUT_GONE = "manufactured claimed active quarantined transferring"
_D = Demand

_ROWS = (
    _row(Verb.REGISTER, "", _S.MANUFACTURED, _D.FREE_ROOTS),
    _row(Verb.CLAIM, "manufactured", _S.CLAIMED, _D.OWNER),
    _row(Verb.ACTIVATE, "claimed", _S.ACTIVE, _D.NEW_KEY),
    _row(Verb.QUARANTINE, "active transferring", _S.QUARANTINED, reason=True),
    _row(Verb.RELEASE, "quarantined", _S.ACTIVE, reason=True),
    _row(Verb.OFFER, "manufactured claimed active", _S.TRANSFERRING, _D.OWNER),
    _row(Verb.ACCEPT, "transferring", _S.CLAIMED, _D.OPEN_OFFER, _D.RECEIVER, irreversible=True),
    _row(Verb.CANCEL, "transferring", None, _D.OPEN_OFFER, _D.EITHER_PARTY),
    _row(Verb.REPLACE, "claimed active quarantined lost", _S.RETIRED, _D.SUCCESSOR, reason=True, irreversible=True),
    _row(Verb.REPORT_LOST, _ANY_BUT_GONE, _S.LOST, reason=True, irreversible=True),
    _row(Verb.RETURN, "lost retired", _S.CLAIMED, _D.FRESH_ROOT, reason=True, irreversible=True, four_eyes=True),
    _row(Verb.RETIRE, f"{_ANY_BUT_GONE} lost", _S.RETIRED, reason=True, irreversible=True),
    _row(Verb.FORGET, "retired", _S.RETIRED, _D.SETTLED, reason=True, irreversible=True, four_eyes=True),
)

TABLE: Mapping[Verb, Rule] = MappingProxyType({rule.verb: rule for rule in _ROWS})
