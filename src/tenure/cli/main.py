"""The command line: parse, call one flow, show. Every command's module is imported only when it runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tenure import __version__
from tenure.cli import audit, collect, diff, explain, rules
from tenure.errors import TenureError

USAGE = 2

app = typer.Typer(
    name="tenure",
    help="Lifecycle control plane for the machine identities of IoT fleets.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
audit.register(app)
collect.register(app)
diff.register(app)
explain.register(app)
rules.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tenure {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Lifecycle control plane for the machine identities of IoT fleets."""


def run() -> None:
    """Entry point: errors with advice go to standard error, exit code 2."""
    try:
        app()
    except TenureError as error:
        typer.echo(f"tenure: {error}", err=True)
        sys.exit(USAGE)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(USAGE)
