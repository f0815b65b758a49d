"""Frameworks of controls: which clause of which document a rule bears on. Values and their file format; no files.

One framework is one TOML text: ``id``, ``title``, ``version``, ``reference``, and ``[clauses]`` in which each clause has
a ``title``, the ``rules`` that bear on it and perhaps a ``note``. A clause without rules says what Tenure does not judge.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tenure.errors import DeclarationError


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause. ``control`` of a finding is ``<framework id>:<clause id>``."""

    id: str
    title: str
    rules: tuple[str, ...]
    note: str = ""  # how far the rules go towards it, or why none does


@dataclass(frozen=True, slots=True)
class Framework:
    """One document and its clauses, in the order of its file."""

    id: str
    title: str
    version: str
    reference: str
    clauses: tuple[Clause, ...]


@dataclass(frozen=True)
class Controls:
    """All frameworks of one audit."""

    frameworks: tuple[Framework, ...] = ()

    @cached_property
    def by_rule(self) -> dict[str, tuple[str, ...]]:
        """Rule id to its clauses as ``owasp-nhi-2025:NHI1``, in the order of frameworks and clauses."""
        found: dict[str, list[str]] = {}
        for framework in self.frameworks:
            for clause in framework.clauses:
                for rule in clause.rules:
                    found.setdefault(rule, []).append(f"{framework.id}:{clause.id}")
        return {rule: tuple(clauses) for rule, clauses in found.items()}

    def of(self, rule: str) -> tuple[str, ...]:
        """The clauses that a rule bears on; none for a rule that no framework names (a user's own, say)."""
        return self.by_rule.get(rule, ())


def parse_framework(text: str, name: str) -> Framework:
    """The framework in the text of a file called ``name``. Raises DeclarationError saying what is wrong with it."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DeclarationError(f"{name} is no TOML: {error}", "mend the line it names") from error
    if unknown := sorted(table.keys() - {"id", "title", "version", "reference", "clauses"}):
        raise DeclarationError(f"{name}: unknown key {unknown[0]}", "a framework has id, title, version, reference and [clauses]")
    clauses = table.get("clauses")
    if not isinstance(clauses, dict) or not clauses:
        raise DeclarationError(
            f"{name} has no clauses", 'add [clauses] and lines such as "X1" = {title = "...", rules = ["..."]}'
        )
    texts = {key: _text(table, key, name) for key in ("id", "title", "version", "reference")}
    return Framework(**texts, clauses=tuple(_clause(key, value, name) for key, value in clauses.items()))


def _clause(identifier: str, value: Any, name: str) -> Clause:
    where = f"{name}: clause {identifier}"
    if not isinstance(value, dict) or value.keys() - {"title", "rules", "note"}:
        raise DeclarationError(f"{where} is not {{title, rules, note}}", 'write {title = "...", rules = ["..."]}')
    rules = value.get("rules", [])
    if not isinstance(rules, list) or not all(isinstance(rule, str) for rule in rules) or len(set(rules)) != len(rules):
        raise DeclarationError(f"{where}: rules is not a list of different rule ids", "name each rule once")
    note = _text(value, "note", where) if "note" in value else ""
    return Clause(identifier, _text(value, "title", where), tuple(rules), note)


def _text(table: dict[str, Any], key: str, where: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        raise DeclarationError(f"{where}: {key} is not a text", f'add {key} = "..."')
    return value.strip()
