"""Carrying the ledger out of the database: one shipment, and the window it leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tenure.flows.restore.standing import Latest, look
from tenure.ledger import shipping
from tenure.ledger.checkpoint import Identity
from tenure.ledger.shelf import Shelf
from tenure.ledger.store import LedgerStore
from tenure.registry.faults import UnsettledError
from tenure.registry.registry import Registry


@dataclass(frozen=True, slots=True)
class Shipping:
    """What a shipment works with."""

    registry: Registry
    ledger: LedgerStore
    shelf: Shelf
    identity: Identity
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Window:
    """What nothing outside the database vouches for: what the loss of the database now would lose without a trace."""

    shipped: int  # entries outside
    events: int  # not outside yet
    seconds: float  # since the oldest of these was committed; 0 when there is none


def ship(with_: Shipping) -> Window:
    """Brings the shelf up to the database, and measures what is left. Raises UnsettledError (and shuts the gate) when the
    database is not the latest, else DamageError, NoteError, ShelfError."""
    if not isinstance(look(with_.registry, with_.ledger, with_.shelf, with_.identity), Latest):
        raise UnsettledError
    shipping.ship(with_.ledger, with_.shelf, with_.identity)
    return window(with_)


def window(with_: Shipping) -> Window:
    """The window as it is now. Raises NoteError, ShelfError."""
    there = shipping.outside(with_.shelf, with_.identity)
    size = there.size if there else 0
    left = with_.ledger.unshipped(size)
    seconds = 0.0 if left.oldest is None else max(0.0, (with_.now() - left.oldest).total_seconds())
    return Window(size, left.events, seconds)
