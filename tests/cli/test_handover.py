"""A device goes to another Tenure by commands and files: two registries, each with keys of its own."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ran, Tenure


@dataclass
class Site:
    """One Tenure, and how its people start it."""

    tenure: Tenure
    folder: Path

    def run(self, *arguments: object) -> Ran:
        return self.tenure(*arguments, "--settings", self.folder / "tenure.toml")

    def ok(self, *arguments: object) -> Ran:
        ran = self.run(*arguments)
        assert ran.code == 0, ran
        return ran

    def json(self, *arguments: object) -> Any:
        return json.loads(self.ok(*arguments, "--json").out)

    def known_as(self) -> tuple[str, ...]:
        words = self.ok("devices", "transfer", "party").out.split()
        return "--instance", words[1], "--key", words[3]


def a_site(tenure: Tenure, folder: Path) -> Site:
    folder.mkdir()
    told = f'database = "sqlite:///{folder / "tenure.db"}"\nkeys = "{folder / "keys"}"\n'
    (folder / "tenure.toml").write_text(told, "utf-8")
    site = Site(tenure, folder)
    site.ok("registry", "init")
    return site


@pytest.fixture
def sites(tenure: Tenure, tmp_path: Path) -> tuple[Site, Site]:
    return a_site(tenure, tmp_path / "seller"), a_site(tenure, tmp_path / "buyer")


def test_by_files(sites: tuple[Site, Site], tmp_path: Path) -> None:
    seller, buyer = sites
    owners = [site.json("owners", "add", "team", "--contact", "x@example.org")["id"] for site in sites]
    domains = [site.json("domains", "add", "plant.example")["id"] for site in sites]
    of_seller, of_buyer = seller.known_as(), buyer.known_as()
    root = os.urandom(32).hex()
    device = seller.json("devices", "register", "--root", f"idevid={root}")["id"]
    seller.ok("devices", "claim", device, "--owner", owners[0], "--trust-domain", domains[0])
    offer, answer = tmp_path / "offer.json", tmp_path / "answer.json"
    wanted = ("devices", "transfer", "offer-file", device, *of_buyer, "--until", "2100-01-01", "--out", offer)
    seller.ok(*wanted)
    assert seller.run(*wanted).code == 2  # it is in transfer
    into = ("--owner", owners[1], "--trust-domain", domains[1], "--out", answer)
    wrong = buyer.run("devices", "transfer", "accept-file", offer, *of_buyer, *into)
    assert wrong.code == 2
    assert "fix: " in wrong.err
    assert not answer.exists()
    taken = buyer.ok("devices", "transfer", "accept-file", offer, *of_seller, *into).out.split()
    assert buyer.json("devices", "show", taken[0])["must_rekey"]
    assert seller.run("devices", "transfer", "complete", offer, offer).code == 2
    assert seller.ok("devices", "transfer", "complete", offer, answer).out.split() == [device, "retired"]
