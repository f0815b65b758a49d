"""Envelopes: what was signed is what is read, by the key we named and as the type we named."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tenure.lifecycle.envelope import LARGEST, EnvelopeError, opened, sealed, signed_bytes
from tests.lifecycle.parties import GIVER, STRANGER

KIND = "application/vnd.example+json"
PAYLOAD = b'{"a":1}'


def changed(**fields: Any) -> bytes:
    """A healthy envelope with one part exchanged."""
    return json.dumps(json.loads(sealed(KIND, PAYLOAD, GIVER)) | fields).encode()


def test_opens_to_the_bytes_that_were_signed() -> None:
    read = opened(sealed(KIND, PAYLOAD, GIVER), KIND, GIVER.public_key)
    assert (read.payload, read.signed_by) == (PAYLOAD, GIVER.public_key)
    assert read.digest.hex() == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"


def test_the_encoding_is_that_of_the_published_example() -> None:
    """The example of the DSSE protocol document."""
    assert signed_bytes("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_one_good_signature_among_others_is_enough() -> None:
    good = json.loads(sealed(KIND, PAYLOAD, GIVER))["signatures"][0]
    foreign = json.loads(sealed(KIND, PAYLOAD, STRANGER))["signatures"][0]
    assert opened(changed(signatures=[foreign, good]), KIND, GIVER.public_key).payload == PAYLOAD


@pytest.mark.parametrize(
    ("envelope", "problem"),
    [
        (sealed(KIND, PAYLOAD, STRANGER), "did not sign"),
        (changed(payload=base64.b64encode(b'{"a":2}').decode()), "did not sign"),
        (changed(signatures=[]), "did not sign"),
        (changed(payloadType="application/vnd.other+json"), "not of type"),
        (sealed("application/vnd.other+json", PAYLOAD, GIVER), "not of type"),
        (changed(signatures=None), "no list of signatures"),
        (changed(signatures=["x"]), "no list of signatures"),
        (changed(signatures=[{"keyid": "x"}]), "no sig"),
        (changed(signatures=[{"sig": "!!"}]), "no base64"),
        (changed(payload="ä"), "no base64"),
        (changed(payload=7), "no payload"),
        (b"[]", "no envelope"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b" " * (LARGEST + 1), "larger than"),
    ],
)
def test_anything_else_is_refused(envelope: bytes, problem: str) -> None:
    with pytest.raises(EnvelopeError, match=problem) as refusal:
        opened(envelope, KIND, GIVER.public_key)
    assert refusal.value.fix


def test_a_type_cannot_be_exchanged_for_another_after_signing() -> None:
    relabelled = json.loads(sealed("application/vnd.other+json", PAYLOAD, GIVER)) | {"payloadType": KIND}
    with pytest.raises(EnvelopeError, match="did not sign"):
        opened(json.dumps(relabelled).encode(), KIND, GIVER.public_key)


def test_a_file_may_be_as_large_as_it_may_be() -> None:
    healthy = sealed(KIND, PAYLOAD, GIVER)
    assert opened(healthy.ljust(LARGEST), KIND, GIVER.public_key).payload == PAYLOAD
