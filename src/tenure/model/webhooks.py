"""Webhooks: who hears of events outside, and how each letter to them stands. Frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tenure.model.access import Area


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
    def area(self) -> Area:
        return Area(self.owner, self.trust_domain)

    @property
    def whole(self) -> bool:
        """Whether it also hears of what belongs to no device (tokens, policies), and how many events there are."""
        return self.area == Area()


class DeliveryState(StrEnum):
    WAITING = "waiting"
    DEAD = "dead"  # given up: it stands until somebody sends it again, or retention ends it


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one receiver. What was delivered is not kept."""

    webhook: UUID
    position: int  # of the event in the ledger
    event: UUID
    state: DeliveryState
    attempts: int
    next_at: datetime  # waiting: of the next attempt; dead: since when
    last_answer: str  # of the last attempt, in words; empty before the first
