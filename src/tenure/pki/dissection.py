"""A certificate taken apart into the byte strings of its parts (RFC 5280 4.1), as far as its DER goes. Pure, never raises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tenure.pki import der
from tenure.pki.der import DerError

_LONG: Final = b"\x30\x82"
_VERSION_3: Final = b"\xa0\x03\x02\x01\x02\x02"
_TIMES: Final = (der.UTC_TIME, der.GENERALIZED_TIME)
_VALIDITIES: Final = frozenset({b"\x1e\x17\x0d", b"\x20\x17\x0d", b"\x22\x18\x0f", b"\x20\x18\x0f"})
"""Length of the validity, tag and length of its first time, where both times have their usual lengths."""


@dataclass(slots=True)
class Dissection:
    """A certificate taken apart. Parts that could not be reached are empty; ``flaw`` says where the walk ended and why."""

    tbs: bytes = b""  # what is signed, header and all
    version: int | None = None
    serial: bytes = b""
    inner_algorithm: bytes = b""
    issuer: bytes = b""
    not_before: tuple[int, bytes] = (0, b"")
    not_after: tuple[int, bytes] = (0, b"")
    subject: bytes = b""
    spki: bytes = b""
    extensions: bytes = b""  # the content of Extensions
    algorithm: bytes = b""
    signature: bytes = b""
    flaw: tuple[str, str] | None = None  # field, reason
    plausible: bool = False  # enough was seen to call it a certificate
    size: int = 0  # of the outer element


def dissect(data: bytes) -> Dissection:
    """The parts of the certificate that the data begins with. Never raises; a cut certificate gives the parts before the cut."""
    ends = ordinary(data)
    if ends is None:
        return _any(data)
    serial, algorithm, issuer, before, validity, subject, spki, extensions, tbs, outer, signature = ends
    return Dissection(
        data[4:tbs], 3, data[15:serial], data[serial:algorithm], data[algorithm:issuer],
        (data[issuer + 2], data[issuer + 4 : before]), (data[before], data[before + 2 : validity]),
        data[validity:subject], data[subject:spki], data[extensions:tbs], data[tbs:outer], data[signature + 1 :],
        None, True, len(data),
    )  # fmt: skip


Ends = tuple[int, int, int, int, int, int, int, int, int, int, int]


def ordinary(data: bytes) -> Ends | None:
    """Where the parts of a certificate end, if it has the form nearly all have: version 3, up to 64 KiB, no unique ids.

    Ends of serial (begins at 15), inner algorithm, issuer, notBefore (its content begins 4 after the issuer), validity, subject,
    key; where the content of the extensions begins; ends of the signed part and of the outer algorithm; where the content of
    the signature begins. None for any other form and where anything follows. Positions only grow and have to meet the ends
    told outside, so no part reaches out of its whole.
    """
    size = len(data)
    if data[:2] != _LONG or data[4:6] != _LONG or data[8:14] != _VERSION_3:
        return None
    try:
        tbs = 8 + (data[6] << 8 | data[7])
        if 4 + (data[2] << 8 | data[3]) != size or tbs > size or not 0 < data[14] < 0x80:
            return None
        serial = 15 + data[14]
        algorithm = _after(data, serial)
        issuer = _after(data, algorithm)
        if data[issuer] != der.SEQUENCE or data[issuer + 1 : issuer + 4] not in _VALIDITIES:
            return None
        before = issuer + 4 + data[issuer + 3]
        validity = issuer + 2 + data[issuer + 1]
        if before + 2 + data[before + 1] != validity or data[before] not in _TIMES:
            return None
        subject = _after(data, validity)
        spki = extensions = _after(data, subject)
        if spki < tbs:
            extensions = _inside(data, _inside(data, spki, 0xA3, tbs), der.SEQUENCE, tbs)
        outer = _after(data, tbs)
        signature = _inside(data, outer, der.BIT_STRING, size)
        if signature == size or spki > tbs:
            return None
    except IndexError:
        return None
    return serial, algorithm, issuer, before, validity, subject, spki, extensions, tbs, outer, signature


def _after(data: bytes, at: int) -> int:
    """Where the SEQUENCE at a position ends. Raises IndexError where there is none of the usual form."""
    size = data[at + 1]
    if data[at] != der.SEQUENCE:
        raise IndexError
    if size < 0x80:
        return at + 2 + size
    if size == 0x81:
        return at + 3 + data[at + 2]
    if size == 0x82:
        return at + 4 + (data[at + 2] << 8 | data[at + 3])
    raise IndexError


def _inside(data: bytes, at: int, tag: int, end: int) -> int:
    """Where the content of the element at a position begins, which has to end at ``end``. Raises IndexError where it does not."""
    size = data[at + 1]
    start = at + 2
    if size >= 0x80:
        if size > 0x82:
            raise IndexError
        start += size - 0x80
        size = data[at + 2] if size == 0x81 else data[at + 2] << 8 | data[at + 3]
    if data[at] != tag or start + size != end:
        raise IndexError
    return start


def _any(data: bytes) -> Dissection:
    parts = Dissection()
    field = "certificate"
    try:
        at, end = _enter(data, 0, len(data), parts)
        parts.size = end
        begin = at
        at, stop = _enter(data, at, end, parts)
        field = _tbs(data, at, stop, parts)
        if field:
            return parts
        parts.tbs = data[begin:stop]
        field = "signature_algorithm"
        tag, _, after = der.loose_header(data, stop, end)
        parts.algorithm = data[stop:after]
        field = "signature"
        tag, start, after = der.loose_header(data, after, end)
        if tag != der.BIT_STRING or start == after or after != end:
            raise DerError("the signature is not one BIT STRING at the end")
        parts.signature = data[start + 1 : after]
    except DerError as error:
        parts.flaw = parts.flaw or (field, str(error))
    return parts


def _enter(data: bytes, at: int, end: int, parts: Dissection) -> tuple[int, int]:
    """Content of a SEQUENCE, cut to what is there: a certificate that lost its end is still read up to there."""
    if at + 2 > end or data[at] != der.SEQUENCE:
        raise DerError("there is no SEQUENCE")
    try:
        _, start, stop = der.loose_header(data, at, end)
    except DerError as error:
        if data[at + 1] < 0x80:
            start = at + 2
        elif 0x81 <= data[at + 1] <= 0x88:
            start = at + 2 + (data[at + 1] & 0x7F)
        else:
            raise
        parts.flaw = parts.flaw or ("certificate", str(error))
        stop = end
    return start, stop


def _tbs(data: bytes, at: int, end: int, parts: Dissection) -> str:
    """Take apart the signed part; gives the name of the field at which it could not go on, or nothing."""
    field = "version"
    try:
        tag, start, stop = der.loose_header(data, at, end)
        explicit = tag == 0xA0
        if explicit:
            first, last = der.expect(data, start, stop, der.INTEGER, "the version")
            parts.version = min(int.from_bytes(data[first:last], "big", signed=True), 1 << 30) + 1
            tag, start, stop = der.loose_header(data, stop, end)
        else:
            parts.version = 1
        field = "serial_hex"
        if tag != der.INTEGER or start == stop:
            raise DerError("the serial number is no number")
        parts.serial = data[start:stop]
        field = "signature_algorithm"
        at = _sequence(data, stop, end, "the algorithm")
        parts.inner_algorithm = data[stop:at]
        parts.plausible = explicit
        field = "issuer"
        stop = _sequence(data, at, end, "the issuer")
        parts.issuer = data[at:stop]
        field = "not_before"
        at = _sequence(data, stop, end, "the validity")
        _, start, _ = der.loose_header(data, stop, end)
        tag, first, last = der.loose_header(data, start, at)
        if tag not in (der.UTC_TIME, der.GENERALIZED_TIME):
            raise DerError("notBefore is no time")
        parts.plausible, parts.not_before = True, (tag, data[first:last])
        field = "not_after"
        tag, first, last = der.loose_header(data, last, at)
        parts.not_after = tag, data[first:last]
        field = "subject"
        stop = _sequence(data, at, end, "the subject")
        parts.subject = data[at:stop]
        field = "spki_sha256"
        at = _sequence(data, stop, end, "the public key")
        parts.spki = data[stop:at]
        field = "extensions"
        while at < end:
            tag, start, at = der.loose_header(data, at, end)
            if tag == 0xA3:
                first, last = der.expect(data, start, at, der.SEQUENCE, "the list of extensions")
                parts.extensions = data[first:last]
    except DerError as error:
        parts.flaw = parts.flaw or (field, str(error))
        return field
    return ""


def _sequence(data: bytes, at: int, end: int, what: str) -> int:
    tag, _, stop = der.loose_header(data, at, end)
    if tag != der.SEQUENCE:
        raise DerError(f"{what} has tag 0x{tag:02X}")
    return stop
