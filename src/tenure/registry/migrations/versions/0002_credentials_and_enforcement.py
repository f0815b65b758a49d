"""Keys, issuers, credentials, anchors, relying parties, rights and obligations."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)

from tenure.registry.tables.columns import Id, Instant, json_type

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "anchor",
        Column("id", Id, nullable=False),
        Column("name", Text, nullable=False),
        Column("purpose", Text, nullable=False),
        Column("trust_domain", Id),
        Column("spki", LargeBinary(32), nullable=False),
        Column("certificate", LargeBinary),
        Column("not_after", Instant),
        Column("created_at", Instant, nullable=False),
        Column("ended_at", Instant),
        Column("salt", LargeBinary(16)),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_anchor")),
        ForeignKeyConstraint(["trust_domain"], ["trust_domain.id"], name=op.f("fk_anchor_trust_domain")),
    )
    op.create_index(op.f("ix_anchor_spki"), "anchor", ["spki"])
    op.create_index(op.f("ix_anchor_trust_domain_purpose"), "anchor", ["trust_domain", "purpose"])
    op.create_table(
        "issuer",
        Column("id", Id, nullable=False),
        Column("name", Text, nullable=False),
        Column("trust_domain", Id),
        Column("spki", LargeBinary(32), nullable=False),
        Column("certificate", LargeBinary),
        Column("parent", Id),
        Column("state", Text, nullable=False),
        Column("not_after", Instant),
        Column("crl_number", BigInteger, nullable=False),
        Column("created_at", Instant, nullable=False),
        Column("salt", LargeBinary(16)),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_issuer")),
        ForeignKeyConstraint(["parent"], ["issuer.id"], name=op.f("fk_issuer_parent")),
        ForeignKeyConstraint(["trust_domain"], ["trust_domain.id"], name=op.f("fk_issuer_trust_domain")),
    )
    op.create_index(op.f("ix_issuer_spki"), "issuer", ["spki"])
    op.create_index(op.f("ix_issuer_trust_domain_state"), "issuer", ["trust_domain", "state"])
    op.create_table(
        "relying_party",
        Column("id", Id, nullable=False),
        Column("name", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("trust_domain", Id),
        Column("owner", Id),
        Column("created_at", Instant, nullable=False),
        Column("ended_at", Instant),
        Column("salt", LargeBinary(16)),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_relying_party")),
        ForeignKeyConstraint(["owner"], ["owner.id"], name=op.f("fk_relying_party_owner")),
        ForeignKeyConstraint(["trust_domain"], ["trust_domain.id"], name=op.f("fk_relying_party_trust_domain")),
    )
    op.create_index(op.f("ix_relying_party_trust_domain"), "relying_party", ["trust_domain"])
    op.create_table(
        "anchor_trust",
        Column("anchor", Id, nullable=False),
        Column("relying_party", Id, nullable=False),
        Column("since", Instant, nullable=False),
        Column("until", Instant),
        Column("snapshot", Id),
        PrimaryKeyConstraint("anchor", "relying_party", name=op.f("pk_anchor_trust")),
        ForeignKeyConstraint(["anchor"], ["anchor.id"], name=op.f("fk_anchor_trust_anchor")),
        ForeignKeyConstraint(["relying_party"], ["relying_party.id"], name=op.f("fk_anchor_trust_relying_party")),
    )
    op.create_index(op.f("ix_anchor_trust_relying_party"), "anchor_trust", ["relying_party"])
    op.create_table(
        "enforcement_point",
        Column("id", Id, nullable=False),
        Column("relying_party", Id, nullable=False),
        Column("name", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("behind", BigInteger, nullable=False),
        Column("in_step_at", Instant),
        Column("reached_at", Instant),
        Column("cursor", BigInteger, nullable=False),
        Column("lied", Boolean, nullable=False),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_enforcement_point")),
        ForeignKeyConstraint(["relying_party"], ["relying_party.id"], name=op.f("fk_enforcement_point_relying_party")),
    )
    op.create_index(op.f("ix_enforcement_point_name"), "enforcement_point", ["name"], unique=True)
    op.create_index(op.f("ix_enforcement_point_relying_party"), "enforcement_point", ["relying_party"])
    op.create_table(
        "credential",
        Column("id", Id, nullable=False),
        Column("kind", Text, nullable=False),
        Column("role", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("device", Id),
        Column("term", Integer, nullable=False),
        Column("issuer", Id),
        Column("serial", Text),
        Column("spki", LargeBinary(32)),
        Column("fingerprint", LargeBinary(32)),
        Column("digest_key", Text),
        Column("binding", Text, nullable=False),
        Column("subject", Text),
        Column("not_before", Instant),
        Column("not_after", Instant),
        Column("crl_shard", Integer),
        Column("created_at", Instant, nullable=False),
        Column("ended_at", Instant),
        Column("end_reason", Text),
        Column("origin", Text, nullable=False),
        Column("last_seen", Instant, nullable=False),
        Column("salt", LargeBinary(16)),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_credential")),
        ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_credential_device")),
        ForeignKeyConstraint(["issuer"], ["issuer.id"], name=op.f("fk_credential_issuer")),
        UniqueConstraint("issuer", "serial", name=op.f("uq_credential_issuer_serial")),
    )
    op.create_index(op.f("ix_credential_device_state_id"), "credential", ["device", "state", "id"])
    op.create_index(op.f("ix_credential_fingerprint"), "credential", ["fingerprint"])
    op.create_index(op.f("ix_credential_issuer_crl_shard_ended_at"), "credential", ["issuer", "crl_shard", "ended_at"])
    op.create_index(op.f("ix_credential_not_after_id"), "credential", ["not_after", "id"])
    op.create_index(op.f("ix_credential_spki"), "credential", ["spki"])
    op.create_table(
        "delegation",
        Column("id", Id, nullable=False),
        Column("kind", Text, nullable=False),
        Column("delegate_device", Id),
        Column("delegate_person", Id),
        Column("device", Id),
        Column("owner", Id),
        Column("trust_domain", Id),
        Column("rights", json_type(), nullable=False),
        Column("since", Instant, nullable=False),
        Column("until", Instant),
        Column("ended_at", Instant),
        Column("salt", LargeBinary(16)),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
        ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_delegation_device")),
        ForeignKeyConstraint(["owner"], ["owner.id"], name=op.f("fk_delegation_owner")),
        ForeignKeyConstraint(["trust_domain"], ["trust_domain.id"], name=op.f("fk_delegation_trust_domain")),
    )
    op.create_index(op.f("ix_delegation_delegate_device"), "delegation", ["delegate_device"])
    op.create_index(op.f("ix_delegation_device"), "delegation", ["device"])
    op.create_index(op.f("ix_delegation_owner"), "delegation", ["owner"])
    op.create_table(
        "former_key",
        Column("device", Id, nullable=False),
        Column("spki", LargeBinary(32), nullable=False),
        PrimaryKeyConstraint("device", "spki", name=op.f("pk_former_key")),
        ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_former_key_device")),
    )
    op.create_table(
        "grant",
        Column("id", Id, nullable=False),
        Column("device", Id, nullable=False),
        Column("term", Integer, nullable=False),
        Column("relying_party", Id, nullable=False),
        Column("rights", json_type(), nullable=False),
        Column("since", Instant, nullable=False),
        Column("until", Instant),
        Column("ended_at", Instant),
        Column("salt", LargeBinary(16)),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_grant")),
        ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_grant_device")),
        ForeignKeyConstraint(["relying_party"], ["relying_party.id"], name=op.f("fk_grant_relying_party")),
    )
    op.create_index(op.f("ix_grant_device"), "grant", ["device"])
    op.create_index(op.f("ix_grant_relying_party_device"), "grant", ["relying_party", "device"])
    op.create_table(
        "obligation",
        Column("id", Id, nullable=False),
        Column("device", Id, nullable=False),
        Column("term", Integer, nullable=False),
        Column("kind", Text, nullable=False),
        Column("cause", Id, nullable=False),
        Column("target_kind", Text, nullable=False),
        Column("target", Id),
        Column("relying_party", Id),
        Column("closed_by", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("opened_at", Instant, nullable=False),
        Column("bounded_until", Instant),
        Column("due", Instant),
        Column("settled_at", Instant),
        PrimaryKeyConstraint("id", name=op.f("pk_obligation")),
        ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_obligation_device")),
        ForeignKeyConstraint(["relying_party"], ["relying_party.id"], name=op.f("fk_obligation_relying_party")),
    )
    op.create_index(op.f("ix_obligation_cause"), "obligation", ["cause"])
    op.create_index(op.f("ix_obligation_device_state"), "obligation", ["device", "state"])
    op.create_index(op.f("ix_obligation_relying_party_state_id"), "obligation", ["relying_party", "state", "id"])
    op.create_index(op.f("ix_obligation_state_due_id"), "obligation", ["state", "due", "id"])
    op.create_table(
        "public_key",
        Column("spki", LargeBinary(32), nullable=False),
        Column("algorithm", Text, nullable=False),
        Column("bits", Integer),
        Column("der", LargeBinary),
        Column("state", Text, nullable=False),
        Column("device", Id),
        Column("shared", Boolean, nullable=False),
        Column("first_seen", Instant, nullable=False),
        PrimaryKeyConstraint("spki", name=op.f("pk_public_key")),
        ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_public_key_device")),
    )
    op.create_index(op.f("ix_public_key_device"), "public_key", ["device"])
    op.create_table(
        "registration",
        Column("id", Id, nullable=False),
        Column("device", Id, nullable=False),
        Column("relying_party", Id),
        Column("kind", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("since", Instant, nullable=False),
        Column("ended_at", Instant),
        Column("salt", LargeBinary(16)),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_registration")),
        ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_registration_device")),
        ForeignKeyConstraint(["relying_party"], ["relying_party.id"], name=op.f("fk_registration_relying_party")),
    )
    op.create_index(op.f("ix_registration_device"), "registration", ["device"])
    op.create_table(
        "obligation_evidence",
        Column("id", Id, nullable=False),
        Column("obligation", Id, nullable=False),
        Column("kind", Text, nullable=False),
        Column("at", Instant, nullable=False),
        Column("digest", LargeBinary(32), nullable=False),
        Column("source", Text, nullable=False),
        Column("detail", Text, nullable=False),
        Column("content", LargeBinary),
        PrimaryKeyConstraint("id", name=op.f("pk_obligation_evidence")),
        ForeignKeyConstraint(["obligation"], ["obligation.id"], name=op.f("fk_obligation_evidence_obligation")),
    )
    op.create_index(op.f("ix_obligation_evidence_obligation"), "obligation_evidence", ["obligation"])
