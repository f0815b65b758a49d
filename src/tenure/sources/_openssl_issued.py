"""The certificates found in CA folders, by serial, each with the CA certificate whose key signed it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from tenure.pki.certificates import CertificateFacts
from tenure.sources._openssl_folder import CaFile, Role
from tenure.sources._openssl_signers import CaCertificate, Signers


@dataclass(frozen=True, slots=True)
class Issued:
    """What is remembered of a certificate; ``signer`` is None where no CA certificate here signed it."""

    sha256: bytes
    serial_hex: str
    not_before: datetime | None
    not_after: datetime | None
    issuer: str | None
    archived: bool  # it lies where the CA keeps what it issued
    folder: str
    signer: CaCertificate | None


class IssuedCertificates:
    """Memory is a few hundred bytes per certificate: signers are looked for at once, so that DER is seldom kept."""

    def __init__(self, signers: Signers) -> None:
        self._signers = signers
        self._by_serial: dict[str, list[Issued]] = {}
        self._unsigned: list[tuple[Issued, bytes, bytes | None]] = []  # with DER and issuer's name: the signer may turn up yet

    def add(self, facts: CertificateFacts, file: CaFile) -> None:
        """A certificate as read. One without a serial that could be read matches no line and no list entry."""
        if facts.serial_hex is None:
            return
        issued = Issued(
            facts.sha256,
            facts.serial_hex,
            facts.not_before,
            facts.not_after,
            facts.issuer,
            file.role is Role.ARCHIVED,
            file.folder,
            self._signers.of_certificate(facts.der, facts.issuer_sha256),
        )
        if issued.signer is None:
            self._unsigned.append((issued, facts.der, facts.issuer_sha256))
        else:
            self._by_serial.setdefault(issued.serial_hex, []).append(issued)

    def settle(self) -> None:
        """All CA certificates are known: look again for the signers that were missing."""
        for issued, der, issuer_sha256 in self._unsigned:
            signer = self._signers.of_certificate(der, issuer_sha256)
            self._by_serial.setdefault(issued.serial_hex, []).append(replace(issued, signer=signer))
        self._unsigned.clear()

    def in_folder(self, serial_hex: str, folder: str) -> list[Issued]:
        return [i for i in self._by_serial.get(serial_hex, ()) if i.folder == folder]

    def signed_by(self, signer: CaCertificate, serial_hex: str) -> Issued | None:
        """The certificate with a serial that this key signed, where there is exactly one."""
        with_serial = self._by_serial.get(serial_hex, ())
        found = {i.sha256: i for i in with_serial if i.signer is not None and i.signer.spki == signer.spki}
        return next(iter(found.values())) if len(found) == 1 else None

    def issued_at(self) -> Iterator[datetime]:
        """The beginnings of those that a CA here signed."""
        return (i.not_before for many in self._by_serial.values() for i in many if i.signer and i.not_before)
