"""Certificates inside any binary: firmware, UEFI variable stores, shared objects, PE files, key stores. Pure.

A hit has to look like a whole certificate from its first byte to its last: nested lengths that fit, times where times
belong, an algorithm and a signature that end where the certificate ends. What merely begins like one is no hit and no
problem, since any program that knows certificates holds such bytes. Each candidate costs a bounded number of steps and no
copying, so hostile input costs time in proportion to its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenure.pki import der
from tenure.pki.der import Bytes, DerError

LARGEST = 65_539
"""Bytes of the largest certificate that is found inside other data (two bytes of length)."""

_START = re.compile(rb"\x30(?:\x82..|\x81.)\x30(?:\x82..|\x81.)(?:\xa0\x03\x02\x01[\x00-\x0f])?\x02[\x01-\x40]", re.DOTALL)


def carve(data: Bytes) -> Iterator[tuple[int, bytes]]:
    """Offset and bytes of each certificate in DER that lies in the data, in order."""
    at = 0
    while (found := _START.search(data, at)) is not None:
        at = found.start()
        end = certificate_end(data, at)
        if end:
            yield at, bytes(data[at:end])
            at = end
        else:
            at += 1


def certificate_end(data: Bytes, at: int) -> int:
    """Where the certificate that begins here ends; 0 where none does."""
    try:
        tag, start, end = der.loose_header(data, at, min(at + LARGEST, len(data)))
        _want(tag == der.SEQUENCE)
        tag, start, stop = der.loose_header(data, start, end)
        _want(tag == der.SEQUENCE)
        _signed_part(data, start, stop)
        stop = _identified(data, stop, end)
        tag, start, stop = der.loose_header(data, stop, end)
        _want(tag == der.BIT_STRING and stop == end and stop > start)
    except DerError:
        return 0
    return end


def _signed_part(data: Bytes, at: int, end: int) -> None:
    """Raises DerError unless the content is that of a TBSCertificate."""
    tag, start, stop = der.loose_header(data, at, end)
    if tag == 0xA0:
        tag, start, stop = der.loose_header(data, stop, end)
    _want(tag == der.INTEGER and 1 <= stop - start <= 64)
    at = _sequence(data, _identified(data, stop, end), end)
    tag, start, stop = der.loose_header(data, at, end)
    _want(tag == der.SEQUENCE)
    start = _time(data, start, stop)
    _want(_time(data, start, stop) == stop)
    at = _sequence(data, stop, end)
    tag, start, stop = der.loose_header(data, at, end)
    _want(tag == der.SEQUENCE)
    tag, start, last = der.loose_header(data, _identified(data, start, stop), stop)
    _want(tag == der.BIT_STRING and last == stop and last > start)
    for _ in range(3):
        if stop < end:
            tag, start, stop = der.loose_header(data, stop, end)
            _want(tag in (0xA1, 0x81, 0xA2, 0x82, 0xA3))
    _want(stop == end)


def _want(holds: bool) -> None:
    if not holds:
        raise DerError("no certificate")


def _sequence(data: Bytes, at: int, end: int) -> int:
    tag, _, stop = der.loose_header(data, at, end)
    _want(tag == der.SEQUENCE)
    return stop


def _identified(data: Bytes, at: int, end: int) -> int:
    """End of a SEQUENCE that begins with an object identifier."""
    tag, start, stop = der.loose_header(data, at, end)
    _want(tag == der.SEQUENCE)
    tag, first, last = der.loose_header(data, start, stop)
    _want(tag == der.OID and 0 < last - first <= 64)
    return stop


def _time(data: Bytes, at: int, end: int) -> int:
    tag, start, stop = der.loose_header(data, at, end)
    _want(tag in (der.UTC_TIME, der.GENERALIZED_TIME) and 11 <= stop - start <= 23 and data[start : start + 10].isdigit())
    return stop
