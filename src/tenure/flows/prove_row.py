"""The proof that a device came with a bulk import as it did: its row, the path to its batch's event, that event's path.

1. The row: which batch the device came with, and the digests of all rows of it.
2. The event of the batch, and its place in the ledger.
3. The proof file of that place, with the row's path in it.
"""

from __future__ import annotations

from uuid import UUID

from tenure.ledger.checkpoint import Identity
from tenure.ledger.proof import prove
from tenure.ledger.refusals import ProofError
from tenure.ledger.rows import prove_row
from tenure.ledger.store import LedgerRows
from tenure.model.access import Scope
from tenure.registry import event_lists
from tenure.registry.bulk import batch_row
from tenure.registry.registry import Registry


def prove_import(registry: Registry, rows: LedgerRows, identity: Identity, scope: Scope, device: UUID) -> bytes:
    """Raises NotFoundError, ProofError (it came by itself, or the batch has no place yet), DamageError."""
    with registry.read() as reading:
        row = batch_row(reading, scope, device)
        if row is None:
            raise ProofError(f"device {device} came by itself, not with an import", "prove the event of its registration")
        told = event_lists.page(reading, str(row.batch), limit=1).items
    if not told or told[0].position is None:
        raise ProofError("the event of its batch has no place yet", "run `tenure ledger sequence`, or ask again in a moment")
    return prove(rows, identity, told[0].position, prove_row(row.digests, row.number))
