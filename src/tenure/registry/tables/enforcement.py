"""Relying parties and enforcement points, what devices may do there, and what is still to be made true there."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table

from tenure.model.obligations import EvidenceKind, ObligationKind, ObligationState
from tenure.model.vocabulary import RelyingPartyKind
from tenure.registry.tables.columns import at, digest, json_type, key, loose, metadata, ref, salt, text, version, word

policy = Table(
    "policy",
    metadata,
    key(),
    text("name"),
    text("kind"),  # class, trust-domain, issuing, access, renewal
    ref("owner", "owner", nullable=True),
    Column("body", json_type(), nullable=False),
    at("created_at"),
    at("ended_at", nullable=True),
    salt(),
    version(),
    Index(None, "kind", "name"),
)

relying_party = Table(
    "relying_party",
    metadata,
    key(),
    text("name"),
    word("kind", RelyingPartyKind),
    ref("trust_domain", "trust_domain", nullable=True),
    ref("owner", "owner", nullable=True),
    at("created_at"),
    at("ended_at", nullable=True),
    salt(),
    version(),
    Index(None, "trust_domain"),
)

enforcement_point = Table(
    "enforcement_point",
    metadata,
    key(),
    ref("relying_party", "relying_party"),
    text("name"),  # as settings name it; its secrets never come here
    text("kind"),  # mosquitto, nginx, haproxy, webhook, file
    text("state"),  # in-step, behind, unreachable, drifted
    Column("behind", BigInteger, nullable=False),
    at("in_step_at", nullable=True),
    at("reached_at", nullable=True),
    Column("cursor", BigInteger, nullable=False),  # ledger position up to which changes were applied
    Column("lied", Boolean, nullable=False),  # seen to accept and not act: its own word closes nothing
    version(),
    Index(None, "relying_party"),
    Index(None, "name", unique=True),
)

grant = Table(
    "grant",
    metadata,
    key(),
    ref("device", "device"),
    Column("term", Integer, nullable=False),
    ref("relying_party", "relying_party"),
    Column("rights", json_type(), nullable=False),
    at("since"),
    at("until", nullable=True),
    at("ended_at", nullable=True),
    salt(),
    version(),
    Index(None, "device"),
    Index(None, "relying_party", "device"),
)

registration = Table(
    "registration",
    metadata,
    key(),
    ref("device", "device"),
    ref("relying_party", "relying_party", nullable=True),
    text("kind"),  # cloud thing, group, directory entry
    text("name"),
    at("since"),
    at("ended_at", nullable=True),
    salt(),
    version(),
    Index(None, "device"),
)

delegation = Table(
    "delegation",
    metadata,
    key(),
    text("kind"),  # registration-authority, broker-gateway, on-behalf
    loose("delegate_device"),  # the gateway that acts, or
    loose("delegate_person"),  # the person or program
    ref("device", "device", nullable=True),  # for one device, or
    ref("owner", "owner", nullable=True),  # for all of an owner
    ref("trust_domain", "trust_domain", nullable=True),
    Column("rights", json_type(), nullable=False),
    at("since"),
    at("until", nullable=True),
    at("ended_at", nullable=True),
    salt(),
    version(),
    Index(None, "device"),
    Index(None, "delegate_device"),
    Index(None, "owner"),
)

obligation = Table(
    "obligation",
    metadata,
    key(),
    ref("device", "device"),
    Column("term", Integer, nullable=False),
    word("kind", ObligationKind),
    loose("cause", nullable=False),
    text("target_kind"),
    loose("target"),
    ref("relying_party", "relying_party", nullable=True),
    text("closed_by"),  # sets of kinds of evidence: kinds by plus, sets by comma
    word("state", ObligationState),
    at("opened_at"),
    at("bounded_until", nullable=True),
    at("due", nullable=True),
    at("settled_at", nullable=True),
    Index(None, "device", "state"),
    Index(None, "cause"),
    Index(None, "state", "due", "id"),
    Index(None, "relying_party", "state", "id"),
)

obligation_evidence = Table(
    "obligation_evidence",
    metadata,
    key(),
    ref("obligation", "obligation"),
    word("kind", EvidenceKind),
    at("at"),
    digest("digest"),
    text("source"),
    text("detail"),
    Column("content", LargeBinary),  # the record itself, where it is small
    Index(None, "obligation"),
)
