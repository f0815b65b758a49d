"""Owners, sites, trust domains and device classes over the API."""

from __future__ import annotations

from typing import Any

import pytest

from tenure.model.access import Area, Role, RoleAssignment
from tests.api.service import Service

NEW: dict[str, dict[str, Any]] = {
    "owners": {"name": "new owner", "contact": "new@example.org"},
    "sites": {"name": "hall 4"},
    "trust-domains": {"name": "new.example", "assurance_floor": 2},
    "device-classes": {"name": "PLC-4", "assurance": 3, "hardware": "tpm2", "rotation": "online"},
}
CHANGE: dict[str, dict[str, Any]] = {
    "owners": {"contact": "other@example.org"},
    "sites": {"note": "behind the silo"},
    "trust-domains": {"assurance_floor": 3},
    "device-classes": {"assurance": 1},
}


@pytest.mark.parametrize("kind", NEW)
def test_a_thing_is_added_found_changed_and_ended(service: Service, kind: str) -> None:
    added = service.ask("POST", f"/{kind}", json=NEW[kind])
    assert added.status_code == 201, added.text
    place = added.headers["location"].removeprefix("/api/v1")
    assert service.ask("GET", place).json() == added.json()
    assert NEW[kind].items() <= added.json().items()
    changed = service.ask("PATCH", place, json=CHANGE[kind], headers={"If-Match": added.headers["etag"]})
    assert changed.json() == {**added.json(), **CHANGE[kind], "version": 2}
    ended = service.ask("POST", f"{place}/end", json={"reason": "sold"}, headers={"If-Match": changed.headers["etag"]})
    assert ended.json()["ended_at"] is not None
    assert ended.json()["id"] in {item["id"] for item in service.ask("GET", f"/{kind}").json()["items"]}


def test_nobody_overwrites_what_they_have_not_seen(service: Service) -> None:
    place = f"/owners/{service.ours}"
    tag = service.ask("GET", place).headers["etag"]
    first, second = (service.ask("PATCH", place, json={"contact": c}, headers={"If-Match": tag}) for c in ("a", "b"))
    assert (first.status_code, second.status_code) == (200, 412)
    assert service.ask("PATCH", place, json={"contact": "c"}).status_code == 428
    assert service.ask("GET", place).json()["contact"] == "a"
    assert service.ask("PATCH", place, json={"contact": "d"}, headers={"If-Match": "*"}).json()["contact"] == "d"


def test_a_change_to_what_it_is_already_makes_no_new_version(service: Service) -> None:
    place = f"/owners/{service.ours}"
    assert service.ask("PATCH", place, json={}, headers={"If-Match": "*"}).json()["version"] == 1


def test_lists_go_on_where_the_page_before_ended(service: Service) -> None:
    names = [f"site {n}" for n in range(7)]
    for name in names:
        assert service.ask("POST", "/sites", json={"name": name}).status_code == 201
    found, cursor = list[str](), None
    for _ in range(4):
        page = service.ask("GET", "/sites", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        found += [item["name"] for item in page["items"]]
        cursor = page.get("next")
    assert found == names
    assert cursor is None


def test_an_owner_learns_of_no_other(service: Service) -> None:
    for owner, name in ((service.ours, "our hall"), (service.theirs, "their hall")):
        assert service.ask("POST", "/sites", json={"name": name, "owner": str(owner)}).status_code == 201
    viewer = service.of_owner(Role.VIEWER, service.ours)
    assert [o["id"] for o in service.ask("GET", "/owners", viewer).json()["items"]] == [str(service.ours)]
    assert [s["name"] for s in service.ask("GET", "/sites", viewer).json()["items"]] == ["our hall"]
    foreign, none = (service.ask("GET", f"/owners/{id}", viewer) for id in (service.theirs, service.registry.world.ids()))
    assert foreign.status_code == none.status_code == 404
    assert _shape(foreign.json()) == _shape(none.json())


def _shape(problem: dict[str, Any]) -> dict[str, Any]:
    """A problem without what names this very request."""
    return {name: value for name, value in problem.items() if name not in ("instance", "detail")}


def test_trust_domains_show_to_whom_an_area_opens_them(service: Service) -> None:
    def seen(token: str) -> set[str]:
        return {item["id"] for item in service.ask("GET", "/trust-domains", token).json()["items"]}

    both = {str(service.domain), str(service.their_domain)}
    assert seen(service.of_owner(Role.VIEWER, service.ours)) == both
    assert seen(service.token(RoleAssignment(Role.VIEWER, Area(trust_domain=service.domain)))) == {str(service.domain)}


def test_a_name_that_is_one_of_a_kind_is_taken_once(service: Service) -> None:
    answer = service.ask("POST", "/trust-domains", json={"name": "ours.example"})
    assert answer.status_code == 409
    assert "ours.example" in answer.json()["detail"]
    assert service.ask("POST", "/owners", json={"name": "theirs", "contact": "x"}).status_code == 201  # names of tenants are free


def test_what_refers_to_nothing_is_refused(service: Service) -> None:
    answer = service.ask("POST", "/sites", json={"name": "hall", "owner": str(service.registry.world.ids())})
    assert answer.status_code == 409
