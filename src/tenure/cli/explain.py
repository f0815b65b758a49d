"""``tenure explain device X``: why these records are one device, and what each source claims of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenure.cli.places import STORE_HELP, places

explain = typer.Typer(help="Explain how the roll came to what it says.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    app.add_typer(explain, name="explain")


@explain.command(name="device")
def device(
    wanted: Annotated[str, typer.Argument(metavar="X", help="Device id, serial, MAC, name, thing name or record id.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that was audited.")] = Path(),
    store: Annotated[Path | None, typer.Option(metavar="DIR", help=STORE_HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show the chain of evidence of each merge, what each source claims, and which credentials and sessions follow."""
    import duckdb

    from tenure.cli.screen import show
    from tenure.errors import LinkError, TenureError
    from tenure.reports.explanation import device_text, to_json
    from tenure.roll.explain import explain_device

    path = places(store).roll(folder)
    if not path.is_file():
        raise TenureError(f"no roll was linked from {folder.resolve()} yet", f"run: tenure audit {folder}")
    try:
        with duckdb.connect(str(path), read_only=True) as con:
            found = explain_device(con, wanted)
    except duckdb.Error as error:  # being written now, half made by an audit that died, or of another version of Tenure
        raise LinkError(f"the roll of {folder.resolve()} cannot be read: {error}", f"run: tenure audit {folder}") from error
    show(to_json(found) if as_json else device_text(found), exact=as_json)
