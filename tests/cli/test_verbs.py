"""Verbs of devices by the command line: the same on the database and at a server, nothing irreversible without `--yes`."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.cli.conftest import Ran
from tests.cli.registry_world import Registered

WHY = ("--reason", "because a test wants it")


@dataclass
class Plant:
    """Two owners, two domains, and a device of the first that is claimed."""

    at: Registered
    owner: str
    other: str
    domain: str
    device: str

    def state(self) -> str:
        return str(self.at.json("devices", "show", self.device)["state"])

    def verb(self, verb: str, *more: object) -> Ran:
        return self.at.run("devices", verb, self.device, *more)


@pytest.fixture
def plant(at: Registered) -> Plant:
    owner, other = (at.json("owners", "add", name, "--contact", "x@example.org")["id"] for name in ("ours", "theirs"))
    domain = at.json("domains", "add", "plant.example")["id"]
    device = at.json("devices", "register", "--root", f"idevid={os.urandom(32).hex()}", "--maker", "M", "--serial", "1")["id"]
    assert at.json("devices", "claim", device, "--owner", owner, "--trust-domain", domain)["state"] == "claimed"
    return Plant(at, owner, other, domain, device)


def test_from_claimed_to_retired(plant: Plant) -> None:
    assert plant.verb("activate").code == 0
    assert plant.verb("quarantine").code == 2  # no reason
    assert plant.verb("quarantine", *WHY).code == 0
    assert plant.state() == "quarantined"
    assert plant.verb("release", *WHY).code == 0
    stale = plant.verb("retire", *WHY, "--yes", "--version", 1)
    assert stale.code == 2
    assert "version" in stale.err
    note = plant.at.folder / "note.txt"
    note.write_text("scrapped", "utf-8")
    assert plant.verb("retire", *WHY, "--evidence", note, "--yes").code == 0
    assert plant.state() == "retired"
    again = plant.verb("activate")
    assert again.code == 2
    assert "fix: " in again.err


@pytest.mark.parametrize("verb", ["retire", "lost", "replace", "forget", "return"])
def test_nothing_irreversible_is_done_unasked(plant: Plant, verb: str) -> None:
    more = ("--by", plant.device) if verb == "replace" else ()
    ran = plant.verb(verb, *WHY, *more)
    assert ran.code == 0
    assert plant.device in ran.out
    assert ("--yes does it" in ran.err) == (verb in ("retire", "lost", "replace"))
    assert ("starts from" in ran.err) == (verb in ("forget", "return"))
    assert plant.state() == "claimed"


def test_other_hardware_takes_the_role(plant: Plant) -> None:
    at = plant.at
    spare = at.json("devices", "register", "--owner", plant.owner, "--trust-domain", plant.domain)["id"]
    ran = plant.verb("replace", "--by", spare, *WHY, "--yes")
    assert ran.code == 0, ran
    assert at.json("devices", "show", spare)["replaces"] == plant.device
    assert plant.state() == "retired"


def test_hardware_that_is_lost_does_not_come_back_by_registration(plant: Plant) -> None:
    [root] = plant.at.json("devices", "show", plant.device)["roots"]
    assert plant.verb("lost", *WHY, "--yes").code == 0
    ran = plant.at.run("devices", "register", "--root", f"idevid={root['spki']}")
    assert ran.code == 2
    assert "return" in ran.err
    assert plant.at.run("devices", "register", "--root", f"colour={root['spki']}").code == 2


def test_a_transfer_is_offered_and_accepted_or_taken_back(plant: Plant) -> None:
    at = plant.at
    offer = at.json("devices", "transfer", "offer", plant.device, "--to", plant.other, "--until", "2100-01-01")
    assert offer["state"] == "open"
    assert at.json("devices", "transfer", "list", "--state", "open") == [at.json("devices", "transfer", "show", offer["id"])]
    assert at.json("devices", "transfer", "cancel", offer["id"])["state"] == "cancelled"
    assert plant.state() == "claimed"
    offer = at.json("devices", "transfer", "offer", plant.device, "--to", plant.other, "--until", "2100-01-01")
    said = at.run("devices", "transfer", "accept", offer["id"], "--trust-domain", plant.domain)
    assert "would accept 1 devices" in said.err
    assert plant.state() == "transferring"
    [taken] = at.json("devices", "transfer", "accept", offer["id"], "--trust-domain", plant.domain, "--yes")
    assert (taken["owner"], taken["must_rekey"], taken["state"]) == (plant.other, True, "claimed")
    both = at.json("devices", "transfer", "statements", offer["id"], "--out", at.folder)
    assert len(both) == 2
    saved = [at.folder / f"{plant.device}.{side}.json" for side in ("giver", "receiver")]
    assert sorted(json.loads(file.read_text("utf-8"))["payload"] for file in saved) == sorted(each["payload"] for each in both)
    told = at.run("devices", "transfer", "statements", offer["id"]).out
    assert [line.split()[:2] for line in told.splitlines()[1:]] == [[plant.device, "giver"], [plant.device, "receiver"]]


def _as(at: Registered, name: str) -> Registered:
    """The same registry, asked by a token of an administrator behind whom a person of this name stands."""
    person = at.json("people", "add", name, "--contact", f"{name}@example.org")["id"]
    file = at.folder / f"{name}.token"
    at.json("tokens", "create", name, "--role", "admin", "--person", person, "--out", file)
    return replace(at, options=(*at.options[:2], "--token-file", str(file)))


def test_hardware_comes_back_by_two_people_and_its_own_proof(plant: Plant) -> None:
    at, key = plant.at, ec.generate_private_key(ec.SECP256R1())
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    found = ("--owner", plant.owner, "--trust-domain", plant.domain)
    device = at.json("devices", "register", "--root", f"ek-ecc={hashlib.sha256(spki).hexdigest()}", "--state", "claimed", *found)[
        "id"
    ]
    at.json("devices", "lost", device, *WHY, "--yes")
    asker, approver = _as(at, "asker"), _as(at, "approver")
    assert at.run("devices", "return", device, *WHY, "--yes").code == 2  # nobody approved it
    request = asker.json("approvals", "request", "return", device, *WHY)
    assert at.json("approvals", "list", "--state", "waiting")[0]["id"] == request["id"]
    assert asker.run("approvals", "approve", request["id"]).code == 2  # the same person
    assert approver.json("approvals", "approve", request["id"])["state"] == "approved"
    answer = _answer(at.folder, spki, key.sign(request["challenge"].encode(), ec.ECDSA(hashes.SHA256())))
    assert asker.run("devices", "return", device, *WHY, "--approval", request["id"], *answer[:2], "--yes").code == 2
    back = asker.json("devices", "return", device, *WHY, "--approval", request["id"], *answer, "--yes")
    assert (back["state"], back["must_rekey"], back["term"]) == ("claimed", True, 2)


def _answer(folder: Path, spki: bytes, signature: bytes) -> tuple[object, ...]:
    (folder / "key.der").write_bytes(spki)
    (folder / "answer.bin").write_bytes(signature)
    return "--root-key", folder / "key.der", "--signature", folder / "answer.bin"


def test_a_request_can_be_refused(plant: Plant) -> None:
    asker, approver = _as(plant.at, "asker"), _as(plant.at, "approver")
    plant.verb("retire", *WHY, "--yes")
    request = asker.json("approvals", "request", "forget", plant.device, *WHY)
    assert approver.json("approvals", "refuse", request["id"], "--reason", "not yet")["state"] == "refused"
    ran = asker.run("devices", "forget", plant.device, *WHY, "--approval", request["id"], "--yes")
    assert ran.code == 2
    assert asker.json("approvals", "show", request["id"])["state"] == "refused"
