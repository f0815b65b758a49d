"""Webhooks in the real world: who carries letters, by which key, with whose chance."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from tenure.wiring.own_keys import custody_of, webhook_key

if TYPE_CHECKING:
    from tenure.flows.webhooks.deliver import Courier
    from tenure.registry.registry import Registry
    from tenure.settings import Settings


@dataclass(slots=True)
class Telling:
    """The duty of one process. What it needs is loaded at its first step: a command that serves nobody takes none."""

    registry: Registry
    settings: Settings
    _courier: Courier | None = field(default=None)

    def step(self) -> bool:
        """One round; whether there is more to do at once."""
        from tenure.flows.webhooks.deliver import deliver

        self._courier = self._courier or courier_of(self.registry, self.settings)
        return deliver(self._courier).more

    def end(self) -> bool:
        """Gives the lease back."""
        from tenure.flows.webhooks.deliver import release

        if self._courier is not None:
            release(self._courier)
        return False


def courier_of(registry: Registry, settings: Settings) -> Courier:
    """One for this process; its name tells it from all others that share the database."""
    from tenure.flows.webhooks.deliver import Courier
    from tenure.flows.webhooks.post import HttpPost

    key, now = partial(webhook_key, custody_of(registry, settings)), registry.world.now
    post = HttpPost(settings.webhooks.local)
    return Courier(registry, post, key, str(registry.world.ids()), random.SystemRandom().random, now)
