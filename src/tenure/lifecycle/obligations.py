"""Obligations as rules: which evidence closes which, when an open one is overdue, and the check that closes one.

Our own word closes nothing. A canary shows that a point acts on what it was given, the point's state that this identity is
part of it: only together they say that a certificate is refused there. Expiry closes what is bounded by time, once it is over.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import InitVar, dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from tenure.model.obligations import EvidenceKind, Obligation, ObligationEvidence, ObligationKind, ObligationState

_E = EvidenceKind
_SEAL = object()


@dataclass(frozen=True, slots=True)
class Closing:
    """How obligations of one kind end."""

    by: tuple[frozenset[EvidenceKind], ...]  # any one of these sets, whole
    due: timedelta  # after this an open one is a finding
    expires: bool  # what it is about ends by itself where its end is known


def _closing(by: str, days: int, *, expires: bool = False) -> Closing:
    return Closing(tuple(frozenset(map(EvidenceKind, kinds.split("+"))) for kinds in by.split()), timedelta(days=days), expires)


CLOSING: Mapping[ObligationKind, Closing] = MappingProxyType(
    {
        ObligationKind.END_CREDENTIAL: _closing("canary-refused+target-state target-refused", 1, expires=True),
        ObligationKind.REFUSE_BIRTH: _closing("target-refused target-state", 7),
        ObligationKind.CUT_OFF: _closing("target-state target-refused", 1, expires=True),
        ObligationKind.CLOSE_SESSIONS: _closing("target-state", 1),
        ObligationKind.END_GRANT: _closing("target-state target-refused", 7, expires=True),
        ObligationKind.END_DELEGATION: _closing("target-state target-refused", 7, expires=True),
        ObligationKind.END_REGISTRATION: _closing("target-state", 7),
        ObligationKind.REVIEW_ANCHOR: _closing("target-state statement", 30),
        ObligationKind.REPLACE_KEY: _closing("target-state", 30),
        ObligationKind.WIPE_DATA: _closing("statement target-state", 30),
        ObligationKind.STATE_HANDOVER: _closing("statement", 7),
    }
)


def closers(kind: ObligationKind, bounded_until: datetime | None) -> frozenset[frozenset[EvidenceKind]]:
    """What a new obligation says of its own end."""
    rule = CLOSING[kind]
    by_time = {frozenset({_E.EXPIRED})} if rule.expires and bounded_until is not None else set()
    return frozenset({*rule.by, *by_time})


@dataclass(frozen=True, slots=True)
class Closed:
    """The token that closing takes: the obligation as it becomes, and the evidence it rests on. Only ``judged`` makes one."""

    seal: InitVar[object]
    obligation: Obligation
    rests_on: tuple[ObligationEvidence, ...]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("an obligation is closed by evidence, not by hand")


@dataclass(frozen=True, slots=True)
class StillOpen:
    """What is missing, and what came and does not count."""

    missing: frozenset[frozenset[EvidenceKind]]  # any one of these
    discounted: tuple[tuple[ObligationEvidence, str], ...]  # with the reason


def judged(
    obligation: Obligation, evidence: Collection[ObligationEvidence], now: datetime, *, point_lied: bool = False
) -> Closed | StillOpen:
    """Whether the evidence closes an open obligation. ``point_lied``: the party was seen to accept and not to act."""
    verdicts = [(item, _discount(item, obligation, now, point_lied)) for item in evidence]
    good = tuple(item for item, why in verdicts if not why)
    shown = {item.kind for item in good}
    if obligation.state is ObligationState.OPEN:
        for kinds in sorted(obligation.closed_by, key=sorted):
            if kinds and kinds <= shown:
                after = replace(obligation, state=ObligationState.CLOSED, settled_at=now)
                return Closed(_SEAL, after, tuple(item for item in good if item.kind in kinds))
    missing = frozenset(kinds - shown for kinds in obligation.closed_by)
    return StillOpen(missing, tuple((item, why) for item, why in verdicts if why))


def _discount(item: ObligationEvidence, obligation: Obligation, now: datetime, point_lied: bool) -> str:
    """Why a piece of evidence does not count; empty if it does."""
    if item.obligation != obligation.id:
        return "it is about another obligation"
    if item.at > now:
        return "it is from the future"
    if item.kind is _E.EXPIRED:
        over = obligation.bounded_until is not None and obligation.bounded_until <= item.at
        return "" if over else "nothing has expired by then"
    if item.at < obligation.opened_at:
        return "it is older than the change"
    if item.kind is _E.TARGET_STATE and point_lied:
        return "this point was seen to accept and not to act"
    return ""
