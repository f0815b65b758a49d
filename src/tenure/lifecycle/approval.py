"""Four eyes: one person asks, another one approves, and what was approved is done once, in time, to the letter."""

from __future__ import annotations

from dataclasses import InitVar, dataclass, replace
from datetime import datetime
from uuid import UUID

from tenure.clock import rfc3339
from tenure.lifecycle.verdict import Code, Refused
from tenure.model.access import Actor, Role
from tenure.model.approvals import Approval, ApprovalState

APPROVING = frozenset({Role.APPROVER, Role.ADMIN})
_SEAL = object()


@dataclass(frozen=True, slots=True)
class Approved:
    """A second person said yes to exactly this request, and it was not used yet. Only ``approved`` makes one."""

    seal: InitVar[object]
    id: UUID
    request_digest: bytes

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("an approval comes from its check, it is not made by hand")


def requested(actor: Actor) -> UUID | Refused:
    """The accountable person behind a request for four eyes."""
    return actor.person or _no_person("ask for")


def decided(approval: Approval, actor: Actor, consent: bool, now: datetime) -> Approval | Refused:
    """The approval as a second person leaves it."""
    if not actor.scope(APPROVING).holds(approval.owner, approval.trust_domain):
        return Refused(Code.NOT_PERMITTED, "deciding this takes the role approver for these devices", "ask an approver")
    if actor.person is None:
        return _no_person("give")
    if actor.person == approval.requested_by_person:
        return Refused(Code.NOT_PERMITTED, "the person who asked cannot approve it", "ask another approver")
    if approval.state is not ApprovalState.WAITING or now >= approval.until:
        return _over(approval)
    state = ApprovalState.APPROVED if consent else ApprovalState.REFUSED
    return replace(approval, state=state, decided_by=actor.text, decided_by_person=actor.person, decided_at=now)


def approved(approval: Approval, now: datetime) -> Approved | Refused:
    """The token that a verb with four eyes asks for."""
    if approval.state is not ApprovalState.APPROVED or now >= approval.until:
        return _over(approval)
    return Approved(_SEAL, approval.id, approval.request_digest)


def used(approval: Approval) -> Approval:
    """The approval once its act is done, in the same transaction: it never counts a second time."""
    return replace(approval, state=ApprovalState.USED)


def _over(approval: Approval) -> Refused:
    told = f"the request is {approval.state.value} and counted until {rfc3339(approval.until)}"
    return Refused(Code.APPROVAL_INVALID, told, "make a new request and have it approved")


def _no_person(what: str) -> Refused:
    problem = f"nobody accountable stands behind this token, so it cannot {what} an approval"
    return Refused(Code.NOT_PERMITTED, problem, "use a token of a person")
