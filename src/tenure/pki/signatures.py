"""Signatures: did this key sign that certificate or CRL? Works on bytes, so also for what the library refuses to load."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tenure.pki import signature_algorithms
from tenure.pki.dissection import dissect
from tenure.pki.remembering import remembering
from tenure.pki.signature_algorithms import SignatureAlgorithm

_ML_DSA: dict[str, type] = {}
try:  # the library learned ML-DSA (FIPS 204) late
    from cryptography.hazmat.primitives.asymmetric import mldsa
except ImportError:
    pass
else:
    _ML_DSA |= {"ml-dsa-44": mldsa.MLDSA44PublicKey, "ml-dsa-65": mldsa.MLDSA65PublicKey, "ml-dsa-87": mldsa.MLDSA87PublicKey}


class Answer(StrEnum):
    VERIFIED = "verified"
    REFUTED = "refuted"
    CANNOT = "cannot"  # be said: the algorithm or the key is not one this machine can check, or the bytes cannot be read


@dataclass(frozen=True, slots=True)
class Verdict:
    answer: Answer
    reason: str = ""

    @property
    def verified(self) -> bool:
        return self.answer is Answer.VERIFIED

    @property
    def decided(self) -> bool:
        """The signature was checked, whatever came out."""
        return self.answer is not Answer.CANNOT


VERIFIED: Final = Verdict(Answer.VERIFIED)
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "md5": hashes.MD5(),  # noqa: S303 - to say that an old signature verifies, not to make one
    "sha1": hashes.SHA1(),  # noqa: S303 - as above
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha3-224": hashes.SHA3_224(),
    "sha3-256": hashes.SHA3_256(),
    "sha3-384": hashes.SHA3_384(),
    "sha3-512": hashes.SHA3_512(),
}


def verify(certificate: bytes, issuer: bytes) -> Verdict:
    """Whether the key in the issuer's certificate signed the certificate (both DER). Names and dates are not looked at."""
    return verify_by_key(certificate, dissect(issuer).spki)


def verify_by_key(certificate: bytes, spki: bytes) -> Verdict:
    """The same with the issuer's SubjectPublicKeyInfo. A certificate and a CRL are signed in the same way (RFC 5280 5.1.1)."""
    parts = dissect(certificate)
    if not parts.tbs or not parts.signature:
        return Verdict(Answer.CANNOT, "the signature cannot be found in the certificate")
    return verify_signed(parts.tbs, parts.algorithm, parts.signature, spki)


def verify_signed(signed: bytes, algorithm: bytes, signature: bytes, spki: bytes) -> Verdict:
    """Whether the key signed these bytes with this AlgorithmIdentifier."""
    if not spki:
        return Verdict(Answer.CANNOT, "the issuer's key cannot be found")
    key = _key(spki)
    if isinstance(key, str):
        return Verdict(Answer.CANNOT, key)
    try:
        return _checked(key, signature_algorithms.read(algorithm), signature, signed)
    except InvalidSignature:
        return Verdict(Answer.REFUTED, "the signature does not verify")
    except Exception as error:  # noqa: BLE001 - whatever the library raises on odd keys and signatures: it cannot be said
        return Verdict(Answer.CANNOT, f"the signature cannot be checked: {type(error).__name__}: {error}")


@remembering(4096)
def _key(spki: bytes) -> tuple[str, Any] | str:
    """Kind of the key and the key itself, or why it cannot be used."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            key = load_der_public_key(spki)
        except Exception as error:  # noqa: BLE001 - a key the library refuses in whatever way is one it cannot check with
            return f"the issuer's key cannot be used: {type(error).__name__}: {error}"
    for kind, type_ in _KINDS.items():
        if isinstance(key, type_):
            return kind, key
    return f"the issuer's key is a {type(key).__name__}, which makes no signatures this machine can check"


def _checked(key: tuple[str, Any], algorithm: SignatureAlgorithm, signature: bytes, signed: bytes) -> Verdict:
    """Let the library verify. Raises InvalidSignature, or what the library thinks fit."""
    kind, public = key
    if (wanted := signature_algorithms.key_kind(algorithm.oid)) is None:
        return Verdict(Answer.CANNOT, f"signatures of the kind {algorithm.oid} cannot be checked here")
    if wanted != kind:
        return Verdict(Answer.REFUTED, f"the signature is of an {wanted} key, the issuer's is {kind}")
    if kind not in _HASHING:
        public.verify(signature, signed)
        return VERIFIED
    if (digest := _HASHES.get(algorithm.hash_name or "")) is None:
        return Verdict(Answer.CANNOT, f"signatures over {algorithm.hash_name or 'an unknown hash'} cannot be checked here")
    if kind == "ec":
        public.verify(signature, signed, ec.ECDSA(digest))
    elif kind == "dsa":
        public.verify(signature, signed, digest)
    elif algorithm.pss is None:
        public.verify(signature, signed, _PKCS1, digest)
    else:
        mask = _HASHES[algorithm.pss.mask_hash_name or ""]
        public.verify(signature, signed, padding.PSS(padding.MGF1(mask), algorithm.pss.salt_length), digest)
    return VERIFIED


_KINDS: Final[dict[str, type]] = {
    "rsa": rsa.RSAPublicKey, "ec": ec.EllipticCurvePublicKey, "ed25519": ed25519.Ed25519PublicKey,
    "ed448": ed448.Ed448PublicKey, "dsa": dsa.DSAPublicKey, **_ML_DSA,
}  # fmt: skip
"""Kinds of keys that sign, and the library's type for each."""

_HASHING: Final = frozenset({"rsa", "ec", "dsa"})
_PKCS1: Final = padding.PKCS1v15()
