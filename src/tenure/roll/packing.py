"""From the rows a rule returned to findings: rows of one finding together, keys made subjects, columns made evidence.

What is the same in all rows of a finding stands once, the rest per row under ``members``. Nothing depends on the order
in which the database gave the rows: the same roll gives the same findings.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias, cast

import pyarrow as pa

from tenure.errors import RuleError
from tenure.model.findings import Evidence, Finding, Scalar, Subject
from tenure.model.vocabulary import Severity
from tenure.roll.rules import GRAINS, Rule
from tenure.roll.subjects import SUBJECT_COLUMNS, Index

_NUMBERED = re.compile(r"(subject_[a-z]+?)(?:_([2-9]))?")
_RESERVED = frozenset({"finding", "since", "finding_severity"})
_MIN_US = -62_135_596_800_000_000  # year 1
_MAX_US = 253_402_300_799_999_999  # year 9999

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

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
        self._subjects: dict[str, Sequence[Subject | None]] = {}
        self._strangers = 0
        for name, kind in columns.items():
            known, keys = index[kind], table.column(name).to_pylist()
            self._subjects[name] = [None if key is None else known.get(key) for key in keys]
            self._strangers += sum(key is not None and key not in known for key in keys)
        self._ids = {name: [None if s is None else s.id for s in column] for name, column in self._subjects.items()}
        grain = [name for name, kind in columns.items() if kind in GRAINS[rule.grain]]
        self._grain = [self._subjects[name] for name in grain]
        self._evidence = {n: scalars(table.column(n)) for n in table.column_names if n not in columns and n not in _RESERVED}
        self._since = _instants(table, "since")
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
            subjects = {s for column in self._grain for row in rows if (s := column[row])} or self._all(rows)
            if not subjects:
                nameless += 1
                continue
            named.setdefault(finding_id(self._rule.id, subjects), []).extend(rows)
        if nameless:
            self._trouble.append(f"{nameless} findings name no subject of the roll and were left out")
        yield from named.items()

    def _all(self, rows: Sequence[_Row]) -> set[Subject]:
        return {s for column in self._subjects.values() for row in rows if (s := column[row])}

    def _finding(self, identifier: str, rows: Sequence[_Row]) -> Finding:
        first = {s for column in self._grain for row in rows if (s := column[row])}
        subjects = sorted(self._all(rows), key=lambda s: (s not in first, s.kind, s.id))
        since = min((at for row in rows if (at := self._since[row])), default=None)
        return Finding(
            id=identifier,
            rule=self._rule.id,
            severity=self._graver(rows),
            title=self._rule.title,
            grain=self._rule.grain,
            subjects=tuple(subjects),
            evidence=self._evidence_of(rows),
            since=since,
            controls=self._controls,
        )

    def _evidence_of(self, rows: Sequence[_Row]) -> Evidence:
        if len(rows) == 1:
            return {name: values[rows[0]] for name, values in self._evidence.items()}
        evidence: Evidence = {}
        varying: list[tuple[str, Sequence[Scalar]]] = []
        for name, subjects in self._subjects.items():
            if len({subjects[row] for row in rows}) > 1:
                label = name.removeprefix("subject_")
                varying.append((name if label in self._evidence else label, self._ids[name]))
        for name, values in self._evidence.items():
            if len({values[row] for row in rows}) == 1:
                evidence[name] = values[rows[0]]
            else:
                varying.append((name, values))
        members = {tuple(_order(values[row]) for _, values in varying): row for row in rows}
        if varying:
            evidence["members"] = [{n: values[members[key]] for n, values in varying} for key in sorted(members)]
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


def finding_id(rule: str, subjects: set[Subject]) -> str:
    """128 bits of a hash over the rule and the strong ids of what makes the finding one: stable from run to run."""
    text = "\x1e".join([rule, *sorted(f"{subject.kind}\x1f{subject.id}" for subject in subjects)])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def scalars(column: pa.ChunkedArray[Any]) -> list[Scalar]:
    """Arrow values as evidence: instants aware and in UTC, whole decimals as int, days as ISO text, what is no number None."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        return list(_datetimes(column))
    if pa.types.is_date(kind):
        return cast("list[Scalar]", column.cast(pa.string()).to_pylist())
    if pa.types.is_decimal(kind):
        return [None if v is None else _number(v) for v in column.to_pylist()]
    if pa.types.is_floating(kind):
        return [v if v is None or math.isfinite(v) else None for v in column.to_pylist()]
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_string(kind) or pa.types.is_null(kind):
        return cast("list[Scalar]", column.to_pylist())
    return cast("list[Scalar]", column.cast(pa.string()).to_pylist())


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _datetimes(column: pa.ChunkedArray[Any]) -> Iterator[datetime | str | None]:
    """Aware datetimes; the database's infinite instants, and those Python cannot hold, as the text they are written as."""
    whole = column.cast(pa.timestamp("us"), safe=False)
    for value in whole.cast(pa.int64()).to_pylist():
        if value is None:
            yield None
        elif _MIN_US <= value <= _MAX_US:
            yield _EPOCH + timedelta(microseconds=value)
        else:
            yield "infinity" if value > 0 else "-infinity"


def _instants(table: pa.Table, name: str) -> Sequence[datetime | None]:
    if name not in table.column_names or pa.types.is_null(table.schema.field(name).type):
        return [None] * table.num_rows
    column = table.column(name)
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("us"))
    return [value if isinstance(value, datetime) else None for value in _datetimes(column)]


def _order(value: Scalar) -> tuple[int, int | float | str | datetime]:
    """Sorts the values of one column: numbers and instants, then texts, then nothing."""
    if value is None:
        return (2, 0)
    return (1, value) if isinstance(value, str) else (0, value)
