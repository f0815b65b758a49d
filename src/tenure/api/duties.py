"""What a serving process does beside answering: each duty in a thread of its own, again and again, until it is told to stop.

A duty that fails is logged and tried again after a longer pause; it holds up no other duty and no request. Several processes
may have the same duties: each duty is such that two at once do no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread

from structlog.typing import FilteringBoundLogger

from tenure.errors import TenureError

LONGEST_PAUSE = 60.0
PATIENCE = 10.0


@dataclass(slots=True)
class Duty:
    """``act`` does one step and says whether there is more to do at once. ``trouble`` is what was wrong last, in words."""

    name: str
    act: Callable[[], bool]
    pause: float  # seconds
    at_end: Callable[[], bool] | None = None  # its last step, when all has stopped: nothing is left for the next start
    trouble: str = ""
    _failures: int = field(default=0)

    def step(self, log: FilteringBoundLogger) -> float:
        """Acts once; the seconds until the next step."""
        try:
            more = self.act()
        except TenureError as error:
            return self._failed(log, error.problem, error)
        except Exception as error:  # noqa: BLE001 - the verdict is "in trouble": the thread must live, the process answers on
            return self._failed(log, f"failed: {type(error).__name__}", error)
        if self.trouble:
            log.info("duty-recovered", duty=self.name)
        self.trouble, self._failures = "", 0
        return 0.0 if more else self.pause

    def _failed(self, log: FilteringBoundLogger, words: str, error: Exception) -> float:
        if words != self.trouble:  # once, not each time
            log.error("duty-in-trouble", duty=self.name, problem=words, exc_info=error)
        self.trouble = words
        self._failures += 1
        return min(LONGEST_PAUSE, max(self.pause, 0.5) * 2.0 ** min(self._failures, 10))


class Duties:
    """Owns the threads, from ``start`` to ``stop``."""

    def __init__(self, duties: Sequence[Duty], log: FilteringBoundLogger) -> None:
        self._duties, self._log = duties, log
        self._over = Event()
        self._threads = [Thread(target=self._work, args=(duty,), name=duty.name, daemon=True) for duty in duties]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Lets each finish its step, and takes the last steps in their order.

        A duty that does not finish within ``PATIENCE`` dies with the process, which every duty may.
        """
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        if not any(thread.is_alive() for thread in self._threads):
            for duty in self._duties:
                if duty.at_end is not None:
                    Duty(duty.name, duty.at_end, duty.pause).step(self._log)

    def _work(self, duty: Duty) -> None:
        while not self._over.is_set():
            self._over.wait(duty.step(self._log))

    def trouble(self) -> str:
        """For /readyz: which duties are in trouble."""
        return "; ".join(f"{duty.name}: {duty.trouble}" for duty in self._duties if duty.trouble)
