"""Certificates made for tests: ordinary ones by the library's builder, odd ones element by element."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

BEGIN, END = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2035, 1, 2, 3, 4, 5, tzinfo=UTC)
SHA256_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
SHA256_EC = bytes.fromhex("300a06082a8648ce3d040302")

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


@cache
def ec_key(number: int = 0) -> ec.EllipticCurvePrivateKey:
    """The same key for the same number, all through a run."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def element(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def sequence(*contents: bytes) -> bytes:
    return element(0x30, *contents)


def integer(value: int) -> bytes:
    return element(0x02, value.to_bytes(value.bit_length() // 8 + 1, signed=True))


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    content = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return element(0x06, bytes(content))


def attribute(kind: str, value: bytes, tag: int = 0x0C) -> bytes:
    return sequence(oid(kind), element(tag, value))


def name(*parts: tuple[str, str]) -> bytes:
    """A name of (type, text), outermost first, as UTF8Strings."""
    return sequence(*(element(0x31, attribute(kind, text.encode())) for kind, text in parts))


def extension(kind: str, value: bytes, *, critical: bool = False) -> bytes:
    return sequence(oid(kind), b"\x01\x01\xff" if critical else b"", element(0x04, value))


def spki(key: SigningKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True)
class Odd:
    """A certificate put together from encoded parts, any of which may be replaced by something odd."""

    version: bytes = bytes.fromhex("a003020102")
    serial: bytes = integer(0x1234)
    inner_algorithm: bytes = SHA256_RSA
    issuer: bytes = name(("2.5.4.10", "Example Works"), ("2.5.4.3", "Example CA"))
    validity: bytes = sequence(element(0x17, b"250102030405Z"), element(0x17, b"350102030405Z"))
    subject: bytes = name(("2.5.4.10", "Example Works"), ("2.5.4.3", "device-1"))
    spki: bytes = b""  # of the RSA key where empty
    unique_ids: bytes = b""
    extensions: tuple[bytes, ...] = ()
    algorithm: bytes = SHA256_RSA
    signature: bytes = b""  # made with the RSA key where empty

    def but(self, **parts: object) -> Odd:
        return replace(self, **parts)  # type: ignore[arg-type] # tests name the parts

    @property
    def tbs(self) -> bytes:
        extensions = element(0xA3, sequence(*self.extensions)) if self.extensions else b""
        return sequence(
            self.version, self.serial, self.inner_algorithm, self.issuer, self.validity, self.subject,
            self.spki or spki(rsa_key()), self.unique_ids, extensions,
        )  # fmt: skip

    def der(self) -> bytes:
        signature = self.signature or rsa_key().sign(self.tbs, padding.PKCS1v15(), hashes.SHA256())
        return sequence(self.tbs, self.algorithm, element(0x03, b"\0", signature))


def distinguished(*parts: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts])


def common(text: str) -> x509.Name:
    return distinguished((NameOID.COMMON_NAME, text))


def ordinary(
    subject: str = "device-1",
    *,
    issuer: str = "Example CA",
    key: SigningKey | None = None,
    ca: SigningKey | None = None,
    serial: int = 0x1234,
    is_ca: bool = False,
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (),
) -> x509.Certificate:
    """A certificate with SKI, AKI and basicConstraints, by the library's builder."""
    ca = ca or ec_key()
    key = key or ec_key(1)
    builder = (
        x509.CertificateBuilder(common(issuer), common(subject), key.public_key(), serial, BEGIN, END)
        .add_extension(x509.BasicConstraints(is_ca, None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.public_key()), False)
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    edwards = isinstance(ca, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    return builder.sign(ca, None if edwards else hashes.SHA256())


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def pem(encoded: bytes, label: str = "CERTIFICATE") -> bytes:
    from base64 import encodebytes

    return f"-----BEGIN {label}-----\n".encode() + encodebytes(encoded) + f"-----END {label}-----\n".encode()
