"""Distinguished names: DER to RFC 4514 text and the three attributes the evidence keeps apart. Pure."""

from __future__ import annotations

import hashlib
import re
from typing import Final, NamedTuple

from tenure.pki import der
from tenure.pki.der import DerError
from tenure.pki.remembering import remembering

_SHORT: Final[dict[bytes, str]] = {
    b"\x55\x04\x03": "CN",
    b"\x55\x04\x07": "L",
    b"\x55\x04\x08": "ST",
    b"\x55\x04\x0a": "O",
    b"\x55\x04\x0b": "OU",
    b"\x55\x04\x06": "C",
    b"\x55\x04\x09": "STREET",
    b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19": "DC",
    b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01": "UID",
}
_X520: Final = b"\x06\x03\x55\x04"
_SHORT_X520: Final = {kind[2]: label + "=" for kind, label in _SHORT.items() if len(kind) == 3} | {5: "2.5.4.5="}
_ASCII_TAGS: Final = frozenset({0x0C, 0x13, 0x16})
_OF_ONE_THING: Final = frozenset({b"\x55\x04\x03", b"\x55\x04\x05"})
_MOST_PARTS: Final = 4096
_Part = tuple[bytes, str, str]
_parts: Final[dict[bytes, _Part]] = {}
_heads: Final[dict[bytes, tuple[bytes, str]]] = {}
_UNIQUE_IDENTIFIER: Final = b"\x55\x04\x2d"
_CODECS: Final[dict[int, str]] = {0x1E: "utf-16-be", 0x1C: "utf-32-be"}
_UTF8_TAGS: Final = frozenset({0x04, 0x0C, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1A})
_ESCAPES: Final = str.maketrans({c: "\\" + c for c in '\\"+,;<>'} | {"\0": "\\00"})
_TO_ESCAPE: Final = re.compile(r'["\\+,;<>\x00]|^[# ]| $', re.DOTALL)


class Name(NamedTuple):
    """A name as the evidence tells it. ``flaw`` says what in it is not as it should be; the rest is what could be read."""

    text: str | None
    sha256: bytes | None  # of the encoding
    common_name: str | None
    serial: str | None  # 2.5.4.5
    organisation: str | None
    flaw: str | None


def read(encoded: bytes) -> Name:
    """The name in these bytes (a whole SEQUENCE). Of attributes that stand more than once the last is kept apart.

    Raises DerError where not even the list of attributes can be seen.
    """
    return _remembered(encoded)


def escaped(value: str) -> str:
    """A value as RFC 4514 2.4 writes it."""
    if _TO_ESCAPE.search(value) is None:
        return value
    value = value.translate(_ESCAPES)
    if value[0] == "#" or (value[0] == " " and len(value) > 1):
        value = "\\" + value
    return value[:-1] + "\\ " if value[-1] == " " else value


def read_once(encoded: bytes) -> Name:
    """The same for a name that will not come again (a subject), so that remembering it would only push out others."""
    at, end = 2, len(encoded)
    if encoded[:1] != b"\x30" or encoded[1] != end - 2 or end > 0x81:
        tag, at, end = der.loose_header(encoded, 0, end)
        if tag != der.SEQUENCE:
            raise DerError(f"a name has tag 0x{tag:02X}")
    rdns: list[str] = []
    kept: dict[bytes, str] = {}
    flaw: str | None = None
    known = _parts.get
    while at < end:
        stop = at + 2 + encoded[at + 1] if at + 1 < end else at
        plain = encoded[at:stop]
        if stop <= end and (part := known(plain) or _plain(plain)) is not None:
            kind, value, text = part
            kept[kind] = value
            rdns.append(text)
            at = stop
            continue
        tag, start, at = der.loose_header(encoded, at, end)
        if tag != der.SET:
            raise DerError(f"a part of a name has tag 0x{tag:02X}")
        text, wrong = _rdn(encoded, start, at, kept)
        if text:
            rdns.append(text)
        flaw = flaw or wrong
    rdns.reverse()
    found = kept.get
    digest = hashlib.sha256(encoded).digest()
    told = ",".join(rdns), digest, found(b"\x55\x04\x03"), found(b"\x55\x04\x05"), found(b"\x55\x04\x0a"), flaw
    return tuple.__new__(Name, told)


_remembered = remembering(4096)(read_once)


def _plain(encoded: bytes) -> _Part | None:
    """Type, value and text of a relative distinguished name of the usual kind; None for any other.

    The usual kind is one attribute of 2.5.4.x with a short value in ASCII. All but the names of single things come again.
    """
    head = _heads.get(encoded[:11]) or _head(encoded)
    content = encoded[11:]
    if head is None or not content.isascii():
        return None
    kind, label = head
    value = content.decode("ascii")
    part = (kind, value, label + (value if value.isalnum() else escaped(value)))
    if kind not in _OF_ONE_THING and len(_parts) < _MOST_PARTS:
        _parts[encoded] = part
    return part


def _head(encoded: bytes) -> tuple[bytes, str] | None:
    """Type and label, if the first eleven bytes lead to such an attribute; there are some thousand such beginnings."""
    size = len(encoded) - 11
    if not 0 <= size <= 0x70 or encoded[4:8] != _X520 or encoded[9] not in _ASCII_TAGS or encoded[10] != size:
        return None
    label = _SHORT_X520.get(encoded[8])
    if label is None or encoded[:4] != bytes((der.SET, size + 9, der.SEQUENCE, size + 7)):
        return None
    _heads[encoded[:11]] = head = (encoded[6:9], label)
    return head


def _rdn(data: bytes, at: int, end: int, kept: dict[bytes, str]) -> tuple[str, str | None]:
    """Text of one relative distinguished name, and what is wrong with it."""
    if at >= end:
        return "", "a relative distinguished name is empty"
    parts: list[str] = []
    flaw: str | None = None
    while at < end:
        tag, start, at = der.loose_header(data, at, end)
        if tag != der.SEQUENCE:
            raise DerError(f"an attribute of a name has tag 0x{tag:02X}")
        tag, oid_start, oid_end = der.loose_header(data, start, at)
        if tag != der.OID:
            raise DerError("an attribute of a name has no type")
        kind = data[oid_start:oid_end]
        tag, value_start, value_end = der.loose_header(data, oid_end, at)
        value, wrong = _value(kind, tag, data[value_start:value_end])
        if value_end != at:
            wrong = wrong or "an attribute of a name has more than one value"
        flaw = flaw or wrong
        label = _SHORT.get(kind) or der.oid(kind)
        if isinstance(value, str):
            kept[kind] = value
            parts.append(f"{label}={escaped(value)}")
        else:
            parts.append(f"{label}=#{value.hex()}")
    if len(parts) > 1 and len(set(parts)) != len(parts):
        flaw = flaw or "a relative distinguished name has the same attribute twice"
    return "+".join(parts), flaw


def _value(kind: bytes, tag: int, content: bytes) -> tuple[str | bytes, str | None]:
    """An attribute's value: text, or bytes where it has none; and what is wrong with it."""
    if tag in _UTF8_TAGS:
        try:
            return content.decode(), None
        except UnicodeDecodeError:
            return content.decode("latin-1"), "a value of a name is not UTF-8; it was read as Latin-1"
    if codec := _CODECS.get(tag):
        try:
            return content.decode(codec), None
        except UnicodeDecodeError:
            return content.decode(codec, "replace"), f"a value of a name is not {codec.upper()}"
    if tag == der.BIT_STRING and kind == _UNIQUE_IDENTIFIER:
        return content, None
    return content, f"a value of a name has tag 0x{tag:02X}, which is no string"
