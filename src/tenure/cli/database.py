"""Commands that work on the database itself and have no place in the API: making it, checking its ledger, filling it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tenure.cli.connection import AsJson, Database, SettingsFile, with_options
from tenure.model.access import Actor, ActorKind, Area, Role, RoleAssignment

if TYPE_CHECKING:
    from tenure.registry.registry import Registry
    from tenure.settings import Settings
    from tenure.wiring.ledger import Ledger

OPTIONS: dict[str, Any] = {"database": Database, "settings": SettingsFile, "as_json": AsJson}


@dataclass(frozen=True, slots=True)
class Here:
    """The settings of a command, and the registry they name, which is opened when it is asked for."""

    settings: Settings
    as_json: bool

    @contextmanager
    def registry(self) -> Iterator[Registry]:
        """Raises NoRegistryError, SchemaError, StoreDownError."""
        from tenure.wiring.registry import opened

        registry = opened(self.settings.database)
        try:
            yield registry
        finally:
            registry.close()

    @contextmanager
    def ledger(self) -> Iterator[tuple[Registry, Ledger]]:
        from tenure.wiring.ledger import ledger_of

        with self.registry() as registry:
            yield registry, ledger_of(registry, self.settings)


def local_actor() -> Actor:
    """Whoever has the database, by what the operating system knows of them; no name, as events are for ever."""
    return Actor(ActorKind.SYSTEM, f"cli-uid-{os.getuid()}", (RoleAssignment(Role.ADMIN, Area()),))


def on_database(command: Callable[..., None]) -> Callable[..., None]:
    """A command of ``(here, ...)`` as one of ``(..., --database, --settings, --json)``."""

    def run(where: dict[str, Any], given: dict[str, Any]) -> None:
        from tenure.settings import load

        database = where["database"]
        settings = load(where["settings"], {} if database is None else {"database": database})
        command(Here(settings, where["as_json"]), **given)

    return with_options(command, OPTIONS, run)
