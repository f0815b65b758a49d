"""``tenure snapshots``: what the store keeps of past collections, and removing the old."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenure.cli.places import STORE_HELP, places

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tenure.evidence.keeping import Kept

Store = Annotated[Path | None, typer.Option(metavar="DIR", help=STORE_HELP)]
AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


def register(app: typer.Typer) -> None:
    command = typer.Typer(help="List the snapshots of the store: age, size, source and content id.", rich_markup_mode=None)
    command.callback(invoke_without_command=True)(snapshots)
    command.command(name="prune")(prune)
    app.add_typer(command, name="snapshots")


def snapshots(context: typer.Context, store: Store = None, as_json: AsJson = False) -> None:
    """List the snapshots of the store: age, size, source and content id."""
    if context.invoked_subcommand is not None:
        return
    from tenure import clock
    from tenure.evidence.keeping import kept

    found = kept(places(store).evidence)
    _show(found, clock.now(), as_json, _together(found) + "\n")


def prune(
    keep: Annotated[int, typer.Option(min=0, metavar="N", help="Spare the newest N of each source.")] = 0,
    older_than: Annotated[int, typer.Option(min=0, metavar="DAYS", help="Spare what was collected within DAYS days.")] = 0,
    delete: Annotated[bool, typer.Option("--delete", help="Do it; without this, only say what would go.")] = False,
    store: Store = None,
    as_json: AsJson = False,
) -> None:
    """Remove snapshots that neither --keep nor --older-than spares. Audits collect anew and need none of them."""
    from datetime import timedelta

    from tenure import clock
    from tenure.errors import TenureError
    from tenure.evidence.keeping import kept
    from tenure.flows import prune as flow

    if not keep and not older_than:
        raise TenureError("nothing says what may go", "give --keep N, --older-than DAYS or both")
    spare, now, evidence = flow.Spare(keep, timedelta(days=older_than)), clock.now(), places(store).evidence
    if delete and evidence.is_dir():
        gone = list(flow.prune(evidence, spare, now))
        said = f"removed {_together(gone)}\n"
    else:
        gone = list(flow.superfluous(kept(evidence), spare, now))
        said = f"would remove {_together(gone)}: --delete does it\n"
    _show(gone, now, as_json, said)


def _show(found: Sequence[Kept], now: datetime, as_json: bool, said: str) -> None:
    import json

    from tenure.cli.screen import show
    from tenure.clock import rfc3339
    from tenure.reports._wording import shown

    if as_json:
        plain = [
            {"content_id": k.content_id, "kind": k.kind, "name": k.name, "collected_at": rfc3339(k.collected_at), "size": k.size}
            for k in found
        ]
        show(json.dumps(plain, indent=1) + "\n", exact=True)
        return
    lines = (f"{(now - k.collected_at).days:>5} d {_size(k):>13}  {k.content_id}  {k.kind} {shown(k.name)}\n" for k in found)
    show("".join(lines) + said)


def _together(found: Sequence[Kept]) -> str:
    from tenure.reports._wording import count

    return f"{count(len(found), 'snapshot')}, {_size(*found)}"


def _size(*of: Kept) -> str:
    return f"{sum(k.size for k in of) / 1e6:,.1f} MB"
