"""Signed envelopes (DSSE 1.0): bytes of a named type under an Ed25519 signature, so that files can pass between parties.

The signature covers the type with the bytes, so a statement of one kind never passes for another. What was signed is what
is read: ``opened`` gives the very bytes the signature covers, and nobody encodes them a second time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tenure.errors import TenureError

LARGEST = 16 * 1024 * 1024  # bytes of a file that is read at all


class EnvelopeError(TenureError):
    """A file is no envelope, or nobody we trust signed it."""


class Signer(Protocol):
    """Who holds an Ed25519 private key; where it lies is its own affair."""

    @property
    def public_key(self) -> bytes:
        """The 32 raw bytes."""
        ...

    def sign(self, message: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """What a trusted key signed. Only ``opened`` makes one."""

    payload: bytes
    signed_by: bytes  # raw public key

    @property
    def digest(self) -> bytes:
        """SHA-256 of the payload: what later statements name it by."""
        return hashlib.sha256(self.payload).digest()


def key_id(public_key: bytes) -> str:
    """A hint for humans and look-ups: SHA-256 of the raw key, hexadecimal. Nothing is decided by it."""
    return hashlib.sha256(public_key).hexdigest()


def sealed(kind: str, payload: bytes, signer: Signer) -> bytes:
    """The envelope as the text of a file, which ends with a line break."""
    signature = {"keyid": key_id(signer.public_key), "sig": _base64(signer.sign(signed_bytes(kind, payload)))}
    document = {"payloadType": kind, "payload": _base64(payload), "signatures": [signature]}
    return json.dumps(document, indent=1).encode() + b"\n"


def opened(envelope: bytes, kind: str, trusted: bytes) -> Opened:
    """The payload, if the key ``trusted`` signed it as ``kind``. Raises EnvelopeError."""
    document = _parsed(envelope)
    if document.get("payloadType") != kind:
        raise EnvelopeError(f"the file is not of type {kind}", "check that the right file was sent for this step")
    payload = _bytes(document.get("payload"), "payload")
    signatures = document.get("signatures")
    if not isinstance(signatures, list) or not all(isinstance(s, dict) for s in signatures):
        raise EnvelopeError("the file has no list of signatures", "ask for it again; it was damaged or cut")
    message, key = signed_bytes(kind, payload), Ed25519PublicKey.from_public_bytes(trusted)
    if not any(_verifies(key, _bytes(signature.get("sig"), "sig"), message) for signature in signatures):
        raise EnvelopeError(
            "the key we trust for this party did not sign the file", "compare the party's key with the party itself"
        )
    return Opened(payload, trusted)


def signed_bytes(kind: str, payload: bytes) -> bytes:
    """The pre-authentication encoding of DSSE: lengths stand before texts, so nothing can be moved from one to the other."""
    name = kind.encode()
    return b" ".join((b"DSSEv1", str(len(name)).encode(), name, str(len(payload)).encode(), payload))


def _parsed(envelope: bytes) -> dict[str, Any]:
    if len(envelope) > LARGEST:
        raise EnvelopeError(f"the file is larger than {LARGEST} bytes", "hand over fewer devices at a time")
    try:
        document = json.loads(envelope)
    except (ValueError, RecursionError) as error:
        raise EnvelopeError("the file is no JSON", "ask for it again; it was damaged or cut") from error
    if not isinstance(document, dict):
        raise EnvelopeError("the file is no envelope", "check that the right file was sent for this step")
    return document


def _verifies(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _bytes(text: object, what: str) -> bytes:
    try:
        if isinstance(text, str):
            return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise EnvelopeError(f"{what} is no base64", "ask for the file again; it was damaged or cut") from error
    raise EnvelopeError(f"the file has no {what}", "ask for it again; it was damaged or cut")
