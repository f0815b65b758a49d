"""``tenure registry restore``: after a backup was restored, what the database lacks, and making it good (docs/restore.md)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenure.cli.database import Here, local_actor, on_database
from tenure.cli.screen import show
from tenure.errors import TenureError

if TYPE_CHECKING:
    from tenure.flows.restore.missing import Happened
    from tenure.ledger.shelf import Shelf
    from tenure.wiring.ledger import Ledger

OLDER = 1
"""Exit code: the database is not the latest."""

Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why the backup was restored, or the gap is none.")]


def register(group: typer.Typer) -> None:
    restore = typer.Typer(help="After a backup was restored (docs/restore.md).", rich_markup_mode=None, no_args_is_help=True)
    restore.command("check", help=f"Compare with the shelf; list what is not known here. Exit code {OLDER}: something is not.")(
        on_database(check)
    )
    restore.command("settle", help="Make good what can be, say what became of each entry, and let changes happen again.")(
        on_database(settle)
    )
    restore.command("dismiss", help="Open the gate over a gap that was found against the wrong shelf.")(on_database(dismiss))
    group.add_typer(restore, name="restore")


def check(here: Here) -> None:
    from tenure.flows.restore import settle as flow
    from tenure.flows.restore.standing import Latest, OtherPast, look

    with here.ledger() as (registry, ledger):
        shelf = _shelf(ledger)
        standing = look(registry, ledger.store, shelf, ledger.identity)
        if isinstance(standing, Latest):
            _told(here, f"this is the latest: {standing.unshipped} of its entries are not outside yet", ())
            return
        gap = standing.gap
        said = f"the database knows {gap.known} entries, outside are {gap.outside}: nothing may change until that is settled"
        if isinstance(standing, OtherPast):
            said = "the database tells another past than the entries outside: take an older backup, or the right shelf"
        happened = () if isinstance(standing, OtherPast) else flow.missing(shelf, ledger.identity, gap)
    _told(here, said, happened)
    raise typer.Exit(OLDER)


def settle(here: Here, reason: Why) -> None:
    from tenure.flows.restore import settle as flow

    with here.ledger() as (registry, ledger):
        settled = flow.settle(registry, ledger.store, _shelf(ledger), ledger.identity, local_actor(), reason)
    if settled is None:
        _told(here, "nothing is to be settled: this is the latest", ())
        return
    counts = ", ".join(f"{number} {outcome}" for outcome, number in sorted(settled.count().items()))
    _told(here, f"{settled.outside - settled.known} entries settled: {counts}", settled.happened)


def dismiss(here: Here, reason: Why) -> None:
    from tenure.flows.restore import settle as flow

    with here.ledger() as (registry, ledger):
        open_ = flow.dismiss(registry, ledger.store, _shelf(ledger), ledger.identity, local_actor(), reason)
    _told(here, "the gate is open" if open_ else "no gap was open", ())


def _shelf(ledger: Ledger) -> Shelf:
    if ledger.shelf is None:
        raise TenureError("there is no shelf to compare with", "name the folder that was shipped to: the setting ledger.shelf")
    return ledger.shelf


def _told(here: Here, said: str, happened: Iterable[Happened]) -> None:
    import json

    if here.as_json:
        show(json.dumps({"said": said, "entries": [_plain(each) for each in happened]}, indent=1) + "\n", exact=True)
        return
    lines = (f"{h.position:>9}  {h.outcome:<8}  {h.verb} {h.subject_kind} {h.subject}  by {h.actor}\n" for h in happened)
    show("".join(lines) + said + "\n")


def _plain(each: Happened) -> dict[str, Any]:
    from dataclasses import asdict

    from tenure.clock import rfc3339

    return asdict(each) | {"at": rfc3339(each.at), "outcome": each.outcome.value}
