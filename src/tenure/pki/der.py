"""DER, element by element (X.690): headers, object identifiers, numbers and times. Pure; every failure is a DerError.

Reading never goes past the end it was given and never recurses, so its cost is bounded by the length of the input.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

SEQUENCE, SET, INTEGER, BOOLEAN, BIT_STRING, OCTET_STRING, NULL, OID = 0x30, 0x31, 0x02, 0x01, 0x03, 0x04, 0x05, 0x06
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18

Bytes = bytes | mmap.mmap
"""What is read: bytes, or a file mapped into memory."""

_OTHER_TIME = re.compile(rb"(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?(?:[.,]\d+)?(Z|[+-]\d{4})?")
_LONGEST_OID = 128


class DerError(ValueError):
    """These bytes are not the DER they should be; the message says what was expected."""


def header(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Tag, start and end of the content of the element at ``at``, whose whole lies before ``end``.

    Lengths must be definite and as short as they can be written, tags must be of the low form.
    """
    tag, start, stop = loose_header(data, at, end)
    size = stop - start
    if (size < 0x80) != (start - at == 2) or (size >= 0x80 and size < 1 << 8 * (start - at - 3)):
        raise DerError("a length is not written in its shortest form")
    return tag, start, stop


def loose_header(data: Bytes, at: int, end: int) -> tuple[int, int, int]:
    """The same for BER with definite lengths: a length may be written longer than it has to be."""
    if at + 2 > end:
        raise DerError("the data ends inside an element's header")
    tag = data[at]
    size = data[at + 1]
    start = at + 2
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= 8 or start + count > end:
            raise DerError("an element has an indefinite or cut length")
        size = int.from_bytes(data[start : start + count], "big")
        start += count
    if tag & 0x1F == 0x1F:
        raise DerError("an element has a tag of the high form")
    if start + size > end:
        raise DerError(f"an element of {size} bytes reaches past its end")
    return tag, start, start + size


def expect(data: bytes, at: int, end: int, tag: int, what: str) -> tuple[int, int]:
    """Start and end of the content of the element at ``at``, which must have this tag."""
    found, start, stop = header(data, at, end)
    if found != tag:
        raise DerError(f"{what} has tag 0x{found:02X} where 0x{tag:02X} belongs")
    return start, stop


def whole(data: bytes, tag: int, what: str) -> bytes:
    """The content of the one element that the data is."""
    start, stop = expect(data, 0, len(data), tag, what)
    if stop != len(data):
        raise DerError(f"{what} is followed by {len(data) - stop} bytes too many")
    return data[start:stop]


def elements(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Each element of a content: tag, start of its header, start and end of its content."""
    while at < end:
        tag, start, stop = header(data, at, end)
        yield tag, at, start, stop
        at = stop


def oid(content: bytes) -> str:
    """Dotted form of an object identifier."""
    if not content or content[-1] & 0x80 or len(content) > _LONGEST_OID:
        raise DerError("an object identifier is empty, cut or too long")
    arcs: list[int] = []
    value = 0
    fresh = True
    for byte in content:
        if fresh and byte == 0x80:
            raise DerError("an object identifier has an arc with leading zeros")
        value = value << 7 | byte & 0x7F
        fresh = not byte & 0x80
        if fresh:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def integer(content: bytes) -> int:
    """A number as DER writes it: two's complement in the fewest bytes."""
    if not content or (
        len(content) > 1 and ((content[0] == 0 and content[1] < 0x80) or (content[0] == 0xFF and content[1] > 0x7F))
    ):
        raise DerError("a number is empty or not written in its shortest form")
    return int.from_bytes(content, "big", signed=True)


def time(tag: int, content: bytes) -> datetime:
    """A time in the one form RFC 5280 4.1.2.5 allows: to the second, in UTC; two-digit years from 1950 to 2049."""
    if len(content) == 13 and tag == UTC_TIME:
        content = (b"19" if content >= b"5" else b"20") + content
    elif len(content) != 15 or tag != GENERALIZED_TIME:
        raise DerError("a time is not written as RFC 5280 4.1.2.5 asks")
    if not content[:14].isdigit() or content[14] != 0x5A:
        raise DerError("a time is not written as RFC 5280 4.1.2.5 asks")
    text = content.decode("ascii")
    try:
        return datetime.fromisoformat(f"{text[:8]}T{text[8:]}")
    except ValueError as error:
        raise DerError(f"a time names no moment: {error}") from None


def loose_time(tag: int, content: bytes) -> datetime:
    """A time in any form X.680 knows: without seconds, with fractions (dropped) or with an offset."""
    found = _OTHER_TIME.fullmatch(content)
    if found is None or len(found[1]) != (4 if tag == GENERALIZED_TIME else 2):
        raise DerError("a time is written in no form of X.680")
    year = int(found[1])
    if len(found[1]) == 2:
        year += 1900 if year >= 50 else 2000
    zone = found[7] or b"Z"
    offset = timedelta(0) if zone == b"Z" else timedelta(hours=int(zone[:3]), minutes=int(zone[:1] + zone[3:]))
    month, day, hour, minute, second = (int(part or 0) for part in found.group(2, 3, 4, 5, 6))
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=timezone(offset)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise DerError(f"a time names no moment: {error}") from None
