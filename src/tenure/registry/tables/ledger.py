"""Events, the lanes that write them, and their places in the tree.

An event row is written once and never touched again. Its place follows from ``ledger_run``: positions from ``first`` on
belong to consecutive sequences of one instance. What lies behind an instance's last run is pending.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from tenure.registry.tables.columns import Id, at, digest, key, metadata, text

instance = Table(
    "instance",
    metadata,
    key(),
    at("created_at"),
    at("closed_at", nullable=True),  # after a restore: its sequence would be given out twice
    Column("sequence", BigInteger, nullable=False),  # the last one used
    postgresql_with={"fillfactor": 20},  # one row per writer, updated in place by each transaction
)

event = Table(
    "event",
    metadata,
    key(),
    Column("instance", Id, ForeignKey("instance.id"), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    at("at"),
    text("actor"),
    text("verb"),
    text("subject_kind"),
    text("subject"),
    digest("before", nullable=True),
    digest("after", nullable=True),
    Column("evidence", LargeBinary, nullable=False),  # 32 bytes each
    digest("private_digest", nullable=True),
    UniqueConstraint("instance", "sequence"),
    Index(None, "subject", "id"),
)

event_text = Table(
    "event_text",
    metadata,
    Column("event", Id, primary_key=True),  # erased alone: the event stays
    Column("salt", LargeBinary(16), nullable=False),
    Column("text", Text, nullable=False),
    at("at"),
    Index(None, "at"),
)

ledger_record = Table(
    "ledger_record",
    metadata,
    Column("event", Id, ForeignKey("event.id"), primary_key=True),
    Column("kind", Text, primary_key=True),  # tombstone, revocation, crl-number
    Column("instance", Id, nullable=False),  # and sequence: of the event
    Column("sequence", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),  # its SHA-256 stands in the event
    Index(None, "instance", "sequence"),
)

ledger_run = Table(
    "ledger_run",
    metadata,
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("instance", Id, ForeignKey("instance.id"), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    Index(None, "instance", "sequence", unique=True),
)

ledger_tile = Table(
    "ledger_tile",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

ledger_checkpoint = Table(
    "ledger_checkpoint",
    metadata,
    Column("name", Text, primary_key=True),  # one row: the tree has one head
    Column("note", LargeBinary, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    at("until"),
)
