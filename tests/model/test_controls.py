"""Frameworks: their file format, and which clauses a rule bears on."""

from __future__ import annotations

import pytest

from tenure.errors import DeclarationError
from tenure.model.controls import Clause, Controls, Framework, parse_framework

FILE = """
id = "owasp-nhi-2025"
title = "OWASP NHI Top 10"
version = "2025"
reference = "OWASP"
[clauses]
"NHI1" = {title = "Improper Offboarding", rules = ["retired-device", "weak-key"]}
"NHI2" = {title = "Secret Leakage", rules = []}
[clauses."NHI 3"]
title = "Third"
rules = ["weak-key"]
note = "Only partly."
"""


def test_clauses_keep_their_order_rules_and_notes() -> None:
    found = parse_framework(FILE, "owasp.toml")
    assert found == Framework(
        "owasp-nhi-2025",
        "OWASP NHI Top 10",
        "2025",
        "OWASP",
        (
            Clause("NHI1", "Improper Offboarding", ("retired-device", "weak-key")),
            Clause("NHI2", "Secret Leakage", ()),
            Clause("NHI 3", "Third", ("weak-key",), "Only partly."),
        ),
    )


def test_a_rule_bears_on_clauses_of_all_frameworks_in_their_order() -> None:
    other = Framework("b", "B", "1", "r", (Clause("X", "x", ("weak-key",)),))
    controls = Controls((parse_framework(FILE, "owasp.toml"), other))
    assert controls.of("weak-key") == ("owasp-nhi-2025:NHI1", "owasp-nhi-2025:NHI 3", "b:X")
    assert controls.of("somebodys-own") == ()
    assert set(controls.by_rule) == {"retired-device", "weak-key"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[clauses]", "[clauses", "no TOML"),
        ('version = "2025"', "", "version is not a text"),
        ('version = "2025"', "version = 2025", "version is not a text"),
        ('version = "2025"', 'version = "2025"\nyear = 1', "unknown key year"),
        ('note = "Only partly."', "note = 1", "clause NHI 3: note is not a text"),
        ('note = "Only partly."', 'nota = "x"', "clause NHI 3 is not {title, rules, note}"),
        ('title = "Third"', "", "clause NHI 3: title is not a text"),
        ('rules = ["weak-key"]', 'rules = "weak-key"', "clause NHI 3: rules is not a list"),
        ('rules = ["weak-key"]', 'rules = ["weak-key", "weak-key"]', "clause NHI 3: rules is not a list of different"),
    ],
)
def test_a_mistake_names_the_file_and_the_clause(old: str, new: str, said: str) -> None:
    assert old in FILE
    with pytest.raises(DeclarationError) as caught:
        parse_framework(FILE.replace(old, new), "owasp.toml")
    assert caught.value.problem.startswith("owasp.toml")
    assert said in caught.value.problem
    assert caught.value.fix


def test_a_framework_without_clauses_is_none() -> None:
    with pytest.raises(DeclarationError, match="no clauses"):
        parse_framework(FILE.split("[clauses]")[0], "owasp.toml")
