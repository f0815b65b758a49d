"""Events, their places and their proofs over the API."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from tenure.ledger.proof import check
from tenure.model.access import Role
from tests.api.frames import asking
from tests.api.service import IDENTITY, Service
from tests.api.stocked import stocked


def test_an_answer_names_its_event_which_tells_who_what_and_why(service: Service) -> None:
    answer = service.ask("POST", "/sites", json={"name": "hall", "reason": "a new hall"})
    event = service.ask("GET", f"/events/{answer.headers['tenure-event']}").json()
    assert answer.headers["tenure-sequenced"] == "false"
    assert (event["verb"], event["subject"], event["reason"]) == ("add", answer.json()["id"], "a new hall")
    assert event["actor"] == service.ask("GET", "/me").json()["actor"]
    assert event["position"] is None


def test_what_changes_nothing_has_no_event(service: Service) -> None:
    assert "tenure-event" not in service.ask("GET", "/sites").headers
    assert "tenure-event" not in service.ask("POST", "/sites", json={}).headers


def test_a_caller_may_wait_for_the_place(service: Service, tmp_path: Path) -> None:
    async def talk(calls: httpx.AsyncClient) -> httpx.Response:
        waiting = asyncio.create_task(calls.post("/api/v1/sites", json={"name": "hall"}, headers={"Prefer": "wait=20"}))
        while not waiting.done():
            await asyncio.sleep(0.05)
            await asyncio.to_thread(service.sequence, tmp_path / "shelf")
        return await waiting

    answer = asking(service.app, service.admin, talk)
    assert answer.headers["tenure-sequenced"] == "true"
    assert answer.headers["preference-applied"] == "wait=20"


def test_a_wait_in_vain_ends_and_the_change_stands(service: Service) -> None:
    answer = service.ask("POST", "/sites", json={"name": "hall"}, headers={"Prefer": "respond-async, wait=1"})
    assert (answer.status_code, answer.headers["tenure-sequenced"]) == (201, "false")


def test_a_repetition_names_the_event_of_the_first(service: Service) -> None:
    sent: dict[str, Any] = {"json": {"name": "hall"}, "headers": {"Idempotency-Key": "one-hall-only"}}
    first, again = service.ask("POST", "/sites", **sent), service.ask("POST", "/sites", **sent)
    assert first.headers["tenure-event"] == again.headers["tenure-event"]


def test_a_proof_holds_under_the_ledgers_key_without_us(service: Service, tmp_path: Path) -> None:
    id = service.ask("POST", "/sites", json={"name": "hall"}).headers["tenure-event"]
    assert service.ask("GET", f"/events/{id}/proof").status_code == 409
    assert service.ask("GET", "/ledger/checkpoint").status_code == 404
    service.sequence(tmp_path / "shelf")
    proved = check(service.ask("GET", f"/events/{id}/proof").content, IDENTITY)
    assert id in proved.leaf.decode()
    assert proved.position == service.ask("GET", f"/events/{id}").json()["position"]
    assert IDENTITY.open(service.ask("GET", "/ledger/checkpoint").content).size > proved.position


def test_lists_go_back_in_time_page_by_page(service: Service) -> None:
    made = [service.ask("POST", "/sites", json={"name": f"hall {n}"}).headers["tenure-event"] for n in range(5)]
    first = service.ask("GET", "/events", params={"limit": 3}).json()
    rest = service.ask("GET", "/events", params={"limit": 3, "cursor": first["next"]}).json()
    assert [e["id"] for e in (*first["items"], *rest["items"])][:5] == made[::-1]


def test_events_of_one_subject(service: Service) -> None:
    site = service.ask("POST", "/sites", json={"name": "hall"}).json()["id"]
    service.ask("POST", f"/sites/{site}/end", json={}, headers={"If-Match": "*"})
    events = service.ask("GET", "/events", params={"subject": site}).json()["items"]
    assert [event["verb"] for event in events] == ["end", "add"]


def test_an_auditor_reads_the_events_of_own_devices(service: Service) -> None:
    stock = stocked(service)
    auditor = service.of_owner(Role.AUDITOR, service.ours)
    events = service.ask("GET", f"/devices/{stock.ours.device}/events", auditor).json()["items"]
    assert [event["verb"] for event in events] == ["register"]
    assert [events[0][word] for word in ("instance", "sequence", "position")] == [None] * 3  # they count what others do
    (whole,) = service.ask("GET", f"/devices/{stock.ours.device}/events").json()["items"]
    assert whole["sequence"] >= 1
    assert service.ask("GET", f"/devices/{stock.theirs.device}/events", auditor).status_code == 404
    assert service.ask("GET", "/events", auditor).status_code == 403


@pytest.mark.parametrize("path", ["", "/proof"])
def test_events_that_are_none_are_not_found(service: Service, path: str) -> None:
    assert service.ask("GET", f"/events/{UUID(int=1)}{path}").status_code == 404
