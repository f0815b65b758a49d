"""``tenure collect KIND PATH``: one export into one snapshot."""

from __future__ import annotations

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
    from tenure.errors import TenureError
    from tenure.evidence.digests import digest_key
    from tenure.flows import observe
    from tenure.flows.declare import read_declarations
    from tenure.wiring import source

    if kind not in SOURCES:
        raise TenureError(f"no kind of source is called {kind!r}", f"use one of {KINDS}")
    own = places(store)
    own.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    base = path if path.is_dir() else path.parent
    taken = observe.Taken(observe.place_at(path, path.name or "."), kind, "named on the command line")
    bench = observe.Bench(own.evidence, digest_key(own.digest_key), base, (), clock.now())
    with Bar(wanted=False if quiet else None) as bar:
        bar.step("collecting", observe.size_of([taken]))
        snapshot = observe.collect_one(taken, source(kind), read_declarations(path), bench, bar.done)
    manifest = snapshot.manifest
    if as_json:
        typer.echo(manifest.to_json(), nl=False)
    else:
        typer.echo(f"{manifest.kind} {manifest.name}: snapshot {manifest.content_id}")
        for table, rows in manifest.rows.items():
            typer.echo(f"  {rows:>10,} {table}")
        typer.echo(f"  in {snapshot.folder}")
    if manifest.partial:
        typer.echo(f"tenure: cut short: {manifest.partial_reason}", err=True)
        raise typer.Exit(3)
