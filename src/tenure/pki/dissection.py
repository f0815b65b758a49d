"""A certificate taken apart into the byte strings of its parts (RFC 5280 4.1), as far as its DER goes. Pure, never raises."""

from __future__ import annotations

from dataclasses import dataclass

from tenure.pki import der
from tenure.pki.der import DerError


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
