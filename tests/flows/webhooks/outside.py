"""A healthy world for webhooks: a registry with a device, a receiver that is well, and a courier that knows the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenure.flows.webhooks import keep
from tenure.flows.webhooks.deliver import Courier, Round, deliver
from tenure.flows.webhooks.keep import Wanted
from tenure.flows.webhooks.post import HttpPost, Post
from tenure.flows.webhooks.signing import WebhookKey
from tenure.ledger.checkpoint import Identity
from tenure.ledger.folder_shelf import FolderShelf
from tenure.ledger.note import KeySigner
from tenure.ledger.sequencer import Sequencer, Terms
from tenure.model.webhooks import Delivery, Webhook
from tenure.registry import hearing, letters
from tenure.registry.ledger_store import RegistryLedger
from tenure.registry.registry import Registry
from tests.databases import Clock
from tests.flows.webhooks.receivers import Receiver
from tests.registry.healthy import OPERATOR, a_device, put

KEY = WebhookKey("w1", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
SIGNER = KeySigner("tenure.example/test", Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))


@dataclass
class Outside:
    registry: Registry
    receiver: Receiver
    shelf: Path
    sends: Post = field(default_factory=lambda: HttpPost(local=True))
    key: Callable[[], WebhookKey] = lambda: KEY

    def courier(self, holder: str = "first") -> Courier:
        return Courier(self.registry, self.sends, self.key, holder, lambda: 0.5, lambda: datetime.now(UTC))

    def subscribe(self, **wanted: object) -> Webhook:
        return keep.add(self.registry, OPERATOR, Wanted(**{"url": self.receiver.url} | wanted))  # type: ignore[arg-type]  # as named

    def happen(self, count: int = 1, **device: UUID) -> list[UUID]:
        """So many devices are registered; the ids of the events, which have their places."""
        made = [a_device(**device) for _ in range(count)]
        put(self.registry, *made)
        self.place()
        with self.registry.read() as reading:
            end = hearing.next_position(reading)
            return list(hearing.placed(reading, end - count, count).values())

    def place(self) -> None:
        store, shelf = RegistryLedger(self.registry), FolderShelf(self.shelf)
        identity = Identity("tenure.example/test", (SIGNER.verifier,))
        Sequencer(store, shelf, identity, [SIGNER], Terms("test")).place(self.registry.world.now())

    def deliver(self, holder: str = "first") -> Round:
        """One round."""
        return deliver(self.courier(holder))

    def wait(self, **much: float) -> None:
        clock = self.registry.world.now
        assert isinstance(clock, Clock)
        clock.pass_by(**much)

    def dead(self, of: Webhook) -> list[Delivery]:
        with self.registry.read() as reading:
            return letters.dead(reading, of.id, None, 100)

    def waiting(self, of: Webhook) -> int:
        return keep.standing(self.registry, of.id).waiting
