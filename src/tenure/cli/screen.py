"""What goes to standard output: the report and nothing else. Notes and errors go to standard error."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def show(text: str, *, exact: bool = False) -> None:
    """Write a report to standard output. ``exact``: for programs, in UTF-8 whatever the terminal takes.

    A reader that has left (``| head``) is no failure: the rest goes nowhere, and the exit code stays the verdict.
    """
    encoding = "utf-8" if exact else sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode(encoding, "strict" if exact else "replace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # The interpreter flushes once more when it ends; it must not meet the broken pipe again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def width() -> int:
    """Of the terminal, within what a report can be read at."""
    return max(60, min(shutil.get_terminal_size((100, 24)).columns, 140))


def colour() -> bool:
    """Whether colours reach a terminal that wants them (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def save(text: str, path: Path) -> None:
    """Write a report to a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():  # a pipe, a terminal
        path.write_text(text, "utf-8")
        return
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_text(text, "utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
