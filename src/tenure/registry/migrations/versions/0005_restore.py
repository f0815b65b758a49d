"""Gaps found after a restore, and numbers that only rise."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, PrimaryKeyConstraint, Text

from tenure.registry.tables.columns import Id, Instant

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "high_water",
        Column("name", Text, nullable=False),
        Column("value", BigInteger, nullable=False),
        PrimaryKeyConstraint("name", name=op.f("pk_high_water")),
    )
    op.create_table(
        "restore_gap",
        Column("id", Id, nullable=False),
        Column("found_at", Instant, nullable=False),
        Column("known", BigInteger, nullable=False),
        Column("outside", BigInteger, nullable=False),
        Column("note", LargeBinary, nullable=False),
        Column("forked", Boolean, nullable=False),
        Column("settled_at", Instant),
        Column("outcome", Text),
        PrimaryKeyConstraint("id", name=op.f("pk_restore_gap")),
    )
