"""Small certificate authorities for tests, with certificates and lists they sign."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)


def named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


@dataclass
class Ca:
    """A CA with a key of its own; without a parent it signs itself."""

    name: str
    parent: Ca | None = None
    serial: int = 1
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.certificate = self._certificate()

    def _certificate(self) -> x509.Certificate:
        signer = self.parent or self
        builder = _builder(self.name, signer.name, self.key.public_key(), self.serial, BEGIN, datetime(2040, 1, 1, tzinfo=UTC))
        return builder.add_extension(x509.BasicConstraints(True, None), True).sign(signer.key, hashes.SHA256())

    def issue(self, common_name: str, serial: int, begin: datetime = BEGIN, end: datetime = END) -> x509.Certificate:
        key = ec.generate_private_key(ec.SECP256R1()).public_key()
        return _builder(common_name, self.name, key, serial, begin, end).sign(self.key, hashes.SHA256())

    def crl(
        self,
        revoked: dict[int, tuple[datetime, x509.ReasonFlags | None]],
        made: datetime = datetime(2026, 10, 1, tzinfo=UTC),
    ) -> x509.CertificateRevocationList:
        builder = x509.CertificateRevocationListBuilder().issuer_name(named(self.name))
        builder = builder.last_update(made).next_update(made + timedelta(days=7))
        for serial, (when, reason) in revoked.items():
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(when)
            if reason is not None:
                entry = entry.add_extension(x509.CRLReason(reason), False)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, hashes.SHA256())


def _builder(
    subject: str, issuer: str, key: ec.EllipticCurvePublicKey, serial: int, begin: datetime, end: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(named(subject)).issuer_name(named(issuer)).public_key(key)
    return builder.serial_number(serial).not_valid_before(begin).not_valid_after(end)


def pem(thing: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    return thing.public_bytes(Encoding.PEM)


def der(thing: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    return thing.public_bytes(Encoding.DER)
