"""Devices, their hardware roots, the tombstones that outlive both, and the batches of bulk import."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table

from tenure.model.devices import RootKind, RootProof, TombstoneKind
from tenure.model.vocabulary import DeviceState
from tenure.registry.tables.columns import (
    InstantOrNever,
    at,
    digest,
    key,
    loose,
    metadata,
    ref,
    salt,
    text,
    version,
    word,
)

device = Table(
    "device",
    metadata,
    key(),
    word("state", DeviceState),
    ref("owner", "owner", nullable=True),
    ref("site", "site", nullable=True),
    ref("trust_domain", "trust_domain", nullable=True),
    ref("device_class", "device_class", nullable=True),
    text("maker", nullable=True),
    text("model", nullable=True),
    text("serial", nullable=True),
    text("maker_key", nullable=True),  # in the one notation of model.identifiers; what look-up compares
    text("serial_key", nullable=True),
    text("name", nullable=True),
    Column("term", Integer, nullable=False),
    loose("replaces"),
    Column("must_rekey", Boolean, nullable=False),
    loose("offer"),
    word("resumes", DeviceState, nullable=True),
    at("created_at"),
    at("state_since"),
    at("forgotten_at", nullable=True),
    Column("last_seen", InstantOrNever, nullable=False),
    Column("expires", InstantOrNever, nullable=False),
    salt(),
    version(),
    loose("batch"),  # bulk import: its row there proves what was imported
    Column("batch_row", Integer),
    Index(None, "serial_key", "maker_key"),  # not unique: a serial is a claim
    Index(None, "state", "id"),
    Index(None, "owner", "id"),
    Index(None, "owner", "state", "id"),
    Index(None, "site", "id"),
    Index(None, "trust_domain", "id"),
    Index(None, "device_class", "id"),
    Index(None, "last_seen", "id"),
    Index(None, "expires", "id"),
    Index(None, "owner", "last_seen", "id"),
    Index(None, "owner", "expires", "id"),
    Index(None, "batch", "batch_row"),
)

hardware_root = Table(
    "hardware_root",
    metadata,
    Column("spki", LargeBinary(32), primary_key=True),  # one root, one device (invariant 4)
    ref("device", "device"),
    word("kind", RootKind),
    word("proof", RootProof),
    at("proved_at", nullable=True),
    Index(None, "device"),
)

tombstone = Table(
    "tombstone",
    metadata,
    key(),
    digest("spki"),
    word("kind", TombstoneKind),
    loose("device", nullable=False),
    Column("term", Integer, nullable=False),
    word("state", DeviceState),
    at("at"),
    at("returned_at", nullable=True),
    Index(None, "spki", "device", "term", unique=True),
    Index(None, "device"),
)

batch = Table(
    "batch",
    metadata,
    key(),
    text("source"),  # file and chunk
    at("at"),
    Column("rows", BigInteger, nullable=False),
    digest("root"),  # RFC 6962 tree over the digests of the rows, in their order
    Column("digests", LargeBinary, nullable=False),  # 32 bytes each: what the proof of one row is made from
)
