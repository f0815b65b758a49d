"""Text of a fixed width, with or without colour: what the terminal report and the terminal comparison are written on.

The width and the colour are arguments; nothing is asked of the environment or of a terminal.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tenure.model.vocabulary import Severity
from tenure.reports._wording import shown

NARROWEST = 40

SEVERITY_STYLES = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}


class Screen:
    """Lines in the making. Every text given is shown as it is: no markup, no escapes of a terminal."""

    def __init__(self, width: int, colour: bool) -> None:
        self._written = io.StringIO()
        self._console = Console(
            file=self._written,
            width=max(width, NARROWEST),
            force_terminal=colour,
            no_color=not colour,
            color_system="standard" if colour else None,
            force_interactive=False,
            legacy_windows=False,
            markup=False,
            emoji=False,
            highlight=False,
            _environ={},
        )

    @property
    def text(self) -> str:
        """What was written, without white space at the ends of lines."""
        return "\n".join(line.rstrip() for line in self._written.getvalue().split("\n"))

    def title(self, text: str) -> None:
        self._console.print(Text(shown(text), style="bold"))

    def gap(self) -> None:
        self._console.print()

    def heading(self, text: str) -> None:
        self.gap()
        self._console.print(Text(shown(text), style="bold underline"))

    def say(self, text: str, indent: int = 0, style: str = "") -> None:
        """A paragraph, wrapped to the width with its indent on each line."""
        self._console.print(Padding(Text(shown(text), style=style), (0, 0, 0, indent)))

    def item(self, text: str, indent: int = 2) -> None:
        """A paragraph behind a dash, its further lines under its first."""
        line = Table.grid(padding=(0, 1, 0, 0))
        line.add_row(Text("-"), Text(shown(text)))
        self._console.print(Padding(line, (0, 0, 0, indent)))

    def pieces(self, pieces: Sequence[tuple[str, str]], indent: int = 0) -> None:
        """A paragraph of (text, style) pieces."""
        line = Text()
        for text, style in pieces:
            line.append(shown(text), style=style)
        self._console.print(Padding(line, (0, 0, 0, indent)))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str | Severity]], numbers: Sequence[str] = ()) -> None:
        """A table; columns named in ``numbers`` stand to the right and are not wrapped."""
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
        for column in columns:
            number = column in numbers
            table.add_column(
                column, justify="right" if number else "left", no_wrap=number or column == "severity", overflow="fold"
            )
        for row in rows:
            table.add_row(*[_cell(cell) for cell in row])
        self._console.print(Padding(table, (0, 0, 0, 2)))


def _cell(cell: str | Severity) -> Text:
    if isinstance(cell, Severity):
        return Text(cell.value, style=SEVERITY_STYLES[cell])
    return Text(shown(cell))
