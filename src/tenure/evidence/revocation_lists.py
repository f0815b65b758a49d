"""Revocation lists into a snapshot, as they lie: whose they are is not asked here, since the CA may stand in another export."""

from __future__ import annotations

from tenure.evidence.certificate_intake import placed
from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.vocabulary import CredentialStatus
from tenure.pki import crls
from tenure.pki.containers import Contained
from tenure.pki.crls import CrlEntry, CrlFacts, NoCrlError
from tenure.pki.der import Bytes


class ListRecorder:
    """Writes the lists that one source finds into its draft: each at each of its places, its entries once."""

    def __init__(self, draft: SnapshotDraft) -> None:
        self._draft = draft
        self._written: set[bytes] = set()

    def add_file(self, data: Bytes, origin: str, *, first: int = 1, several: bool = False) -> None:
        """All lists in the bytes of a file, PEM or DER; what should be one and is none becomes a problem.

        ``first`` is the number of its first PEM block, where the bytes are a part of a longer text. Where there is more than one
        list (or there may be, in other parts: ``several``), each has its place behind the origin.
        """
        found = list(crls.crls_in(data, first))
        for item in found:
            place = item.place if several or len(found) > 1 else ""
            if not isinstance(item, Contained):
                self._draft.problem(origin, item.place, item.reason, item.code, item.data)
                continue
            try:
                facts = crls.read(item.der)
            except NoCrlError as error:
                self._draft.problem(origin, item.place, error.problem, "no-crl", item.der)
                continue
            for problem in facts.problems:
                self._draft.problem(origin, f"{place} {problem.field}".strip(), problem.reason, problem.code, facts.der)
            self._add(facts, placed(origin, place))

    def _add(self, facts: CrlFacts, origin: str) -> None:
        self._draft.speaks_until(facts.this_update)
        self._draft.add(
            "revocation_list",
            sha256=facts.sha256,
            issuer=facts.issuer,
            authority_key_id=facts.authority_key_id,
            this_update=facts.this_update,
            next_update=facts.next_update,
            delta=facts.delta,
            entries=len(facts.entries),
            der=facts.der,
            origin=origin,
        )
        if facts.sha256 in self._written:
            return
        self._written.add(facts.sha256)
        for number, entry in enumerate(facts.entries, 1):
            issuer = None if entry.issuer == facts.issuer else entry.issuer
            row = facts.sha256, entry.serial_hex, issuer, status_of(entry), entry.reason or "revoked", entry.revoked_at
            self._draft.add_row("revocation", (*row, placed(origin, str(number))))


def status_of(entry: CrlEntry) -> CredentialStatus:
    """What an entry says of its certificate."""
    if entry.reason == "certificateHold":
        return CredentialStatus.SUSPENDED
    return CredentialStatus.VALID if entry.reason == "removeFromCRL" else CredentialStatus.REVOKED
