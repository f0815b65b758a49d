"""From the rows a rule returned to findings: rows of one finding together, keys made subjects, columns made evidence.

What is the same in all rows of a finding stands once, the rest per row under ``members``. Nothing depends on the order
in which the database gave the rows: the same roll gives the same findings.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import pyarrow as pa

from tenure.errors import RuleError
from tenure.model.findings import Evidence, Finding, Scalar, Subject
from tenure.model.vocabulary import Severity
from tenure.roll.cells import instants, order, scalars
from tenure.roll.rules import GRAINS, Rule
from tenure.roll.subjects import SUBJECT_COLUMNS, Index

_NUMBERED = re.compile(r"(subject_[a-z]+?)(?:_([2-9]))?")
_RESERVED = frozenset({"finding", "since", "finding_severity"})
_Row: TypeAlias = int


@dataclass(frozen=True, slots=True)
class Packed:
    """A rule's findings, and what its rows said that cannot be a finding (empty: nothing)."""

    findings: tuple[Finding, ...]
    trouble: tuple[str, ...]


def subject_columns(table: pa.Table) -> dict[str, str]:
    """The subject columns of a result and the kind of key each holds. Raises RuleError where the contract is broken."""
    names = table.column_names
    if "finding" not in names or not _is_key(table.schema.field("finding").type):
        raise RuleError("there is no integer column called finding", "number the findings: a key of the roll will do")
    if "members" in names:
        raise RuleError("a column is called members", "give it another name: rows of one finding stand under members")
    found = {}
    for name in names:
        if not name.startswith("subject_"):
            continue
        match = _NUMBERED.fullmatch(name)
        if match is None or match[1] not in SUBJECT_COLUMNS:
            raise RuleError(f"column {name} is no subject", f"one of {', '.join(sorted(SUBJECT_COLUMNS))}, with _2 for another")
        wanted = pa.types.is_string if match[1] == "subject_client" else _is_key
        kind = table.schema.field(name).type
        if not wanted(kind) and not pa.types.is_null(kind):
            raise RuleError(f"column {name} is a {kind}", "subject_client is a text, other subjects are keys of the roll")
        found[name] = match[1]
    if not found:
        raise RuleError("there is no subject column", "say what a finding is about, as in subject_device")
    if "since" in names and not pa.types.is_temporal(kind := table.schema.field("since").type) | pa.types.is_null(kind):
        raise RuleError(f"column since is a {kind}", "since is an instant")
    return found


def _is_key(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) and not pa.types.is_uint64(kind)


def pack(rule: Rule, table: pa.Table, index: Index, controls: tuple[str, ...]) -> Packed:
    """The findings of one rule, in order of their ids. ``index`` holds the subjects of all keys in ``table``."""
    return _Packing(rule, table, index, controls).packed()


class _Packing:
    """One rule's rows as columns of Python values, while they are being packed."""

    def __init__(self, rule: Rule, table: pa.Table, index: Index, controls: tuple[str, ...]) -> None:
        self._rule, self._controls = rule, controls
        columns = subject_columns(table)
        self._subjects: dict[str, tuple[Sequence[Subject | None], Sequence[str | None]]] = {}  # by row; and as mark() has it
        self._strangers = 0
        for name, kind in columns.items():
            known, keys = index[kind], cast("list[Any]", table.column(name).to_pylist())
            marks = {key: mark(subject) for key, subject in known.items()}
            self._subjects[name] = ([known.get(key) for key in keys], [marks.get(key) for key in keys])
            self._strangers += sum(key is not None and key not in known for key in keys)
        self._evidence = {n: scalars(table.column(n)) for n in table.column_names if n not in columns and n not in _RESERVED}
        self._grain = [self._subjects[name][1] for name in GRAINS[rule.grain] if name in columns]
        self._grain_values = [(name, self._evidence[name]) for name in GRAINS[rule.grain] if name in self._evidence]
        self._since = instants(table, "since")
        self._severity = table.column("finding_severity").to_pylist() if "finding_severity" in table.column_names else None
        self._number = table.column("finding").to_pylist()
        self._trouble: list[str] = []

    def packed(self) -> Packed:
        findings = [self._finding(identifier, rows) for identifier, rows in self._groups()]
        findings.sort(key=lambda finding: finding.id)
        if self._strangers:
            self._trouble.append(f"{self._strangers} subjects it names are not in the roll")
        return Packed(tuple(findings), tuple(dict.fromkeys(self._trouble)))

    def _groups(self) -> Iterator[tuple[str, list[_Row]]]:
        """Finding id and its rows. Two numbers whose grain is the same thing are one finding: the grain says so."""
        numbered: dict[int | None, list[_Row]] = {}
        for row, number in enumerate(self._number):
            numbered.setdefault(number, []).append(row)
        if without := numbered.pop(None, None):
            self._trouble.append(f"{len(without)} rows have no finding number and were left out")
        named: dict[str, list[_Row]] = {}
        nameless = 0
        for rows in numbered.values():
            if marks := self._marks(rows):
                named.setdefault(finding_id(self._rule.id, marks), []).extend(rows)
            else:
                nameless += 1
        if nameless:
            self._trouble.append(f"{nameless} findings name no subject of the roll and were left out")
        yield from named.items()

    def _marks(self, rows: Sequence[_Row]) -> set[str]:
        """What makes a finding this one: the subjects its grain names, else values that do, else all it is about."""
        named = {m for marks in self._grain for row in rows if (m := marks[row])}
        if not named and not (named := set(self._all(rows))):
            return set()
        if self._grain_values:
            return {f"{name}\x1f{values[row]}" for name, values in self._grain_values for row in rows}
        return named

    def _all(self, rows: Sequence[_Row]) -> dict[str, Subject]:
        """Everything that rows are about, by mark. Where two credentials are one key, the name that sorts first stands."""
        found: dict[str, Subject] = {}
        for subjects, marks in self._subjects.values():
            for row in rows:
                if (m := marks[row]) is not None and (subject := subjects[row]) is not None:
                    other = found.setdefault(m, subject)
                    if other is not subject and _fullness(subject) < _fullness(other):
                        found[m] = subject
        return found

    def _finding(self, identifier: str, rows: Sequence[_Row]) -> Finding:
        first = {marks[row] for marks in self._grain for row in rows}
        subjects = self._all(rows)
        in_order = sorted(subjects, key=lambda m: (m not in first, m)) if len(subjects) > 1 else subjects
        since = min((at for row in rows if (at := self._since[row])), default=None)
        return Finding(
            id=identifier,
            rule=self._rule.id,
            severity=self._graver(rows),
            title=self._rule.title,
            grain=self._rule.grain,
            subjects=tuple(subjects[m] for m in in_order),
            evidence=self._evidence_of(rows),
            since=since,
            controls=self._controls,
        )

    def _evidence_of(self, rows: Sequence[_Row]) -> Evidence:
        if len(rows) == 1:
            return {name: values[rows[0]] for name, values in self._evidence.items()}
        evidence: Evidence = {}
        varying: list[tuple[str, list[Scalar]]] = []  # cells in the order of rows
        for name, (_, marks) in self._subjects.items():
            told = [marks[row] for row in rows]
            if len(set(told)) > 1:
                label = name.removeprefix("subject_")
                cells: list[Scalar] = [m and m.split("\x1f", 1)[1] for m in told]
                varying.append((name if label in self._evidence else label, cells))
        for name, values in self._evidence.items():
            cells = [values[row] for row in rows]
            if len(set(cells)) == 1:
                evidence[name] = cells[0]
            else:
                varying.append((name, cells))
        members = {tuple(order(cells[at]) for _, cells in varying): at for at in range(len(rows))}
        if varying:
            evidence["members"] = [{name: cells[members[key]] for name, cells in varying} for key in sorted(members)]
        return evidence

    def _graver(self, rows: Sequence[_Row]) -> Severity:
        """The header's severity, or the gravest that the rows give."""
        if self._severity is None:
            return self._rule.severity
        found = [self._rule.severity] if any(self._severity[row] is None for row in rows) else []
        for text in sorted({str(text) for row in rows if (text := self._severity[row]) is not None}):
            try:
                found.append(Severity(text))
            except ValueError:
                self._trouble.append(f"it calls a severity {text!r}, which is none")
        return min(found, key=lambda severity: severity.rank, default=self._rule.severity)


def _fullness(subject: Subject) -> tuple[bool, str, str, str]:
    return (subject.name is None, subject.name or "", subject.serial or "", subject.spki_sha256 or "")


def mark(subject: Subject) -> str:
    """A subject as it enters the id of a finding."""
    return f"{subject.kind}\x1f{subject.id}"


def finding_id(rule: str, marks: set[str]) -> str:
    """128 bits of a hash over the rule and what makes the finding this one: stable from run to run."""
    return hashlib.sha256("\x1e".join([rule, *sorted(marks)]).encode()).hexdigest()[:32]
