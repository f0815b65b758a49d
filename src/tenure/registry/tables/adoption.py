"""What devices were adopted with: the evidence of it, and the strong identifiers that the next audit finds them again by."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table, Text

from tenure.model.vocabulary import IdentifierKind
from tenure.registry.tables.columns import at, metadata, ref, salt, text, word

adoption = Table(
    "adoption",
    metadata,
    ref("device", "device", primary_key=True),
    at("at"),
    Column("snapshots", LargeBinary, nullable=False),  # content ids, 32 bytes each
    at("left_service_at", nullable=True),  # of one that came as gone: when it left service, as the roll tells
    salt(),
)

device_identifier = Table(
    "device_identifier",
    metadata,
    ref("device", "device", primary_key=True),
    Column("kind", word("kind", IdentifierKind).type, primary_key=True),
    Column("value", Text, primary_key=True),  # in the one notation of model.identifiers
    Column("scope", Text, primary_key=True),  # maker of a serial, account of a thing name; empty: none
    text("raw", nullable=True),
    Index(None, "value", "kind"),
)
