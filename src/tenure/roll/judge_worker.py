"""The process that runs rules: it can read one DuckDB file and write to one pipe, and nothing else.

Started by ``tenure.roll.judge_process`` with an empty environment. Before the first rule the operating system's limits
are set (no file may be written, no more than a few opened, memory and processor time bounded) and the roll is opened
read-only with external access, extensions and further configuration off. Each rule has a connection of its own, so none
sees what another left. A rule that fails is told as such; the parent starts a new process where this one died.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
import threading
import time
from typing import Any

import duckdb
import pyarrow as pa

from tenure.errors import RuleError
from tenure.roll import query_gate
from tenure.roll.wire import Frame, Limits, Request, frame

GRACE_SECONDS = 2.0
_BATCH_ROWS = 65_536
_GIB = 1 << 30
_REFUSED_TYPES = ("LIST", "STRUCT", "MAP", "UNION", "ARRAY", "BLOB", "BIT", "INTERVAL", "TIME", "VARIANT", "GEOMETRY")


def main() -> None:
    """Serve until the parent closes the pipe. Arguments: path of the roll, limits as JSON.

    The roll is opened at the first question, so that this process can start while the roll is still being linked.
    """
    roll, limits = sys.argv[-2], Limits(**json.loads(sys.argv[-1]))
    pipe = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not enter the frames
    _bound(limits)
    _send(pipe, Frame.READY, b"{}")
    connection: duckdb.DuckDBPyConnection | None = None
    for line in sys.stdin.buffer:
        try:
            connection = connection or open_roll(roll, limits)
        except duckdb.Error as error:
            _fail(pipe, f"the roll cannot be opened: {_one_line(error)}", 0.0)
        else:
            _answer(connection, Request.read(line), limits, pipe)


def _bound(limits: Limits) -> None:
    """The operating system's limits, for good. Address space is wide: threads and allocators reserve more than they use."""
    cpu = int(limits.total_seconds * limits.threads) + 60
    for what, most in (
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_AS, 2 * limits.memory_bytes + limits.threads * _GIB + 4 * _GIB),
    ):
        _, hard = resource.getrlimit(what)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (bound, bound))


def open_roll(roll: str, limits: Limits) -> duckdb.DuckDBPyConnection:
    """The roll, and nothing but the roll: no other file, no network, no extension, no change of these settings."""
    return duckdb.connect(
        roll,
        read_only=True,
        config={
            "enable_external_access": "false",
            "autoload_known_extensions": "false",
            "autoinstall_known_extensions": "false",
            "allow_community_extensions": "false",
            "allow_unsigned_extensions": "false",
            "allow_persistent_secrets": "false",
            "python_enable_replacements": "false",
            "temp_directory": "",
            "memory_limit": f"{limits.memory_bytes}B",
            "threads": str(limits.threads),
            "lock_configuration": "true",
        },
    )


def _answer(connection: duckdb.DuckDBPyConnection, request: Request, limits: Limits, pipe: int) -> None:
    started = time.monotonic()
    own = connection.cursor()
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(own, request.seconds, over), daemon=True)
    watch.start()
    try:
        rows = _run(own, request, limits, pipe)
    except BrokenPipeError:
        raise SystemExit(0) from None  # the parent is gone
    except Exception as error:  # noqa: BLE001 - the one place where whatever a rule does becomes its verdict
        over.set()
        _fail(pipe, _reason(error, request.seconds), time.monotonic() - started)
    else:
        over.set()
        _send(pipe, Frame.DONE, json.dumps({"rows": rows, "seconds": time.monotonic() - started}).encode())
    finally:
        over.set()
        own.close()


def _watch(connection: duckdb.DuckDBPyConnection, seconds: float, over: threading.Event) -> None:
    """Interrupt the query at its deadline, again until it heeds, and end the process if it never does, or has no parent."""
    parent, end = os.getppid(), time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if over.wait(min(left, 1.0)):
            return
        if os.getppid() != parent:
            os._exit(0)
    for _ in range(int(GRACE_SECONDS * 10)):
        connection.interrupt()
        if over.wait(0.1):
            return
    os._exit(3)


def _run(connection: duckdb.DuckDBPyConnection, request: Request, limits: Limits, pipe: int) -> int:
    names = query_gate.check(request.query, connection)
    bound = request.bound(names)
    if missing := sorted(names - bound.keys()):
        raise RuleError(f"the query uses ${missing[0]}, which the header does not declare", "add it under [parameters]")
    result = connection.sql(request.query, params=bound or None)
    _check_columns(result.columns, [str(kind) for kind in result.types])
    reader = result.to_arrow_reader(_BATCH_ROWS)
    assert reader is not None
    sink = _Rows(pipe, limits.max_bytes)  # unbuffered: nothing of a failed rule may be left to flush behind its verdict
    rows = 0
    with pa.ipc.new_stream(pa.PythonFile(sink, "w"), reader.schema) as writer:
        for batch in reader:
            rows += batch.num_rows
            if rows > limits.max_rows:
                raise RuleError(f"it returned more than {limits.max_rows:,} rows", "narrow the query")
            writer.write_batch(batch)
    return rows


def _check_columns(names: list[str], kinds: list[str]) -> None:
    folded = [name.casefold() for name in names]
    if doubled := sorted({name for name in folded if folded.count(name) > 1}):
        raise RuleError(f"two columns are called {doubled[0]}", "give each column a name of its own")
    for name, kind in zip(names, kinds, strict=True):
        if kind.endswith("]") or kind.split("(")[0].split(" ")[0] in _REFUSED_TYPES:
            raise RuleError(f"column {name} is a {kind}", "return numbers, texts, flags, days and instants")


def _reason(error: Exception, seconds: float) -> str:
    match error:
        case RuleError():
            return f"refused: {error.problem}; {error.fix}"
        case duckdb.InterruptException():
            return f"stopped: it took longer than {seconds:g} s"
        case duckdb.OutOfMemoryException() | MemoryError():
            return "stopped: it needs more memory than rules may use"
    return f"failed: {_one_line(error)}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:500] or type(error).__name__


def _fail(pipe: int, reason: str, seconds: float) -> None:
    _send(pipe, Frame.FAILED, json.dumps({"reason": reason, "seconds": seconds}).encode())


def _send(pipe: int, kind: Frame, payload: bytes) -> None:
    waiting = memoryview(frame(kind, payload))
    while waiting:
        waiting = waiting[os.write(pipe, waiting) :]


class _Rows(io.RawIOBase):
    """The pipe as a place to write an Arrow stream to, up to a number of bytes."""

    def __init__(self, pipe: int, most: int) -> None:
        self._pipe, self._left, self._most = pipe, most, most

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._left -= len(data)
        if self._left < 0:
            raise RuleError(f"its rows take more than {self._most:,} bytes", "narrow the query")
        _send(self._pipe, Frame.ROWS, bytes(data))
        return len(data)


if __name__ == "__main__":
    main()
