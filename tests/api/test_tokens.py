"""Tokens and people over the API."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from tenure.api.authentication import Presented, TokenDoor
from tenure.api.problem import RefusalError
from tenure.api.remembered import Noted, RegistryCallers, Uses
from tenure.flows import tokens
from tenure.model.access import Role
from tests.api.service import KEYS, Service

NEW = {"name": "gateway", "assignments": [{"role": "viewer"}]}


def test_a_token_is_shown_once_and_works_until_it_is_revoked(service: Service) -> None:
    made = service.ask("POST", "/tokens", json=NEW).json()
    text = made["token"]
    assert service.ask("GET", "/me", text).json()["actor"] == f"token:{made['id']}"
    for answer in (service.ask("GET", f"/tokens/{made['id']}"), service.ask("GET", "/tokens")):
        assert text not in answer.text
    assert service.ask("POST", f"/tokens/{made['id']}/revoke", json={"reason": "gone"}).json()["ended_at"]
    assert service.ask("GET", "/me", text).status_code == 401
    assert service.ask("POST", f"/tokens/{made['id']}/revoke", json={}).status_code == 200  # again is no error


def test_a_certificate_stands_in_every_answer_as_it_was_sent(service: Service) -> None:
    made = service.ask("POST", "/tokens", json={**NEW, "certificate": "0d" * 32}).json()
    assert made["certificate"] == "0d" * 32 == service.ask("GET", f"/tokens/{made['id']}").json()["certificate"]


def test_its_text_is_nowhere_in_the_registry(service: Service) -> None:
    headers = {"Idempotency-Key": "make-one-token"}
    first, again = (service.ask("POST", "/tokens", json=NEW, headers=headers) for _ in range(2))
    secret = first.json()["token"]
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == {**first.json(), "token": None}
    database = str(service.registry.engine.url.database)
    for path in (database, f"{database}-wal"):
        with open(path, "rb") as file:  # noqa: PTH123 - bytes of the database itself
            content = file.read()
        assert secret.encode() not in content
        assert secret[-43:].encode() not in content


def test_when_it_was_last_used_is_noted_beside_the_requests_and_a_wrong_one_is_not(service: Service) -> None:
    made = service.ask("POST", "/tokens", json=NEW).json()
    uses = Uses(service.registry)
    door = Noted(TokenDoor(RegistryCallers(service.registry), KEYS.keys), uses)

    def last_used() -> str | None:
        uses.write()
        [used] = [token["last_used"] for token in service.ask("GET", "/tokens").json()["items"] if token["id"] == made["id"]]
        return str(used) if used else None

    now = service.registry.world.now()
    with pytest.raises(RefusalError):
        door.caller(Presented(f"Bearer {made['token'][:-1]}x", None), now)
    assert last_used() is None
    assert door.caller(Presented(f"Bearer {made['token']}", None), now) is not None
    assert last_used() is not None


def test_a_token_ends_by_itself(service: Service) -> None:
    text = service.ask("POST", "/tokens", json=NEW).json()["token"]
    service.registry.world.now.pass_by(days=91)  # type: ignore[attr-defined]  # the clock of the test
    assert service.ask("GET", "/me", text).status_code == 401


@pytest.mark.parametrize("days", [-1, 400])
def test_a_token_has_an_end_that_lies_ahead_and_not_too_far(service: Service, days: int) -> None:
    end = (service.registry.world.now() + timedelta(days=days)).isoformat()
    assert service.ask("POST", "/tokens", json={**NEW, "expires_at": end}).status_code == 422


def test_who_leaves_takes_their_tokens_along(service: Service) -> None:
    token = service.of_owner(Role.OPERATOR, service.ours, person="somebody")
    assert service.ask("GET", "/me", token).status_code == 200
    who = service.people["somebody"]
    assert service.ask("POST", f"/people/{who}/end", json={"reason": "left"}).json()["ended_at"]
    assert service.ask("GET", "/me", token).status_code == 401
    assert service.ask("POST", "/tokens", json={**NEW, "person": str(who)}).status_code == 422


def test_people_are_added_and_found(service: Service) -> None:
    added = service.ask("POST", "/people", json={"name": "lead", "contact": "lead@example.org", "subject": "idp|7"})
    assert service.ask("GET", added.headers["location"].removeprefix("/api/v1")).json() == added.json()
    assert service.ask("POST", "/people", json={"name": "x", "contact": "x", "subject": "idp|7"}).status_code == 409


def test_an_admin_of_an_owner_makes_no_tokens(service: Service) -> None:
    assert service.ask("POST", "/tokens", service.of_owner(Role.ADMIN, service.ours), json=NEW).status_code == 403


def test_the_first_token_is_made_once(service: Service) -> None:
    assert tokens.first(service.registry, KEYS, timedelta(days=1)) is None


def test_unknown_tokens_are_not_found(service: Service) -> None:
    assert service.ask("GET", f"/tokens/{UUID(int=1)}").status_code == 404
    assert service.ask("POST", f"/tokens/{UUID(int=1)}/revoke", json={}).status_code == 404
