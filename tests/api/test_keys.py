"""The public parts of Tenure's own keys, for everybody; and that their signatures are checked with them."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tenure.api.assembly import Service, assembled
from tenure.flows.own_keys import turn
from tenure.flows.own_keys.turn import Custody
from tenure.lifecycle.envelope import opened, sealed
from tenure.model.access import Actor, ActorKind
from tenure.model.own_keys import Purpose
from tenure.settings import load
from tenure.wiring.own_keys import Secrets, custody_of, digest_keys, handover_signer, webhook_key
from tests.api.frames import ask

ADMIN = Actor(ActorKind.SYSTEM, "test")


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[tuple[Service, Custody]]:
    settings = load(named={"database": f"sqlite:///{tmp_path}/tenure.db", "keys": tmp_path / "keys"})
    service = assembled(settings, io.StringIO())
    yield service, custody_of(service.registry, settings)
    service.close()


def _published(service: Service, purpose: Purpose) -> dict[str, dict[str, Any]]:
    answer = ask(service.app, "GET", "/api/v1/keys")  # without a token
    assert answer.status_code == 200
    return {key["kid"]: key for key in answer.json()["keys"] if key["purpose"] == purpose}


def test_what_a_webhook_key_signs_is_checked_by_the_key_of_its_id(serving: tuple[Service, Custody]) -> None:
    service, custody = serving
    key = webhook_key(custody)
    x = _published(service, Purpose.WEBHOOK)[key.id]["x"]
    Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(x + "=")).verify(key.private.sign(b"event"), b"event")


def test_old_keys_stay_published_until_they_are_ended_and_secrets_never_are(serving: tuple[Service, Custody]) -> None:
    service, custody = serving
    old = webhook_key(custody)
    new = turn.rotate(custody, ADMIN, Purpose.WEBHOOK, "due")
    assert list(_published(service, Purpose.WEBHOOK)) == [new.id, old.id]
    assert webhook_key(custody).id == new.id
    turn.end(custody, ADMIN, old.id, "stolen", compromised=True)
    assert list(_published(service, Purpose.WEBHOOK)) == [new.id]
    assert not _published(service, Purpose.DIGEST)
    assert not _published(service, Purpose.CURSOR)


def test_an_offer_is_sealed_by_the_key_that_was_compared(serving: tuple[Service, Custody]) -> None:
    _, custody = serving
    signer = handover_signer(custody)
    assert opened(sealed("offer", b"payload", signer), "offer", signer.public_key).payload == b"payload"


def test_a_process_that_runs_hears_of_a_new_digest_key(serving: tuple[Service, Custody]) -> None:
    """Another process has rotated and made tokens under the new key: here they open doors without a restart."""
    _, custody = serving
    running = digest_keys(custody)
    new = turn.rotate(custody, ADMIN, Purpose.DIGEST, "due")
    assert running.current != new.id
    assert running.keys.get(new.id) == custody.folder.secret(new)
    assert running.keys.get("of nobody") is None
    assert digest_keys(custody).current == new.id


def test_no_secret_shows_in_a_repr(serving: tuple[Service, Custody]) -> None:
    _, custody = serving
    keys = digest_keys(custody)
    assert isinstance(keys.keys, Secrets)
    assert repr(keys.keys[keys.current]) not in repr(keys)
    assert "PrivateKey" not in repr(webhook_key(custody))
    assert "PrivateKey" not in repr(replace(handover_signer(custody)))
