"""Who had a device when, transfers between owners, and campaigns over many devices."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table

from tenure.model.devices import OfferState
from tenure.registry.tables.columns import at, digest, json_type, key, loose, metadata, ref, salt, text, version, word

custody = Table(
    "custody",
    metadata,
    ref("device", "device", primary_key=True),
    Column("number", Integer, primary_key=True),  # from 1; the next owner sees that there were others, not who
    loose("owner"),
    Column("term", Integer, nullable=False),
    at("since"),
    at("until", nullable=True),
    text("how"),  # claim, transfer, return
    loose("offer"),
    salt(),  # of the digest that a handover tells the next owner
    Index(None, "owner", "device"),
)

transfer_offer = Table(
    "transfer_offer",
    metadata,
    key(),
    ref("from_owner", "owner"),
    ref("to_owner", "owner", nullable=True),
    text("to_party", nullable=True),
    ref("to_trust_domain", "trust_domain", nullable=True),
    word("state", OfferState),
    at("offered_at"),
    at("until"),
    at("settled_at", nullable=True),
    digest("offer_file", nullable=True),  # SHA-256 of what was signed and sent
    digest("acceptance_file", nullable=True),
    salt(),
    version(),
    Index(None, "from_owner", "state", "id"),
    Index(None, "to_owner", "state", "id"),
    Index(None, "state", "until"),
)

transfer_item = Table(
    "transfer_item",
    metadata,
    ref("offer", "transfer_offer", primary_key=True),
    ref("device", "device", primary_key=True),
    Index(None, "device"),
)

campaign = Table(
    "campaign",
    metadata,
    key(),
    text("kind"),  # shared-key, mass verb, incident
    text("title"),
    ref("owner", "owner", nullable=True),
    digest("spki", nullable=True),  # the key that siblings share
    Column("filter", json_type(), nullable=False),
    text("verb", nullable=True),
    text("state"),  # open, running, stopped, done
    Column("devices", BigInteger, nullable=False),
    at("opened_at"),
    at("closed_at", nullable=True),
    salt(),
    version(),
    Index(None, "state", "id"),
    Index(None, "spki"),
)

campaign_device = Table(
    "campaign_device",
    metadata,
    ref("campaign", "campaign", primary_key=True),
    ref("device", "device", primary_key=True),
    text("state"),  # waiting, done, failed, given-up
    text("detail"),
    at("changed_at"),
    Index(None, "campaign", "state", "device"),
    Index(None, "device"),
)
