"""The sequencer: gives committed events their places in the tree, in batches, one process at a time.

1. Lease: are we the one? Asked anew when half of it is over. Two who both think so are kept apart by step 6: it only saves work.
2. Head: is the tree still where we left it? If not, read the signed checkpoint and the right edge, and prove both:
   the edge gives the signed root, and nothing outside the database is ahead of it or tells another past.
3. Pending: the events without a place, up to a limit.
4. Grow: a copy of the edge takes their hashes. It knows only the unfinished tiles, so this costs the same at any size.
5. Sign the new checkpoint. Nobody but us has seen it.
6. Append: places, tiles and checkpoint in one transaction, only if the checkpoint is still that of step 2.
   Only now, with the new tree in the database, does anybody read what was signed.

Dead before 6: nothing happened, the events are pending as before, the signature was never seen by anyone.
Dead after 6: all happened; whoever is next reads it in step 2. The lease runs out by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from tenure.ledger import checkpoint as checkpoints
from tenure.ledger.checkpoint import Checkpoint, Identity
from tenure.ledger.edge import RightEdge
from tenure.ledger.note import Signer
from tenure.ledger.refusals import DamageError
from tenure.ledger.shelf import ShelfReader
from tenure.ledger.shipping import outside, prove_continues
from tenure.ledger.store import LedgerStore
from tenure.ledger.tree import leaf_hash
from tenure.model.ledger import LEAF_LIMIT, Batch, Pending


@dataclass(frozen=True, slots=True)
class Placed:
    """So many events got places; the tree stands at the checkpoint now. Nothing was pending when ``events`` is 0."""

    events: int
    head: Checkpoint | None


@dataclass(frozen=True, slots=True)
class NotOurs:
    """Another process is the sequencer, or was quicker: look again later."""


Step: TypeAlias = Placed | NotOurs


@dataclass(frozen=True, slots=True)
class Terms:
    holder: str  # names this process among all that share the database
    batch: int = 4096  # events at most; bounds memory and the length of the transaction
    lease: timedelta = timedelta(seconds=15)


class Sequencer:
    """Not for several threads at once. Raises DamageError and RewindError, and places nothing then."""

    def __init__(
        self, store: LedgerStore, shelf: ShelfReader, identity: Identity, signers: Sequence[Signer], terms: Terms
    ) -> None:
        self._store = store
        self._shelf = shelf
        self._identity = identity
        self._signers = signers
        self._terms = terms
        self._head: Checkpoint | None = None
        self._edge: RightEdge | None = None
        self._until: datetime | None = None  # of our lease

    def place(self, now: datetime) -> Step:
        """One batch. Call again at once while it is full."""
        if not self._ours(now):  # 1
            return NotOurs()
        edge = self._at_head()  # 2
        pending = self._store.pending(self._terms.batch)  # 3
        if not pending:
            return Placed(0, self._head)
        grown = edge.copy()
        grown.extend(_hashes(pending))  # 4
        head = checkpoints.sign(self._identity.origin, grown.size, grown.root(), self._signers)  # 5
        before = self._head.note if self._head else None
        batch = Batch(edge.size, [p.event for p in pending], grown.take(), before, head.note)
        if not self._store.append(batch):  # 6
            self._until = None  # somebody else is at it too: who, the lease knows
            return NotOurs()
        self._head, self._edge = head, grown
        return Placed(len(pending), head)

    def stop(self, now: datetime) -> None:
        """Gives the lease back, so that the next one need not wait for its end."""
        self._until = None
        self._store.lease(self._terms.holder, now, now)

    def _ours(self, now: datetime) -> bool:
        """A lease is a commit: not one for each batch."""
        if self._until is None or self._until - now < self._terms.lease / 2:
            until = now + self._terms.lease
            self._until = until if self._store.lease(self._terms.holder, now, until) else None
        return self._until is not None

    def _at_head(self) -> RightEdge:
        signed = self._store.checkpoint()
        if self._edge is None or signed != (self._head.note if self._head else None):
            head = self._identity.open(signed) if signed is not None else None
            edge = RightEdge.of(head.size, self._store.tile) if head else RightEdge()
            if head and edge.root() != head.root:
                raise DamageError("the tiles do not give the root that was signed", "run `tenure ledger verify`")
            prove_continues(self._store, outside(self._shelf, self._identity), head)
            self._head, self._edge = head, edge
        return self._edge


def _hashes(pending: Sequence[Pending]) -> list[bytes]:
    for event in pending:
        if not 0 < len(event.leaf) <= LEAF_LIMIT:
            raise DamageError(
                f"event {event.event} makes a leaf of {len(event.leaf)} bytes, allowed are 1 to {LEAF_LIMIT}",
                "nothing Tenure writes does: somebody wrote or changed this row; compare it with a backup",
            )
    return [leaf_hash(event.leaf) for event in pending]
