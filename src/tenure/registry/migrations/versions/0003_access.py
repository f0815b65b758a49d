"""People, tokens, roles, approvals, repeated requests, webhooks, findings and decisions."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKeyConstraint, Integer, LargeBinary, PrimaryKeyConstraint, Text

from tenure.registry.tables.columns import Id, Instant, json_type

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "audit_run",
        Column("id", Id, nullable=False),
        Column("as_of", Instant, nullable=False),
        Column("started_at", Instant, nullable=False),
        Column("finished_at", Instant),
        Column("snapshots", json_type(), nullable=False),
        Column("audit", Text, nullable=False),
        Column("rules", json_type(), nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_audit_run")),
    )
    op.create_index(op.f("ix_audit_run_as_of"), "audit_run", ["as_of"])
    op.create_table(
        "decision",
        Column("id", Id, nullable=False),
        Column("kind", Text, nullable=False),
        Column("rule", Text),
        Column("finding", Text),
        Column("subject", Text),
        Column("reason", Text, nullable=False),
        Column("who", Text, nullable=False),
        Column("assigned_to", Text),
        Column("until", Date),
        Column("decided_at", Instant, nullable=False),
        Column("ended_at", Instant),
        Column("salt", LargeBinary(16)),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index(op.f("ix_decision_finding"), "decision", ["finding"])
    op.create_index(op.f("ix_decision_rule_subject"), "decision", ["rule", "subject"])
    op.create_index(op.f("ix_decision_until"), "decision", ["until"])
    op.create_table(
        "idempotency",
        Column("actor", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("request", LargeBinary(32), nullable=False),
        Column("status", Integer),
        Column("headers", json_type()),
        Column("body", LargeBinary),
        Column("at", Instant, nullable=False),
        PrimaryKeyConstraint("actor", "key", name=op.f("pk_idempotency")),
    )
    op.create_index(op.f("ix_idempotency_at"), "idempotency", ["at"])
    op.create_table(
        "person",
        Column("id", Id, nullable=False),
        Column("name", Text, nullable=False),
        Column("contact", Text, nullable=False),
        Column("subject", Text),
        Column("created_at", Instant, nullable=False),
        Column("ended_at", Instant),
        Column("salt", LargeBinary(16)),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_index(op.f("ix_person_subject"), "person", ["subject"], unique=True)
    op.create_table(
        "approval",
        Column("id", Id, nullable=False),
        Column("verb", Text, nullable=False),
        Column("requested_by", Text, nullable=False),
        Column("requested_by_person", Id, nullable=False),
        Column("decided_by", Text),
        Column("decided_by_person", Id),
        Column("request", Text, nullable=False),
        Column("request_digest", LargeBinary(32), nullable=False),
        Column("owner", Id),
        Column("trust_domain", Id),
        Column("state", Text, nullable=False),
        Column("requested_at", Instant, nullable=False),
        Column("until", Instant, nullable=False),
        Column("decided_at", Instant),
        Column("salt", LargeBinary(16)),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_approval")),
        ForeignKeyConstraint(["decided_by_person"], ["person.id"], name=op.f("fk_approval_decided_by_person")),
        ForeignKeyConstraint(["owner"], ["owner.id"], name=op.f("fk_approval_owner")),
        ForeignKeyConstraint(["requested_by_person"], ["person.id"], name=op.f("fk_approval_requested_by_person")),
        ForeignKeyConstraint(["trust_domain"], ["trust_domain.id"], name=op.f("fk_approval_trust_domain")),
    )
    op.create_index(op.f("ix_approval_owner_state_id"), "approval", ["owner", "state", "id"])
    op.create_index(op.f("ix_approval_state_until"), "approval", ["state", "until"])
    op.create_table(
        "finding",
        Column("id", Text, nullable=False),
        Column("rule", Text, nullable=False),
        Column("severity", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("subjects", json_type(), nullable=False),
        Column("owner", Id),
        Column("trust_domain", Id),
        Column("device", Id),
        Column("first_seen_at", Instant, nullable=False),
        Column("opened_at", Instant, nullable=False),
        Column("last_seen_at", Instant, nullable=False),
        Column("resolved_at", Instant),
        Column("audit", Text, nullable=False),
        Column("basis", json_type(), nullable=False),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_finding")),
        ForeignKeyConstraint(["owner"], ["owner.id"], name=op.f("fk_finding_owner")),
        ForeignKeyConstraint(["trust_domain"], ["trust_domain.id"], name=op.f("fk_finding_trust_domain")),
    )
    op.create_index(op.f("ix_finding_device"), "finding", ["device"])
    op.create_index(op.f("ix_finding_owner_state_id"), "finding", ["owner", "state", "id"])
    op.create_index(op.f("ix_finding_rule_state"), "finding", ["rule", "state"])
    op.create_index(op.f("ix_finding_state_severity_id"), "finding", ["state", "severity", "id"])
    op.create_table(
        "role_assignment",
        Column("id", Id, nullable=False),
        Column("holder", Id, nullable=False),
        Column("role", Text, nullable=False),
        Column("owner", Id),
        Column("trust_domain", Id),
        Column("since", Instant, nullable=False),
        Column("ended_at", Instant),
        PrimaryKeyConstraint("id", name=op.f("pk_role_assignment")),
        ForeignKeyConstraint(["owner"], ["owner.id"], name=op.f("fk_role_assignment_owner")),
        ForeignKeyConstraint(["trust_domain"], ["trust_domain.id"], name=op.f("fk_role_assignment_trust_domain")),
    )
    op.create_index(op.f("ix_role_assignment_holder"), "role_assignment", ["holder"])
    op.create_table(
        "token",
        Column("id", Id, nullable=False),
        Column("name", Text, nullable=False),
        Column("person", Id),
        Column("digest", LargeBinary(32), nullable=False),
        Column("digest_key", Text, nullable=False),
        Column("certificate", LargeBinary(32)),
        Column("created_at", Instant, nullable=False),
        Column("expires_at", Instant, nullable=False),
        Column("ended_at", Instant),
        Column("last_used", Instant),
        Column("salt", LargeBinary(16)),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_token")),
        ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_token_person")),
    )
    op.create_index(op.f("ix_token_certificate"), "token", ["certificate"], unique=True)
    op.create_index(op.f("ix_token_digest"), "token", ["digest"], unique=True)
    op.create_index(op.f("ix_token_expires_at"), "token", ["expires_at"])
    op.create_table(
        "webhook",
        Column("id", Id, nullable=False),
        Column("url", Text, nullable=False),
        Column("owner", Id),
        Column("trust_domain", Id),
        Column("verbs", json_type(), nullable=False),
        Column("enabled", Boolean, nullable=False),
        Column("cursor", BigInteger, nullable=False),
        Column("created_at", Instant, nullable=False),
        Column("salt", LargeBinary(16)),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
        ForeignKeyConstraint(["owner"], ["owner.id"], name=op.f("fk_webhook_owner")),
        ForeignKeyConstraint(["trust_domain"], ["trust_domain.id"], name=op.f("fk_webhook_trust_domain")),
    )
    op.create_table(
        "webhook_delivery",
        Column("webhook", Id, nullable=False),
        Column("position", BigInteger, autoincrement=False, nullable=False),
        Column("event", Id, nullable=False),
        Column("state", Text, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("next_at", Instant, nullable=False),
        Column("last_answer", Text, nullable=False),
        PrimaryKeyConstraint("webhook", "position", name=op.f("pk_webhook_delivery")),
        ForeignKeyConstraint(["webhook"], ["webhook.id"], name=op.f("fk_webhook_delivery_webhook")),
    )
    op.create_index(op.f("ix_webhook_delivery_state_next_at"), "webhook_delivery", ["state", "next_at"])
