"""Statements of a handover: signed in the transaction of the acceptance, kept as the evidence that closes what they state."""

from __future__ import annotations

import hashlib

from tenure.lifecycle.envelope import Signer
from tenure.lifecycle.obligations import StillOpen, judged
from tenure.lifecycle.statements import statement, to_state
from tenure.lifecycle.verdict import Permitted
from tenure.model.devices import TransferOffer
from tenure.model.events import Cause
from tenure.model.obligations import EvidenceKind, ObligationEvidence
from tenure.registry import custody, obligations
from tenure.registry.lanes import home
from tenure.registry.work import Work


def state(work: Work, signer: Signer, permitted: Permitted, offer: TransferOffer, cause: Cause) -> None:
    """One for each side, of one device that was accepted. After its permission was carried out: custody has passed on."""
    instance = home(work)
    before = [digest for span, digest in custody.spans(work, permitted.device.id) if span.until is not None]
    for owed in to_state(permitted):
        file = statement(owed, permitted, offer, before, instance, signer)
        digest = hashlib.sha256(file).digest()
        shown = ObligationEvidence(
            work.world.ids(), owed.id, EvidenceKind.STATEMENT, work.at, digest, f"instance {instance}", f"transfer {offer.id}"
        )
        obligations.add_evidence(work, shown, cause, file)
        closed = judged(owed, [shown], work.at)
        assert not isinstance(closed, StillOpen), "a statement closes what asks for one"
        obligations.close(work, closed, cause)
