"""All tables, on one ``metadata``: what migrations are held against."""

from tenure.registry.tables import (
    access,
    adoption,
    credentials,
    custody,
    devices,
    enforcement,
    findings,
    ledger,
    parties,
    restore,
)
from tenure.registry.tables.columns import metadata

__all__ = [
    "access",
    "adoption",
    "credentials",
    "custody",
    "devices",
    "enforcement",
    "findings",
    "ledger",
    "metadata",
    "parties",
    "restore",
]
