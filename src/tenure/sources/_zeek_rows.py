"""Rows of Zeek logs, whatever their form: TSV with its header lines, JSON flat or nested, plain or gzip.

Fields are found by name, since their order and number differ between versions and policies. A field that is not set is not
in the row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tenure.sources._lines import LogFile, chunks, first_bytes

Row = dict[str, Any]

_ESCAPE = re.compile(rb"\\x([0-9A-Fa-f]{2})|\\(\\)")
_LATEST: Final = 253_402_300_800
_MILLISECONDS: Final = 100_000_000_000  # seconds of this size lie in the year 5138: Zeek was told to write milliseconds
_FIRST_DAY: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIELDS_OF: Final = (
    ("x509", ("certificate.serial", "certificate.subject")),
    ("ssl", ("established", "cipher")),
    ("ssl", ("uid", "cert_chain_fps")),
    ("ssl", ("uid", "cert_chain_fuids")),
    ("mqtt_connect", ("client_id", "connect_status")),
    ("known_certs", ("issuer_subject", "serial", "host")),
    ("files", ("fuid", "mime_type")),
)
_PATH = re.compile(r"#path[^\w](\w+)")
_NAMES = re.compile(r"(x509|ssl|known_certs|mqtt_connect|files)(?![A-Za-z])")


@dataclass(slots=True)
class _Header:
    separator: str = "\t"
    set_separator: str = ","
    empty: str = "(empty)"
    unset: str = "-"
    fields: tuple[str, ...] = ()
    many: tuple[bool, ...] = ()  # whether a field is a set or vector


def what(file: LogFile) -> str:
    """Which Zeek log a file is: by its ``#path``, else by its fields, else by its name; empty for none that is known."""
    head = first_bytes(file, 1 << 14).decode("utf-8", "replace")
    for line in head.split("\n")[:20]:
        if match := _PATH.match(line):
            return match[1]
        if line.startswith("#fields"):
            return _by_fields(set(line.split(line[len("#fields")])))
        if line.startswith("{"):
            try:
                row = _flat(json.loads(line))
            except (ValueError, RecursionError):
                break
            return str(row["_path"]) if "_path" in row else _by_fields(set(row))
    match = _NAMES.match(file.path.name)
    return match[1] if match else ""


def _by_fields(names: set[str]) -> str:
    return next((kind for kind, wanted in _FIELDS_OF if names.issuperset(wanted)), "")


def rows(
    file: LogFile, progress: Callable[[int], None], torn: Callable[[str], None], odd: Callable[[int, str, str, str], None]
) -> Iterator[tuple[int, Row]]:
    """The rows of a log with their lines, from 1. ``odd`` is told of lines that are no rows: line, code, reason, text."""
    header = _Header()
    first_line = 1
    for chunk in chunks(file, progress, torn):
        lines = chunk.read().decode("utf-8", "surrogateescape").split("\n")
        if not lines[-1]:
            lines.pop()
        last_line = first_line + len(lines) - 1
        for number, line in enumerate(lines, first_line):
            line = line.removesuffix("\r")
            if line.startswith("#"):
                _take(header, line)
            elif line.startswith("{"):
                try:
                    line.encode()
                    row = _flat(json.loads(line))
                except (ValueError, RecursionError):
                    cut = not chunk.ended and number == last_line
                    odd(
                        number,
                        "truncated-line" if cut else "torn-record",
                        "the row is no JSON; it may be cut in the middle",
                        line,
                    )
                    continue
                yield number, row
            elif not header.fields:
                if line:
                    odd(number, "no-fields", "no #fields line says what the columns of this row are", line)
            elif (cells := line.split(header.separator)) and len(cells) == len(header.fields):
                yield number, _row(header, cells)
            else:
                odd(number, "torn-record", f"the row has {len(cells)} columns, its header {len(header.fields)}", line)
        first_line = last_line + 1


def _take(header: _Header, line: str) -> None:
    if line.startswith("#separator "):
        header.separator = _unescaped(line.removeprefix("#separator ")) or "\t"
        return
    key, _, value = line.partition(header.separator)
    if key == "#set_separator":
        header.set_separator = _unescaped(value)
    elif key == "#empty_field":
        header.empty = _unescaped(value)
    elif key == "#unset_field":
        header.unset = _unescaped(value)
    elif key == "#fields":
        header.fields, header.many = tuple(value.split(header.separator)), ()
    elif key == "#types":
        header.many = tuple(t.startswith(("set[", "vector[")) for t in value.split(header.separator))


def _row(header: _Header, cells: list[str]) -> Row:
    many = header.many if len(header.many) == len(cells) else (False,) * len(cells)
    row: Row = {}
    for name, cell, several in zip(header.fields, cells, many, strict=True):
        if cell == header.unset:
            continue
        if several:
            row[name] = [] if cell == header.empty else [_unescaped(c) for c in cell.split(header.set_separator)]
        else:
            row[name] = "" if cell == header.empty else _unescaped(cell)
    return row


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    raw = _ESCAPE.sub(lambda m: bytes.fromhex(m[1].decode()) if m[1] else m[2], text.encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "backslashreplace")


def _flat(value: object, prefix: str = "") -> Row:
    """A JSON object with the names of nested ones joined by dots; nothing for what is null. Raises ValueError for no object."""
    if not isinstance(value, dict):
        raise ValueError("no object")
    row: Row = {}
    for key, inner in value.items():
        if isinstance(inner, dict):
            row.update(_flat(inner, f"{prefix}{key}."))
        elif inner is not None:
            row[f"{prefix}{key}"] = inner
    return row


def text(row: Row, name: str) -> str | None:
    """A field as text; None where it is not set, empty, or no text that can be stored."""
    value = row.get(name)
    if value is None or isinstance(value, (list, bool)):
        return None
    if not isinstance(value, str):
        return str(value)
    return value.encode("utf-8", "backslashreplace").decode() or None


def texts(row: Row, name: str) -> list[str]:
    """A set or vector as texts; a single text counts as one of them."""
    value = row.get(name)
    if isinstance(value, list):
        return [v.encode("utf-8", "backslashreplace").decode() for v in value if isinstance(v, str)]
    return [value] if isinstance(value, str) and value else []


def flag(row: Row, name: str) -> bool | None:
    value = row.get(name)
    return value if isinstance(value, bool) else {"T": True, "F": False}.get(value) if isinstance(value, str) else None


def number(row: Row, name: str) -> int | None:
    """A whole number of at most 63 bits; None where the field is not set or is none."""
    value = row.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63 else None


def instant(row: Row, name: str) -> datetime | None:
    """A time field: seconds or milliseconds since 1970, or ISO 8601 in UTC. None where it is not set or is no time."""
    value = row.get(name)
    if isinstance(value, str) and "T" in value:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    if _MILLISECONDS < abs(seconds) < _LATEST * 1000 and name == "ts":
        seconds /= 1000
    if not -62_135_596_800 <= seconds < _LATEST:
        return None
    return _FIRST_DAY + timedelta(microseconds=round(seconds * 1_000_000))
