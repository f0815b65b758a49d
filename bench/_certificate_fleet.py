"""A generated fleet of certificates for measurements: three issuing profiles, prepared to-be-signed parts, real signatures."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

_SERIAL, _NAME, _KEY_ID = b"\x71" * 16, b"DEVICE-0123456789", b"\x72" * 20
_START = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
_PER_BUNDLE = 1_000
_PER_FOLDER = 500


@dataclass(frozen=True)
class Profile:
    """What an issuer certifies: a certificate of which serial, name, date, key and key id are replaced before signing."""

    tbs: bytes
    spki: bytes
    algorithm: bytes
    ca: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    authority: bytes  # the CA's own certificate

    def issue(self, random_: random.Random, number: int) -> bytes:
        moment = _START + timedelta(seconds=random_.randrange(40_000_000))
        tbs = (
            self.tbs.replace(_SERIAL, b"\x10" + random_.randbytes(15))
            .replace(_NAME, b"DEVICE-%010d" % number)
            .replace(_START.strftime("%y%m%d%H%M%SZ").encode(), moment.strftime("%y%m%d%H%M%SZ").encode())
            .replace(self.spki, _spki(self.spki, random_))
            .replace(_KEY_ID, random_.randbytes(20))
        )
        if isinstance(self.ca, rsa.RSAPrivateKey):
            signature = self.ca.sign(tbs, padding.PKCS1v15(), hashes.SHA256())
        else:
            signature = self.ca.sign(tbs, ec.ECDSA(hashes.SHA256()))
        return _sequence(tbs + self.algorithm + _element(0x03, b"\0" + signature))


def profiles() -> list[tuple[Profile, int]]:
    """The profiles and how many in a hundred follow each."""
    ec_ca, rsa_ca = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)
    own = [("O", "Example Works"), ("CN", "Example Device CA G2")]
    other = [("C", "DE"), ("O", "Example Meters"), ("OU", "Devices"), ("CN", "Example Meters Issuing CA 4")]
    cloud = [("OU", "Example Cloud IoT"), ("O", "Example Cloud"), ("CN", "Example Cloud Device Root")]
    urls = x509.CRLDistributionPoints([_point("http://crl.example.com/device-g2.crl")])
    access = x509.AuthorityInformationAccess(
        [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://ocsp.example.com"))]
    )
    policy = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.3.6.1.4.1.32473.1.2"), None)])
    names = x509.SubjectAlternativeName(
        [x509.UniformResourceIdentifier(f"spiffe://fleet.example/device/{_NAME.decode()}"), x509.DNSName("d.fleet.example")]
    )
    return [
        (
            _profile(own, [("O", "Example Works"), ("SN", _NAME.decode()), ("CN", _NAME.decode())], ec_ca, False, [urls, names]),
            60,
        ),
        (
            _profile(other, [("C", "DE"), ("O", "Example Meters"), ("CN", _NAME.decode())], rsa_ca, True, [urls, access, policy]),
            25,
        ),
        (_profile(cloud, [("CN", "Cloud IoT Certificate")], rsa_ca, True, []), 15),
    ]


def certificates(count: int, seed: int) -> Iterator[bytes]:
    """DER of so many device certificates. Keys are no real ones: only their form matters to a reader."""
    random_ = random.Random(seed)
    kinds, weights = zip(*profiles(), strict=True)
    for number in range(count):
        yield random_.choices(kinds, weights)[0].issue(random_, number)


def write_tree(folder: Path, count: int, seed: int, *, with_authorities: bool) -> int:
    """Four of five in bundles of PEM, the rest in files of their own, PEM and DER in turn; gives the bytes written."""
    random_ = random.Random(seed)
    kinds, weights = zip(*profiles(), strict=True)
    bundled = count * 4 // 5
    size = 0
    bundle: list[bytes] = []
    for number in range(count):
        der = random_.choices(kinds, weights)[0].issue(random_, number)
        if number < bundled:
            bundle.append(_pem(der))
            if len(bundle) == _PER_BUNDLE or number == bundled - 1:
                size += _write(folder / "bundles" / f"{number // _PER_BUNDLE:05}.pem", b"".join(bundle))
                bundle.clear()
        else:
            name = f"{number // _PER_FOLDER:05}/{number}." + ("der" if number % 2 else "crt")
            size += _write(folder / "single" / name, der if number % 2 else _pem(der))
    if with_authorities:
        size += _write(folder / "authorities.pem", b"".join(_pem(kind.authority) for kind in kinds))
    return size


def _write(path: Path, data: bytes) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.write_bytes(data)


def _pem(der: bytes) -> bytes:
    text = base64.b64encode(der)
    lines = b"\n".join(text[i : i + 64] for i in range(0, len(text), 64))
    return b"-----BEGIN CERTIFICATE-----\n" + lines + b"\n-----END CERTIFICATE-----\n"


def _profile(
    issuer: list[tuple[str, str]],
    subject: list[tuple[str, str]],
    ca: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    rsa_device: bool,
    extensions: list[x509.ExtensionType],
) -> Profile:
    device = rsa.generate_private_key(65537, 2048) if rsa_device else ec.generate_private_key(ec.SECP256R1())
    spki = device.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    authority = (
        x509.CertificateBuilder(_name(issuer), _name(issuer), ca.public_key(), 7, _START, _START.replace(year=2045))
        .add_extension(x509.BasicConstraints(True, 0), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca.public_key()), False)
        .sign(ca, hashes.SHA256())
    )
    builder = (
        x509.CertificateBuilder(
            _name(issuer), _name(subject), device.public_key(), int.from_bytes(_SERIAL), _START, _START.replace(year=2035)
        )
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(_usage(), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
        .add_extension(x509.SubjectKeyIdentifier(_KEY_ID), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.public_key()), False)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, False)
    signed = builder.sign(ca, hashes.SHA256())
    tbs = signed.tbs_certificate_bytes
    whole = signed.public_bytes(Encoding.DER)
    rest = whole[whole.index(tbs) + len(tbs) :]
    algorithm = rest[: 2 + rest[1]]
    return Profile(tbs, spki, algorithm, ca, authority.public_bytes(Encoding.DER))


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(True, False, False, False, True, False, False, False, False)


def _name(parts: list[tuple[str, str]]) -> x509.Name:
    oids = {
        "C": NameOID.COUNTRY_NAME, "O": NameOID.ORGANIZATION_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
        "CN": NameOID.COMMON_NAME, "SN": NameOID.SERIAL_NUMBER,
    }  # fmt: skip
    return x509.Name([x509.NameAttribute(oids[kind], value) for kind, value in parts])


def _point(url: str) -> x509.DistributionPoint:
    return x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)


_POOL = 512


def _spki(old: bytes, random_: random.Random) -> bytes:
    """Another key of the same form: an odd number of 2048 bits, or a point of a pool of real ones."""
    if len(old) < 200:
        return _points()[random_.randrange(_POOL)]
    modulus = (random_.getrandbits(2048) | 1 << 2047 | 1).to_bytes(256)
    return old[:33] + modulus + old[289:]


_made: list[bytes] = []


def _points() -> list[bytes]:
    while len(_made) < _POOL:
        key = ec.generate_private_key(ec.SECP256R1()).public_key()
        _made.append(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return _made


def _sequence(content: bytes) -> bytes:
    return _element(0x30, content)


def _element(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content
