"""Which CA certificate signed what: found by verifying signatures, names only say whom to try first.

CAs get new keys under old names, so a folder often holds certificates of one name by several keys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tenure.pki import crls
from tenure.pki.certificates import CertificateFacts
from tenure.pki.dissection import dissect
from tenure.pki.signatures import Verdict, verify_by_key
from tenure.sources._openssl_folder import CaFile

MOST_BY_OTHER_NAMES: Final = 16
"""Keys under other names than the issuer's that are tried too, for CA certificates that were renamed."""


@dataclass(frozen=True, slots=True)
class CaCertificate:
    """A certificate that may sign others."""

    sha256: bytes
    name: str | None
    name_sha256: bytes | None
    spki: bytes
    der: bytes
    issuer_sha256: bytes | None  # of its own issuer's name
    origin: str


class Signers:
    """The CA certificates seen so far."""

    def __init__(self) -> None:
        self._all: dict[bytes, CaCertificate] = {}
        self._by_name: dict[bytes | None, list[CaCertificate]] = {}
        self._folders: dict[str, set[bytes]] = {}

    def add(self, facts: CertificateFacts, file: CaFile) -> None:
        """Takes a certificate in if it may be a CA's: it says so, or is self-issued and says nothing (version 1)."""
        if not (facts.is_ca or (facts.is_ca is None and facts.self_issued)):
            return
        self._folders.setdefault(file.folder, set()).add(facts.sha256)
        if facts.sha256 in self._all:
            return
        spki = dissect(facts.der).spki
        names = facts.subject_sha256, facts.issuer_sha256
        found = CaCertificate(facts.sha256, facts.subject, names[0], spki, facts.der, names[1], file.name)
        self._all[facts.sha256] = found
        self._by_name.setdefault(names[0], []).append(found)

    def with_key_of(self, ca: CaCertificate) -> list[CaCertificate]:
        """All certificates of the same key under the same name, itself among them."""
        return [c for c in self._by_name.get(ca.name_sha256, ()) if c.spki == ca.spki]

    def in_folder(self, folder: str) -> list[CaCertificate]:
        """Those that lie in a CA folder, wherever else they do."""
        here = self._folders.get(folder, set())
        return [ca for ca in self._all.values() if ca.sha256 in here]

    def of_certificate(self, der: bytes, issuer_sha256: bytes | None) -> CaCertificate | None:
        """Whose key signed a certificate; None where nobody's here did."""
        return self._who(issuer_sha256, lambda ca: verify_by_key(der, ca.spki))

    def of_crl(self, der: bytes, issuer_sha256: bytes | None) -> CaCertificate | None:
        """Whose key signed a list; None where nobody's here did."""
        return self._who(issuer_sha256, lambda ca: crls.verify(der, ca.der))

    def _who(self, name: bytes | None, ask: Callable[[CaCertificate], Verdict]) -> CaCertificate | None:
        """The first whose key verifies: those of the right name first, each key once."""
        refused: set[bytes] = set()
        named = self._by_name.get(name, []) if name is not None else []
        others = [ca for ca in self._all.values() if ca.name_sha256 != name]
        for ca in (*named, *others):
            if ca.spki in refused:
                continue
            if ask(ca).verified:
                return ca
            refused.add(ca.spki)
            if len(refused) >= len(named) + MOST_BY_OTHER_NAMES:
                break
        return None
