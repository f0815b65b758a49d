"""Kept findings on the wire, with where each stands; and what people decide on them."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from pydantic import AfterValidator, BeforeValidator, Field

from tenure.api.shapes.wire import Form, Instant, Line, Order, Paging, Reason, example, readable
from tenure.flows.findings.decide import DecidedKind
from tenure.lifecycle.finding_decisions import Standing
from tenure.lifecycle.findings import FindingState
from tenure.model.vocabulary import Severity

FindingId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Id of the finding, the same in every audit")]
TARGETS = "^(critical|high|medium|low|info)=[0-9]{1,5}(,(critical|high|medium|low|info)=[0-9]{1,5})*$"
TargetsText = Annotated[
    str | None,
    Field(
        pattern=TARGETS,
        max_length=200,
        description="Days to resolve a finding in, by severity, where they are not the usual ones; 0: no target",
        examples=["critical=3,high=14"],
    ),
]
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _written(value: Any) -> Any:
    """A day as ISO 8601 writes it; a bare number or a time of a day is none."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("must be a day, as in 2026-12-31")
    return value


def _told(text: str) -> str:
    """A text as the file of decisions keeps it: without space around it, so that it comes back as it was."""
    if text != text.strip():
        raise ValueError("must have no space around it")
    return readable(text)


Day = Annotated[date, BeforeValidator(_written), Field(description="The last day on which it holds, UTC")]
Why = Annotated[str, Field(min_length=1, max_length=2000, description="Why", examples=["bench only"]), AfterValidator(_told)]
Who = Annotated[Line | None, Field(description="Who answers for it, where it is not the caller", examples=["plant operations"])]


class FindingQuery(Paging):
    """Which findings."""

    state: FindingState | None = None
    severity: Severity | None = None
    rule: Line | None = None
    device: UUID | None = Field(default=None, description="Those about this device alone")
    unresolved: bool = Field(default=False, description="Those that are open, for the first time or again")
    overdue: bool = Field(default=False, description="Those past their target and not suppressed; a page may hold fewer")
    targets: TargetsText = None


class SubjectForm(Form):
    kind: str
    id: str = Field(description="Stable from audit to audit")
    serial: str | None
    sha256: str | None
    spki_sha256: str | None
    name: str | None


class DecidedForm(Form):
    """A decision in force."""

    target: str = Field(description="What it is on: this finding, its rule, or its rule for one subject")
    reason: str
    who: str
    until: date = Field(description="The last day on which it holds, UTC")


class FindingForm(Form):
    """One finding from audit to audit, and where it stands now."""

    model_config = example(
        id="3f0b1f5a8c4a4f0e9f7d2f1f6b1c9d20",
        rule="retired-device-still-trusted",
        severity="critical",
        title="A retired device is still trusted",
        subjects=[
            {"kind": "device", "id": "device-1", "serial": "SN1", "sha256": None, "spki_sha256": None, "name": "pump-3"},
        ],
        state="open",
        first_seen_at="2026-11-01T12:00:00Z",
        opened_at="2026-11-01T12:00:00Z",
        last_seen_at="2026-11-09T12:00:00Z",
        resolved_at=None,
        audit="fleet",
        age_days=8,
        due="2026-11-08T12:00:00Z",
        overdue=True,
        suppressed=None,
        acknowledged={"target": "finding 3f0b", "reason": "parts are on order", "who": "operations", "until": "2026-12-01"},
        assigned_to="network team",
    )

    id: str
    rule: str
    severity: Severity
    title: str
    subjects: tuple[SubjectForm, ...]
    state: FindingState
    first_seen_at: Instant
    opened_at: Instant = Field(description="Its age counts from here: it opened, or opened again")
    last_seen_at: Instant
    resolved_at: Instant | None
    audit: str = Field(description="The audit that found it last")
    age_days: int = Field(description="Whole days; of a resolved one: how long it was open")
    due: Instant | None = Field(description="When it should be resolved; without a target never")
    overdue: bool = Field(description="Open past that moment, and not suppressed")
    suppressed: DecidedForm | None
    acknowledged: DecidedForm | None
    assigned_to: str | None

    @classmethod
    def of(cls, standing: Standing) -> FindingForm:
        finding = standing.finding
        plain = {name: getattr(finding, name) for name in _PLAIN}
        return cls(
            **plain,
            subjects=tuple(map(SubjectForm.model_validate, finding.subjects)),
            audit=finding.basis.audit,
            age_days=standing.age.days,
            due=standing.due,
            overdue=standing.overdue,
            suppressed=None if standing.suppressed is None else DecidedForm.model_validate(standing.suppressed),
            acknowledged=None if standing.acknowledged is None else DecidedForm.model_validate(standing.acknowledged),
            assigned_to=standing.assigned_to,
        )


_PLAIN = ("id", "rule", "severity", "title", "state", "first_seen_at", "opened_at", "last_seen_at", "resolved_at")


class AcknowledgeOrder(Order):
    """It is known, and somebody answers for it until a day. It stays open and ages."""

    reason: Why
    until: Day
    who: Who = None


class SuppressOrder(Order):
    """It is lived with until a day; until then it is not overdue."""

    reason: Why
    until: Day
    who: Who = None


class AssignOrder(Order):
    """Somebody is to resolve it."""

    to: Line
    who: Who = None


class WithdrawOrder(Order):
    """Ends what was decided on the finding itself."""

    decision: DecidedKind | None = Field(default=None, description="Which; without it all")
    reason: Reason = ""
