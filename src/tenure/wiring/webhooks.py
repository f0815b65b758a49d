"""Webhooks in the real world: who carries letters, by which key, with whose chance."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

from tenure.flows.webhooks.deliver import Courier
from tenure.flows.webhooks.post import HttpPost
from tenure.wiring.own_keys import custody_of, webhook_key

if TYPE_CHECKING:
    from tenure.registry.registry import Registry
    from tenure.settings import Settings


def courier_of(registry: Registry, settings: Settings) -> Courier:
    """One for this process; its name tells it from all others that share the database."""
    key, now = partial(webhook_key, custody_of(registry, settings)), registry.world.now
    post = HttpPost(settings.webhooks.local)
    return Courier(registry, post, key, str(registry.world.ids()), random.SystemRandom().random, now)
