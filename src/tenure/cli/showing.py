"""What the API gave, for people: a list as a table, a thing as its fields. With ``--json`` as it came."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from tenure.cli.connection import Api
from tenure.cli.screen import show

NOTHING = "-"


def show_list(api: Api, items: Iterable[dict[str, Any]], columns: Sequence[str]) -> None:
    """Columns by name, as wide as what is in them."""
    found = list(items)
    if api.as_json:
        show(json.dumps(found, indent=1, ensure_ascii=False) + "\n", exact=True)
        return
    rows = [[name.upper().replace("_", " ") for name in columns], *([cell(item.get(name)) for name in columns] for item in found)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(columns))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    show("\n".join(lines) + "\n")


def show_one(api: Api, item: dict[str, Any]) -> None:
    """Its fields, a line each, those that hold something."""
    if api.as_json:
        show(json.dumps(item, indent=1, ensure_ascii=False) + "\n", exact=True)
        return
    told = {name: value for name, value in item.items() if value not in (None, "", [])}
    width = max(map(len, told), default=0)
    show(
        "".join(
            f"{name.replace('_', ' ').ljust(width)}  {line}\n" for name, value in told.items() for line in _lines(value, width)
        )
    )


def _lines(value: Any, width: int) -> Iterable[str]:
    if not isinstance(value, list):
        return [cell(value)]
    between = "\n" + " " * (width + 2)
    return [between.join(map(cell, value))]


def cell(value: Any) -> str:
    from tenure.reports._wording import shown

    match value:
        case None | "" | []:
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case str():
            return shown(value)
        case dict():
            return " ".join(f"{name}={cell(inner)}" for name, inner in value.items() if inner is not None) or NOTHING
        case list():
            return ", ".join(map(cell, value))
    return str(value)
