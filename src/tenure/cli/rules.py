"""``tenure rules``: the catalogue at the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command(name="rules")(rules)


def rules(
    rule: Annotated[str | None, typer.Argument(metavar="RULE", help="Show all of this rule, its query too.")] = None,
    own: Annotated[list[Path] | None, typer.Option("--rules", metavar="DIR", help="Folder with rules of your own.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List the rules, or show one: what it reports, why it matters, what to do."""
    import json

    from tenure.cli.screen import show
    from tenure.errors import TenureError
    from tenure.roll.rules import builtin_folder, load_rules, with_own

    known = load_rules(builtin_folder())
    for folder in own or []:
        known = with_own(known, load_rules(folder))
    chosen = [r for r in known if rule in (None, r.id)]
    if not chosen:
        raise TenureError(f"no rule is called {rule!r}", "`tenure rules` lists them all")
    if as_json:
        plain = [
            {
                "id": r.id,
                "title": r.title,
                "severity": r.severity.value,
                "grain": r.grain,
                "why": r.why,
                "fix": r.fix,
                "parameters": r.parameters,
                "reference": r.reference,
                "file": r.file,
            }
            for r in chosen
        ]
        show(json.dumps(plain, indent=1) + "\n", exact=True)
    elif rule is None:
        in_order = sorted(chosen, key=lambda r: (r.severity.rank, r.id))
        show("".join(f"{r.severity.value:<9} {r.id:<40} {r.title}\n" for r in in_order))
    else:
        (r,) = chosen
        head = f"{r.id}: {r.title} ({r.severity.value}, one finding per {r.grain})"
        parameters = "".join(f"parameter: {name} = {json.dumps(value)}\n" for name, value in sorted(r.parameters.items()))
        show(f"{head}\n\nwhy: {r.why}\nfix: {r.fix}\n{parameters}\n{r.query}\n")
