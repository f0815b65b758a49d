"""What devices were adopted with."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, LargeBinary, PrimaryKeyConstraint, Text

from tenure.registry.tables.columns import Id, Instant

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "adoption",
        Column("device", Id, nullable=False),
        Column("at", Instant, nullable=False),
        Column("snapshots", LargeBinary, nullable=False),
        Column("left_service_at", Instant),
        Column("salt", LargeBinary(16)),
        ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_adoption_device")),
        PrimaryKeyConstraint("device", name=op.f("pk_adoption")),
    )
    op.create_table(
        "device_identifier",
        Column("device", Id, nullable=False),
        Column("kind", Text, nullable=False),
        Column("value", Text, nullable=False),
        Column("scope", Text, nullable=False),
        Column("raw", Text),
        ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_device_identifier_device")),
        PrimaryKeyConstraint("device", "kind", "value", "scope", name=op.f("pk_device_identifier")),
    )
    op.create_index("ix_device_identifier_value_kind", "device_identifier", ["value", "kind"])
