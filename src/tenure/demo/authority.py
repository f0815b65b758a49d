"""The certification authorities of the example fleet: real keys and real signatures, all of them following from the seed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tenure.demo.chance import Chance
from tenure.demo.fleet import Certificate
from tenure.demo.keys import deterministic, ec_key, signed, signed_with_sha1, weak_rsa_key

ENDLESS = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
ORGANISATION = "Example Utilities"
SELF = "self"
"""In place of an authority: the device signs for itself."""

_PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


@dataclass(frozen=True, slots=True)
class AuthorityPlan:
    """An authority to be made. ``parent`` empty: a root. ``key`` of another: the same key certified again."""

    id: str
    name: str
    organisation: str
    begins: float
    ends: float
    parent: str = ""
    key: str = ""
    crl: bool = True  # what it issues says where its CRL is
    client_usage: bool = True  # and that it is for clients


PLANS = (
    AuthorityPlan("root-g1", "Example Utilities Root CA G1", ORGANISATION, 4200, -900),
    AuthorityPlan("root-g2", "Example Utilities Root CA G2", ORGANISATION, 1500, -4500),
    AuthorityPlan("root-g2-first", "Example Utilities Root CA G2", ORGANISATION, 1800, -100, key="root-g2"),
    AuthorityPlan("operations", "Example Utilities Operations CA", ORGANISATION, 1400, -3000, "root-g2"),
    AuthorityPlan("cloud", "Example Utilities Cloud CA", ORGANISATION, 1300, -3000, "root-g2"),
    AuthorityPlan("site", "Example Utilities Harbour Site CA", ORGANISATION, 700, -2500, "root-g2"),
    AuthorityPlan("video", "Example Utilities Video CA", ORGANISATION, 1700, -1400),
    AuthorityPlan("metering", "Example Metering Services CA", "Example Metering Services", 2000, -150, crl=False),
    AuthorityPlan("partner", "Example Partner Root CA", "Example Partner", 900, -2700),
    AuthorityPlan("maker", "Example Gateways Device CA", "Example Gateways", 2600, -9000, crl=False, client_usage=False),
    AuthorityPlan("bench", "Example Utilities Test CA", ORGANISATION, 600, -800),
)


@dataclass(frozen=True, slots=True)
class Authority:
    plan: AuthorityPlan
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def subject(self) -> x509.Name:
        return self.certificate.subject

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate of a device or server, and from what it was made."""

    plan: Certificate
    authority: str  # SELF: nobody's
    certificate: x509.Certificate
    der: bytes
    sha256: str  # hex

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def cn(self) -> str:
        return str(self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


class Authorities:
    """All authorities of one fleet. What they issue has serials that follow from whose it is, so order does not matter."""

    def __init__(self, chance: Chance, as_of: datetime) -> None:
        self._chance, self.as_of = chance, as_of
        self._by_id: dict[str, Authority] = {}
        for plan in PLANS:
            self._by_id[plan.id] = self._make(plan)

    def __getitem__(self, identifier: str) -> Authority:
        return self._by_id[identifier]

    def moment(self, ago: float) -> datetime:
        """That many days before the as-of time, to the second."""
        return (self.as_of - timedelta(days=ago)).replace(microsecond=0)

    def issue(self, plan: Certificate, authority: str, cn: str, serial: str, key: str, *, server: bool = False) -> Issued:
        """An end-entity certificate for the key of that label."""
        by = None if authority == SELF else self._by_id[authority]
        subject = _name(ORGANISATION if by is None else by.plan.organisation, cn, serial)
        signer = ec_key(self._chance, key) if by is None else by.key
        public: _PublicKey = weak_rsa_key(self._chance, key) if plan.rsa1024 else ec_key(self._chance, key).public_key()
        begins = self.moment(plan.issued + self._chance.between(0, 0.4, "hour of issue", key, plan.label))
        term = begins, ENDLESS if plan.endless else begins + timedelta(days=plan.days)
        builder = self._builder(subject if by is None else by.subject, subject, public, term, f"{cn} {serial} {key} {plan.label}")
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        if by is not None and by.plan.client_usage:
            usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if by is not None and by.plan.crl:
            builder = builder.add_extension(_crl_points(by.plan.id), critical=False)
        certificate = signed(builder, signer)
        if plan.sha1:
            certificate = signed_with_sha1(certificate, signer)
        der = certificate.public_bytes(Encoding.DER)
        return Issued(plan, authority, certificate, der, hashlib.sha256(der).hexdigest())

    def revoked_at(self, issued: Issued) -> datetime | None:
        """When its CA revoked a certificate; None for one that was not."""
        if issued.plan.revoked is None:
            return None
        return self.moment(issued.plan.revoked - self._chance.between(0, 0.4, "hour of revocation", issued.sha256))

    def crl(self, authority: str, entries: Iterable[Issued], made: float) -> bytes:
        """The list of an authority in PEM: those of the entries that were revoked and have not expired."""
        by, now = self._by_id[authority], self.moment(made)
        builder = (
            x509.CertificateRevocationListBuilder(by.subject, now, now + timedelta(days=7))
            .add_extension(x509.CRLNumber(int(now.timestamp()) // 86_400), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False)
        )
        for issued in entries:
            if (at := self.revoked_at(issued)) is None or issued.certificate.not_valid_after_utc <= now:
                continue
            entry = x509.RevokedCertificateBuilder(issued.certificate.serial_number, at)
            reason = x509.CRLReason(x509.ReasonFlags(issued.plan.reason))
            builder = builder.add_revoked_certificate(entry.add_extension(reason, critical=False).build())
        return builder.sign(by.key, hashes.SHA256(), ecdsa_deterministic=deterministic()).public_bytes(Encoding.PEM)

    def _make(self, plan: AuthorityPlan) -> Authority:
        key = ec_key(self._chance, f"authority {plan.key or plan.id}")
        subject = _name(plan.organisation, plan.name)
        parent = self._by_id[plan.parent] if plan.parent else None
        signer, issuer = (key, subject) if parent is None else (parent.key, parent.subject)
        term = self.moment(plan.begins), self.moment(plan.ends)
        builder = (
            self._builder(issuer, subject, key.public_key(), term, f"authority {plan.id}")
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_CA_USAGE, critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        return Authority(plan, key, signed(builder, signer))

    def _builder(
        self, issuer: x509.Name, subject: x509.Name, public: _PublicKey, term: tuple[datetime, datetime], label: str
    ) -> x509.CertificateBuilder:
        serial = int.from_bytes(self._chance.octets(15, "serial", label), "big") | 1 << 119
        builder = x509.CertificateBuilder(issuer, subject, public, serial, *term)
        return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)


_CA_USAGE = x509.KeyUsage(
    digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
    key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
)  # fmt: skip


def _name(organisation: str, cn: str, serial: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)]
    if serial:
        parts.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial))
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, cn)])


def _crl_points(authority: str) -> x509.CRLDistributionPoints:
    address = x509.UniformResourceIdentifier(f"http://crl.example.com/{authority}.crl")
    return x509.CRLDistributionPoints([x509.DistributionPoint([address], None, None, None)])
