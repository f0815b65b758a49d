"""What the audit and the process that runs its rules say to each other: requests down, frames up.

Down goes one JSON line per rule. Up come frames: one byte of kind, eight bytes of length (big-endian), the payload.
Payloads are JSON or a piece of an Arrow IPC stream, never a pickle: the process runs a stranger's text, so what it
sends is data to be checked.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import Enum

HEAD = struct.Struct(">cQ")


class Frame(Enum):
    """Kinds of frames."""

    READY = b"R"  # imported and bounded, waiting for the first request
    ROWS = b"A"  # a piece of the Arrow IPC stream of the rule's rows
    DONE = b"D"  # {"rows", "seconds"}: the stream is whole
    FAILED = b"F"  # {"reason", "seconds"}: this rule gives nothing, the next may


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the rules of one audit may use."""

    seconds: float = 60.0  # per rule
    total_seconds: float = 900.0  # for all rules
    memory_bytes: int = 4_000_000_000
    threads: int = 2
    max_rows: int = 5_000_000  # per rule
    max_bytes: int = 2_000_000_000  # of one rule's rows as Arrow


@dataclass(frozen=True, slots=True)
class Request:
    """One rule to run. ``as_of`` is ISO 8601 without offset, UTC."""

    query: str
    as_of: str
    parameters: dict[str, int | float | str | bool]
    seconds: float

    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Request:
        return cls(**json.loads(line))

    def bound(self, names: frozenset[str]) -> dict[str, int | float | str | bool | datetime]:
        """Values for the parameters that the query names, others left out."""
        values = {**self.parameters, "as_of": datetime.fromisoformat(self.as_of)}
        return {name: values[name] for name in names if name in values}


def frame(kind: Frame, payload: bytes) -> bytes:
    return HEAD.pack(kind.value, len(payload)) + payload
