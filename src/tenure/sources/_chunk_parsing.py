"""Chunks of a log parsed in their order, here or by helper processes; the results do not tell which.

What a helper gets of a plain file is where to read, not what: the bytes take no way through this process.
"""

from __future__ import annotations

import gc
import marshal
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from tenure.sources._lines import Chunk, LogFile, size_of

WORTH_HELPERS: Final = 48 << 20  # below this many bytes, starting processes costs more than it saves

Argument = TypeVar("Argument")
Parse: TypeAlias = Callable[[bytes, bool, Argument], tuple[Any, ...]]
"""A function of a module: data of a chunk, whether its last line has its line feed, argument. The result begins with the
number of lines and is made of plain tuples, lists, dicts, numbers and text only."""


class Parsed(NamedTuple):
    """A chunk's file, the number of its first line in it (from 1), and what parsing gave."""

    file: str
    first_line: int
    result: tuple[Any, ...]


def parsed(source: Iterable[tuple[Chunk, Argument]], parse: Parse[Argument], helpers: int) -> Iterator[Parsed]:
    """Each chunk parsed with the argument beside it, in the order of the chunks, by so many processes (0: by this one)."""
    lines: dict[str, int] = {}
    for chunk, result in _here(source, parse) if helpers <= 0 else _by_helpers(source, parse, helpers):
        file = chunk.file.relative
        first_line = lines.get(file, 1)
        lines[file] = first_line + result[0]
        yield Parsed(file, first_line, result)


def helpers_for(files: Sequence[LogFile]) -> int:
    """How many processes parsing is worth: none for a small log, else two (this process pairs and writes meanwhile)."""
    spare = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return 0 if spare < 2 or size_of(files) < WORTH_HELPERS else 2


@contextmanager
def no_search_for_cycles() -> Iterator[None]:
    """While a log is read, millions of small tuples come and go that can hold no cycles; looking for some takes a fifth of
    the time. What else makes cycles meanwhile is found afterwards.
    """
    searching = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searching:
            gc.enable()


def _here(source: Iterable[tuple[Chunk, Argument]], parse: Parse[Argument]) -> Iterator[tuple[Chunk, tuple[Any, ...]]]:
    for chunk, argument in source:
        yield chunk, parse(chunk.read(), chunk.ended, argument)


def _by_helpers(
    source: Iterable[tuple[Chunk, Argument]], parse: Parse[Argument], helpers: int
) -> Iterator[tuple[Chunk, tuple[Any, ...]]]:
    """Helpers are spawned, not forked: Arrow's threads run here.

    Where a helper dies, or none can be started, what they have not parsed is parsed here.
    """
    under_way: deque[tuple[Chunk, Argument, Future[bytes] | None]] = deque()
    with ProcessPoolExecutor(helpers, mp_context=get_context("spawn"), initializer=gc.disable) as pool:
        for chunk, argument in source:
            under_way.append((chunk, argument, _submitted(pool, parse, chunk, argument)))
            if len(under_way) > 3 * helpers:
                yield _unpacked(parse, *under_way.popleft())
        while under_way:
            yield _unpacked(parse, *under_way.popleft())


def _submitted(pool: ProcessPoolExecutor, parse: Parse[Argument], chunk: Chunk, argument: Argument) -> Future[bytes] | None:
    try:
        return pool.submit(_parse_and_pack, parse, chunk, argument)
    except BrokenProcessPool:
        return None


def _parse_and_pack(parse: Parse[Any], chunk: Chunk, argument: Any) -> bytes:
    # marshal packs a million small tuples ten times as fast as pickle, which is what the pool would use.
    return marshal.dumps(parse(chunk.read(), chunk.ended, argument))


def _unpacked(
    parse: Parse[Argument], chunk: Chunk, argument: Argument, future: Future[bytes] | None
) -> tuple[Chunk, tuple[Any, ...]]:
    if future is not None:
        try:
            return chunk, marshal.loads(future.result())  # noqa: S302 - bytes our own helper packed
        except BrokenProcessPool:
            pass
    return chunk, parse(chunk.read(), chunk.ended, argument)
