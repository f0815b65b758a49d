"""``tenure collect KIND PATH``: one export into one snapshot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from tenure.cli.places import STORE_HELP, places
from tenure.wiring import SOURCES

KINDS = ", ".join(SOURCES)


def register(app: typer.Typer) -> None:
    app.command(name="collect")(collect)


def collect(
    kind: Annotated[str, typer.Argument(metavar="KIND", help=f"What the export is: {KINDS}.")],
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The export: a file or a folder.")],
    store: Annotated[Path | None, typer.Option(metavar="DIR", help=STORE_HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the snapshot's manifest as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Read one export into an immutable snapshot. The same export gives the same content id."""
    from tenure import clock
    from tenure.cli.progress import Bar
    from tenure.cli.screen import show
    from tenure.errors import TenureError
    from tenure.evidence.digests import digest_key
    from tenure.flows import observe
    from tenure.flows.declare import FILE, read_declarations
    from tenure.wiring import source

    if kind not in SOURCES:
        raise TenureError(f"no kind of source is called {kind!r}", f"use one of {KINDS}")
    export = observe.place_at(path, path.resolve().name or ".")
    own = places(store)
    own.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Declared beside the export, as an audit of the folder above would see it; else within it, as an audit of itself would.
    inside = export.is_folder and not (path.resolve().parent / FILE).is_file()
    base = path if inside else path.resolve().parent
    taken = observe.Taken(replace(export, relative=".") if inside else export, kind, "named on the command line")
    bench = observe.Bench(own.evidence, digest_key(own.digest_key), base, (), clock.now())
    with Bar(wanted=False if quiet else None) as bar:
        bar.step("collecting", observe.size_of([taken]), "bytes")
        snapshot = observe.collect_one(taken, source(kind), read_declarations(base), bench, bar.done)
    manifest = snapshot.manifest
    if as_json:
        show(manifest.to_json(), exact=True)
    else:
        rows = "".join(f"  {count:>10,} {table}\n" for table, count in manifest.rows.items())
        notes = "".join(f"  note: {note}\n" for note in manifest.notes)
        show(f"{manifest.kind} {manifest.name}: snapshot {manifest.content_id}\n{rows}{notes}  in {snapshot.folder}\n")
    if manifest.partial:
        typer.echo(f"tenure: cut short: {manifest.partial_reason}", err=True)
        raise typer.Exit(3)
