"""The command line: parse, call one flow, show. Every command's module is imported only when it runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tenure import __version__
from tenure.cli import (
    adopt,
    approvals,
    audit,
    collect,
    devices,
    diff,
    explain,
    findings,
    keys,
    ledger,
    parties,
    registry,
    rules,
    serve,
    snapshots,
    tokens,
    webhooks,
)
from tenure.cli.connection import ServiceError
from tenure.errors import LinkError, SnapshotError, TenureError
from tenure.registry.faults import StoreBusyError, StoreDownError

USAGE = 2
INCOMPLETE = 3

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
adopt.register(app)
collect.register(app)
diff.register(app)
explain.register(app)
rules.register(app)
serve.register(app)
snapshots.register(app)
registry.register(app)
devices.register(app)
parties.register(app)
approvals.register(app)
tokens.register(app)
findings.register(app)
ledger.register(app)
keys.register(app)
webhooks.register(app)


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
    """Entry point: errors with advice go to standard error.

    What the call or its input is to blame for ends with 2; what kept us from a verdict ends with 3, our own defects too:
    Python's own 1 would read "something was found".
    """
    try:
        app(prog_name="tenure")
    except (LinkError, SnapshotError, ServiceError, StoreBusyError, StoreDownError) as error:
        _leave(str(error), INCOMPLETE)
    except TenureError as error:
        _leave(str(error), USAGE)
    except OSError as error:
        at = f"{error.filename}: " if error.filename else ""
        _leave(f"{at}{error.strerror or error}\n  fix: check the path, its permissions and the room on its disk", USAGE)
    except Exception as error:  # noqa: BLE001 - the last place: a defect of ours must not end with a code that is a verdict
        import traceback

        traceback.print_exc()
        _leave(f"this is a defect of Tenure: {type(error).__name__}\n  fix: report it with the lines above", INCOMPLETE)


def _leave(message: str, code: int) -> None:
    typer.echo(f"tenure: {message}", err=True)
    sys.exit(code)
