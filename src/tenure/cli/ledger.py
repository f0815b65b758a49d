"""``tenure ledger``: is the past what it was, prove one event, hand all of it to an auditor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from tenure.cli.connection import Api, on_registry
from tenure.cli.database import Here, on_database
from tenure.cli.progress import Bar
from tenure.cli.screen import show
from tenure.errors import TenureError

if TYPE_CHECKING:
    from tenure.ledger.bundle import Sink
    from tenure.ledger.proof import Proved

UNSOUND = 1

Kept = Annotated[
    list[Path] | None, typer.Option("--checkpoint", metavar="FILE", help="A checkpoint that was kept elsewhere. May be repeated.")
]
Event = Annotated[UUID, typer.Argument(metavar="EVENT", help="Id of the event.")]
Device = Annotated[UUID, typer.Argument(metavar="DEVICE", help="Id of the device.")]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where the proof file goes.")]
Keys = Annotated[
    list[str] | None,
    typer.Option("--key", metavar="LINE", help="Key of the ledger, name+id+base64, from a place you trust. May be repeated."),
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The ledger of all changes (docs/ledger.md).", rich_markup_mode=None, no_args_is_help=True)
    group.command(
        "verify", help=f"Check every row against all that was signed. Exit code {UNSOUND}: something is not what it was."
    )(on_database(verify))
    group.command("prove", help="Write the proof that an event is in the ledger, to be checked offline.")(on_registry(prove))
    group.command("prove-import", help="The same for the row by which a device came with an import.")(on_database(prove_import))
    group.command("check", help="Check a proof file, offline.")(check)
    group.command("export", help="Write the auditor's bundle: a new folder, or a .zip.")(on_database(export))
    group.command("checkpoint", help="Print the signed head. Keep one elsewhere now and then.")(on_registry(checkpoint))
    group.command("keys", help="Print the public keys the ledger is known by, a line each.")(on_database(keys))
    group.command("sequence", help="Give waiting events their places and ship them, now. `tenure serve` does so all the time.")(
        on_database(sequence)
    )
    app.add_typer(group, name="ledger")


def verify(here: Here, checkpoint: Kept = None) -> None:
    import json

    from tenure.ledger.verify import verify as verification

    with here.ledger() as (_, ledger), Bar() as bar:
        kept = [path.read_bytes() for path in checkpoint or ()]
        bar.step("rows", unit="rows")
        read = 0

        def progress(rows: int) -> None:
            nonlocal read
            bar.done(rows - read)
            read = rows

        verdict = verification(ledger.store, ledger.identity, ledger.shelf, kept, progress)
    told: dict[str, Any] = {"sound": verdict.sound, "rows": verdict.rows, "vouched": verdict.vouched}
    if here.as_json:
        told |= {"finding": str(verdict.finding), "problems": list(verdict.problems)}
        show(json.dumps(told, indent=1) + "\n", exact=True)
    else:
        lines = [f"{verdict.rows} rows read; up to {verdict.vouched} something outside the database vouches for them"]
        show("\n".join([*lines, str(verdict.finding), *verdict.problems]) + "\n")
    if not verdict.sound:
        raise typer.Exit(UNSOUND)


def prove(api: Api, event: Event, out: Out) -> None:
    _save(out, api.text(f"/events/{event}/proof"))


def prove_import(here: Here, device: Device, out: Out) -> None:
    from tenure.flows import prove_row
    from tenure.model.access import EVERYTHING

    with here.ledger() as (registry, ledger):
        _save(out, prove_row.prove_import(registry, ledger.store, ledger.identity, EVERYTHING, device))


def _save(out: Path, content: bytes) -> None:
    from tenure.cli.screen import save

    save(content.decode(), out)
    show(f"{out}\n")


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A proof file.")],
    key: Keys = None,
) -> None:
    from tenure.ledger import proof
    from tenure.ledger.checkpoint import Identity
    from tenure.ledger.note import Verifier

    if not key:
        raise TenureError("a proof says nothing without the key of the ledger", "give --key LINE (tenure ledger keys prints it)")
    trusted = tuple(map(Verifier.parse, key))
    proved = proof.check(file.read_bytes(), Identity(trusted[0].name, trusted))
    show(_proved(proved))


def _proved(proved: Proved) -> str:
    row = f"row {proved.row.index} of {proved.row.count} of its import, digest {proved.row.row.hex()}\n" if proved.row else ""
    head = proved.checkpoint
    return f"{proved.leaf.decode(errors='backslashreplace')}\n{row}is entry {proved.position} of {head.size} in {head.origin}\n"


def export(
    here: Here, to: Annotated[Path, typer.Argument(metavar="FOLDER|FILE.zip", help="What is made; it must not be there.")]
) -> None:
    import zipfile

    from tenure.ledger.bundle import FolderSink, ZipSink

    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise TenureError(f"{to} is there already", "name a new folder or file")
    if to.suffix.lower() != ".zip":
        _export(here, FolderSink(to), to)
        return
    draft = to.with_name(f".{to.name}.draft")
    try:
        with zipfile.ZipFile(draft, "w") as archive:
            _export(here, ZipSink(archive), to)
        draft.replace(to)
    finally:
        draft.unlink(missing_ok=True)


def _export(here: Here, sink: Sink, to: Path) -> None:
    from tenure.ledger import bundle

    with here.ledger() as (_, ledger), Bar() as bar:
        bar.step("entries", unit="entries")
        read = 0

        def progress(size: int) -> None:
            nonlocal read
            bar.done(size - read)
            read = size

        head = bundle.export(ledger.store, ledger.identity, sink, ledger.shelf, progress)
    show(f"{to}: {head.size} entries of {head.origin}\n")


def checkpoint(api: Api) -> None:
    show(api.text("/ledger/checkpoint").decode(), exact=True)


def keys(here: Here) -> None:
    with here.ledger() as (_, ledger):
        show("".join(f"{key}\n" for key in ledger.identity.trusted), exact=True)


def sequence(here: Here) -> None:
    from tenure.flows import sequence as sequencing
    from tenure.flows import ship as shipping
    from tenure.wiring.ledger import NoShelf

    with here.ledger() as (registry, ledger):
        now, sequencer = registry.world.now, ledger.sequencer()
        try:
            placed = sequencing.sequence(
                sequencing.Sequencing(registry, ledger.store, ledger.shelf or NoShelf(), ledger.identity, sequencer, now)
            )
        finally:
            sequencer.stop(now())
        show(f"{placed} events placed\n")
        if ledger.shelf is None:
            show("nothing is shipped: the setting ledger.shelf names no folder\n")
            return
        window = shipping.ship(shipping.Shipping(registry, ledger.store, ledger.shelf, ledger.identity, now))
        show(f"{window.shipped} entries lie outside the database, {window.events} do not yet\n")
