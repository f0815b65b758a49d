"""What goes to a receiver: one event as JSON, signed with Ed25519 as an HTTP message (RFC 9421, RFC 9530).

The body is the same bytes at each attempt, so a receiver knows an event it has had by ``Tenure-Event``; the signature is made
anew, covers method, target and body, and is good for MOMENTS only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver
from http_message_signatures.algorithms import ED25519

from tenure.model.webhooks import Delivery, Webhook

TAG = "tenure-webhook"
LABEL = "tenure"
COVERED = ("@method", "@target-uri", "content-type", "content-digest", "tenure-event")
MOMENTS = timedelta(minutes=5)
COUNTING = ("instance", "sequence")
"""Of an event: its place among all events of whoever wrote it."""


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


def message(to: Webhook, letter: Delivery, leaf: bytes) -> Message:
    """The request that tells of one event.

    A webhook that hears of everything gets the very JSON the ledger hashes, and its position, so its inclusion can be checked.
    A limited one gets no number that would tell how much happens elsewhere.
    """
    if to.whole:
        body = b'{"event":' + leaf + b',"position":%d}' % letter.position
    else:
        told = {name: value for name, value in json.loads(leaf).items() if name not in COUNTING}
        body = json.dumps({"event": told}, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return Message(to.url, body, {"Content-Type": "application/json", "Tenure-Event": str(letter.event)})


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
