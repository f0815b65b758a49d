"""Owners, sites, trust domains, device classes."""

from __future__ import annotations

from sqlalchemy import Column, Index, SmallInteger, Table

from tenure.registry.tables.columns import at, key, metadata, ref, salt, text, version

owner = Table(
    "owner",
    metadata,
    key(),
    text("name"),
    text("contact"),
    at("created_at"),
    at("ended_at", nullable=True),
    salt(),
    version(),
    Index(None, "name"),  # two tenants may use one name: they do not learn of each other
)

site = Table(
    "site",
    metadata,
    key(),
    text("name"),
    ref("owner", "owner", nullable=True),
    text("note"),
    at("created_at"),
    at("ended_at", nullable=True),
    salt(),
    version(),
    Index(None, "owner", "name"),
)

trust_domain = Table(
    "trust_domain",
    metadata,
    key(),
    Column("name", text("name").type, nullable=False, unique=True),
    Column("assurance_floor", SmallInteger, nullable=False),
    at("created_at"),
    at("ended_at", nullable=True),
    salt(),
    version(),
)

device_class = Table(
    "device_class",
    metadata,
    key(),
    Column("name", text("name").type, nullable=False, unique=True),
    Column("assurance", SmallInteger, nullable=False),
    text("hardware"),
    text("rotation"),
    ref("policy", "policy", nullable=True),
    at("created_at"),
    at("ended_at", nullable=True),
    salt(),
    version(),
)
