"""``tenure webhooks``, and that ``tenure serve`` tells a receiver, which fetched the key from it."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.cli.registry_world import Registered, served
from tests.flows.webhooks.receivers import receiving

URL = "https://receiver.example/hook"


def test_a_webhook_from_its_beginning_to_its_end(at: Registered) -> None:
    owner = at.json("owners", "add", "Plant operations", "--contact", "ops@plant.example")["id"]
    made = at.json("webhooks", "add", URL, "--owner", owner, "--verb", "retire", "--verb", "claim", "--since", 0)
    assert (made["owner"], made["verbs"]) == (owner, ["retire", "claim"])
    assert URL in at.run("webhooks", "list").out
    assert at.json("webhooks", "show", made["id"])["dead"] == 0
    assert at.json("webhooks", "pause", made["id"], "--reason", "moving")["enabled"] is False
    assert at.json("webhooks", "resume", made["id"])["enabled"] is True
    assert at.json("webhooks", "dead", made["id"]) == []
    assert at.json("webhooks", "resend", made["id"]) == {"due": 0}
    at.json("webhooks", "remove", made["id"])
    assert at.run("webhooks", "show", made["id"]).code == 2
    refused = at.run("webhooks", "add", "http://receiver.example/")
    assert refused.code == 2
    assert "https" in refused.err


def test_a_server_tells_a_receiver_that_fetched_its_key_there(made: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENURE_WEBHOOKS__LOCAL", "true")
    monkeypatch.setenv("TENURE_WEBHOOKS__SECONDS", "0.05")
    monkeypatch.setenv("TENURE_LEDGER__SEQUENCE_SECONDS", "0.05")
    keys: dict[str, Ed25519PublicKey] = {}
    with served() as address, receiving(keys) as receiver:
        receiver.fate = ["401"]
        made.json("webhooks", "add", receiver.url, "--verb", "add")
        made.json("owners", "add", "Plant operations", "--contact", "ops@plant.example")
        await_(lambda: bool(receiver.seen))
        for key in httpx.get(f"{address}/api/v1/keys").json()["keys"]:
            if key["purpose"] == "webhook":
                keys[key["kid"]] = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
        (webhook,) = made.json("webhooks", "list")
        await_(lambda: made.json("webhooks", "show", webhook["id"])["waiting"] == 1)
        assert made.json("webhooks", "resend", webhook["id"])["due"] == 1
        await_(lambda: bool(receiver.acted))
    assert receiver.statuses == [401, 204]
    assert receiver.acted[0]["event"]["subject_kind"] == "owner"


def await_(happened: Callable[[], bool]) -> None:
    for _ in range(200):
        if happened():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen within 10 s")
