"""Verbs over the API: a device's life, who may, and what is refused with which word."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tenure.lifecycle.envelope import opened
from tenure.lifecycle.statements import HANDOVER
from tenure.model.access import Area, Role, RoleAssignment
from tests.api.service import Service
from tests.lifecycle.parties import GIVER


class Hardware:
    """A device's secure element: one key that never leaves it."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())

    @property
    def spki(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def root(self) -> dict[str, str]:
        return {"kind": "secure-element", "spki": hashlib.sha256(self.spki).hexdigest()}

    def answer(self, challenge: str) -> dict[str, str]:
        signature = self.key.sign(challenge.encode(), ec.ECDSA(SHA256()))
        return {"spki": base64.b64encode(self.spki).decode(), "signature": base64.b64encode(signature).decode()}


class Fleet:
    """A service with an operator of each owner, and devices to be made."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.operator = service.of_owner(Role.OPERATOR, service.ours, person="operator")
        self.other = service.of_owner(Role.OPERATOR, service.theirs, person="other operator")
        self.approver = service.of_owner(Role.APPROVER, service.ours, person="approver")

    def registered(self, *hardware: Hardware, token: str = "", **more: Any) -> dict[str, Any]:
        body = {"owner": str(self.service.ours), "roots": [h.root for h in hardware], "maker": "m", "serial": "s"} | more
        answer = self.ask("POST", "", token, json=body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def active(self, *hardware: Hardware) -> str:
        id: str = self.registered(*hardware)["id"]
        places: dict[str, Any] = {"owner": str(self.service.ours), "trust_domain": str(self.service.domain)}
        assert self.verb(id, "claim", **places).json()["state"] == "claimed"
        assert self.verb(id, "activate").json()["state"] == "active"
        return id

    def ask(self, method: str, path: str, token: str = "", **sent: Any) -> httpx.Response:
        return self.service.ask(method, f"/devices{path}", token or self.operator, **sent)

    def verb(self, id: str, verb: str, token: str = "", headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
        return self.ask("POST", f"/{id}/{verb}", token, json=body, headers=headers)


@pytest.fixture
def fleet(service: Service) -> Fleet:
    return Fleet(service)


def refused(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}"), answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_whole_life(fleet: Fleet) -> None:
    id = fleet.active(Hardware())
    for verb, state in (("quarantine", "quarantined"), ("release", "active"), ("report-lost", "lost"), ("retire", "retired")):
        answer = fleet.verb(id, verb, reason="because")
        assert answer.json()["state"] == state, answer.text
        assert answer.headers["etag"] == f'"v{answer.json()["version"]}"'
    verbs = [e["verb"] for e in fleet.service.ask("GET", "/events", params={"subject": id}).json()["items"]]
    assert verbs[::-1] == ["register", "claim", "activate", "quarantine", "release", "report-lost", "retire"]


def test_each_refusal_has_its_word(fleet: Fleet) -> None:
    id = fleet.active(Hardware())
    refused(fleet.verb(id, "release", reason="x"), 409, "wrong-state")
    refused(fleet.verb(id, "quarantine"), 422, "reason-missing")
    refused(fleet.verb(id, "forget", reason="x"), 409, "wrong-state")
    fleet.verb(id, "retire", reason="x")
    refused(fleet.verb(id, "forget", reason="x"), 409, "approval-missing")
    refused(fleet.verb(id, "return", reason="x"), 409, "approval-missing")
    refused(fleet.verb(str(UUID(int=1)), "retire", reason="x"), 404, "not-found")


def test_a_root_is_one_devices_and_only_who_may_see_it_learns_whose(fleet: Fleet) -> None:
    hardware = Hardware()
    id = fleet.active(hardware)
    ours = fleet.ask("POST", "", json={"owner": str(fleet.service.ours), "roots": [hardware.root]})
    assert refused(ours, 409, "root-not-free")["see"] == [id]
    foreign = {"owner": str(fleet.service.theirs), "roots": [hardware.root]}
    theirs = fleet.ask("POST", "", fleet.other, json=foreign)
    assert "see" not in refused(theirs, 409, "root-not-free")
    assert id not in theirs.text
    fleet.verb(id, "retire", reason="x")
    gone = fleet.ask("POST", "", fleet.other, json=foreign)
    assert gone.json()["detail"] == theirs.json()["detail"]
    assert gone.json()["fix"] == theirs.json()["fix"]


def test_a_serial_that_others_claim_is_told_and_refuses_nobody(fleet: Fleet) -> None:
    first = fleet.registered(Hardware())
    assert fleet.registered(Hardware())["conflicts"] == [first["id"]]
    foreign = fleet.ask("POST", "", fleet.other, json={"owner": str(fleet.service.theirs), "maker": "m", "serial": "s"})
    assert foreign.json()["conflicts"] == []


def test_nobody_acts_on_what_they_have_not_seen(fleet: Fleet) -> None:
    id = fleet.active(Hardware())
    tag = fleet.ask("GET", f"/{id}").headers["etag"]
    assert fleet.verb(id, "quarantine", reason="a", headers={"If-Match": tag}).status_code == 200
    refused(fleet.verb(id, "release", reason="b", headers={"If-Match": tag}), 412, "stale-version")
    assert fleet.ask("GET", f"/{id}").json()["state"] == "quarantined"
    unchanged = fleet.ask("GET", f"/{id}", headers={"If-None-Match": fleet.ask("GET", f"/{id}").headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_a_repeated_verb_is_done_once(fleet: Fleet) -> None:
    id = fleet.active(Hardware())
    first, again = (fleet.verb(id, "retire", reason="x", headers={"Idempotency-Key": "retire-this"}) for _ in range(2))
    assert first.json() == again.json()
    refused(fleet.verb(id, "retire", reason="x"), 409, "wrong-state")


def test_a_role_elsewhere_is_none_here(fleet: Fleet) -> None:
    service = fleet.service
    id = fleet.active(Hardware())
    mixed = service.token(
        RoleAssignment(Role.VIEWER, Area(owner=service.ours)), RoleAssignment(Role.OPERATOR, Area(owner=service.theirs))
    )
    assert fleet.ask("GET", f"/{id}", mixed).status_code == 200
    refused(fleet.verb(id, "retire", mixed, reason="x"), 403, "not-permitted")
    refused(fleet.verb(id, "retire", fleet.other, reason="x"), 404, "not-found")
    refused(fleet.ask("POST", "", fleet.other, json={"owner": str(service.ours)}), 403, "not-permitted")


def test_gone_hardware_comes_back_by_two_people_and_its_own_answer(fleet: Fleet) -> None:
    hardware, ask = Hardware(), fleet.service.ask
    id = fleet.active(hardware)
    fleet.verb(id, "retire", reason="sold")
    request = {"verb": "return", "device": id, "reason": "bought back"}
    made = ask("POST", "/approvals", fleet.operator, json=request).json()
    place = f"/approvals/{made['id']}"
    brings = {"reason": "bought back", "approval": made["id"], "answer": hardware.answer(made["challenge"])}
    refused(fleet.verb(id, "return", **brings), 409, "approval-invalid")
    refused(ask("POST", f"{place}/approve", fleet.operator, json={}), 403, "forbidden")
    assert ask("POST", f"{place}/approve", fleet.approver, json={}).json()["state"] == "approved"
    refused(fleet.verb(id, "return", **{**brings, "reason": "another reason"}), 409, "approval-invalid")
    refused(fleet.verb(id, "return", **{**brings, "answer": Hardware().answer(made["challenge"])}), 409, "proof-invalid")
    refused(fleet.verb(id, "return", **{**brings, "answer": hardware.answer("another challenge")}), 409, "proof-invalid")
    back = fleet.verb(id, "return", **brings).json()
    assert (back["state"], back["term"], back["must_rekey"]) == ("claimed", 2, True)
    assert ask("GET", place, fleet.operator).json()["state"] == "used"
    refused(fleet.verb(id, "activate"), 409, "key-missing")


def test_one_person_with_two_tokens_is_one_person(fleet: Fleet) -> None:
    ask, service = fleet.service.ask, fleet.service
    id = fleet.active(Hardware())
    fleet.verb(id, "retire", reason="x")
    request = {"verb": "forget", "device": id, "reason": "x"}
    made = ask("POST", "/approvals", fleet.operator, json=request).json()
    same = service.of_owner(Role.APPROVER, service.ours, person="operator")
    refused(ask("POST", f"/approvals/{made['id']}/approve", same, json={}), 403, "not-permitted")
    nobody = service.of_owner(Role.OPERATOR, service.ours)
    refused(ask("POST", "/approvals", nobody, json=request), 403, "not-permitted")
    foreign = service.of_owner(Role.APPROVER, service.theirs, person="stranger")
    refused(ask("POST", f"/approvals/{made['id']}/approve", foreign, json={}), 404, "not-found")
    assert ask("POST", f"/approvals/{made['id']}/refuse", fleet.approver, json={"reason": "no"}).json()["state"] == "refused"
    refused(ask("POST", f"/approvals/{made['id']}/approve", fleet.approver, json={}), 409, "approval-invalid")


class TestTransfer:
    def offered(self, fleet: Fleet, *ids: str, days: int = 7) -> httpx.Response:
        until = (fleet.service.registry.world.now() + timedelta(days=days)).isoformat()
        body = {"devices": list(ids), "to_owner": str(fleet.service.theirs), "until": until}
        return fleet.service.ask("POST", "/transfers", fleet.operator, json=body)

    def test_two_parties_and_the_new_one_reads_nothing_of_the_old(self, fleet: Fleet) -> None:
        ask, service = fleet.service.ask, fleet.service
        ids = [fleet.active(Hardware()) for _ in range(2)]
        fleet.verb(ids[0], "quarantine", reason="our own business")
        fleet.verb(ids[0], "release", reason="our own business")
        offer = self.offered(fleet, *ids).json()
        assert fleet.ask("GET", f"/{ids[0]}", fleet.other).status_code == 404
        place, body = f"/transfers/{offer['id']}", {"trust_domain": str(service.their_domain)}
        refused(ask("POST", f"{place}/accept", fleet.operator, json=body), 403, "not-permitted")
        after = ask("POST", f"{place}/accept", fleet.other, json=body).json()
        assert {device["id"] for device in after} == set(ids)
        assert all((d["owner"], d["state"], d["must_rekey"]) == (str(service.theirs), "claimed", True) for d in after)
        assert ask("GET", place, fleet.operator).json()["state"] == "accepted"
        assert fleet.ask("GET", f"/{ids[0]}").status_code == 404
        assert fleet.ask("GET", f"/{ids[0]}", fleet.other).status_code == 200
        auditor = service.of_owner(Role.AUDITOR, service.theirs)
        events = fleet.ask("GET", f"/{ids[0]}/events", auditor)
        assert [event["verb"] for event in events.json()["items"]] == ["accept"]
        assert "our own business" not in events.text
        for token, side in ((fleet.operator, "giver"), (fleet.other, "receiver")):
            stated = ask("GET", f"{place}/statements", token).json()
            read = [json.loads(opened(json.dumps(each).encode(), HANDOVER, GIVER.public_key).payload) for each in stated]
            assert {(each["side"], each["device"]) for each in read} == {(side, id) for id in ids}

    def test_either_party_ends_it_and_the_device_is_where_it_was(self, fleet: Fleet) -> None:
        for token in (fleet.operator, fleet.other):
            id = fleet.active(Hardware())
            offer = self.offered(fleet, id).json()
            cancelled = fleet.service.ask("POST", f"/transfers/{offer['id']}/cancel", token, json={})
            assert cancelled.json()["state"] == "cancelled", cancelled.text
            assert fleet.ask("GET", f"/{id}").json()["state"] == "active"

    def test_what_was_not_answered_in_time_is_over(self, fleet: Fleet) -> None:
        id = fleet.active(Hardware())
        offer = self.offered(fleet, id, days=1).json()["id"]
        fleet.service.registry.world.now.pass_by(hours=25)  # type: ignore[attr-defined]  # the clock of the test
        fresh = Fleet(fleet.service)
        body = {"trust_domain": str(fleet.service.their_domain)}
        refused(fleet.service.ask("POST", f"/transfers/{offer}/accept", fresh.other, json=body), 409, "offer-invalid")
        assert fleet.service.ask("POST", f"/transfers/{offer}/cancel", fresh.operator, json={}).json()["state"] == "lapsed"

    def test_one_device_that_is_refused_refuses_the_whole(self, fleet: Fleet) -> None:
        good, gone = fleet.active(Hardware()), fleet.active(Hardware())
        fleet.verb(gone, "retire", reason="x")
        refused(self.offered(fleet, good, gone), 409, "wrong-state")
        assert fleet.ask("GET", f"/{good}").json()["state"] == "active"
        refused(self.offered(fleet, good, str(UUID(int=1))), 404, "not-found")
        refused(self.offered(fleet, *[fleet.active(Hardware()) for _ in range(4)]), 409, "offer-invalid")  # three are allowed
        refused(self.offered(fleet, good, days=-1), 409, "offer-invalid")


def test_a_list_filters_and_sorts(fleet: Fleet) -> None:
    active = [fleet.active(Hardware()) for _ in range(3)]
    fleet.registered(Hardware())
    fleet.verb(active[1], "quarantine", reason="x")

    def ids(**query: Any) -> list[str]:
        found, cursor = list[str](), None
        while True:
            page = fleet.ask("GET", "", params=query | {"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
            found += [item["id"] for item in page["items"]]
            if (cursor := page.get("next")) is None:
                return found

    assert ids(state="active") == [active[0], active[2]]
    assert ids(state="active", descending=True) == [active[2], active[0]]
    assert sorted(ids(sort="state")) == sorted(ids())
    assert len(ids()) == 4
    assert ids(trust_domain=str(fleet.service.domain), sort="last_seen") == active
    assert ids(owner=str(fleet.service.theirs)) == []
    assert fleet.ask("GET", "", params={"stat": "active"}).status_code == 422  # a slip of the pen is no filter
    cursor = fleet.ask("GET", "", params={"limit": 1}).json()["next"]
    refused(fleet.ask("GET", "", params={"limit": 1, "cursor": cursor, "state": "active"}), 400, "bad-cursor")


def test_a_device_is_found_by_root_and_by_serial_in_any_notation(fleet: Fleet) -> None:
    hardware = Hardware()
    id = fleet.registered(hardware, serial="AB-0012")["id"]
    assert fleet.ask("GET", f"/by-root/{hardware.root['spki']}").json()["id"] == id
    assert [d["id"] for d in fleet.ask("GET", "/by-serial", params={"serial": "ab-0012"}).json()] == [id]
    assert fleet.ask("GET", f"/by-root/{hardware.root['spki']}", fleet.other).status_code == 404
    assert fleet.ask("GET", "/by-serial", fleet.other, params={"serial": "AB-0012"}).json() == []
