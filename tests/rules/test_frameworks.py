"""Frameworks: every rule is mapped, every mapping exists, and a clause without a rule says why."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

import tenure
from tests.rules.framework_page import MARK, PAGE, drawn
from tests.rules.world import RULES

FRAMEWORKS = sorted((Path(tenure.__file__).parent / "frameworks").glob("*.toml"))
RULE_IDS = {path.stem for path in RULES.glob("*.sql")}
MAIN = ("owasp-nhi-2025", "nist-csf-2.0")


def framework(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text())


def mapped(path: Path) -> set[str]:
    return {rule for clause in framework(path)["clauses"].values() for rule in clause["rules"]}


def test_all_five_are_there() -> None:
    assert {path.stem for path in FRAMEWORKS} == {*MAIN, "csa-maestro", "etsi-en-303-645", "iec-62443-4-2"}


@pytest.mark.parametrize("path", FRAMEWORKS, ids=lambda path: path.stem)
def test_is_well_formed(path: Path) -> None:
    document = framework(path)
    assert document.keys() == {"id", "title", "version", "reference", "clauses"}
    assert document["id"] == path.stem
    for name, clause in document["clauses"].items():
        assert clause.keys() <= {"title", "rules", "note"}, name
        assert clause["title"], name
        assert clause["rules"] == sorted(set(clause["rules"])), f"{name}: sorted, each once"
        assert clause["rules"] or clause.get("note"), f"{name}: a clause without a rule says why"


@pytest.mark.parametrize("path", FRAMEWORKS, ids=lambda path: path.stem)
def test_every_mapping_exists(path: Path) -> None:
    assert mapped(path) - RULE_IDS == set()


def test_every_rule_is_mapped_in_a_main_framework() -> None:
    assert RULE_IDS - {rule for path in FRAMEWORKS if path.stem in MAIN for rule in mapped(path)} == set()


def test_clauses_are_complete_where_the_whole_list_is_promised() -> None:
    clauses = {path.stem: set(framework(path)["clauses"]) for path in FRAMEWORKS}
    assert clauses["owasp-nhi-2025"] == {f"NHI{n}" for n in range(1, 11)}
    assets = {f"ID.AM-0{n}" for n in (1, 2, 3, 4, 5, 7, 8)}
    assert clauses["nist-csf-2.0"] == assets | {f"PR.AA-0{n}" for n in range(1, 7)}
    assert clauses["csa-maestro"] == {f"L{n}" for n in range(1, 8)}


def test_the_page_in_the_docs_is_current() -> None:
    """Renew it by ``python -m tests.rules.framework_page``."""
    assert PAGE.read_text().split(MARK)[1] == drawn()
