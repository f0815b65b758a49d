"""People, tokens, roles, approvals, repeated requests, webhooks."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table

from tenure.model.access import Role
from tenure.model.approvals import ApprovalState
from tenure.registry.tables.columns import at, digest, json_type, key, loose, metadata, ref, salt, text, version, word

person = Table(
    "person",
    metadata,
    key(),
    text("name"),
    text("contact"),
    text("subject", nullable=True),  # as the identity provider names them
    at("created_at"),
    at("ended_at", nullable=True),
    salt(),
    version(),
    Index(None, "subject", unique=True),
)

token = Table(
    "token",
    metadata,
    key(),
    text("name"),
    ref("person", "person", nullable=True),
    digest("digest"),  # keyed; the token itself was shown once
    text("digest_key"),
    digest("certificate", nullable=True),  # SHA-256 of the client certificate, of a machine that comes by mutual TLS
    at("created_at"),
    at("expires_at"),
    at("ended_at", nullable=True),
    at("last_used", nullable=True),
    salt(),
    version(),
    Index(None, "digest", unique=True),
    Index(None, "certificate", unique=True),
    Index(None, "expires_at"),
)

role_assignment = Table(
    "role_assignment",
    metadata,
    key(),
    loose("holder", nullable=False),  # a token or a person
    word("role", Role),
    ref("owner", "owner", nullable=True),  # empty: every owner
    ref("trust_domain", "trust_domain", nullable=True),
    at("since"),
    at("ended_at", nullable=True),
    Index(None, "holder"),
)

approval = Table(
    "approval",
    metadata,
    key(),
    text("verb"),
    text("requested_by"),  # an actor
    ref("requested_by_person", "person"),
    text("decided_by", nullable=True),
    ref("decided_by_person", "person", nullable=True),
    text("request"),  # canonical JSON, for the second person to read
    digest("request_digest"),  # what was approved is what is done
    ref("owner", "owner", nullable=True),
    ref("trust_domain", "trust_domain", nullable=True),
    word("state", ApprovalState),
    at("requested_at"),
    at("until"),
    at("decided_at", nullable=True),
    salt(),
    version(),
    Index(None, "state", "until"),
    Index(None, "owner", "state", "id"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("actor", text("actor").type, primary_key=True),
    Column("key", text("key").type, primary_key=True),
    digest("request"),  # the same key with another request is refused
    Column("status", Integer),  # empty: begun, not finished
    Column("headers", json_type()),
    Column("body", LargeBinary),
    at("at"),
    Index(None, "at"),
)

webhook = Table(
    "webhook",
    metadata,
    key(),
    text("url"),
    ref("owner", "owner", nullable=True),  # whose devices it hears of
    ref("trust_domain", "trust_domain", nullable=True),
    Column("verbs", json_type(), nullable=False),  # empty list: all
    Column("enabled", Boolean, nullable=False),
    Column("cursor", BigInteger, nullable=False),  # the ledger position it hears of next
    at("created_at"),
    salt(),
    version(),
)

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    ref("webhook", "webhook", primary_key=True),
    Column("position", BigInteger, primary_key=True),
    loose("event", nullable=False),
    text("state"),  # waiting, delivered, dead
    Column("attempts", Integer, nullable=False),
    at("next_at"),
    text("last_answer"),
    Index(None, "state", "next_at"),
)
