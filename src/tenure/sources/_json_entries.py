"""JSON of any shape as a stream of entries: JSON Lines, an array, or an object with an array inside, in bounded memory.

A document is never loaded whole: its entries are decoded one by one from a sliding window of text. Numbers stay text, as
written, since serials and hashes of digits are no numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tenure.sources._decoded_lines import Tell

ENTRY_CHARACTERS = 1 << 26  # longest entry
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_SPACE = " \t\r\n\ufeff"
_NEXT_PAGE = frozenset({"next", "nextLink", "@odata.nextLink", "continuationToken", "nextToken", "NextToken"})


class BrokenOff(Exception):  # noqa: N818 - an event of reading, not an error of the program
    """The document ends or stops being JSON at this entry; nothing after it could be read."""

    def __init__(self, entry: int, reason: str) -> None:
        super().__init__(reason)
        self.entry = entry


def is_lines(text: str) -> bool:
    """Whether the beginning of a file is JSON Lines: a whole object on the first line and no document around it."""
    lines = [line for line in text.splitlines() if line.strip()]
    first = _object(lines[0]) if lines else None
    if first is None:
        return False
    return len(lines) > 1 or not any(isinstance(v, list) and v and isinstance(v[0], dict) for v in first.values())


def line_entries(lines: Iterator[str], tell: Tell) -> Iterator[tuple[int, dict[str, Any]]]:
    """Entries of JSON Lines with their line numbers; a line that is no JSON object is told."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if (entry := _object(line)) is None:
            tell(number, "the line is no JSON object", "json", line.encode("utf-8", "surrogatepass"))
        else:
            yield number, entry


def document_entries(blocks: Iterator[str], tell: Tell) -> Iterator[tuple[int, dict[str, Any]]]:
    """Entries of a document, numbered from 1 in the order they stand. Raises BrokenOff where it cannot go on."""
    return _Document(blocks, tell).entries()


def flattened(entry: dict[str, Any], *, nulls: bool = False) -> dict[str, str]:
    """The scalars of an entry by dotted path; lists of scalars joined by ``;``. Null and empty containers are left out, or ""."""
    flat: dict[str, str] = {}
    stack: list[tuple[str, Any]] = [("", entry)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, dict):
            stack.extend((f"{path}.{key}" if path else key, inner) for key, inner in reversed(value.items()))
        elif isinstance(value, list):
            if all(isinstance(inner, str | bool) for inner in value):
                if value:
                    flat[path] = ";".join(_text(inner) for inner in value)
            else:
                stack.extend((f"{path}.{at}", inner) for at, inner in reversed(list(enumerate(value))))
        elif value is not None:
            flat[path] = _text(value)
        if nulls and not value:
            flat.setdefault(path, "")
    return flat


def _text(value: str | bool) -> str:
    if not isinstance(value, str):
        return "true" if value else "false"
    if not value.isascii():  # half a surrogate pair, as \\u escapes can make, is no text
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _object(line: str) -> dict[str, Any] | None:
    try:
        value = _DECODER.decode(line.strip().lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


class _Document:
    """A window over the text of a document. Consumed text is dropped when more is read."""

    def __init__(self, blocks: Iterator[str], tell: Tell) -> None:
        self._blocks = blocks
        self._tell = tell
        self._text = ""
        self._at = 0
        self._ended = False
        self._count = 0

    def entries(self) -> Iterator[tuple[int, dict[str, Any]]]:
        while start := self._peek():
            if start == "[":
                yield from self._array()
            elif start == "{":
                yield from self._envelope()
            else:
                raise self._broken("neither an object nor an array stands here")

    def _array(self) -> Iterator[tuple[int, dict[str, Any]]]:
        self._at += 1
        while (start := self._peek()) != "]":
            if start == ",":
                self._at += 1
                continue
            value = self._value()
            self._count += 1
            if isinstance(value, dict):
                yield self._count, value
            else:
                self._tell(self._count, "the entry is no object", "json", json.dumps(value).encode())
        self._at += 1

    def _envelope(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """An object: what its arrays of objects hold, or, without any, the object itself as one entry."""
        self._at += 1
        plain: dict[str, Any] = {}
        arrays = 0
        while (start := self._peek()) != "}":
            if start == ",":
                self._at += 1
                continue
            key = self._value()
            if not isinstance(key, str) or self._peek() != ":":
                raise self._broken("a key and a colon should stand here")
            self._at += 1
            if self._peek() == "[" and self._opens_object():
                arrays += 1
                yield from self._array()
            else:
                plain[key] = self._value()
        self._at += 1
        if not arrays:
            self._count += 1
            yield self._count, plain
        elif any(plain.get(key) for key in _NEXT_PAGE):
            self._tell(
                self._count, "the export says that there are further pages: see that they are here too", "more-pages", None
            )

    def _opens_object(self) -> bool:
        """Whether the array that begins here holds objects."""
        ahead = 1
        while True:
            while self._at + ahead < len(self._text) and self._text[self._at + ahead] in _SPACE:
                ahead += 1
            if self._at + ahead < len(self._text):
                return self._text[self._at + ahead] == "{"
            if not self._more():
                return False

    def _peek(self) -> str:
        """The next character that is no white space, unread; "" at the end of a whole document, else BrokenOff."""
        while True:
            text, at = self._text, self._at
            while at < len(text) and text[at] in _SPACE:
                at += 1
            self._at = at
            if at < len(text):
                return text[at]
            if not self._more():
                return ""

    def _value(self) -> Any:
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except RecursionError:
                raise self._broken("nested too deeply") from None
            except ValueError as error:
                if not self._cut(error) or not self._more():
                    raise self._broken(getattr(error, "msg", str(error))) from None
                continue
            if end == len(self._text) and isinstance(value, str) and self._text[end - 1] != '"' and self._more():
                continue  # a number may go on in the next block
            self._at = end
            return value

    def _cut(self, error: ValueError) -> bool:
        """Whether the text merely ends too early here, so that more of it may mend it."""
        if len(self._text) - self._at > ENTRY_CHARACTERS:
            return False
        at = getattr(error, "pos", 0)
        return at >= len(self._text) - 16 or str(error).startswith("Unterminated string")

    def _more(self) -> bool:
        """At least as much text again as is in the window, so that a long entry is not decoded too often."""
        wanted = max(1, len(self._text) - self._at)
        parts, got = [self._text[self._at :]], 0
        while got < wanted:
            if (block := next(self._blocks, None)) is None:
                break
            parts.append(block)
            got += len(block)
        self._text, self._at = "".join(parts), 0
        return got > 0

    def _broken(self, reason: str) -> BrokenOff:
        rest = self._text[self._at : self._at + 4096]
        self._tell(self._count + 1, f"the JSON breaks off: {reason}", "json", rest.encode("utf-8", "surrogatepass"))
        return BrokenOff(self._count + 1, reason)
