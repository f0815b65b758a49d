"""Certificates into a snapshot: rows, the problems met in reading, and the signatures that were checked among them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from tenure.evidence.certificate_index import Candidates, CertificateIndex, EncodedCertificates
from tenure.evidence.snapshot import SnapshotDraft
from tenure.pki import certificates, signatures
from tenure.pki.certificates import NoCertificateError
from tenure.pki.containers import Contained, Found, certificates_in
from tenure.pki.dissection import dissect


class CertificateRecorder:
    """Writes the certificates that one source finds into its draft, each once for each origin.

    What is already written is remembered for the file being read (the part of the origin before ``#``): a source that
    comes back to a file after another one writes its certificates again.
    """

    def __init__(self, draft: SnapshotDraft) -> None:
        self._draft = draft
        self._index = CertificateIndex()
        self._file = ""
        self._written: set[tuple[bytes, str]] = set()

    def add(self, der: bytes, origin: str) -> bytes:
        """One certificate; gives its SHA-256. Bytes that are none become a problem (``no-certificate``) and no row."""
        try:
            facts = certificates.read(der)
        except NoCertificateError as error:
            self._problem(origin, "", error.problem, "no-certificate", der)
            return hashlib.sha256(der).digest()
        if not self._new(facts.sha256, origin):
            return facts.sha256
        self._draft.add_row("certificate", (*facts.row(), origin))
        for problem in facts.problems:
            self._problem(origin, problem.field, problem.reason, problem.code, facts.der)
        self._index.remember(facts)
        return facts.sha256

    def add_container(self, data: bytes, origin: str, passwords: Sequence[bytes] = ()) -> list[bytes]:
        """All certificates in the bytes of a certificate file, whatever its form; their SHA-256s in order.

        Where it holds more than one thing, each has its place behind the origin (``bundle.pem#2``).
        """
        return self.add_found(certificates_in(data, passwords), origin)

    def add_found(self, found: Iterable[Found], origin: str) -> list[bytes]:
        """The same for what was found in a container already."""
        items = list(found)
        several = sum(isinstance(item, Contained) for item in items) > 1
        digests: list[bytes] = []
        for item in items:
            if isinstance(item, Contained):
                digests.append(self.add(item.der, placed(origin, item.place) if several else origin))
            else:
                self._problem(placed(origin, item.place), "", item.reason, item.code, item.data)
        return digests

    def verify_edges(self) -> None:
        """Check who signed whom among all certificates added, and write what came out. Call it once, at the end."""
        encoded = self._index.encoded()
        for candidates in self._index.candidates():
            self._edges(candidates, encoded)

    def _edges(self, candidates: Candidates, encoded: EncodedCertificates) -> None:
        """Likeliest issuer first, until one key verifies; other certificates of that same key count too."""
        certificate = encoded[candidates.certificate]
        sha256 = hashlib.sha256(certificate).digest()
        checked: dict[bytes, signatures.Verdict] = {}
        holder = b""
        for number in candidates.issuers:
            issuer = encoded[number]
            spki = dissect(issuer).spki
            if holder and spki != holder:
                continue
            if (verdict := checked.get(spki)) is None:
                verdict = checked[spki] = signatures.verify_by_key(certificate, spki)
            if verdict.verified:
                holder = spki
            if verdict.decided:
                self._draft.add_row(
                    "signature_edge",
                    (sha256, hashlib.sha256(issuer).digest(), hashlib.sha256(spki).digest(), verdict.verified),
                )
        if candidates.left_out and not holder:
            reason = f"{candidates.left_out} further certificates could be its issuer and were not tried"
            self._draft.problem("", sha256.hex(), reason, "too-many-issuers", certificate)

    def _new(self, sha256: bytes, origin: str) -> bool:
        file = origin.partition("#")[0]
        if file != self._file:
            self._file = file
            self._written.clear()
        if (sha256, origin) in self._written:
            return False
        self._written.add((sha256, origin))
        return True

    def _problem(self, origin: str, field: str, reason: str, code: str, data: bytes) -> None:
        file, _, place = origin.partition("#")
        self._draft.problem(file, f"{place} {field}".strip(), reason, code, data)


def placed(origin: str, place: str) -> str:
    """The origin of a thing at a place inside what has this origin."""
    if not place:
        return origin
    return f"{origin}/{place}" if "#" in origin else f"{origin}#{place}"
