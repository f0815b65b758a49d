"""Findings in words for people: moments, values, names. Names come from devices and are hostile until shown here."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime

from tenure.clock import rfc3339
from tenure.model.findings import Evidence, Finding, Scalar, Subject, SuppressedFinding
from tenure.model.vocabulary import RuleStatus

UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories a reader cannot see and a terminal may obey: controls, direction overrides, lone surrogates."""

STATUS_WORDS = {
    RuleStatus.ASSESSED: "assessed",
    RuleStatus.NOT_ASSESSED: "not assessed",
    RuleStatus.UNKNOWN: "unknown",
    RuleStatus.SWITCHED_OFF: "switched off",
}


def shown(text: str) -> str:
    """The text with every character that cannot be seen written as its escape (``\\x1b``, ``\\u202e``)."""
    if text.isprintable():
        return text
    return "".join(c if unicodedata.category(c) not in UNSEEN else _escape(c) for c in text)


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def encodable(text: str) -> str:
    """The text with lone surrogates (file names that are no UTF-8) written as escapes; all else as it is."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def moment(when: datetime | None) -> str:
    """An instant for people, in UTC: seconds only where there are some."""
    if when is None:
        return "not known"
    text = rfc3339(when).removesuffix("Z").replace("T", " ")
    return f"{text.removesuffix(':00') if text.count(':') == 2 else text} UTC"


def minute(when: datetime | None) -> str:
    """An instant for a narrow column whose head says UTC: to the minute."""
    return "not known" if when is None else rfc3339(when)[:16].replace("T", " ")


def brief(cell: Scalar) -> str:
    """A cell in a clause: instants to the minute, those at midnight as days; the head of the report says UTC."""
    if isinstance(cell, datetime):
        return minute(cell).removesuffix(" 00:00")
    return abridged(value(cell), 60)


def value(cell: Scalar) -> str:
    """One cell of evidence for people."""
    match cell:
        case None:
            return "none"
        case bool():
            return "yes" if cell else "no"
        case datetime():
            return moment(cell)
        case float():
            return f"{cell:.6g}"
        case str():
            return shown(cell)
        case _:
            return str(cell)


def label(column: str) -> str:
    """The name of a column in words: ``last_accepted_at`` is "last accepted"."""
    return shown(column.removesuffix("_at").replace("_", " ").strip() or column)


def count(number: int, one: str, many: str = "") -> str:
    """``1 finding``, ``12,345 findings``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _called(of: Subject) -> str:
    """What people look for a subject by: its name, else its serial, else the beginning of its id."""
    if of.name:
        return shown(of.name)
    return f"with serial {shown(of.serial)}" if of.serial else abridged(shown(of.id), 24)


def who(finding: Finding | SuppressedFinding, most: int = 3) -> str:
    """The subjects of a finding in one clause, those of one name together; the first ``most`` and how many more."""
    kinds: dict[str, list[str]] = {}
    for part in finding.subjects[:most]:
        those = kinds.setdefault(_called(part), [])
        if part.kind not in those:
            those.append(part.kind)
    named = [f"{sentences(those)} {name}" for name, those in kinds.items()]
    rest = len(finding.subjects) - most
    return ", ".join(named) + (f" and {rest:,} more" if rest > 0 else "") if named else "the fleet as a whole"


def scalars(evidence: Evidence) -> Iterator[tuple[str, Scalar]]:
    """What holds for the whole finding, in the order of the rule's columns."""
    for column, cell in evidence.items():
        if not isinstance(cell, list):
            yield column, cell


def members(evidence: Evidence) -> Iterator[tuple[str, list[dict[str, Scalar]]]]:
    """The rows that differ from subject to subject."""
    for column, cell in evidence.items():
        if isinstance(cell, list):
            yield column, cell


def gist(evidence: Evidence, most: int) -> str:
    """The first values of the evidence in one clause, and over how many rows it spreads."""
    known = [f"{label(column)} {brief(cell)}" for column, cell in scalars(evidence) if cell is not None]
    rows = sum(len(cells) for _, cells in members(evidence))
    return "; ".join(known[:most] + ([count(rows, "row of evidence", "rows of evidence")] if rows else []))


def abridged(text: str, most: int) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if len(text) <= most else text[: max(most - 1, 0)].rstrip() + "…"


def clauses(controls: Iterable[str]) -> str:
    """Clauses of frameworks in one line, each framework named once: ``nist-csf-2.0 ID.AM-08, PR.AA-01; owasp-nhi-2025 NHI1``."""
    frames: dict[str, list[str]] = {}
    for control in controls:
        name, _, clause = shown(control).partition(":")
        frames.setdefault(name, []).append(clause)
    return "; ".join(f"{name} {', '.join(filter(None, those))}".strip() for name, those in frames.items())


def sentences(parts: Iterable[str]) -> str:
    """Clauses joined by commas, the last by "and"."""
    words = [p for p in parts if p]
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
