"""Two parties that may hand devices over, each with a key of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenure.lifecycle.handover import Acceptance, Offer, OfferedDevice, OfferedRoot, Party

T0 = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)


class Keyholder:
    """A signer with its key in memory, the same in each run."""

    def __init__(self, seed: int) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)

    @property
    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


GIVER, RECEIVER, STRANGER = Keyholder(1), Keyholder(2), Keyholder(3)
GIVING = Party(UUID(int=1), GIVER.public_key)
RECEIVING = Party(UUID(int=2), RECEIVER.public_key)

DEVICE = OfferedDevice(
    roots=(OfferedRoot("idevid", b"r" * 32),),
    maker="Maker",
    model="M-1",
    serial="Größe 7",
    former_keys=(b"k" * 32,),
    custody=(b"c" * 32,),
)
OFFER = Offer(UUID(int=9), GIVING, RECEIVING, T0, T0 + timedelta(days=7), (DEVICE,))


def acceptance(of: bytes, at: datetime = T0 + timedelta(days=1)) -> Acceptance:
    return Acceptance(OFFER.transfer, of, RECEIVING, at)
