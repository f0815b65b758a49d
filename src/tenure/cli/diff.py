"""``tenure diff OLD NEW``: what appeared and what went between two audits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenure.model.vocabulary import Severity


def register(app: typer.Typer) -> None:
    app.command(name="diff")(diff)


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Earlier audit, as --format json wrote it.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Later audit.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
    fail_on: Annotated[
        Severity | None, typer.Option(metavar="SEVERITY", case_sensitive=False, help="Exit 1 if something at or above appeared.")
    ] = None,
) -> None:
    """Compare two audits. What NEW did not assess is not called gone."""
    from tenure.cli import screen
    from tenure.errors import TenureError
    from tenure.flows.diff import diff as compare
    from tenure.flows.verdict import difference_exit_code
    from tenure.reports import difference, json_report

    audits = []
    for path in (old, new):
        try:
            audits.append(json_report.read(path.read_text("utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise TenureError(f"{path}: {why}", "name a file that `tenure audit --format json` wrote") from error
        except TenureError as error:
            raise TenureError(f"{path}: {error.problem}", error.fix) from error
    found = compare(audits[0], audits[1])
    text = difference.to_json(found) if as_json else difference.to_text(found, width=screen.width(), colour=screen.colour())
    screen.show(text, exact=as_json)
    raise typer.Exit(difference_exit_code(found, fail_on))
