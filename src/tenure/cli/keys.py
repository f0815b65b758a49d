"""``tenure keys``: Tenure's own keys. They lie on this machine, so these commands work here, never at a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenure.cli.database import Here, local_actor, on_database
from tenure.cli.screen import show
from tenure.model.own_keys import Purpose

if TYPE_CHECKING:
    from tenure.flows.own_keys.turn import Custody

NOTHING = "-"

Of = Annotated[Purpose, typer.Argument(metavar="PURPOSE", help=f"What the key is for: {', '.join(Purpose)}.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="Id of the key (tenure keys list).")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; it is kept with the event.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Tenure's own keys (docs/keys.md).", rich_markup_mode=None, no_args_is_help=True)
    group.command("list", help="List them: what for, in which state, how they are kept, what rests on them.")(on_database(listed))
    group.command("show", help="Print the public parts that others may rely on, as JSON Web Keys.")(on_database(public))
    group.command("rotate", help="Let a new key follow the one in use. Processes that run take it when they are restarted.")(
        on_database(rotate)
    )
    group.command("end", help="End an old key, so that what it made counts no more.")(on_database(end))
    group.command("seal", help="Seal all secrets under the passphrase in a file; then name it: keys_passphrase_file.")(
        on_database(seal)
    )
    app.add_typer(group, name="keys")


@contextmanager
def _custody(here: Here) -> Iterator[Custody]:
    from tenure.wiring.own_keys import custody_of

    with here.registry() as registry:
        yield custody_of(registry, here.settings)


def listed(here: Here) -> None:
    from tenure.clock import rfc3339
    from tenure.flows.own_keys.inventory import inventory

    with _custody(here) as custody:
        found = inventory(custody)
    rows: list[dict[str, Any]] = [
        {
            "purpose": line.key.purpose.value,
            "id": line.key.id,
            "state": line.key.state.value,
            "in_use": line.current,
            "sealed": line.sealed,
            "tokens": line.tokens,
            "created": rfc3339(line.key.created_at),
            "ended": rfc3339(line.key.ended_at) if line.key.ended_at else None,
        }
        for line in found.lines
    ]
    if here.as_json:
        missing = [{"id": id, "tokens": tokens} for id, tokens in found.missing]
        show(json.dumps({"keys": rows, "missing": missing}, indent=1) + "\n", exact=True)
        return
    show(_table(rows))
    for id, tokens in found.missing:
        typer.echo(f"digest key {id} does not lie here: {tokens} tokens open no door; restore it from its copy", err=True)


def _table(rows: list[dict[str, Any]]) -> str:
    words = {True: "yes", False: "no", None: NOTHING}
    head = ["PURPOSE", "KEY", "STATE", "IN USE", "SEALED", "TOKENS", "CREATED", "ENDED"]
    lines = [head, *([str(words[v] if v is None or isinstance(v, bool) else v) for v in row.values()] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    return "".join("  ".join(t.ljust(w) for t, w in zip(line, widths, strict=True)).rstrip() + "\n" for line in lines)


def public(here: Here) -> None:
    from tenure.model.own_keys import jwk
    from tenure.wiring.own_keys import published_in

    with _custody(here) as custody:
        show(json.dumps({"keys": [jwk(key) for key in published_in(custody)]}, indent=1) + "\n", exact=True)


def rotate(
    here: Here,
    purpose: Of,
    reason: Reason = "",
    lost: Annotated[bool, typer.Option("--lost", help="The key in use is gone, and no copy is left.")] = False,
    known: Annotated[
        list[str] | None,
        typer.Option("--known", metavar="LINE", help="With --lost: a public key of the ledger, from a place you trust."),
    ] = None,
) -> None:
    from tenure.errors import TenureError
    from tenure.flows.own_keys import turn
    from tenure.ledger.note import Verifier

    if known and not (lost and purpose is Purpose.LEDGER):
        raise TenureError("--known is for a ledger key that is lost", "tenure keys rotate ledger --lost --known LINE")
    with _custody(here) as custody:
        if lost:
            trusted = [(key.name, key.public) for key in map(Verifier.parse, known or ())]
            new = turn.begin_anew(custody, local_actor(), purpose, reason, trusted)
        else:
            new = turn.rotate(custody, local_actor(), purpose, reason)
    show(f"{new.id}\n")
    typer.echo("copy the folder of keys to every machine that serves this registry, then restart tenure serve", err=True)


def end(
    here: Here,
    key: Key,
    reason: Reason = "",
    compromised: Annotated[bool, typer.Option("--compromised", help="Others may have it: nothing it made counts.")] = False,
) -> None:
    from tenure.flows.own_keys import turn
    from tenure.flows.own_keys.inventory import rests_on
    from tenure.wiring.ledger import NoShelf, ledger_of
    from tenure.wiring.own_keys import custody_of

    with here.registry() as registry:
        custody, ledger = custody_of(registry, here.settings), ledger_of(registry, here.settings)
        shelf, origin = ledger.shelf or NoShelf(), ledger.identity.origin
        ended = turn.end(
            custody,
            local_actor(),
            key,
            reason,
            compromised=compromised,
            needed=lambda which: rests_on(custody, which, ledger.store, shelf, origin),
        )
    show(f"{ended.id}  {ended.state.value}\n")


def seal(here: Here, file: Annotated[Path, typer.Argument(metavar="FILE", help="Its first line is the new passphrase.")]) -> None:
    from tenure.flows.own_keys.reseal import reseal
    from tenure.wiring.own_keys import passphrase_in

    with _custody(here) as custody:
        count = reseal(custody.folder, passphrase_in(file))
    show(f"{count} keys sealed\n")
