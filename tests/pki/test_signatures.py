"""Who signed: every algorithm, old hashes, certificates the library refuses to load, and what cannot be said."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tenure.pki.signatures import Answer, verify, verify_by_key
from tests.pki import made
from tests.pki.made import Odd, element, integer, oid, sequence

NULL = b"\x05\x00"
RSA = made.rsa_key()


def spki(key: object) -> bytes:
    encoded: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined] # any key
    return encoded


def signed(algorithm: bytes, signature_of: object) -> bytes:
    """A certificate whose signature this function makes over the signed part."""
    odd = Odd(inner_algorithm=algorithm, algorithm=algorithm)
    return odd.but(signature=signature_of(odd.tbs)).der()  # type: ignore[operator] # a function


def pkcs1(hash_: hashes.HashAlgorithm) -> object:
    return lambda tbs: RSA.sign(tbs, padding.PKCS1v15(), hash_)


def pss_algorithm(digest: str, salt: int) -> bytes:
    method = sequence(oid(digest), NULL)
    mask = sequence(oid("1.2.840.113549.1.1.8"), method)
    parameters = sequence(element(0xA0, method), element(0xA1, mask), element(0xA2, integer(salt)))
    return sequence(oid("1.2.840.113549.1.1.10"), parameters)


def pss(hash_: hashes.HashAlgorithm, salt: int) -> object:
    return lambda tbs: RSA.sign(tbs, padding.PSS(padding.MGF1(hash_), salt), hash_)


P256, P384 = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
ED25519, ED448 = ed25519.Ed25519PrivateKey.generate(), ed448.Ed448PrivateKey.generate()
DSA, ML_DSA = dsa.generate_private_key(2048), mldsa.MLDSA65PrivateKey.generate()

CASES = {
    "rsa-sha256": (made.SHA256_RSA, pkcs1(hashes.SHA256()), RSA),
    "rsa-sha1": (sequence(oid("1.2.840.113549.1.1.5"), NULL), pkcs1(hashes.SHA1()), RSA),
    "rsa-sha1-old-oid": (sequence(oid("1.3.14.3.2.29"), NULL), pkcs1(hashes.SHA1()), RSA),
    "rsa-md5": (sequence(oid("1.2.840.113549.1.1.4"), NULL), pkcs1(hashes.MD5()), RSA),
    "rsa-sha512-no-null": (sequence(oid("1.2.840.113549.1.1.13")), pkcs1(hashes.SHA512()), RSA),
    "rsa-sha3": (sequence(oid("2.16.840.1.101.3.4.3.14"), NULL), pkcs1(hashes.SHA3_256()), RSA),
    "pss-sha256": (pss_algorithm("2.16.840.1.101.3.4.2.1", 32), pss(hashes.SHA256(), 32), RSA),
    "pss-sha384-salt-20": (pss_algorithm("2.16.840.1.101.3.4.2.2", 20), pss(hashes.SHA384(), 20), RSA),
    "pss-defaults": (sequence(oid("1.2.840.113549.1.1.10"), sequence()), pss(hashes.SHA1(), 20), RSA),
    "ecdsa-p256": (made.SHA256_EC, lambda tbs: P256.sign(tbs, ec.ECDSA(hashes.SHA256())), P256),
    "ecdsa-p384-sha512": (sequence(oid("1.2.840.10045.4.3.4")), lambda tbs: P384.sign(tbs, ec.ECDSA(hashes.SHA512())), P384),
    "ecdsa-sha1": (sequence(oid("1.2.840.10045.4.1")), lambda tbs: P256.sign(tbs, ec.ECDSA(hashes.SHA1())), P256),
    "ecdsa-sha3": (sequence(oid("2.16.840.1.101.3.4.3.10")), lambda tbs: P256.sign(tbs, ec.ECDSA(hashes.SHA3_256())), P256),
    "dsa": (sequence(oid("2.16.840.1.101.3.4.3.2")), lambda tbs: DSA.sign(tbs, hashes.SHA256()), DSA),
    "dsa-sha1": (sequence(oid("1.2.840.10040.4.3")), lambda tbs: DSA.sign(tbs, hashes.SHA1()), DSA),
    "ed25519": (sequence(oid("1.3.101.112")), ED25519.sign, ED25519),
    "ed448": (sequence(oid("1.3.101.113")), ED448.sign, ED448),
    "ml-dsa-65": (sequence(oid("2.16.840.1.101.3.4.3.18")), ML_DSA.sign, ML_DSA),
}


@pytest.mark.parametrize(("algorithm", "sign", "key"), CASES.values(), ids=CASES)
def test_every_algorithm_verifies_and_is_refuted_after_a_change(algorithm: bytes, sign: object, key: object) -> None:
    der = signed(algorithm, sign)
    assert verify_by_key(der, spki(key)).verified
    changed = der.replace(b"device-1", b"device-2")
    assert verify_by_key(changed, spki(key)).answer is Answer.REFUTED
    issuer = Odd(spki=spki(key)).der()
    assert verify(der, issuer).verified
    assert not verify(changed, issuer).verified


def test_another_key_of_the_same_or_another_kind_refutes() -> None:
    der = signed(*CASES["rsa-sha256"][:2])
    assert verify_by_key(der, spki(rsa.generate_private_key(65537, 2048))).answer is Answer.REFUTED
    assert verify_by_key(der, spki(P256)).answer is Answer.REFUTED


def test_what_cannot_be_said() -> None:
    der = signed(*CASES["rsa-sha256"][:2])
    unknown = sequence(sequence(oid("1.3.6.1.4.1.32473.99")), element(0x03, b"\0abc"))
    cases = {
        "no signature in it": (der[:-300], spki(RSA)),
        "no key": (der, b""),
        "key is of no known kind": (der, unknown),
        "key makes no signatures": (der, spki(x25519.X25519PrivateKey.generate())),
        "hash is too old": (signed(sequence(oid("1.2.840.113549.1.1.2"), NULL), pkcs1(hashes.SHA256())), spki(RSA)),
        "algorithm is of no known kind": (signed(sequence(oid("1.3.6.1.4.1.32473.98")), pkcs1(hashes.SHA256())), spki(RSA)),
        "parameters are no parameters": (signed(sequence(oid("1.2.840.113549.1.1.10"), NULL), pss(hashes.SHA1(), 20)), spki(RSA)),
    }
    for why, (certificate, key) in cases.items():
        verdict = verify_by_key(certificate, key)
        assert verdict.answer is Answer.CANNOT, why
        assert verdict.reason
        assert not verdict.decided


def test_a_certificate_the_library_refuses_verifies_all_the_same() -> None:
    refused = Odd(version=element(0xA0, integer(3))).der()
    assert verify_by_key(refused, spki(RSA)).verified


def test_a_signature_that_is_no_signature_is_refuted() -> None:
    for signature in (b"\x30\x06\x02\x01\x01\x02\x01\x01", b"\x30\x00", b"x", bytes(256)):
        der = Odd(inner_algorithm=made.SHA256_EC, algorithm=made.SHA256_EC, signature=signature).der()
        assert verify_by_key(der, spki(P256)).answer is Answer.REFUTED
