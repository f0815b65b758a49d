"""What a database must remember so that a restore of it takes nothing back: gaps that were found, and numbers that only rise."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, Table, Text

from tenure.registry.tables.columns import at, key, metadata, text

restore_gap = Table(
    "restore_gap",
    metadata,
    key(),
    at("found_at"),
    Column("known", BigInteger, nullable=False),  # ledger entries the restored database had
    Column("outside", BigInteger, nullable=False),  # entries that were shipped
    Column("note", LargeBinary, nullable=False),  # the signed checkpoint over those
    Column("forked", Boolean, nullable=False),  # the database tells another past: cannot be settled
    at("settled_at", nullable=True),
    text("outcome", nullable=True),  # settled, dismissed
)

high_water = Table(
    "high_water",
    metadata,
    Column("name", Text, primary_key=True),  # crl:<issuer>:<shard>
    Column("value", BigInteger, nullable=False),  # the last one given out
)
