"""Giving committed events their places: one round. A service makes one after the other, in one thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tenure.flows.restore.standing import Latest, look
from tenure.ledger.checkpoint import Identity
from tenure.ledger.sequencer import Placed, Sequencer
from tenure.ledger.shelf import ShelfReader
from tenure.ledger.store import LedgerRows
from tenure.registry.faults import UnsettledError
from tenure.registry.registry import Registry


@dataclass(frozen=True, slots=True)
class Sequencing:
    """What a round works with. The sequencer is this thread's alone."""

    registry: Registry
    ledger: LedgerRows
    shelf: ShelfReader
    identity: Identity
    sequencer: Sequencer
    now: Callable[[], datetime]


def sequence(with_: Sequencing) -> int:
    """Places all that is pending, batch by batch; how many events. 0 too when another process is the sequencer.

    1. Is this the latest database? If not, the gate is shut and nothing is placed: a signature over another past could never
       be taken back. Raises UnsettledError.  2. Batches, until nothing is pending. Raises DamageError, RewindError.
    """
    if not isinstance(look(with_.registry, with_.ledger, with_.shelf, with_.identity), Latest):
        raise UnsettledError
    placed = 0
    while isinstance(step := with_.sequencer.place(with_.now()), Placed) and step.events:
        placed += step.events
    return placed
