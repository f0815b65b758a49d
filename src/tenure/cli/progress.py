"""A progress bar with rate and time left, on standard error, for work over two seconds; none where nobody looks."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

PATIENCE_SECONDS = 2.0


class Bar:
    """Implements ``flows.audit.Progress``. The bar appears only once two seconds have passed."""

    def __init__(self, *, wanted: bool | None = None) -> None:
        self._wanted = sys.stderr.isatty() if wanted is None else wanted
        self._began = time.monotonic()
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None
        self._name, self._total, self._amount = "", 0, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self, name: str, total: int = 0) -> None:
        self._name, self._total, self._amount = name, total, 0
        if self._bar is not None and self._task is not None:
            self._bar.reset(self._task, description=name, total=total or None)
        self._show()

    def done(self, amount: int) -> None:
        self._amount += amount
        if self._bar is None:
            self._show()
        elif self._task is not None:
            self._bar.advance(self._task, amount)

    def _show(self) -> None:
        if not self._wanted or self._bar is not None or time.monotonic() - self._began < PATIENCE_SECONDS:
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(show_speed=True),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(self._name, total=self._total or None, completed=self._amount)
        self._bar.start()
