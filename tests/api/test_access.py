"""Who may: every route, as every role, as nobody, as a foreign tenant, gets what the table in docs says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tenure.api.access_page import page
from tenure.api.access_table import ACCESS, Open, grant_of
from tenure.model.access import Area, Role, RoleAssignment
from tests.api.frames import ask
from tests.api.service import Service
from tests.api.stocked import Stock, stocked

DOCS = Path(__file__).resolve().parents[2] / "docs"
ROW = re.compile(r"^\| `([A-Z]+) (\S+)` \| (.*?) \| (.*) \| (everywhere|in its areas) \|$", re.MULTILINE)
OPEN_ROW = re.compile(r"^\| `([A-Z]+) (\S+)` \| anybody", re.MULTILINE)
DOCUMENTED = {(m[1], m[2]): m for m in ROW.finditer((DOCS / "api-access.md").read_text("utf-8"))}
GUARDED = sorted(DOCUMENTED)


@pytest.fixture
def stock(service: Service) -> Stock:
    return stocked(service)


def send(stock: Stock, route: tuple[str, str], token: str, *, theirs: bool = False) -> httpx.Response:
    """The route, aimed at a thing of ours (or of theirs), with a body that fits where the route takes one."""
    method, template = route
    path = re.sub(r"\{(\w+)\}", lambda m: str(stock.id_for(template, m[1], theirs=theirs)), template)
    body: dict[str, Any] = {"json": stock.body(template, theirs=theirs)} if method in ("POST", "PATCH") else {}
    return ask(stock.service.app, method, path, token, headers={"If-Match": "*"}, **body)


def let_in(answer: httpx.Response) -> bool:
    """Past the table: what is refused behind it, is refused by what is recorded."""
    refused = answer.status_code == 403 and answer.json()["type"] == "/problems/forbidden"
    assert answer.status_code < 500, answer.text
    return not refused


def test_the_page_is_current() -> None:
    assert (DOCS / "api-access.md").read_text("utf-8") == page(ACCESS), "run script/catalogue"


def test_the_page_names_every_route() -> None:
    opened = {(m[1], m[2]) for m in OPEN_ROW.finditer((DOCS / "api-access.md").read_text("utf-8"))}
    assert opened == {route for route, entry in ACCESS.items() if isinstance(entry, Open)}
    assert set(DOCUMENTED) == ACCESS.keys() - opened


@pytest.mark.parametrize("role", Role)
def test_each_role_gets_exactly_what_the_page_says(stock: Stock, role: Role) -> None:
    everywhere = stock.service.token(RoleAssignment(role, Area()), person="walker")
    of_owner = stock.service.of_owner(role, stock.service.ours, person="walker")
    column = list(Role).index(role)
    for route in GUARDED:
        row = DOCUMENTED[route]
        may = [cell.strip() for cell in row[4].split("|")][column] == "yes"
        assert let_in(send(stock, route, everywhere)) is may, (role, route)
        assert let_in(send(stock, route, of_owner)) is (may and row[5] == "in its areas"), (role, route)


@pytest.mark.parametrize("route", GUARDED)
def test_nobody_gets_nothing(stock: Stock, route: tuple[str, str]) -> None:
    for token in ("", "tenure_" + "0" * 32 + "_" + "A" * 43):
        assert send(stock, route, token).status_code == 401


@pytest.mark.parametrize("role", Role)
def test_a_foreign_tenant_finds_nothing_of_ours(stock: Stock, role: Role) -> None:
    """What is theirs and what is nobody's answer alike, and no list of ours shows a thing of theirs."""
    token = stock.service.of_owner(role, stock.service.ours)
    for route in GUARDED:
        entry = ACCESS[route]
        assert not isinstance(entry, Open)
        if grant_of(entry).whole or role not in grant_of(entry).roles:
            continue
        if "{" in route[1] and not stock.shared(route[1]):
            answer = send(stock, route, token, theirs=True)
            assert answer.status_code == 404, (role, route, answer.text)
            assert not stock.leaks(answer.text, but=answer.request.url.path), (role, route)
        elif route[0] == "GET":
            assert not stock.leaks(send(stock, route, token).text), (role, route)


def test_ours_are_found_by_us(stock: Stock) -> None:
    """The walk above would be worth nothing if nobody found anything."""
    token = stock.service.of_owner(Role.VIEWER, stock.service.ours)
    found = 0
    for method, template in GUARDED:
        if method == "GET" and "{" in template and Role.VIEWER in grant_of(ACCESS[method, template]).roles:  # type: ignore[arg-type]  # guarded
            assert send(stock, (method, template), token).status_code == 200, template
            found += 1
    assert found >= 8
