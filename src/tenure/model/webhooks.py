"""Webhooks: who hears of events outside, and how each delivery stands. Frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Webhook:
    """A receiver of events. What it may hear is limited like what a person may see: to an owner, to a trust domain."""

    id: UUID
    url: str
    created_at: datetime
    owner: UUID | None = None  # None: every owner
    trust_domain: UUID | None = None  # None: every one
    verbs: tuple[str, ...] = ()  # none: all
    enabled: bool = True
    version: int = 1

    @property
    def hears_all(self) -> bool:
        """Whether it also hears of what belongs to no device: tokens, policies, settings."""
        return self.owner is None and self.trust_domain is None


class DeliveryState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"  # given up: it stands here until somebody sends it again or drops it


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one receiver."""

    webhook: UUID
    position: int  # of the event in the ledger
    event: UUID
    state: DeliveryState
    attempts: int
    next_at: datetime  # waiting: of the next attempt; else when it was settled
    last_answer: str  # of the last attempt, in words; empty before the first
