"""Findings over HTTP: listed page by page with where they stand, decided on, and the decisions taken back."""

from __future__ import annotations

from typing import Any

import pytest

from tenure.flows.findings.keep import keep
from tenure.model.access import Area, Role, RoleAssignment
from tenure.model.vocabulary import Severity
from tests.api.service import SETUP, Service
from tests.databases import Clock
from tests.lifecycle.test_findings import audit, finding

ONE = finding(1).id
BODIES: dict[str, dict[str, Any]] = {
    "acknowledge": {"reason": "parts are on order", "until": "2026-12-01", "who": "operations"},
    "suppress": {"reason": "a bench", "until": "2026-12-01"},
    "assign": {"to": "network team"},
}


@pytest.fixture
def found(service: Service) -> Service:
    """A service that knows three findings, nine days after they were found."""
    now = service.registry.world.now
    assert isinstance(now, Clock)
    now.pass_by(hours=1)
    rows = (finding(1, Severity.CRITICAL), finding(2), finding(3, Severity.LOW))
    keep(service.registry, SETUP, audit(1, *rows), "fleet", bytes(32))
    now.pass_by(days=9)
    service.admin = service.token(RoleAssignment(Role.ADMIN, Area()))
    return service


def ids(service: Service, query: str = "") -> list[str]:
    answer = service.ask("GET", f"/findings{query}")
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def test_a_list_goes_page_by_page_and_is_filtered(found: Service) -> None:
    first = found.ask("GET", "/findings?limit=2").json()
    second = found.ask("GET", f"/findings?limit=2&cursor={first['next']}").json()
    assert [i["id"] for i in first["items"] + second["items"]] == [finding(n).id for n in (1, 2, 3)]
    assert second["next"] is None
    assert ids(found, "?severity=low") == [finding(3).id]
    assert ids(found, "?state=resolved") == []
    assert ids(found, "?overdue=true") == [ONE]
    assert ids(found, "?overdue=true&targets=critical=0,low=3") == [finding(3).id]


def test_a_finding_tells_where_it_stands(found: Service) -> None:
    told = found.ask("GET", f"/findings/{ONE}").json()
    assert (told["state"], told["age_days"], told["due"], told["overdue"]) == ("open", 9, "2026-11-08T00:00:00Z", True)
    assert told["subjects"][0]["id"] == "d1"
    assert found.ask("GET", f"/findings/{ONE}?targets=critical=30").json()["overdue"] is False


def test_what_is_decided_shows_and_is_withdrawn(found: Service) -> None:
    for verb, body in BODIES.items():
        assert found.ask("POST", f"/findings/{ONE}/{verb}", json=body).status_code == 200
    told = found.ask("GET", f"/findings/{ONE}").json()
    assert told["acknowledged"] == {**BODIES["acknowledge"], "target": f"finding {ONE}"}
    assert told["suppressed"]["who"].startswith("token:")
    assert (told["assigned_to"], told["overdue"]) == ("network team", False)
    taken = found.ask("POST", f"/findings/{ONE}/withdraw", json={"decision": "suppressed"}).json()
    assert (taken["suppressed"], taken["overdue"], taken["assigned_to"]) == (None, True, "network team")
    assert found.ask("POST", f"/findings/{ONE}/withdraw", json={}).json()["acknowledged"] is None
    assert found.ask("POST", f"/findings/{ONE}/withdraw", json={}).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": "", "until": "2026-12-01"},
        {"reason": " a", "until": "2026-12-01"},
        {"reason": "a", "until": "2026-10-31"},  # over
        {"reason": "a", "until": 1},
        {"reason": "a", "until": "2026-12-01T00:00:00"},
        {"reason": "a", "until": "2026-13-01"},
        {"reason": "a"},
    ],
)
def test_what_cannot_hold_is_refused_with_advice(found: Service, wrong: dict[str, Any]) -> None:
    answer = found.ask("POST", f"/findings/{ONE}/suppress", json=wrong)
    assert answer.status_code == 422
    assert answer.json()["fix"]
    assert found.ask("GET", f"/findings/{ONE}").json()["suppressed"] is None
