"""Owners, sites, trust domains, classes, devices and custody."""

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
    SmallInteger,
    Text,
    UniqueConstraint,
)

from tenure.registry.tables.columns import Id, Instant, json_type

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "batch",
        Column("id", Id, nullable=False),
        Column("source", Text, nullable=False),
        Column("at", Instant, nullable=False),
        Column("rows", BigInteger, nullable=False),
        Column("root", LargeBinary(32), nullable=False),
        Column("digests", LargeBinary, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_batch")),
    )
    op.create_table(
        "owner",
        Column("id", Id, nullable=False),
        Column("name", Text, nullable=False),
        Column("contact", Text, nullable=False),
        Column("created_at", Instant, nullable=False),
        Column("ended_at", Instant),
        Column("salt", LargeBinary(16)),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_owner")),
    )
    op.create_index(op.f("ix_owner_name"), "owner", ["name"])
    op.create_table(
        "tombstone",
        Column("id", Id, nullable=False),
        Column("spki", LargeBinary(32), nullable=False),
        Column("kind", Text, nullable=False),
        Column("device", Id, nullable=False),
        Column("term", Integer, nullable=False),
        Column("state", Text, nullable=False),
        Column("at", Instant, nullable=False),
        Column("returned_at", Instant),
        PrimaryKeyConstraint("id", name=op.f("pk_tombstone")),
    )
    op.create_index(op.f("ix_tombstone_device"), "tombstone", ["device"])
    op.create_index(op.f("ix_tombstone_spki_device_term"), "tombstone", ["spki", "device", "term"], unique=True)
    op.create_table(
        "trust_domain",
        Column("id", Id, nullable=False),
        Column("name", Text, nullable=False),
        Column("assurance_floor", SmallInteger, nullable=False),
        Column("created_at", Instant, nullable=False),
        Column("ended_at", Instant),
        Column("salt", LargeBinary(16)),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_trust_domain")),
        UniqueConstraint("name", name=op.f("uq_trust_domain_name")),
    )
    op.create_table(
        "campaign",
        Column("id", Id, nullable=False),
        Column("kind", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("owner", Id),
        Column("spki", LargeBinary(32)),
        Column("filter", json_type(), nullable=False),
        Column("verb", Text),
        Column("state", Text, nullable=False),
        Column("devices", BigInteger, nullable=False),
        Column("opened_at", Instant, nullable=False),
        Column("closed_at", Instant),
        Column("salt", LargeBinary(16)),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        ForeignKeyConstraint(["owner"], ["owner.id"], name=op.f("fk_campaign_owner")),
    )
    op.create_index(op.f("ix_campaign_spki"), "campaign", ["spki"])
    op.create_index(op.f("ix_campaign_state_id"), "campaign", ["state", "id"])
    op.create_table(
        "policy",
        Column("id", Id, nullable=False),
        Column("name", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("owner", Id),
        Column("body", json_type(), nullable=False),
        Column("created_at", Instant, nullable=False),
        Column("ended_at", Instant),
        Column("salt", LargeBinary(16)),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_policy")),
        ForeignKeyConstraint(["owner"], ["owner.id"], name=op.f("fk_policy_owner")),
    )
    op.create_index(op.f("ix_policy_kind_name"), "policy", ["kind", "name"])
    op.create_table(
        "site",
        Column("id", Id, nullable=False),
        Column("name", Text, nullable=False),
        Column("owner", Id),
        Column("note", Text, nullable=False),
        Column("created_at", Instant, nullable=False),
        Column("ended_at", Instant),
        Column("salt", LargeBinary(16)),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_site")),
        ForeignKeyConstraint(["owner"], ["owner.id"], name=op.f("fk_site_owner")),
    )
    op.create_index(op.f("ix_site_owner_name"), "site", ["owner", "name"])
    op.create_table(
        "transfer_offer",
        Column("id", Id, nullable=False),
        Column("from_owner", Id, nullable=False),
        Column("to_owner", Id),
        Column("to_party", Text),
        Column("to_trust_domain", Id),
        Column("state", Text, nullable=False),
        Column("offered_at", Instant, nullable=False),
        Column("until", Instant, nullable=False),
        Column("settled_at", Instant),
        Column("offer_file", LargeBinary(32)),
        Column("acceptance_file", LargeBinary(32)),
        Column("salt", LargeBinary(16)),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_transfer_offer")),
        ForeignKeyConstraint(["from_owner"], ["owner.id"], name=op.f("fk_transfer_offer_from_owner")),
        ForeignKeyConstraint(["to_owner"], ["owner.id"], name=op.f("fk_transfer_offer_to_owner")),
        ForeignKeyConstraint(["to_trust_domain"], ["trust_domain.id"], name=op.f("fk_transfer_offer_to_trust_domain")),
    )
    op.create_index(op.f("ix_transfer_offer_from_owner_state_id"), "transfer_offer", ["from_owner", "state", "id"])
    op.create_index(op.f("ix_transfer_offer_state_until"), "transfer_offer", ["state", "until"])
    op.create_index(op.f("ix_transfer_offer_to_owner_state_id"), "transfer_offer", ["to_owner", "state", "id"])
    op.create_table(
        "device_class",
        Column("id", Id, nullable=False),
        Column("name", Text, nullable=False),
        Column("assurance", SmallInteger, nullable=False),
        Column("hardware", Text, nullable=False),
        Column("rotation", Text, nullable=False),
        Column("policy", Id),
        Column("created_at", Instant, nullable=False),
        Column("ended_at", Instant),
        Column("salt", LargeBinary(16)),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_device_class")),
        ForeignKeyConstraint(["policy"], ["policy.id"], name=op.f("fk_device_class_policy")),
        UniqueConstraint("name", name=op.f("uq_device_class_name")),
    )
    op.create_table(
        "device",
        Column("id", Id, nullable=False),
        Column("state", Text, nullable=False),
        Column("owner", Id),
        Column("site", Id),
        Column("trust_domain", Id),
        Column("device_class", Id),
        Column("maker", Text),
        Column("model", Text),
        Column("serial", Text),
        Column("maker_key", Text),
        Column("serial_key", Text),
        Column("name", Text),
        Column("term", Integer, nullable=False),
        Column("replaces", Id),
        Column("must_rekey", Boolean, nullable=False),
        Column("offer", Id),
        Column("resumes", Text),
        Column("created_at", Instant, nullable=False),
        Column("state_since", Instant, nullable=False),
        Column("forgotten_at", Instant),
        Column("last_seen", Instant, nullable=False),
        Column("expires", Instant, nullable=False),
        Column("salt", LargeBinary(16)),
        Column("version", BigInteger, nullable=False),
        Column("batch", Id),
        Column("batch_row", Integer),
        PrimaryKeyConstraint("id", name=op.f("pk_device")),
        ForeignKeyConstraint(["device_class"], ["device_class.id"], name=op.f("fk_device_device_class")),
        ForeignKeyConstraint(["owner"], ["owner.id"], name=op.f("fk_device_owner")),
        ForeignKeyConstraint(["site"], ["site.id"], name=op.f("fk_device_site")),
        ForeignKeyConstraint(["trust_domain"], ["trust_domain.id"], name=op.f("fk_device_trust_domain")),
    )
    op.create_index(op.f("ix_device_batch_batch_row"), "device", ["batch", "batch_row"])
    op.create_index(op.f("ix_device_device_class_id"), "device", ["device_class", "id"])
    op.create_index(op.f("ix_device_expires_id"), "device", ["expires", "id"])
    op.create_index(op.f("ix_device_last_seen_id"), "device", ["last_seen", "id"])
    op.create_index(op.f("ix_device_owner_expires_id"), "device", ["owner", "expires", "id"])
    op.create_index(op.f("ix_device_owner_id"), "device", ["owner", "id"])
    op.create_index(op.f("ix_device_owner_last_seen_id"), "device", ["owner", "last_seen", "id"])
    op.create_index(op.f("ix_device_owner_state_id"), "device", ["owner", "state", "id"])
    op.create_index(op.f("ix_device_serial_key_maker_key"), "device", ["serial_key", "maker_key"])
    op.create_index(op.f("ix_device_site_id"), "device", ["site", "id"])
    op.create_index(op.f("ix_device_state_id"), "device", ["state", "id"])
    op.create_index(op.f("ix_device_trust_domain_id"), "device", ["trust_domain", "id"])
    op.create_table(
        "campaign_device",
        Column("campaign", Id, nullable=False),
        Column("device", Id, nullable=False),
        Column("state", Text, nullable=False),
        Column("detail", Text, nullable=False),
        Column("changed_at", Instant, nullable=False),
        PrimaryKeyConstraint("campaign", "device", name=op.f("pk_campaign_device")),
        ForeignKeyConstraint(["campaign"], ["campaign.id"], name=op.f("fk_campaign_device_campaign")),
        ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_campaign_device_device")),
    )
    op.create_index(op.f("ix_campaign_device_campaign_state_device"), "campaign_device", ["campaign", "state", "device"])
    op.create_index(op.f("ix_campaign_device_device"), "campaign_device", ["device"])
    op.create_table(
        "custody",
        Column("device", Id, nullable=False),
        Column("number", Integer, autoincrement=False, nullable=False),
        Column("owner", Id),
        Column("term", Integer, nullable=False),
        Column("since", Instant, nullable=False),
        Column("until", Instant),
        Column("how", Text, nullable=False),
        Column("offer", Id),
        Column("salt", LargeBinary(16)),
        PrimaryKeyConstraint("device", "number", name=op.f("pk_custody")),
        ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_custody_device")),
    )
    op.create_index(op.f("ix_custody_owner_device"), "custody", ["owner", "device"])
    op.create_table(
        "hardware_root",
        Column("spki", LargeBinary(32), nullable=False),
        Column("device", Id, nullable=False),
        Column("kind", Text, nullable=False),
        Column("proof", Text, nullable=False),
        Column("proved_at", Instant),
        PrimaryKeyConstraint("spki", name=op.f("pk_hardware_root")),
        ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_hardware_root_device")),
    )
    op.create_index(op.f("ix_hardware_root_device"), "hardware_root", ["device"])
    op.create_table(
        "transfer_item",
        Column("offer", Id, nullable=False),
        Column("device", Id, nullable=False),
        PrimaryKeyConstraint("offer", "device", name=op.f("pk_transfer_item")),
        ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_transfer_item_device")),
        ForeignKeyConstraint(["offer"], ["transfer_offer.id"], name=op.f("fk_transfer_item_offer")),
    )
    op.create_index(op.f("ix_transfer_item_device"), "transfer_item", ["device"])
