"""The page on the lifecycle is what the rules are."""

from __future__ import annotations

from pathlib import Path

from tenure.lifecycle.page import page
from tenure.lifecycle.transitions import TABLE
from tenure.model.devices import Verb

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_page_is_current() -> None:
    assert (DOCS / "lifecycle.md").read_text("utf-8") == page(), "run script/catalogue"


def test_every_verb_has_its_row() -> None:
    rows = {line.split("`")[1]: line for line in page().splitlines() if line.startswith("| `")}
    assert rows.keys() == set(Verb) == set(TABLE)
    assert rows["forget"].endswith("| no obligation is open | yes | yes | yes |")
    assert "where it was" in rows["cancel"]
