"""Keys that follow from the seed, and signatures that follow from the key: the same seed gives the same bytes."""

from __future__ import annotations

from functools import cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tenure.demo.chance import Chance

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
_WITH_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_WITH_SHA1 = bytes.fromhex("300906072a8648ce3d0401")


def ec_key(chance: Chance, label: str) -> ec.EllipticCurvePrivateKey:
    """The P-256 key of that label."""
    number = int.from_bytes(chance.octets(40, "ec key", label), "big") % (_ORDER - 1) + 1
    return ec.derive_private_key(number, ec.SECP256R1())


def weak_rsa_key(chance: Chance, label: str) -> rsa.RSAPublicKey:
    """The public half of an RSA key of 1024 bits: too short on purpose. Its private half is not kept."""
    p, q = (_prime(int.from_bytes(chance.octets(64, "prime", label, side), "big") | 3 << 510 | 1) for side in "pq")
    return rsa.RSAPublicNumbers(65537, p * q).public_key()


def host_key(chance: Chance, label: str) -> ed25519.Ed25519PublicKey:
    """The public half of an SSH host key."""
    return ed25519.Ed25519PrivateKey.from_private_bytes(chance.octets(32, "host key", label)).public_key()


@cache
def deterministic() -> bool | None:
    """True where the installed OpenSSL signs the same input with the same bytes (RFC 6979; 3.2 and later), else None."""
    try:
        ec.derive_private_key(1, ec.SECP256R1()).sign(b"", ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    except UnsupportedAlgorithm:
        return None
    return True


def signed(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    return builder.sign(key, hashes.SHA256(), ecdsa_deterministic=deterministic())


def signed_with_sha1(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """The same certificate under a SHA-1 signature, which no library makes any more: put together from its parts."""
    content = certificate.tbs_certificate_bytes[4:]  # behind a header of two bytes of length: it is longer than 255
    body = _sequence(content.replace(_WITH_SHA256, _WITH_SHA1, 1))
    algorithm = hashes.SHA1()  # noqa: S303 - the weakness is the point of this certificate
    signature = key.sign(body, ec.ECDSA(algorithm, deterministic_signing=bool(deterministic())))
    return x509.load_der_x509_certificate(_sequence(body, _WITH_SHA1, bytes((3, len(signature) + 1, 0)), signature))


def _sequence(*parts: bytes) -> bytes:
    content = b"".join(parts)
    return b"\x30\x82" + len(content).to_bytes(2, "big") + content


def _prime(candidate: int) -> int:
    """The next prime from an odd number on, by Fermat to the bases 2, 3 and 5: good enough for a key nobody uses."""
    while any(candidate % small == 0 for small in (3, 5, 7, 11, 13)) or any(
        pow(base, candidate - 1, candidate) != 1 for base in (2, 3, 5)
    ):
        candidate += 2
    return candidate
