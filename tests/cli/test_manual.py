"""The page on the command line is what the command line says."""

from __future__ import annotations

import re
from pathlib import Path

from tenure.cli.manual import manual
from tests.cli.conftest import Tenure

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_page_is_current() -> None:
    assert (DOCS / "cli.md").read_text("utf-8") == manual(), "run script/catalogue"


def test_every_command_has_its_section() -> None:
    sections = re.findall(r"^## (.*)$", manual(), re.MULTILINE)
    assert len(sections) == len(set(sections))
    assert {
        "tenure", "tenure audit", "tenure explain device", "tenure snapshots prune", "tenure registry init",
        "tenure devices import", "tenure devices transfer accept", "tenure owners add", "tenure ledger verify",
    } <= set(sections)  # fmt: skip


def test_the_page_says_what_help_says(tenure: Tenure) -> None:
    """Words only: help is as wide as its terminal."""
    page = " ".join(manual().split())
    for command in ((), ("audit",), ("collect",), ("diff",), ("rules",), ("explain", "device")):
        told = tenure(*command, "--help").out
        options = re.findall(r"(?<= )--[a-z-]+", told)
        assert options
        assert all(option in page for option in options)


def test_the_page_names_the_exit_codes() -> None:
    assert "Exit codes: 0 nothing at or above --fail-on, 1 something is, 2 usage or unreadable input," in manual()
