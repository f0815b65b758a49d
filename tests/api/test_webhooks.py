"""Webhooks by the API: made, looked at, paused, sent to again, removed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenure.flows.webhooks.deliver import Courier, Round, deliver
from tenure.flows.webhooks.patience import Patience
from tenure.flows.webhooks.post import Answer, Failed, Taken
from tenure.flows.webhooks.signing import Message, WebhookKey
from tests.api.service import Service
from tests.databases import Clock

KEY = WebhookKey("w1", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
URL = "https://receiver.example/hook"


@dataclass
class Box:
    """Takes letters, or refuses them."""

    full: bool = True
    taken: list[Message] = field(default_factory=list)

    async def __call__(self, message: Message) -> Answer:
        await asyncio.sleep(0)
        if self.full:
            return Failed("HTTP 507")
        self.taken.append(message)
        return Taken(200)


def delivered(service: Service, box: Box) -> Round:
    """One try of each letter, the last one."""
    now = service.registry.world.now
    return deliver(Courier(service.registry, box, lambda: KEY, "test", lambda: 0.5, now, Patience(attempts=1)))


def add(service: Service, **order: object) -> UUID:
    made = service.ask("POST", "/webhooks", json={"url": URL} | order)
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"/api/v1/webhooks/{made.json()['id']}"
    return UUID(made.json()["id"])


def test_dead_letters_are_listed_page_by_page_and_sent_again(service: Service, tmp_path: Path) -> None:
    id, box = add(service, since=0, verbs=["add"]), Box()
    service.sequence(tmp_path)
    while delivered(service, box).dead:
        assert isinstance(service.registry.world.now, Clock)
        service.registry.world.now.pass_by(seconds=timedelta(hours=6).total_seconds())
    dead = service.ask("GET", f"/webhooks/{id}").json()["dead"]
    assert dead > 4
    found, cursor = [], None
    while True:
        page = service.ask("GET", f"/webhooks/{id}/dead", params={"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
        found += page["items"]
        if (cursor := page["next"]) is None:
            break
    assert len(found) == dead
    assert [letter["position"] for letter in found] == sorted({letter["position"] for letter in found})
    assert {(letter["attempts"], letter["last_answer"]) for letter in found} == {(1, "HTTP 507")}

    assert service.ask("POST", f"/webhooks/{id}/resend", json={"reason": "disk is there"}).json() == {"due": dead}
    box.full = False
    assert delivered(service, box).delivered == dead
    standing = service.ask("GET", f"/webhooks/{id}").json()
    assert (standing["waiting"], standing["dead"]) == (0, 0)


def test_it_is_paused_resumed_and_removed_each_with_its_event(service: Service) -> None:
    id = add(service, owner=str(service.ours))
    assert [w["id"] for w in service.ask("GET", "/webhooks").json()["items"]] == [str(id)]
    assert service.ask("POST", f"/webhooks/{id}/pause", json={}).json()["enabled"] is False
    assert service.ask("POST", f"/webhooks/{id}/resume", json={}).json()["enabled"] is True
    assert service.ask("POST", f"/webhooks/{id}/remove", json={"reason": "moved"}).json()["id"] == str(id)
    assert service.ask("GET", f"/webhooks/{id}").status_code == 404
    verbs = [e["verb"] for e in service.ask("GET", "/events", params={"subject": str(id)}).json()["items"]]
    assert verbs == ["remove-webhook", "resume-webhook", "pause-webhook", "add-webhook"]


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({"url": "http://receiver.example/"}, 422),
        ({"url": "https://user:hunter2@receiver.example/"}, 422),
        ({"url": URL, "since": -1}, 422),
        ({"url": URL, "owner": "019363ef-11aa-7c00-9d3e-0a1b2c3d4e5f"}, 409),
    ],
)
def test_what_cannot_be_is_refused_with_advice(service: Service, order: dict[str, object], status: int) -> None:
    answer = service.ask("POST", "/webhooks", json=order)
    assert answer.status_code == status
    assert answer.json()["fix"]
    assert "hunter2" not in answer.text
    assert service.ask("GET", "/webhooks").json()["items"] == []
