"""Pruning of the registry: slice by slice, so that nobody waits for it; and how much would go."""

from __future__ import annotations

from tenure.model.access import Actor, ActorKind
from tenure.registry.registry import Registry
from tenure.registry.retention import Retention, prune

PRUNING = Actor(ActorKind.SYSTEM, "pruning")


class _UndoneError(Exception):
    """Rolls a transaction back that was only to be measured."""


def prune_registry(registry: Registry, kept: Retention) -> int:
    """Rows that went. Each slice is a transaction of its own: dead in between, the rest goes next time."""
    gone = 0
    while some := _slice(registry, kept):
        gone += some
    return gone


def _slice(registry: Registry, kept: Retention) -> int:
    with registry.change(PRUNING) as work:
        return prune(work, kept, work.at)


def prunable(registry: Registry, kept: Retention) -> int:
    """Rows that would go: done, counted and undone."""
    gone = 0
    try:
        with registry.change(PRUNING) as work:
            while some := prune(work, kept, work.at):
                gone += some
            raise _UndoneError
    except _UndoneError:
        return gone
