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

_BEGIN, _DASHES = b"-----BEGIN ", b"-----"
_BEGIN_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
_END_CERTIFICATE = b"-----END CERTIFICATE-----"
_LONGEST_LABEL = 64
_PRINTABLE = re.compile(rb"[ -~]*")
_ESCAPED = re.compile(rb"\\[rnt]|\\u000[aAdD9]")
_WHITE = b" \t\r\n\f\v\"'\xc2\xa0"


class Block(NamedTuple):
    """One armoured block. ``damage`` says why ``content`` is empty, if it is."""

    number: int
    at: int  # offset of its BEGIN line
    end: int  # where its END line ends, or what there is of it
    label: str
    content: bytes
    closed: bool  # its END line is there
    damage: str


def contains_mark(data: Bytes) -> bool:
    """Whether a block may begin somewhere in it."""
    return data.find(_BEGIN) >= 0


def blocks(data: Bytes, first: int = 1) -> Iterator[Block]:
    """The blocks in a text, in order. ``first`` is the number of the first, where the text is a part of a longer one."""
    number = first
    find = data.find
    at = find(_BEGIN)
    while at >= 0:
        body_at = at + len(_BEGIN_CERTIFICATE)
        if data[at:body_at] == _BEGIN_CERTIFICATE:  # what bundles hold by the million, in as few steps as can be
            body_end = find(_DASHES, body_at)
            end = body_end + len(_END_CERTIFICATE)
            if body_end >= 0 and data[body_end:end] == _END_CERTIFICATE and (content := _sound(data[body_at:body_end])):
                yield tuple.__new__(Block, (number, at, end, "CERTIFICATE", content, True, ""))
                number += 1
                at = find(_BEGIN, end)
                continue
        label_at = at + len(_BEGIN)
        label_end = find(_DASHES, label_at, label_at + _LONGEST_LABEL + len(_DASHES))
        label = bytes(data[label_at : max(label_end, label_at)])
        if label_end < 0 or not _PRINTABLE.fullmatch(label):
            at = find(_BEGIN, label_at)
            continue
        body_at = label_end + len(_DASHES)
        body_end = find(_DASHES, body_at)
        yield _block(data, number, label, at, body_at, body_end)
        number += 1
        at = find(_BEGIN, body_at if body_end < 0 else body_end)


def _sound(body: bytes) -> bytes:
    """What the body of an ordinary block stands for; nothing where it is not written in the ordinary way."""
    try:
        return binascii.a2b_base64(body.replace(b"\n", b""), strict_mode=True)
    except binascii.Error:
        return b""


def _block(data: Bytes, number: int, label: bytes, at: int, body_at: int, body_end: int) -> Block:
    name = label.decode("ascii")
    if body_end < 0:
        return Block(number, at, min(at + 65_536, len(data)), name, b"", False, "it has no END line")
    end_line = b"-----END %b-----" % label
    end = body_end + len(end_line)
    if data[body_end:end] != end_line:
        return Block(number, at, body_end, name, b"", False, "its END line is missing or another's")
    try:
        content = decoded(data[body_at:body_end])
    except ValueError as error:
        return Block(number, at, end, name, b"", True, f"its body is no base64: {error}")
    return Block(number, at, end, name, content, True, "" if content else "it is empty")


def decoded(body: bytes) -> bytes:
    """The bytes that a base64 body stands for. Raises ValueError (binascii.Error) for characters that do not belong there."""
    if b"\\" in body:
        body = _ESCAPED.sub(b"\n", body)
    if b":" in body:  # RFC 1421 headers end at an empty line
        body = body.replace(b"\r", b"").partition(b"\n\n")[2]
    return binascii.a2b_base64(body.translate(None, _WHITE), strict_mode=True)
