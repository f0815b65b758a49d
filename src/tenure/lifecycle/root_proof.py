"""Fresh proof of a hardware root: the device signs a challenge that nobody could know before, with a key the hardware keeps.

A key that cannot sign (a TPM's endorsement key decrypts only) is proved by attestation, not here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import InitVar, dataclass
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tenure.lifecycle.verdict import Code, Refused
from tenure.model.devices import HardwareRoot

_SEAL = object()
_EC_HASHES: dict[str, HashAlgorithm] = {"secp256r1": SHA256(), "secp384r1": SHA384(), "secp521r1": SHA512()}


@dataclass(frozen=True, slots=True)
class FreshProof:
    """The hardware answered the challenge of one request, for one device. Only a check makes one."""

    seal: InitVar[object]
    device: UUID
    root: bytes  # SHA-256 of the SPKI of the key that answered
    request: UUID  # the approval whose id the challenge carried
    at: datetime

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a proof comes from its check, it is not made by hand")


def challenge(instance: UUID, device: UUID, request: UUID) -> bytes:
    """What the device signs. The request is new and random, and dies with its approval: an old answer fits no new one."""
    return f"tenure-root-proof-v1 {instance} {device} {request}".encode("ascii")


def by_signature(
    roots: Collection[HardwareRoot],
    spki: bytes,
    signature: bytes,
    asked: tuple[UUID, UUID, UUID],
    now: datetime,
) -> FreshProof | Refused:
    """Proof by the signature of ``challenge(*asked)`` with the key of SubjectPublicKeyInfo ``spki`` (DER).

    ECDSA with the hash of its curve's size, Ed25519, or RSA (PKCS #1 v1.5 or PSS, SHA-256).
    """
    digest = hashlib.sha256(spki).digest()
    if digest not in {root.spki for root in roots}:
        return _refused("the key that answered is no hardware root of this device", "answer with a key the device is known by")
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm):
        return _refused("the key that answered cannot be read", "send its SubjectPublicKeyInfo as DER")
    if not _verifies(key, signature, challenge(*asked)):
        return _refused("the answer to the challenge is not signed by this key", "sign the challenge of this very request")
    return FreshProof(_SEAL, asked[1], digest, asked[2], now)


def _verifies(key: PublicKeyTypes, signature: bytes, message: bytes) -> bool:
    match key:
        case ec.EllipticCurvePublicKey() if hashed := _EC_HASHES.get(key.curve.name):
            return _holds(lambda: key.verify(signature, message, ec.ECDSA(hashed)))
        case ed25519.Ed25519PublicKey():
            return _holds(lambda: key.verify(signature, message))
        case rsa.RSAPublicKey():
            pss = padding.PSS(padding.MGF1(SHA256()), padding.PSS.AUTO)
            return _holds(lambda: key.verify(signature, message, padding.PKCS1v15(), SHA256())) or _holds(
                lambda: key.verify(signature, message, pss, SHA256())
            )
    return False


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except InvalidSignature:
        return False
    return True


def _refused(problem: str, fix: str) -> Refused:
    return Refused(Code.PROOF_INVALID, problem, fix)
