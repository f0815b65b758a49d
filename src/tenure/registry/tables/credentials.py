"""Keys, issuers, credentials, trust anchors and who trusts them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table, UniqueConstraint

from tenure.model.credentials import Binding, KeyState
from tenure.model.vocabulary import AnchorPurpose, CredentialKind, CredentialRole
from tenure.registry.tables.columns import InstantOrNever, at, digest, key, loose, metadata, ref, salt, text, version, word

public_key = Table(
    "public_key",
    metadata,
    Column("spki", LargeBinary(32), primary_key=True),  # SHA-256 of the SubjectPublicKeyInfo
    text("algorithm"),
    Column("bits", Integer),
    Column("der", LargeBinary),  # the SubjectPublicKeyInfo, where known
    word("state", KeyState),
    ref("device", "device", nullable=True),  # whose alone it is; empty where nobody's or shared
    Column("shared", Boolean, nullable=False),  # several devices were seen with it
    at("first_seen"),
    Index(None, "device"),
)

former_key = Table(
    "former_key",
    metadata,
    ref("device", "device", primary_key=True),
    Column("spki", LargeBinary(32), primary_key=True),  # operational in a life elsewhere: never again on this device
)

issuer = Table(
    "issuer",
    metadata,
    key(),
    text("name"),
    ref("trust_domain", "trust_domain", nullable=True),
    digest("spki"),
    Column("certificate", LargeBinary),
    ref("parent", "issuer", nullable=True),
    text("state"),  # staged, published, active, draining, retired, foreign
    at("not_after", nullable=True),
    Column("crl_number", BigInteger, nullable=False),  # the last one signed; never goes back
    at("created_at"),
    salt(),
    version(),
    Index(None, "spki"),
    Index(None, "trust_domain", "state"),
)

credential = Table(
    "credential",
    metadata,
    key(),
    word("kind", CredentialKind),
    word("role", CredentialRole),
    word("state", KeyState),
    ref("device", "device", nullable=True),
    Column("term", Integer, nullable=False),
    ref("issuer", "issuer", nullable=True),
    text("serial", nullable=True),
    digest("spki", nullable=True),
    Column("fingerprint", LargeBinary(32)),
    text("digest_key", nullable=True),
    word("binding", Binding),
    text("subject", nullable=True),
    at("not_before", nullable=True),
    at("not_after", nullable=True),
    Column("crl_shard", Integer),
    at("created_at"),
    at("ended_at", nullable=True),
    text("end_reason", nullable=True),
    text("origin"),
    Column("last_seen", InstantOrNever, nullable=False),
    salt(),
    version(),
    UniqueConstraint("issuer", "serial"),
    Index(None, "device", "state", "id"),
    Index(None, "spki"),
    Index(None, "fingerprint"),
    Index(None, "not_after", "id"),
    Index(None, "issuer", "crl_shard", "ended_at"),  # a shard's revocations, in the order of their ends
)

anchor = Table(
    "anchor",
    metadata,
    key(),
    text("name"),
    word("purpose", AnchorPurpose),
    ref("trust_domain", "trust_domain", nullable=True),
    digest("spki"),
    Column("certificate", LargeBinary),
    at("not_after", nullable=True),
    at("created_at"),
    at("ended_at", nullable=True),
    salt(),
    version(),
    Index(None, "spki"),
    Index(None, "trust_domain", "purpose"),
)

anchor_trust = Table(
    "anchor_trust",
    metadata,
    ref("anchor", "anchor", primary_key=True),
    ref("relying_party", "relying_party", primary_key=True),
    at("since"),
    at("until", nullable=True),
    loose("snapshot"),  # the observation that says so; empty: declared here
    Index(None, "relying_party"),
)
