"""The ledger in the real world: who signs it, the keys it is known by, its shelf, its store. docs/keys.md says where they lie."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from tenure.ledger.checkpoint import Identity
from tenure.ledger.folder_shelf import FolderShelf
from tenure.ledger.note import KeySigner
from tenure.ledger.sequencer import Sequencer, Terms
from tenure.ledger.shelf import Shelf
from tenure.registry.ledger_store import RegistryLedger
from tenure.registry.registry import Registry
from tenure.wiring.own_keys import custody_of, ledger_keys

if TYPE_CHECKING:
    from tenure.settings import Settings


@dataclass(frozen=True, slots=True)
class Ledger:
    """All that the verbs of the ledger work on. Without ``shelf`` nothing outside the database vouches for it."""

    store: RegistryLedger
    identity: Identity
    signers: list[KeySigner]  # one, or two while a key is being changed for another
    shelf: Shelf | None

    def sequencer(self) -> Sequencer:
        """One for this process; its name tells it from all others that share the database."""
        holder = f"{socket.gethostname()[:60]}-{os.getpid()}-{uuid4().hex[:8]}"
        return Sequencer(self.store, self.shelf or NoShelf(), self.identity, self.signers, Terms(holder))


class NoShelf:
    """A shelf reader where there is no shelf: nothing lies there."""

    def read(self, path: str) -> bytes | None:  # noqa: ARG002 - nothing does
        return None


def ledger_of(registry: Registry, settings: Settings) -> Ledger:
    """The ledger of a registry. Its key is made at first use. Raises OwnKeyError when it is lost, or cannot be used."""
    origin = settings.ledger.origin
    signers, known = ledger_keys(custody_of(registry, settings), lambda: origin or f"tenure/{registry.world.ids().hex[-12:]}")
    shelf = FolderShelf(settings.ledger.shelf) if settings.ledger.shelf else None
    return Ledger(RegistryLedger(registry), Identity(origin or signers[0].name, known), signers, shelf)
