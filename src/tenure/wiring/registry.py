"""The registry in the real world: its clock, its ids, its randomness, and which database."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tenure.errors import TenureError
from tenure.registry.opening import engine_for, open_registry
from tenure.registry.registry import Registry
from tenure.registry.retention import Retention
from tenure.registry.work import World

if TYPE_CHECKING:
    from tenure.settings import Settings


class NoRegistryError(TenureError):
    """The database that was named holds no registry."""


def now() -> datetime:
    """The present moment to the microsecond: the order of events rests on it."""
    return datetime.now(UTC)


def real_world() -> World:
    from uuid_utils.compat import uuid7

    return World(now, uuid7, secrets.token_bytes)


def opened(url: str) -> Registry:
    """The registry at a URL. An SQLite file must be there: a wrong folder must not become a new, empty registry.

    Raises NoRegistryError, SchemaError, StoreDownError.
    """
    require_there(url)
    return open_registry(url, real_world())


def require_there(url: str) -> None:
    """Raises NoRegistryError for an SQLite file that is not there. Of a server the opening says it."""
    if (file := sqlite_file(url)) is not None and not file.exists():
        raise NoRegistryError(f"there is no registry at {file}", "make one (tenure registry init), or name another (--database)")


def made(url: str) -> Registry:
    """As ``opened``, but an SQLite file that is not there is made."""
    if (file := sqlite_file(url)) is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    return open_registry(url, real_world())


def retention_of(settings: Settings) -> Retention:
    """How long histories are kept, as the settings say."""
    kept = settings.retention
    return Retention(
        repeated_requests=timedelta(days=kept.repeats_days),
        deliveries=timedelta(days=kept.deliveries_days),
        approvals=timedelta(days=kept.approvals_days),
        audits=timedelta(days=kept.audits_days),
        ended_rights=timedelta(days=kept.rights_days),
        ended_credentials=timedelta(days=kept.credentials_days),
        settled_obligations=timedelta(days=kept.obligations_days),
        reasons=timedelta(days=kept.reasons_days),
    )


def sqlite_file(url: str) -> Path | None:
    """The file of an embedded registry; None for a server. Raises SchemaError for what is no database URL."""
    engine = engine_for(url)
    return Path(engine.url.database) if engine.dialect.name == "sqlite" and engine.url.database else None
