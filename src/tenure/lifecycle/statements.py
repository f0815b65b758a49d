"""Statements of a handover between two owners of one Tenure: what each side may keep and show, signed by the instance.

Each side has its own, about one device, and learns from it what was its already: the giver, what it has to end; the receiver,
how many had the device before, by salted digests that tell nothing until somebody opens them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tenure.clock import rfc3339
from tenure.lifecycle.envelope import Signer, sealed
from tenure.lifecycle.handover import canonical_json
from tenure.lifecycle.verdict import Permitted
from tenure.model.devices import TransferOffer
from tenure.model.obligations import Obligation, ObligationKind

HANDOVER = "application/vnd.tenure.handover-statement.v1+json"


def to_state(permitted: Permitted) -> tuple[Obligation, ...]:
    """The obligations that the statements of this acceptance close: the giver's, of the term that ended, and the receiver's."""
    return tuple(owed for owed in permitted.opened if owed.kind is ObligationKind.STATE_HANDOVER)


def statement(
    owed: Obligation, permitted: Permitted, offer: TransferOffer, custody: Sequence[bytes], instance: UUID, signer: Signer
) -> bytes:
    """The signed statement that closes ``owed``, which says whose it is. ``custody``: of the owners before, oldest first."""
    after = permitted.device
    told: dict[str, Any] = {
        "instance": str(instance),
        "transfer": str(offer.id),
        "from": str(offer.from_owner),
        "to": str(after.owner),
        "offered_at": rfc3339(offer.offered_at),
        "accepted_at": rfc3339(permitted.at),
        "device": str(after.id),
        "roots": [{"kind": root.kind.value, "key": root.spki.hex()} for root in after.roots],
        "maker": after.maker,
        "model": after.model,
        "serial": after.serial,
    }
    if owed.term == after.term:
        side = {"side": "receiver", "term": after.term, "custody": [digest.hex() for digest in custody]}
    else:
        side = {"side": "giver", "term": owed.term, "to_end": [_named(each) for each in permitted.opened if _ends(each, owed)]}
    return sealed(HANDOVER, canonical_json(told | side), signer)


def _ends(each: Obligation, owed: Obligation) -> bool:
    return each.term == owed.term and each.id != owed.id


def _named(each: Obligation) -> dict[str, str]:
    return {"obligation": str(each.id), "kind": each.kind.value}
