"""PEM (RFC 7468) as it is found: many blocks in one text, words around them, escaped into JSON or quoted into source code. Pure.

Blocks are counted from the beginning of the text by their BEGIN lines, whatever stands in them; that number is a block's
place. Every byte is looked at a bounded number of times, whatever the text.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple

from tenure.pki.der import Bytes

_MARK = re.compile(rb"-----(BEGIN|END) ([ -,.-~]{0,64})-----")
_ESCAPED = re.compile(rb"\\[rnt]|\\u000[aAdD9]")
_WHITE = b" \t\r\n\f\v\"'\xc2\xa0"


class Block(NamedTuple):
    """One armoured block. ``damage`` says why ``content`` is empty, if it is."""

    number: int
    at: int  # offset of its BEGIN line
    label: str
    content: bytes
    raw: bytes  # as it stands, armour and all: what a problem's hash is of
    closed: bool  # its END line is there
    damage: str


def contains_mark(data: Bytes) -> bool:
    """Whether a block may begin somewhere in it."""
    return data.find(b"-----BEGIN ") >= 0


def blocks(data: Bytes, first: int = 1) -> Iterator[Block]:
    """The blocks in a text, in order. ``first`` is the number of the first, where the text is a part of a longer one."""
    number = first - 1
    begin: re.Match[bytes] | None = None
    for mark in _MARK.finditer(data):
        if begin is not None:
            yield _block(data, number, begin, mark)
            begin = None
        if mark[1] == b"BEGIN":
            number += 1
            begin = mark
    if begin is not None:
        at = begin.start()
        yield Block(number, at, begin[2].decode("ascii"), b"", bytes(data[at : at + 65_536]), False, "it has no END line")


def _block(data: Bytes, number: int, begin: re.Match[bytes], end: re.Match[bytes]) -> Block:
    label = begin[2].decode("ascii")
    at = begin.start()
    if end[1] != b"END" or end[2] != begin[2]:
        return Block(number, at, label, b"", bytes(data[at : end.start()]), False, "its END line is missing or another's")
    raw = bytes(data[at : end.end()])
    try:
        content = decoded(raw[begin.end() - at : end.start() - at])
    except ValueError as error:
        return Block(number, at, label, b"", raw, True, f"its body is no base64: {error}")
    return Block(number, at, label, content, raw, True, "" if content else "it is empty")


def decoded(body: bytes) -> bytes:
    """The bytes that a base64 body stands for. Raises ValueError (binascii.Error) for characters that do not belong there."""
    if b"\\" in body:
        body = _ESCAPED.sub(b"\n", body)
    if b":" in body:  # RFC 1421 headers end at an empty line
        body = body.replace(b"\r", b"").partition(b"\n\n")[2]
    return binascii.a2b_base64(body.translate(None, _WHITE), strict_mode=True)
