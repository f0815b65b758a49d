"""Certificates in a PKCS#7 / CMS SignedData (RFC 5652 5.1): what .p7b files and EST responses are. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from tenure.pki import der

_SIGNED_DATA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"


def is_signed_data(data: bytes) -> bool:
    """Whether the bytes begin a ContentInfo of SignedData, in DER or BER."""
    return data[:1] == b"\x30" and data.find(b"\x06\x09" + _SIGNED_DATA, 0, 24) > 0


def certificates(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and bytes of each member of ``certificates``. Raises DerError where the DER does not lead there (BER, or cut)."""
    inside = data[slice(*der.expect(data, 0, len(data), der.SEQUENCE, "PKCS#7"))]
    start, stop = der.expect(inside, 0, len(inside), der.OID, "the content type")
    start, stop = der.expect(inside, stop, len(inside), 0xA0, "the content")
    start, end = der.expect(inside, start, stop, der.SEQUENCE, "SignedData")
    for tag, _, first, last in der.elements(inside, start, end):
        if tag == 0xA0:
            for member, at, _, there in der.elements(inside, first, last):
                yield member, inside[at:there]
