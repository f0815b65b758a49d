"""A progress bar with rate and time left, on standard error, for work over two seconds; none where nobody looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import Task, TaskID

PATIENCE_SECONDS = 2.0


class Bar:
    """Implements ``flows.audit.Progress``. The bar appears only once two seconds have passed."""

    def __init__(self, *, wanted: bool | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._wanted = sys.stderr.isatty() if wanted is None else wanted
        self._clock, self._began = clock, clock()
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None
        self._name, self._total, self._unit, self._amount = "", 0, "", 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self, name: str, total: int = 0, unit: str = "") -> None:
        self._name, self._total, self._unit, self._amount = name, total, unit, 0
        if self._bar is not None and self._task is not None:
            self._bar.remove_task(self._task)  # its speed is that of other work
            self._task = self._bar.add_task(name, total=total or None, unit=unit)
        self._show()

    def done(self, amount: int) -> None:
        self._amount += amount
        if self._bar is None:
            self._show()
        elif self._task is not None:
            self._bar.advance(self._task, amount)

    def _show(self) -> None:
        if not self._wanted or self._bar is not None or self._clock() - self._began < PATIENCE_SECONDS:
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            ProgressColumn,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.text import Text

        class Rate(ProgressColumn):
            def render(self, task: Task) -> Text:
                return Text(rate(task.finished_speed or task.speed, task.fields["unit"]))

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            Rate(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(self._name, total=self._total or None, completed=self._amount, unit=self._unit)
        self._bar.start()


def rate(speed: float | None, unit: str) -> str:
    """A speed for people: ``12.3 MB/s``, ``850 files/s``; nothing where there is none to tell."""
    if not speed or not unit:
        return ""
    if unit != "bytes":
        return f"{speed:,.0f} {unit}/s" if speed >= 10 else f"{speed:.1f} {unit}/s"
    for name in ("B", "kB", "MB"):
        if speed < 1000:
            return f"{speed:.0f} {name}/s" if name == "B" else f"{speed:.1f} {name}/s"
        speed /= 1000
    return f"{speed:.1f} GB/s"
