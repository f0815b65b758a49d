"""Work on more than one core: the same results in the same order, whether it is done here or by processes beside us."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from types import TracebackType
from typing import Final, Self, TypeVar

from tenure.errors import TenureError

T = TypeVar("T")
R = TypeVar("R")

FEW: Final = 3
"""So many tasks are done here, in about the time that it takes other processes to start."""


class WorkerDiedError(TenureError):
    """A process that worked for us ended without a result; what it worked on is lost."""


class Workers:
    """As many processes as there are cores to run on, started when there is enough to do, and ended with us.

    They are started afresh (``spawn``), not forked: Arrow has threads of its own, and a copy of half a thread pool hangs.
    Tasks and results travel as pickles, so functions have to be importable by name.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._processes = len(os.sched_getaffinity(0)) if processes is None else processes
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        """The result for each task, in the order of the tasks; only a few are under way or waiting at a time.

        Raises WorkerDiedError when a process dies (out of memory, a crash in a library); the results before it were given.
        """
        tasks = iter(tasks)
        here = list(islice(tasks, FEW))
        beside = next(tasks, None) if self._processes > 1 else None
        if beside is None:
            yield from map(function, chain(here, tasks))
            return
        under_way: deque[Future[R]] = deque([self._started().submit(function, beside)])
        try:
            for task in islice(tasks, 2 * self._processes):
                under_way.append(self._started().submit(function, task))
            yield from map(function, here)
            for task in tasks:
                yield under_way.popleft().result()
                under_way.append(self._started().submit(function, task))
            while under_way:
                yield under_way.popleft().result()
        except BrokenProcessPool as error:
            raise WorkerDiedError("a reading process died", "see whether memory ran out; split the collection") from error
        finally:
            for future in under_way:
                future.cancel()

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self._processes, multiprocessing.get_context("spawn"), _alone)
        return self._pool


def _alone() -> None:
    """A worker computes on one core: Arrow's own threads would only fight with the other workers."""
    import pyarrow as pa

    pa.set_cpu_count(1)
