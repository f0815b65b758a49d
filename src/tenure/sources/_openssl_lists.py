"""Revocation lists of CA folders: whose they are by their signature, and what they say of which certificate."""

from __future__ import annotations

from dataclasses import dataclass

from tenure.evidence.revocation_lists import status_of
from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.vocabulary import CredentialStatus, StatusAuthority
from tenure.pki.crls import CrlEntry, CrlFacts
from tenure.sources._openssl_folder import CaFile
from tenure.sources._openssl_issued import IssuedCertificates
from tenure.sources._openssl_signers import CaCertificate, Signers


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A list whose signature verified."""

    facts: CrlFacts
    file: str
    folder: str
    signer: CaCertificate


class RevocationLists:
    """Lists by their bytes: the same one in several files is one."""

    def __init__(self, draft: SnapshotDraft, signers: Signers, issued: IssuedCertificates) -> None:
        self._draft, self._signers, self._issued = draft, signers, issued
        self._read: dict[bytes, tuple[CrlFacts, CaFile, str]] = {}
        self.verified: list[RevocationList] = []

    def add(self, facts: CrlFacts, file: CaFile, place: str) -> None:
        self._read.setdefault(facts.sha256, (facts, file, place))

    def settle(self) -> None:
        """All CA certificates are known: who signed which. What nobody signed says nothing, and that is a problem."""
        for facts, file, place in self._read.values():
            for problem in facts.problems:
                self._draft.problem(file.name, f"{place} {problem.field}".strip(), problem.reason, problem.code, facts.der)
            if (signer := self._signers.of_crl(facts.der, facts.issuer_sha256)) is not None:
                self.verified.append(RevocationList(facts, file.name, file.folder, signer))
                continue
            issuer = facts.issuer or "an issuer that cannot be read"
            reason = f"no CA certificate here verifies this list of {issuer}; its {len(facts.entries)} entries are left out"
            self._draft.problem(file.name, place or "list", reason, "crl-unverified", facts.der)

    def write(self) -> None:
        """What the lists say. A hold is for the newest list of its signer to say; a revocation is for good."""
        for found in self.verified:
            superseded = 0
            decided_later = any(self._supersedes(other, found) for other in self.verified)
            for number, entry in enumerate(found.facts.entries, 1):
                if decided_later and status_of(entry) is not CredentialStatus.REVOKED:
                    superseded += 1
                else:
                    self._write_entry(found, number, entry)
            if superseded:
                reason = f"{superseded} certificates on hold or released: a newer list of the same CA decides on them"
                self._draft.problem(found.file, "list", reason, "superseded-crl")

    def _supersedes(self, newer: RevocationList, older: RevocationList) -> bool:
        """A complete list of the same key that was made later."""
        one, other = newer.facts.this_update, older.facts.this_update
        same = newer.signer.spki == older.signer.spki
        return same and not newer.facts.delta and one is not None and other is not None and one > other

    def _write_entry(self, found: RevocationList, number: int, entry: CrlEntry) -> None:
        signer, facts = found.signer, found.facts
        foreign = entry.issuer is not None and entry.issuer != facts.issuer  # an indirect list speaks for another CA
        certificate = None if foreign else self._issued.signed_by(signer, entry.serial_hex)
        self._draft.add(
            "credential_status",
            sha256=certificate.sha256 if certificate else None,
            issuer=entry.issuer if foreign else signer.name,
            issuer_sha256=None if foreign else signer.sha256,
            issuer_key_id=None if foreign else facts.authority_key_id,
            serial_hex=entry.serial_hex,
            status=status_of(entry),
            status_text=entry.reason or "revoked",
            authority=StatusAuthority.CRL,
            effective_at=entry.revoked_at,
            stated_at=facts.this_update,
            origin=f"{found.file}#{number}",
        )
