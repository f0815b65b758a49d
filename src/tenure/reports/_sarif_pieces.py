"""Pieces that SARIF logs are built of: messages, descriptions, places. Text in them comes from devices."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TypeAlias
from urllib.parse import quote

from tenure.reports._document import Json
from tenure.reports._wording import encodable, shown

BASE = "EXPORTS"
"""The base of all paths: the audited folder."""

Object: TypeAlias = dict[str, Json]


def message(text: str) -> str:
    """Plain text of a message: braces doubled (3.11.5), and no ``[text](target)`` that a viewer makes a link (3.11.6)."""
    lines = "\n".join(shown(line) for line in text.split("\n"))
    return lines.replace("{", "{{").replace("}", "}}").replace("](", "] (")


def described(short: str, full: str, help_text: str) -> Object:
    """The three texts of a rule or a kind of notification."""
    return {
        "shortDescription": {"text": message(short)},
        "fullDescription": {"text": message(full)},
        "help": {"text": message(help_text)},
    }


def distinct(objects: Iterable[Object]) -> list[Json]:
    """The objects without repetitions, as the schema wants many of its lists."""
    return list({json.dumps(entry): entry for entry in objects}.values())


def physical(origin: str) -> Object:
    """``path#17`` is line 17 of the file; ``path#entry`` is the file, with the entry as a comment on the location."""
    path, _, entry = origin.partition("#")
    place: Object = {"artifactLocation": artifact(path)}
    if entry.isascii() and entry.isdigit() and len(entry) < 10 and int(entry) > 0:
        place["region"] = {"startLine": int(entry)}
    elif entry:
        place["properties"] = {"entry": encodable(entry)}
    return place


def artifact(path: str) -> Object:
    """A file below the audited folder. The path is quoted, so that it is a relative URI whatever it is called."""
    return {"uri": quote(encodable(path).lstrip("/") or ".", safe="/"), "uriBaseId": BASE}
