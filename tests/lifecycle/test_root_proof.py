"""Fresh proof of a root: this key, of this device, over the challenge of this very request."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tenure.lifecycle.root_proof import FreshProof, by_signature, challenge
from tenure.lifecycle.verdict import Code, Refused
from tenure.model.devices import HardwareRoot, RootKind
from tests.lifecycle.life import DEVICE, EK, INSTANCE, NOW, REQUEST, SUCCESSOR, uid

ASKED = (INSTANCE, DEVICE, REQUEST)
RSA = rsa.generate_private_key(65537, 2048)
P256, P384, P521 = (ec.generate_private_key(curve) for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()))
K1 = ec.generate_private_key(ec.SECP256K1())
EDWARDS, GOLDILOCKS = ed25519.Ed25519PrivateKey.generate(), ed448.Ed448PrivateKey.generate()
DSA = dsa.generate_private_key(1024)
AGREEMENT = x25519.X25519PrivateKey.generate()
PSS = padding.PSS(padding.MGF1(SHA256()), 32)
Sign = Callable[[bytes], bytes]


def public(private: object) -> bytes:
    made: bytes = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]  # any key
    return made


def shown(spki: bytes, signature: bytes, roots: tuple[HardwareRoot, ...] | None = None) -> FreshProof | Refused:
    own = (EK, HardwareRoot(RootKind.IDEVID, hashlib.sha256(spki).digest()))
    return by_signature(own if roots is None else roots, spki, signature, ASKED, NOW)


SIGNERS: list[tuple[object, Sign]] = [
    (P256, lambda m: P256.sign(m, ec.ECDSA(SHA256()))),
    (P384, lambda m: P384.sign(m, ec.ECDSA(SHA384()))),
    (P521, lambda m: P521.sign(m, ec.ECDSA(SHA512()))),
    (EDWARDS, EDWARDS.sign),
    (RSA, lambda m: RSA.sign(m, padding.PKCS1v15(), SHA256())),
    (RSA, lambda m: RSA.sign(m, PSS, SHA256())),
]


@pytest.mark.parametrize(("private", "sign"), SIGNERS)
def test_the_hardware_answers(private: object, sign: Sign) -> None:
    spki = public(private)
    found = shown(spki, sign(challenge(*ASKED)))
    assert isinstance(found, FreshProof)
    assert (found.device, found.root, found.request, found.at) == (DEVICE, hashlib.sha256(spki).digest(), REQUEST, NOW)


@pytest.mark.parametrize(("private", "sign"), SIGNERS)
def test_an_answer_to_anything_else_is_none(private: object, sign: Sign) -> None:
    others = [(uid(9), DEVICE, REQUEST), (INSTANCE, SUCCESSOR, REQUEST), (INSTANCE, DEVICE, uid(9))]
    for message in (*(challenge(*other) for other in others), b"", challenge(*ASKED) + b" "):
        found = shown(public(private), sign(message))
        assert isinstance(found, Refused)
        assert (found.code, bool(found.fix)) == (Code.PROOF_INVALID, True)


@pytest.mark.parametrize(
    ("private", "sign"),
    [
        (P256, lambda m: P256.sign(m, ec.ECDSA(SHA384()))),
        (P384, lambda m: P384.sign(m, ec.ECDSA(SHA256()))),
        (K1, lambda m: K1.sign(m, ec.ECDSA(SHA256()))),
        (GOLDILOCKS, GOLDILOCKS.sign),
        (DSA, lambda m: DSA.sign(m, SHA256())),
        (RSA, lambda m: RSA.sign(m, padding.PKCS1v15(), SHA1())),
        (AGREEMENT, lambda m: m),
    ],
    ids=["P-256 with another hash", "P-384 with another hash", "another curve", "Ed448", "DSA", "SHA-1", "no signing key"],
)
def test_other_keys_and_hashes_prove_nothing(private: object, sign: Sign) -> None:
    assert isinstance(shown(public(private), sign(challenge(*ASKED))), Refused)


def test_the_key_is_a_root_of_this_device() -> None:
    spki, answer = public(P256), P256.sign(challenge(*ASKED), ec.ECDSA(SHA256()))
    for roots in ((), (EK,)):
        assert isinstance(shown(spki, answer, roots), Refused)


@pytest.mark.parametrize("spki", [b"", b"\x30\x00", public(P256)[:-1]], ids=["nothing", "an empty sequence", "one byte short"])
def test_what_is_no_key_is_refused(spki: bytes) -> None:
    found = shown(spki, b"")
    assert isinstance(found, Refused)
    assert "cannot be read" in found.problem


def test_the_challenge_is_plain_text_that_a_person_can_read_too() -> None:
    assert challenge(uid(1), uid(2), uid(3)) == f"tenure-root-proof-v1 {uid(1)} {uid(2)} {uid(3)}".encode()


def test_a_proof_is_not_made_by_hand() -> None:
    with pytest.raises(TypeError, match="by hand"):
        FreshProof(object(), DEVICE, EK.spki, REQUEST, NOW)
