"""Commands that are verbs of the API: the same on the database and at a server, on both databases."""

from __future__ import annotations

import stat
from pathlib import Path

import httpx
import pytest

from tenure.cli import connection, remote
from tenure.cli.connection import Api, RefusedError, ServiceError
from tenure.errors import TenureError
from tests.cli.conftest import Tenure
from tests.cli.registry_world import Registered

NOBODY = "00000000-0000-7000-8000-000000000000"


def test_owners_from_their_beginning_to_their_end(at: Registered) -> None:
    owner = at.json("owners", "add", "Plant operations", "--contact", "ops@plant.example", "--reason", "new plant")
    assert at.json("owners", "show", owner["id"]) == owner
    changed = at.json("owners", "change", owner["id"], "--contact", "new@plant.example", "--version", 1)
    assert (changed["contact"], changed["name"], changed["version"]) == ("new@plant.example", "Plant operations", 2)
    stale = at.run("owners", "end", owner["id"], "--version", 1)
    assert stale.code == 2
    assert "fix: " in stale.err
    assert at.json("owners", "end", owner["id"])["ended_at"]
    assert "new@plant.example" in at.run("owners", "list").out


def test_sites_domains_and_classes(at: Registered) -> None:
    owner = at.json("owners", "add", "Plant operations", "--contact", "ops@plant.example")["id"]
    site = at.json("sites", "add", "hall 4", "--owner", owner, "--note", "north")
    assert (site["owner"], site["note"]) == (owner, "north")
    assert at.json("sites", "change", site["id"], "--note", "south")["note"] == "south"
    domain = at.json("domains", "add", "plant.example", "--assurance-floor", 2)
    assert at.json("domains", "change", domain["id"], "--assurance-floor", 3)["assurance_floor"] == 3
    kind = at.json("classes", "add", "PLC-4", "--hardware", "tpm2", "--rotation", "online", "--assurance", 4)
    assert at.json("classes", "change", kind["id"], "--rotation", "manual")["rotation"] == "manual"
    assert [len(at.json(word, "list")) for word in ("owners", "sites", "domains", "classes")] == [1, 1, 1, 1]
    twice = at.run("domains", "add", "plant.example")
    assert twice.code == 2
    assert "is there already" in twice.err


def test_a_token_is_shown_once_or_written_to_a_file_of_its_own(at: Registered) -> None:
    person = at.json("people", "add", "Operations lead", "--contact", "lead@plant.example")["id"]
    owner = at.json("owners", "add", "Plant operations", "--contact", "ops@plant.example")["id"]
    file = at.folder / "operator.token"
    made = at.json(
        "tokens", "create", "gateway", "--role", f"operator@owner={owner}", "--role", "viewer", "--person", person, "--out", file
    )
    assert "token" not in made
    assert [a["role"] for a in made["assignments"]] == ["operator", "viewer"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = at.run("tokens", "create", "gateway", "--role", "viewer", "--out", file)
    assert again.code == 2
    assert "is there already" in again.err
    refused = at.run("tokens", "create", "x", "--role", "viewer", "--person", NOBODY, "--out", at.folder / "none")
    assert refused.code == 2
    assert not (at.folder / "none").exists()
    shown = at.json("tokens", "create", "other", "--role", "viewer", "--days", 2)
    assert shown["token"].startswith("tenure_")
    assert shown["token"] not in at.run("tokens", "list").out + at.run("tokens", "show", shown["id"]).out
    assert at.json("tokens", "revoke", shown["id"], "--reason", "lost")["ended_at"]
    assert at.json("people", "end", person)["ended_at"]


def test_a_token_acts_as_itself_also_on_the_database(at: Registered) -> None:
    file = at.folder / "viewer.token"
    at.json("tokens", "create", "viewer", "--role", "viewer", "--out", file)
    mine = [option for option in at.options if option not in ("--token-file", at.options[-1])] if at.options else []
    refused = at.tenure("owners", "add", "Plant", "--contact", "x@example.org", "--token-file", file, *mine)
    assert refused.code == 2
    assert "role" in refused.err
    assert at.tenure("owners", "list", "--token-file", file, *mine).code == 0
    file.write_text("tenure_of nobody", "utf-8")
    assert at.tenure("owners", "list", "--token-file", file, *mine).code == 2


def test_devices_are_listed_found_and_shown(at: Registered, fleet: list[str]) -> None:
    assert len(at.json("devices", "list")) == 3
    assert len(at.json("devices", "list", "--limit", 2)) == 2
    assert [d["name"] for d in at.json("devices", "list", "--state", "claimed")] == ["pump-1"]
    assert {d["name"] for d in at.json("devices", "list", "--unowned")} == {"pump-2", "pump-3"}
    assert len(at.json("devices", "list", "--seen-before", "2020-01-01", "--sort", "last_seen", "--descending")) == 3
    found = at.json("devices", "find", "--serial", "1001")
    assert found == at.json("devices", "find", "--root", fleet[0].upper())
    assert at.json("devices", "show", found[0]["id"])["name"] == "pump-1"
    assert at.json("devices", "credentials", found[0]["id"]) == at.json("devices", "obligations", found[0]["id"]) == []
    assert at.run("devices", "events", found[0]["id"]).code == 0
    for wrong in (
        ("list", "--sort", "colour"),
        ("find",),
        ("find", "--maker", "x"),
        ("show", "00000000-0000-7000-8000-000000000000"),
    ):
        ran = at.run("devices", *wrong)
        assert ran.code == 2
        assert "fix: " in ran.err


def test_pages_are_read_to_the_end(at: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PAGE", 2)
    for number in range(5):
        at.json("owners", "add", f"owner {number}", "--contact", "x@example.org")
    assert [owner["name"] for owner in at.json("owners", "list")] == [f"owner {number}" for number in range(5)]
    assert len(at.json("owners", "list", "--limit", 3)) == 3


def test_nothing_waits_and_nothing_is_owed_at_first(at: Registered) -> None:
    assert at.json("approvals", "list", "--state", "waiting") == at.json("obligations", "list") == []


def test_what_a_name_holds_does_not_reach_the_terminal_raw(at: Registered) -> None:
    refused = at.run("owners", "add", "a\u202eb", "--contact", "x@example.org")
    assert refused.code == 2
    assert "\u202e" not in refused.out + refused.err
    assert at.json("owners", "list") == []


def test_a_server_wants_a_token_and_an_address_that_is_safe(tenure: Tenure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TENURE_TOKEN", raising=False)
    for server, said in (
        ("http://127.0.0.1:9", "who you are"),
        ("http://tenure.example", "in clear"),
        ("tenure.example", "no address"),
        ("ftp://x", "no address"),
    ):
        if said != "who you are":
            monkeypatch.setenv("TENURE_TOKEN", "tenure_x")
        ran = tenure("devices", "list", "--server", server)
        assert ran.code == 2
        assert said in ran.err
    assert tenure("devices", "list", "--server", "http://127.0.0.1:9", "--database", "sqlite:///x.db").code == 2


def test_a_server_that_does_not_answer_is_no_fault_of_the_call(tenure: Tenure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENURE_TOKEN", "tenure_x")
    ran = tenure("devices", "list", "--server", "http://127.0.0.1:9")
    assert ran.code == 3
    assert "gives no answer" in ran.err


class Answers:
    """A caller that answers as it is told, one after the other."""

    def __init__(self, *answers: httpx.Response | ServiceError) -> None:
        self.answers, self.sent = list(answers), list[dict[str, str]]()

    def __call__(self, method: str, path: str, *, params: object, json: object, headers: dict[str, str]) -> httpx.Response:
        self.sent.append(headers)
        answer = self.answers.pop(0)
        if isinstance(answer, ServiceError):
            raise answer
        return answer


INVALID = {"type": "/problems/invalid", "detail": "no", "fix": "f", "errors": [{"where": "/b", "what": "w"}]}
BUSY = httpx.Response(503, json={"type": "/problems/busy", "detail": "busy", "fix": "send it again"})


def test_a_change_is_sent_again_under_its_key() -> None:
    call = Answers(ServiceError("cut off", ""), BUSY, httpx.Response(201, json={"id": 1}))
    assert Api(call, False).post("/owners", name="x") == {"id": 1}
    assert len({headers["Idempotency-Key"] for headers in call.sent}) == 1


def test_a_change_without_a_key_is_sent_once() -> None:
    call = Answers(BUSY, httpx.Response(200, json={}))
    with pytest.raises(ServiceError, match="busy"):
        Api(call, False).patch("/owners/1", name="x")
    assert len(call.sent) == 1


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (httpx.Response(422, json=INVALID), RefusedError, "no; /b: w"),
        (httpx.Response(502, text="<html>"), ServiceError, "none of Tenure's"),
        (httpx.Response(404, json=[]), ServiceError, "none of Tenure's"),
        (httpx.Response(500, json={"type": "/problems/defect", "detail": "a defect", "fix": "report"}), ServiceError, "a defect"),
    ],
)  # fmt: skip
def test_whose_fault_it_is(answer: httpx.Response, error: type[TenureError], said: str) -> None:
    with pytest.raises(error, match=said):
        Api(Answers(answer), False).get("/owners")


def test_a_file_of_anchors_that_holds_none(tmp_path: Path) -> None:
    wrong = tmp_path / "ca.pem"
    wrong.write_text("nothing", "utf-8")
    with pytest.raises(TenureError, match="holds no anchors"), remote.at_server("https://127.0.0.1:9", "x", wrong):
        pass
