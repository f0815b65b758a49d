"""What goes to a receiver: one event as JSON, signed with Ed25519 as an HTTP message (RFC 9421, RFC 9530).

The body is the same bytes at each attempt, so a receiver knows an event it has had by ``Tenure-Event``; the signature is made
anew, covers method, target and body, and is good for MOMENTS only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver
from http_message_signatures.algorithms import ED25519

TAG = "tenure-webhook"
LABEL = "tenure"
COVERED = ("@method", "@target-uri", "content-type", "content-digest", "tenure-event")
MOMENTS = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class WebhookKey:
    """The key that signs deliveries; ``id`` is what receivers know it by, also across a rotation."""

    id: str
    private: Ed25519PrivateKey = field(repr=False)


@dataclass(slots=True)
class Message:
    """A request as it is sent. The signer adds its headers to it."""

    url: str
    body: bytes
    headers: dict[str, str]
    method: str = "POST"


def message(url: str, position: int, event: UUID, leaf: bytes) -> Message:
    """The request that tells of one event. ``leaf`` is the very JSON the ledger hashes, so its inclusion can be checked."""
    body = b'{"event":' + leaf + b',"position":%d}' % position
    return Message(url, body, {"Content-Type": "application/json", "Tenure-Event": str(event)})


def sign(unsigned: Message, key: WebhookKey, now: datetime) -> None:
    """Adds Content-Digest, Signature-Input and Signature."""
    resolver = MappingKeyResolver(public_keys={}, private_keys={key.id: key.private})
    HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=resolver).sign(
        unsigned,
        key_id=key.id,
        created=now,
        expires=now + MOMENTS,
        label=LABEL,
        tag=TAG,
        covered_component_ids=COVERED,
        body=unsigned.body,
    )
