"""What scheduled audits saw, and what people decided about it."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, Table, Text

from tenure.lifecycle.findings import FindingState
from tenure.model.vocabulary import Severity
from tenure.registry.tables.columns import at, json_type, key, loose, metadata, ref, salt, text, version, word

audit_run = Table(
    "audit_run",
    metadata,
    key(),
    at("as_of"),
    at("started_at"),
    at("finished_at", nullable=True),
    Column("snapshots", json_type(), nullable=False),  # content ids
    text("audit"),
    Column("rules", json_type(), nullable=False),  # how each ended: assessed, unknown, not assessed, switched off
    Index(None, "as_of"),
)

finding = Table(
    "finding",
    metadata,
    Column("id", Text, primary_key=True),
    text("rule"),
    word("severity", Severity),
    word("state", FindingState),
    text("title"),
    Column("subjects", json_type(), nullable=False),
    ref("owner", "owner", nullable=True),  # of the device it is about, where it is about one
    ref("trust_domain", "trust_domain", nullable=True),
    loose("device"),
    at("first_seen_at"),
    at("opened_at"),
    at("last_seen_at"),
    at("resolved_at", nullable=True),
    text("audit"),
    Column("basis", json_type(), nullable=False),  # what the audit looked at that found it last
    version(),
    Index(None, "state", "severity", "id"),
    Index(None, "owner", "state", "id"),
    Index(None, "rule", "state"),
    Index(None, "device"),
)

decision = Table(
    "decision",
    metadata,
    key(),
    text("kind"),  # acknowledged, suppressed, assigned
    text("rule", nullable=True),
    text("finding", nullable=True),
    text("subject", nullable=True),
    text("reason"),
    text("who"),
    text("assigned_to", nullable=True),
    Column("until", Date),  # the last day on which it holds, UTC
    at("decided_at"),
    at("ended_at", nullable=True),
    salt(),
    version(),
    Index(None, "finding"),
    Index(None, "rule", "subject"),
    Index(None, "until"),
)
