"""The parent's end of the process that runs rules: start it, ask it one rule, end it when it does not answer.

The process gets an empty environment, a folder that holds nothing, and no descriptor but its three pipes. Whatever
becomes of it (killed, stuck, gone mad) is the verdict of the rule it was asked, and the next rule gets a new process.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

import pyarrow as pa

from tenure.roll.wire import HEAD, Frame, Limits, Request

START_SECONDS = 30.0
GRACE_SECONDS = 5.0  # more than the process gives itself to heed an interrupt
_CHUNK = 1 << 20
_BOOT = "import sys; sys.path.append(sys.argv[1]); from tenure.roll.judge_worker import main; main()"


@dataclass(frozen=True, slots=True)
class Rows:
    """A rule ran to its end."""

    table: pa.Table
    seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """A rule gave nothing, and why."""

    reason: str
    seconds: float


_BROKEN = (OSError, EOFError, ValueError, KeyError, TypeError, pa.ArrowException)
"""What reading an answer can come to when the process is gone, stuck, or sends what is no answer."""


class JudgeProcess:
    """Runs rules over one roll, one after the other. Started when first asked, or by ``start`` while there is other work."""

    def __init__(self, roll: Path, limits: Limits) -> None:
        self._roll, self._limits = roll, limits
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._buffer = bytearray()

    def __enter__(self) -> JudgeProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        """Begin to start the process; it is waited for at the first question, and opens the roll then and not before."""
        if self._process is None:
            source_root = str(Path(__file__).resolve().parents[2])
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _BOOT, source_root, str(self._roll.resolve()), json.dumps(asdict(self._limits))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"LC_ALL": "C.UTF-8"},
                cwd="/",
                start_new_session=True,  # an interrupt at the terminal is the parent's to handle
            )
            self._ready = False
            self._buffer.clear()

    def ask(self, request: Request) -> Rows | Failed:
        """Run one rule. Never raises for what the rule or the process does."""
        began = time.monotonic()
        try:
            self._wait_ready()
            began = time.monotonic()
            return self._question(request, began)
        except _BROKEN as error:
            return Failed(self._ended(error, request.seconds), time.monotonic() - began)

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        return self._process.pid if self._process else None

    def close(self) -> None:
        """End the process, whatever it does."""
        if (process := self._process) is None:
            return
        self._process = None
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue  # what was not yet written has nobody to read it

    def _wait_ready(self) -> None:
        """A process that died while nobody asked it anything is replaced: that is no rule's fault."""
        if self._process is not None and self._process.poll() is not None:
            self.close()
        self.start()
        if not self._ready:
            self._frame(time.monotonic() + START_SECONDS)
            self._ready = True

    def _question(self, request: Request, began: float) -> Rows | Failed:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(request.line())
        self._process.stdin.flush()
        deadline = began + request.seconds + GRACE_SECONDS
        received = bytearray()
        while True:
            kind, payload = self._frame(deadline)
            match kind:
                case Frame.ROWS:
                    received += payload
                    if len(received) > self._limits.max_bytes + _CHUNK:
                        raise ValueError("it sent more than it may")
                case Frame.DONE:
                    table = pa.ipc.open_stream(pa.py_buffer(received)).read_all()
                    table.validate(full=True)
                    return Rows(table, float(json.loads(payload)["seconds"]))
                case Frame.FAILED:
                    answer = json.loads(payload)
                    return Failed(str(answer["reason"]), float(answer["seconds"]))
                case Frame.READY:
                    raise ValueError("it said ready twice")

    def _frame(self, deadline: float) -> tuple[Frame, bytes]:
        kind, length = HEAD.unpack(self._bytes(HEAD.size, deadline))
        if length > self._limits.max_bytes:
            raise ValueError("it sent a frame longer than a result may be")
        return Frame(kind), self._bytes(length, deadline)

    def _bytes(self, count: int, deadline: float) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        waiter = select.poll()
        waiter.register(pipe, select.POLLIN | select.POLLHUP)
        while len(self._buffer) < count:
            if not waiter.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise TimeoutError
            piece = os.read(pipe, _CHUNK)
            if not piece:
                raise EOFError
            self._buffer += piece
        found = bytes(self._buffer[:count])
        del self._buffer[:count]
        return found

    def _ended(self, error: Exception, seconds: float) -> str:
        """End the process and say how it came to it."""
        process, was_ready = self._process, self._ready
        if process is None:
            return f"the process that runs rules did not start: {error}"
        if isinstance(error, EOFError | BrokenPipeError):
            try:
                process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        code = process.poll()
        self.close()
        if not was_ready:
            return f"the process that runs rules did not start (code {code})"
        match error:
            case TimeoutError():
                return f"stopped: it took longer than {seconds:g} s and did not heed the interrupt"
            case EOFError() | BrokenPipeError() if code is not None and code < 0:
                return f"the process that ran it was ended by {_signal_name(-code)}"
            case EOFError() | BrokenPipeError():
                return f"the process that ran it ended (code {code})"
        return f"its answer is no answer: {error}"


def _signal_name(number: int) -> str:
    return next((known.name for known in signal.Signals if known == number), f"signal {number}")
