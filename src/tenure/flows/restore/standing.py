"""Where a database stands to what was shipped from it: the question before anything is issued.

Asked at each start, and whenever sequencer or shipping find the shelf ahead. The answer is kept in the database itself, as an
open gap, which shuts it for every process that writes to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tenure.ledger import gap as ledger_gap
from tenure.ledger.checkpoint import Identity
from tenure.ledger.shelf import ShelfReader
from tenure.ledger.store import LedgerRows
from tenure.model.access import Actor, ActorKind
from tenure.registry import gate
from tenure.registry.faults import UnsettledError
from tenure.registry.gate import OpenGap
from tenure.registry.registry import Registry

ACTOR = Actor(ActorKind.SYSTEM, "restore")


@dataclass(frozen=True, slots=True)
class Latest:
    """This is the database that was shipped from; ``unshipped`` of its entries are not outside yet."""

    unshipped: int


@dataclass(frozen=True, slots=True)
class Older:
    """It lacks entries that lie outside. It can be settled."""

    gap: OpenGap


@dataclass(frozen=True, slots=True)
class OtherPast:
    """It has entries that are not those outside: written after a restore that was not settled, or rewritten."""

    gap: OpenGap


Standing: TypeAlias = Latest | Older | OtherPast


def look(registry: Registry, ledger: LedgerRows, shelf: ShelfReader, identity: Identity) -> Standing:
    """Compares, and shuts the gate when the database is not the latest. Raises NoteError, ShelfError, DamageError.

    A gap that is open already stays open, also when the ledger agrees by now: what happened in it is not yet made good.
    """
    match ledger_gap.compare(ledger, shelf, identity):
        case ledger_gap.Behind(known, outside):
            return Older(_shut(registry, known, outside.size, outside.note, forked=False))
        case ledger_gap.Forked(known, outside):
            return OtherPast(_shut(registry, known, outside.size, outside.note, forked=True))
        case ledger_gap.Agreed(unshipped):
            with registry.read() as reading:
                found = gate.open_gap(reading)
            if found is None:
                return Latest(unshipped)
            return OtherPast(found) if found.forked else Older(found)


def require_latest(registry: Registry) -> None:
    """For what writes no event and must not be done over an open gap, and for ``/readyz``. Raises UnsettledError."""
    with registry.read() as reading:
        if gate.open_gap(reading) is not None:
            raise UnsettledError


def _shut(registry: Registry, known: int, outside: int, note: bytes, *, forked: bool) -> OpenGap:
    with registry.change(ACTOR) as work:
        return gate.shut(work, known, outside, note, forked=forked)
