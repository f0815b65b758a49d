"""Certificate extensions (RFC 5280 4.2): the ones whose content the evidence keeps. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
_SHA1_KEY_ID: Final = b"\x30\x1d\x06\x03\x55\x1d\x0e\x04\x16\x04\x14"
_CACHED_BYTES: Final = 2048
_MOST_REMEMBERED: Final = 8192

Values = tuple[tuple[int, object], ...]


@dataclass(slots=True)
class Extension:
    """One extension. ``values`` are what it says, by index of COLUMNS; ``flaw`` is what is wrong in it.

    Equal bytes give the same object again while it is remembered: ``accepted`` is set on it, by whoever asked the library,
    once the library has taken these very bytes; nothing else of it ever changes.
    """

    oid: bytes
    values: Values
    flaw: str | None
    column: str  # what it is about, for a problem's place
    accepted: bool = False


remembered: Final[dict[bytes, Extension]] = {}
"""Extensions read before, by their bytes: most stand alike in every certificate of an issuer. Bounded by ``read``."""

beyond_judgement: Final[set[bytes]] = {b"\x55\x1d\x0e", b"\x55\x1d\x11"}
"""Types to whose content the library has nothing to say: what it could object to is read here (SKI, SAN), or it does not
know the type. Whoever asks the library adds to it."""


def read(encoded: bytes) -> Extension:
    """The extension in these bytes (a whole SEQUENCE). Raises DerError where not even its type can be told."""
    if (known := remembered.get(encoded)) is not None:
        return known
    if len(encoded) == 31 and encoded[:11] == _SHA1_KEY_ID:
        return Extension(b"\x55\x1d\x0e", ((5, encoded[11:]),), None, "subject_key_id", True)
    extension = _read(encoded)
    if len(encoded) <= _CACHED_BYTES and extension.oid not in beyond_judgement:
        if len(remembered) >= _MOST_REMEMBERED:
            remembered.clear()
        remembered[encoded] = extension
    return extension


def _read(encoded: bytes) -> Extension:
    kind, tag, start, stop, end = _opened(encoded)
    column, parse = _PARSERS.get(kind, ("extensions", None))
    if tag != der.OCTET_STRING or stop != end:
        return Extension(kind, (), "an extension's value is no OCTET STRING", column)
    if parse is None:
        return Extension(kind, (), None, column, accepted=kind in beyond_judgement)
    try:
        values, flaw = parse(encoded[start:stop])
    except DerError as error:
        return Extension(kind, (), str(error), column)
    return Extension(kind, values, flaw, column, accepted=flaw is None and kind in beyond_judgement)


def _opened(encoded: bytes) -> tuple[bytes, int, int, int, int]:
    """Type of an extension; tag, start and end of its value; end of the whole."""
    _, at, end = der.loose_header(encoded, 0, len(encoded))
    start, at = der.expect(encoded, at, end, der.OID, "an extension's type")
    kind = encoded[start:at]
    if len(kind) > 128:
        raise DerError("an extension's type is too long")
    tag, start, stop = der.header(encoded, at, end)
    if tag == der.BOOLEAN:
        tag, start, stop = der.header(encoded, stop, end)
    return kind, tag, start, stop, end


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


_PARSERS: Final[dict[bytes, tuple[str, Callable[[bytes], tuple[Values, str | None]]]]] = {
    b"\x55\x1d\x13": ("is_ca", _basic_constraints),
    b"\x55\x1d\x0f": ("key_usage", _key_usage),
    b"\x55\x1d\x25": ("extended_key_usage", _extended_key_usage),
    b"\x55\x1d\x11": ("subject_alt_names", _subject_alt_names),
    b"\x55\x1d\x0e": ("subject_key_id", _subject_key_id),
    b"\x55\x1d\x23": ("authority_key_id", _authority_key_id),
    b"\x55\x1d\x1f": ("crl_urls", _distribution_points),
    b"\x2b\x06\x01\x05\x05\x07\x01\x01": ("ocsp_urls", _authority_information),
}
