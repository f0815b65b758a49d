"""``tenure registry``: the database itself, made, brought up to date, looked at, pruned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenure.cli import restore
from tenure.cli.connection import Database, SettingsFile
from tenure.cli.database import Here, on_database
from tenure.cli.screen import show

if TYPE_CHECKING:
    from tenure.registry.registry import Registry


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The registry's database (docs/registry.md).", rich_markup_mode=None, no_args_is_help=True)
    group.command("init", help="Make it, with its keys and the first administrator's token, which is printed this once.")(
        on_database(init)
    )
    group.command("upgrade", help="Bring its schema up to date, as a whole or not at all. Make a backup first.")(upgrade)
    group.command("status", help="Show where it is, its schema, and how the ledger stands.")(on_database(status))
    group.command("prune", help="Remove histories that are kept long enough (settings, retention).")(on_database(prune))
    group.command(
        "export", help="Write it to a folder that `tenure audit` reads beside other exports (docs/sources/registry.md)."
    )(on_database(export))
    restore.register(group)
    app.add_typer(group, name="registry")


def init(here: Here) -> None:
    """1. The database and its schema. 2. Keys. 3. The first token, where there never was one."""
    import sys

    from tenure.api.assembly import assembled
    from tenure.registry.opening import upgrade_registry
    from tenure.wiring.registry import sqlite_file

    settings = here.settings
    if (file := sqlite_file(settings.database)) is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    upgrade_registry(settings.database)
    service = assembled(settings, sys.stderr)
    service.close()
    show(f"registry  {_shown(settings.database)}\nkeys      {settings.keys.resolve()}\n")
    if service.first_token is not None:
        show(f"administrator's token, shown this once: {service.first_token}\n")


def upgrade(database: Database = None, settings: SettingsFile = None) -> None:
    from tenure.registry.opening import upgrade_registry
    from tenure.settings import load
    from tenure.wiring.registry import require_there

    url = load(settings, {} if database is None else {"database": database}).database
    require_there(url)
    upgrade_registry(url)
    show(f"{_shown(url)} is up to date\n")


def status(here: Here) -> None:
    import json

    with here.registry() as registry:
        told = _status(here, registry)
    if here.as_json:
        show(json.dumps(told, indent=1) + "\n", exact=True)
        return
    width = max(map(len, told))
    show("".join(f"{name.replace('_', ' ').ljust(width)}  {value}\n" for name, value in told.items()))


def _status(here: Here, registry: Registry) -> dict[str, Any]:
    from tenure.registry import gate
    from tenure.registry.schema import HEAD
    from tenure.wiring.ledger import ledger_of

    ledger = ledger_of(registry, here.settings)
    signed = ledger.store.checkpoint()
    head = ledger.identity.open(signed).size if signed else 0
    with registry.read() as reading:
        gap = gate.open_gap(reading)
    there = None if ledger.shelf is None else ledger.shelf.read("checkpoint")
    outside = ledger.identity.open(there).size if there else 0
    window = ledger.store.unshipped(outside)
    oldest = window.oldest
    return {
        "database": _shown(here.settings.database),
        "schema": HEAD,
        "ledger": ledger.identity.origin,
        "placed": head,
        "waiting": ledger.store.unshipped(head).events,
        "shelf": str(here.settings.ledger.shelf) if ledger.shelf else "none: nothing outside the database vouches for it",
        "shipped": outside,
        "not_shipped": window.events,
        "oldest_not_shipped_seconds": 0 if oldest is None else int((registry.world.now() - oldest).total_seconds()),
        "restored": "no"
        if gap is None
        else f"yes: {gap.outside - gap.known} entries outside are unknown here; nothing may change",
    }


def prune(
    here: Here, delete: Annotated[bool, typer.Option("--delete", help="Do it; without this, only say how much would go.")] = False
) -> None:
    import json

    from tenure.flows.prune_registry import prunable, prune_registry
    from tenure.wiring.registry import retention_of

    with here.registry() as registry:
        act = prune_registry if delete else prunable
        gone = act(registry, retention_of(here.settings))
    if here.as_json:
        show(json.dumps({"rows": gone, "removed": delete}) + "\n", exact=True)
    else:
        show(f"{'removed' if delete else 'would remove'} {gone} rows{'' if delete else ': --delete does it'}\n")


def export(
    here: Here, folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where; an older export there is replaced.")]
) -> None:
    import json

    from tenure.flows.export_registry import export_registry

    with here.registry() as registry:
        manifest = export_registry(registry, folder)
    rows = {name.removesuffix(".jsonl"): file.rows for name, file in manifest.files.items()}
    if here.as_json:
        show(json.dumps({"folder": str(folder), "rows": rows}) + "\n", exact=True)
    else:
        show(f"{folder}: {', '.join(f'{count} {name}' for name, count in rows.items())}\n")


def _shown(url: str) -> str:
    from sqlalchemy import make_url

    return make_url(url).render_as_string(hide_password=True)
