"""The manual of the command line, made from what ``--help`` says: ``docs/cli.md`` is this text, and a test sees that it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from tenure.cli.main import app

WIDTH = 100

_HEAD = """\
# The command line

Made from the program's own `--help` (`script/catalogue`). `tenure COMMAND --help` shows the same.

* **Standard output is the report**, and nothing else. Notes, errors and the progress bar go to standard error; the bar comes at a
  terminal, for work of more than two seconds.
* **Exit codes** stand below `tenure audit`. `diff` has the same, for what appeared; `collect` ends with 3 where the export was
  cut short. Those of the registry's commands stand in [devices](devices.md). An interrupt ends with 130.
* **Errors** say what is wrong and, behind `fix:`, what to do next.
* **What is kept** lies in a store of your own: snapshots of the exports (`evidence/`), the last roll of each audited folder
  (`rolls/`), checked signatures (`edges/`) and the key of digests of secrets (`digest.key`; without it digests of before and
  after do not compare). `tenure snapshots` lists the first and removes old ones; nothing else does. What a collection that
  died left behind is cleared by an audit a day later. The audited folder is only read; `audit --init` alone writes one file
  there.
* **The environment**: `TENURE_STORE` names another store, `NO_COLOR` takes the colours away, variables that you name hold
  passwords of keystores. The registry's commands ask `TENURE_SERVER`, `TENURE_TOKEN` and the [settings](settings.md).
  Nothing else is asked.
"""


def manual() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(_section(*told) for told in _commands("tenure", get_command(app)))])


def _commands(name: str, command: Any, above: Any = None) -> Iterator[tuple[str, str]]:
    """Name and help of a command and of those below it, in the order of ``--help``."""
    context = command.make_context(name.split()[-1], [], above, resilient_parsing=True, terminal_width=WIDTH)
    yield name, command.get_help(context)
    for below, inner in getattr(command, "commands", {}).items():
        yield from _commands(f"{name} {below}", inner, context)


def _section(name: str, told: str) -> str:
    return "\n".join([f"## {name}", "", "```text", *(line.rstrip() for line in told.splitlines()), "```", ""])
