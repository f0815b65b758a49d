"""Findings on the command line: an audit is kept, listed, decided on, on the database and at a server."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tenure.model.vocabulary import Severity
from tenure.reports.json_report import JsonReport
from tests.cli.conftest import AT
from tests.cli.registry_world import Registered
from tests.lifecycle.test_findings import audit, finding

ONE = finding(1).id
FAR = "2999-12-31"


@pytest.fixture
def reported(made: Registered) -> Path:
    """A report of three findings."""
    file = made.folder / "report.json"
    rows = (finding(1, Severity.CRITICAL), finding(2, Severity.LOW), finding(3, Severity.CRITICAL))
    file.write_text(JsonReport().render(audit(1, *rows)), "utf-8")
    return file


def test_an_audit_of_exports_is_kept_until_it_is_mended(made: Registered, exports: Path) -> None:
    def audited(name: str, *more: str) -> dict[str, int]:
        file = made.folder / name
        ran = made.tenure("audit", exports, "--format", "json", "--output", file, "--quiet", *more)
        assert ran.code == 0, ran
        told: dict[str, int] = made.json("findings", "keep", file, "--audit", "plant")
        return told

    first = audited("one.json", *AT)
    assert first["opened"] == len(made.json("findings", "list")) > 1
    inventory = exports / "cmdb.csv"
    inventory.write_text(inventory.read_text().replace("Installed,,", "Installed,Plant Operations,"))  # pump-2 gets an owner
    second = audited("two.json", "--as-of", "2026-11-01T00:00:01Z")
    assert second["resolved"] >= 1
    (gone,) = made.json("findings", "list", "--state", "resolved", "--rule", "unowned-device")
    assert gone["resolved_at"] == "2026-11-01T00:00:01Z"


def test_findings_are_listed_in_the_order_they_matter_and_decided_on(at: Registered, reported: Path) -> None:
    assert replace(at, options=()).json("findings", "keep", reported, "--audit", "fleet")["opened"] == 3
    lived = at.json("findings", "suppress", ONE, "--reason", "a bench", "--until", FAR, "--who", "security")
    assert lived["suppressed"] == {"target": f"finding {ONE}", "reason": "a bench", "who": "security", "until": FAR}
    assert [f["id"][-1] for f in at.json("findings", "list", "--targets", "critical=0,low=0")] == ["1", "3", "2"]
    known = at.json("findings", "ack", finding(2).id, "--reason", "on order", "--until", FAR)
    assert known["acknowledged"]["reason"] == "on order"
    assert at.json("findings", "assign", ONE, "--to", "network team")["assigned_to"] == "network team"
    assert at.json("findings", "show", ONE)["assigned_to"] == "network team"
    assert len(at.json("findings", "list", "--limit", 2)) == 2
    assert [f["id"] for f in at.json("findings", "list", "--severity", "low")] == [finding(2).id]
    assert at.json("findings", "withdraw", ONE, "--decision", "suppressed", "--reason", "no bench")["suppressed"] is None
    nothing = at.run("findings", "withdraw", ONE, "--decision", "suppressed")
    assert nothing.code == 2
    assert "fix: " in nothing.err
    assert "network team" in at.run("findings", "list").out


def test_the_file_of_decisions_goes_in_and_out(made: Registered, reported: Path) -> None:
    made.json("findings", "keep", reported, "--audit", "fleet")
    file = made.folder / "decisions.toml"
    file.write_text(f'[[decision]]\nfinding = "{ONE}"\nreason = "a bench"\nwho = "security"\nuntil = {FAR}\n', "utf-8")
    assert made.json("findings", "import", file) == {"new": 1, "changed": 0, "same": 0, "ended": 0, "over": 0}
    assert made.json("findings", "show", ONE)["suppressed"]["who"] == "security"
    assert made.run("findings", "export").out == file.read_text("utf-8")
    file.write_text("[[decision]]\n", "utf-8")
    wrong = made.run("findings", "import", file)
    assert wrong.code == 2
    assert "decision 1" in wrong.err


def test_what_is_no_report_is_refused(made: Registered, reported: Path) -> None:
    whole = json.loads(reported.read_text("utf-8"))
    for text in ("", "{}", json.dumps(whole | {"as_of": "2999-01-01T00:00:00Z"})):
        reported.write_text(text, "utf-8")
        ran = made.run("findings", "keep", reported, "--audit", "fleet")
        assert ran.code == 2
        assert "fix: " in ran.err
    reported.write_bytes(b"\xff")
    assert made.run("findings", "keep", reported, "--audit", "fleet").code == 2
    assert made.run("findings", "keep", made.folder / "nowhere", "--audit", "fleet").code == 2
    assert made.json("findings", "list", "--all") == []


def test_what_was_kept_is_told_with_why_it_stays_open(made: Registered, reported: Path) -> None:
    made.run("findings", "keep", reported, "--audit", "fleet")
    reported.write_text(JsonReport().render(audit(2, sources=())), "utf-8")
    told = made.run("findings", "keep", reported, "--audit", "fleet").out
    assert "not looked at  3" in told
    assert "3 stay open: no source of kind cmdb was collected" in told


def test_an_organisation_has_targets_of_its_own(made: Registered, reported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made.run("findings", "keep", reported, "--audit", "fleet")
    before = made.json("findings", "show", finding(2).id)["due"]
    monkeypatch.setenv("TENURE_FINDING_TARGETS", "low=3")
    assert (before, made.json("findings", "show", finding(2).id)["due"]) == ("2027-04-30T00:00:00Z", "2026-11-04T00:00:00Z")
    assert made.json("findings", "show", finding(2).id, "--targets", "low=0")["due"] is None
    monkeypatch.setenv("TENURE_FINDING_TARGETS", "grave=3")
    assert made.run("findings", "list").code == 2
