"""What stands in the extensions that the evidence keeps (RFC 5280 4.2): their values, type by type. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tenure.pki import der, general_names
from tenure.pki.der import DerError

COLUMNS: Final = (
    "is_ca", "path_length", "key_usage", "extended_key_usage", "subject_alt_names", "subject_key_id",
    "authority_key_id", "crl_urls", "ocsp_urls", "hardware_module_serial",
)  # fmt: skip
_KEY_USAGE: Final = (
    "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign",
    "cRLSign", "encipherOnly", "decipherOnly",
)  # fmt: skip
_OCSP: Final = b"\x2b\x06\x01\x05\x05\x07\x30\x01"

Values = tuple[tuple[int, object], ...]
"""What an extension says, by index of COLUMNS."""


def _basic_constraints(value: bytes) -> tuple[Values, str | None]:
    inside = der.whole(value, der.SEQUENCE, "basicConstraints")
    authority, length = False, None
    for tag, _, start, stop in der.elements(inside, 0, len(inside)):
        if tag == der.BOOLEAN:
            authority = inside[start:stop] not in (b"\x00", b"")
        elif tag == der.INTEGER:
            length = der.integer(inside[start:stop])
    if length is not None and not 0 <= length < 1 << 31:
        return ((0, authority),), "pathLenConstraint is out of range"
    return ((0, authority), (1, length)), None


def _key_usage(value: bytes) -> tuple[Values, str | None]:
    bits = der.whole(value, der.BIT_STRING, "keyUsage")
    mask = int.from_bytes(bits[1:3].ljust(2, b"\0"), "big")
    return ((2, " ".join(name for i, name in enumerate(_KEY_USAGE) if mask >> 15 - i & 1)),), None


def _extended_key_usage(value: bytes) -> tuple[Values, str | None]:
    inside = der.whole(value, der.SEQUENCE, "extendedKeyUsage")
    oids: list[str] = []
    for tag, _, start, stop in der.elements(inside, 0, len(inside)):
        if tag != der.OID:
            raise DerError("extendedKeyUsage holds something that is no object identifier")
        oids.append(der.oid(inside[start:stop]))
    return ((3, " ".join(oids)),), None


def _subject_alt_names(value: bytes) -> tuple[Values, str | None]:
    start, stop = der.expect(value, 0, len(value), der.SEQUENCE, "subjectAltName")
    if stop != len(value):
        raise DerError("subjectAltName is followed by bytes too many")
    found = general_names.read(value, start, stop)
    flaw = found.flaw or (None if found.lines else "subjectAltName holds no name")
    return ((4, "\n".join(found.lines)), (9, found.hardware_serial)), flaw


def _subject_key_id(value: bytes) -> tuple[Values, str | None]:
    return ((5, der.whole(value, der.OCTET_STRING, "subjectKeyIdentifier")),), None


def _authority_key_id(value: bytes) -> tuple[Values, str | None]:
    inside = der.whole(value, der.SEQUENCE, "authorityKeyIdentifier")
    found = None
    flaw = None
    for tag, _, start, stop in der.elements(inside, 0, len(inside)):
        if tag == 0x80:
            found = inside[start:stop]
        elif tag not in (0xA1, 0x82):
            flaw = f"authorityKeyIdentifier holds an element with tag 0x{tag:02X}"
    return ((6, found),), flaw


def _distribution_points(value: bytes) -> tuple[Values, str | None]:
    """Addresses of CRLs: the URIs of each point's fullName."""
    inside = der.whole(value, der.SEQUENCE, "cRLDistributionPoints")
    urls: list[str] = []
    flaw: str | None = None
    for _, _, start, stop in der.elements(inside, 0, len(inside)):
        for tag, _, first, last in der.elements(inside, start, stop):
            if tag != 0xA0:
                continue
            for form, _, here, there in der.elements(inside, first, last):
                if form == 0xA0:
                    found = general_names.read(inside, here, there)
                    urls += [text[4:] for text in found.lines if text.startswith("uri:")]
                    flaw = flaw or found.flaw
    return ((7, "\n".join(urls) or None),), flaw


def _authority_information(value: bytes) -> tuple[Values, str | None]:
    """Addresses of OCSP responders."""
    inside = der.whole(value, der.SEQUENCE, "authorityInfoAccess")
    urls: list[str] = []
    flaw: str | None = None
    for _, _, start, stop in der.elements(inside, 0, len(inside)):
        first, last = der.expect(inside, start, stop, der.OID, "an access method")
        found = general_names.read(inside, last, stop)
        flaw = flaw or found.flaw
        if inside[first:last] == _OCSP:
            urls += [text[4:] for text in found.lines if text.startswith("uri:")]
    return ((8, "\n".join(urls) or None),), flaw


PARSERS: Final[dict[bytes, tuple[str, Callable[[bytes], tuple[Values, str | None]]]]] = {
    b"\x55\x1d\x13": ("is_ca", _basic_constraints),
    b"\x55\x1d\x0f": ("key_usage", _key_usage),
    b"\x55\x1d\x25": ("extended_key_usage", _extended_key_usage),
    b"\x55\x1d\x11": ("subject_alt_names", _subject_alt_names),
    b"\x55\x1d\x0e": ("subject_key_id", _subject_key_id),
    b"\x55\x1d\x23": ("authority_key_id", _authority_key_id),
    b"\x55\x1d\x1f": ("crl_urls", _distribution_points),
    b"\x2b\x06\x01\x05\x05\x07\x01\x01": ("ocsp_urls", _authority_information),
}
"""By type: what it is about (a column, for a problem's place), and what reads its value."""
