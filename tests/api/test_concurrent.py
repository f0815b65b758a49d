"""Many at once, on both databases: one winner, one clear answer for the others, nothing done twice."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from typing import Any

import httpx
import pytest

from tenure.api.app import create_app
from tenure.registry.registry import Registry
from tests.api.frames import client
from tests.api.service import Service, parts_of, started
from tests.databases import database_url, postgres, registry, sqlite_template, world

__all__ = ["database_url", "postgres", "registry", "sqlite_template", "world"]

MANY = 24


@pytest.fixture
def service(registry: Registry) -> Service:
    return started(registry)


def at_once(service: Service, path: str, bodies: list[dict[str, Any]], **headers: str) -> list[httpx.Response]:
    """All of them together, by turns through two apps on one registry, as two processes would."""
    other = create_app(parts_of(service.registry, io.StringIO()))

    async def held() -> list[httpx.Response]:
        async with client(service.app, service.admin) as one, client(other, service.admin) as two:
            calls = (one, two)
            sent = (calls[n % 2].post(f"/api/v1{path}", json=body, headers=headers) for n, body in enumerate(bodies))
            return list(await asyncio.gather(*sent))

    return asyncio.run(held())


def counted(answers: list[httpx.Response]) -> dict[int, int]:
    return dict(Counter(answer.status_code for answer in answers))


def active_device(service: Service) -> str:
    ours = {"owner": str(service.ours), "trust_domain": str(service.domain), "state": "active"}
    answer = service.ask("POST", "/devices", json=ours)
    assert answer.status_code == 201, answer.text
    return f"/devices/{answer.json()['id']}"


def test_one_key_is_one_piece_of_work(service: Service) -> None:
    answers = at_once(service, "/sites", [{"name": "hall"}] * MANY, **{"Idempotency-Key": "make-one-hall"})
    made = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.json()["id"] for answer in made}) == 1
    assert {answer.json()["type"] for answer in answers if answer.status_code != 201} <= {"/problems/idempotency-in-flight"}
    assert len(service.ask("GET", "/sites").json()["items"]) == 1


def test_of_many_who_decided_on_one_version_one_decides(service: Service) -> None:
    place = active_device(service)
    tag = service.ask("GET", place).headers["etag"]
    bodies = [{"reason": f"caller {n}"} for n in range(MANY)]
    answers = at_once(service, f"{place}/quarantine", bodies, **{"If-Match": tag})
    assert counted(answers) == {200: 1, 412: MANY - 1}
    assert service.ask("GET", place).json()["version"] == 2


def test_contradictory_verbs_have_one_winner_and_one_history(service: Service) -> None:
    place = active_device(service)
    other = create_app(parts_of(service.registry, io.StringIO()))

    async def held() -> list[httpx.Response]:
        async with client(service.app, service.admin) as one, client(other, service.admin) as two:
            verbs = ["quarantine", "retire", "report-lost"] * (MANY // 3)
            sent = ((one, two)[n % 2].post(f"/api/v1{place}/{verb}", json={"reason": "x"}) for n, verb in enumerate(verbs))
            return list(await asyncio.gather(*sent))

    answers = asyncio.run(held())
    assert set(counted(answers)) == {200, 409}
    assert {answer.json()["type"] for answer in answers if answer.status_code == 409} == {"/problems/wrong-state"}
    device = service.ask("GET", place).json()
    assert device["state"] == "retired"
    assert device["version"] == 1 + counted(answers)[200]
    events = service.ask("GET", "/events", params={"subject": device["id"]}).json()["items"]
    assert len(events) == device["version"]


def test_one_root_is_one_device(service: Service) -> None:
    root = {"kind": "ek-ecc", "spki": "7a" * 32}
    answers = at_once(service, "/devices", [{"owner": str(service.ours), "roots": [root], "serial": str(n)} for n in range(MANY)])
    assert counted(answers) == {201: 1, 409: MANY - 1}
    assert {answer.json()["type"] for answer in answers if answer.status_code == 409} <= {
        "/problems/root-not-free",
        "/problems/conflict",
    }
