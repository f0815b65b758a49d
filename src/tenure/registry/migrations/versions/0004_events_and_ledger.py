"""Events and their places in the tree."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)

from tenure.registry.tables.columns import Id, Instant

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "event_text",
        Column("event", Id, nullable=False),
        Column("salt", LargeBinary(16), nullable=False),
        Column("text", Text, nullable=False),
        Column("at", Instant, nullable=False),
        PrimaryKeyConstraint("event", name=op.f("pk_event_text")),
    )
    op.create_index(op.f("ix_event_text_at"), "event_text", ["at"])
    op.create_table(
        "instance",
        Column("id", Id, nullable=False),
        Column("created_at", Instant, nullable=False),
        Column("closed_at", Instant),
        Column("sequence", BigInteger, nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_instance")),
        postgresql_with={"fillfactor": 20},
    )
    op.create_table(
        "lease",
        Column("name", Text, nullable=False),
        Column("holder", Text, nullable=False),
        Column("until", Instant, nullable=False),
        PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "ledger_checkpoint",
        Column("name", Text, nullable=False),
        Column("note", LargeBinary, nullable=False),
        PrimaryKeyConstraint("name", name=op.f("pk_ledger_checkpoint")),
    )
    op.create_table(
        "ledger_tile",
        Column("level", Integer, autoincrement=False, nullable=False),
        Column("index", BigInteger, autoincrement=False, nullable=False),
        Column("hashes", LargeBinary, nullable=False),
        PrimaryKeyConstraint("level", "index", name=op.f("pk_ledger_tile")),
    )
    op.create_table(
        "event",
        Column("id", Id, nullable=False),
        Column("instance", Id, nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("at", Instant, nullable=False),
        Column("actor", Text, nullable=False),
        Column("verb", Text, nullable=False),
        Column("subject_kind", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("before", LargeBinary(32)),
        Column("after", LargeBinary(32)),
        Column("evidence", LargeBinary, nullable=False),
        Column("private_digest", LargeBinary(32)),
        PrimaryKeyConstraint("id", name=op.f("pk_event")),
        ForeignKeyConstraint(["instance"], ["instance.id"], name=op.f("fk_event_instance")),
        UniqueConstraint("instance", "sequence", name=op.f("uq_event_instance_sequence")),
    )
    op.create_index(op.f("ix_event_subject_id"), "event", ["subject", "id"])
    op.create_table(
        "ledger_run",
        Column("first", BigInteger, autoincrement=False, nullable=False),
        Column("instance", Id, nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("length", BigInteger, nullable=False),
        PrimaryKeyConstraint("first", name=op.f("pk_ledger_run")),
        ForeignKeyConstraint(["instance"], ["instance.id"], name=op.f("fk_ledger_run_instance")),
    )
    op.create_index(op.f("ix_ledger_run_instance_sequence"), "ledger_run", ["instance", "sequence"], unique=True)
    op.create_table(
        "ledger_record",
        Column("event", Id, nullable=False),
        Column("kind", Text, nullable=False),
        Column("instance", Id, nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("content", LargeBinary, nullable=False),
        PrimaryKeyConstraint("event", "kind", name=op.f("pk_ledger_record")),
        ForeignKeyConstraint(["event"], ["event.id"], name=op.f("fk_ledger_record_event")),
    )
    op.create_index(op.f("ix_ledger_record_instance_sequence"), "ledger_record", ["instance", "sequence"])
