"""Certificate extensions, each read once: most of them stand byte for byte alike in every certificate of an issuer. Pure.

Beside what an extension says it is remembered whether the library has taken it, and which extensions stand together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from tenure.pki import der, general_names
from tenure.pki.der import DerError
from tenure.pki.extension_values import COLUMNS, PARSERS, Values

__all__ = ["COLUMNS", "Extension", "beyond_judgement", "join", "of_one_certificate", "read", "remembered"]

_SHA1_KEY_ID: Final = b"\x30\x1d\x06\x03\x55\x1d\x0e\x04\x16\x04\x14"
_CACHED_BYTES: Final = 2048
_MOST_REMEMBERED: Final = 8192


@dataclass(slots=True)
class Extension:
    """One extension, or a run of extensions that were seen to stand together.

    Equal bytes give the same object again while it is remembered. ``accepted`` is set on it, by whoever asked the library,
    once the library has taken these very bytes; then ``runs`` that begin with it may be added. Nothing else of it changes.
    """

    oid: bytes
    values: Values  # what it says, by index of COLUMNS
    flaw: str | None  # what is wrong in it
    column: str  # what it is about, for a problem's place
    kinds: int  # a bit for each type in it; 0 for a type that has none
    accepted: bool = False
    encoded: bytes = b""  # empty where it is not remembered
    members: tuple[Extension, ...] = ()  # of a run
    runs: tuple[Extension, ...] = ()  # that begin with this one, longest first


remembered: Final[dict[bytes, Extension]] = {}
"""Extensions read before, by their bytes: most stand alike in every certificate of an issuer. Bounded by ``read``."""

beyond_judgement: Final[set[bytes]] = {b"\x55\x1d\x0e", b"\x55\x1d\x11"}
"""Types to whose content the library has nothing to say: what it could object to is read here (SKI, SAN), or it does not
know the type. Whoever asks the library adds to it."""

_kinds: Final[dict[bytes, int]] = {}
_MOST_KINDS: Final = 512
_MOST_RUNS: Final = 8


def read(encoded: bytes) -> Extension:
    """The extension in these bytes (a whole SEQUENCE). Raises DerError where not even its type can be told."""
    if (known := remembered.get(encoded)) is not None:
        return known
    extension = _read(encoded)
    if len(encoded) <= _CACHED_BYTES and extension.oid not in beyond_judgement:
        if len(remembered) >= _MOST_REMEMBERED:
            remembered.clear()
        extension.encoded = encoded
        remembered[encoded] = extension
    return extension


def of_one_certificate(encoded: bytes, said: list[object]) -> Extension | None:
    """The extension if it is of a type whose value is another in every certificate, and of the usual form.

    Its value goes to ``said`` at once, what is returned is the type alone. None for any other.
    """
    if len(encoded) == 31 and encoded[:11] == _SHA1_KEY_ID:
        said[5] = encoded[11:]
        return _KEY_ID
    size = len(encoded)
    if (
        11 < size < 0x80
        and encoded[2:8] == _ALTERNATIVES
        and encoded[9] == der.SEQUENCE
        and (encoded[1], encoded[8], encoded[10]) == (size - 2, size - 9, size - 11)
        and (lines := general_names.plain(encoded, 11))
    ):
        said[4] = lines
        return _ALTERNATIVE_NAMES
    return None


def join(found: Iterable[Extension]) -> None:
    """Remember which accepted extensions of a certificate stand together, so that the next like it is read run by run."""
    for together, run in groupby(found, key=lambda extension: extension.accepted and extension.encoded != b""):
        members = tuple(run)
        first = members[0]
        if not together or len(members) < 2 or len(first.runs) >= _MOST_RUNS:
            continue
        encoded = b"".join(member.encoded for member in members)
        values = tuple(value for member in members for value in member.values)
        kinds = 0
        for member in members:
            kinds |= member.kinds
        if kinds.bit_count() == len(members) and encoded not in {known.encoded for known in first.runs}:
            joined = Extension(b"", values, None, "extensions", kinds, True, encoded, members)
            first.runs = tuple(sorted((*first.runs, joined), key=lambda known: -len(known.encoded)))


def _kind(oid: bytes) -> int:
    """The bit of a type. Types beyond the first few hundred have none: who needs to tell them apart compares them."""
    if (bit := _kinds.get(oid)) is None:
        bit = 1 << len(_kinds) if len(_kinds) < _MOST_KINDS else 0
        if bit:
            _kinds[oid] = bit
    return bit


def _read(encoded: bytes) -> Extension:
    oid, tag, start, stop, end = _opened(encoded)
    column, parse = PARSERS.get(oid, ("extensions", None))
    kind = _kind(oid)
    if tag != der.OCTET_STRING or stop != end:
        return Extension(oid, (), "an extension's value is no OCTET STRING", column, kind)
    if parse is None:
        return Extension(oid, (), None, column, kind, accepted=oid in beyond_judgement)
    try:
        values, flaw = parse(encoded[start:stop])
    except DerError as error:
        return Extension(oid, (), str(error), column, kind)
    return Extension(oid, values, flaw, column, kind, accepted=flaw is None and oid in beyond_judgement)


def _opened(encoded: bytes) -> tuple[bytes, int, int, int, int]:
    """Type of an extension; tag, start and end of its value; end of the whole."""
    tag, at, end = der.loose_header(encoded, 0, len(encoded))
    if tag != der.SEQUENCE:
        raise DerError(f"an extension has tag 0x{tag:02X}")
    start, at = der.expect(encoded, at, end, der.OID, "an extension's type")
    oid = encoded[start:at]
    if len(oid) > 128:
        raise DerError("an extension's type is too long")
    tag, start, stop = der.header(encoded, at, end)
    if tag == der.BOOLEAN:
        tag, start, stop = der.header(encoded, stop, end)
    return oid, tag, start, stop, end


_ALTERNATIVES: Final = b"\x06\x03\x55\x1d\x11\x04"
_KEY_ID: Final = Extension(b"\x55\x1d\x0e", (), None, "subject_key_id", _kind(b"\x55\x1d\x0e"), True)
_ALTERNATIVE_NAMES: Final = Extension(b"\x55\x1d\x11", (), None, "subject_alt_names", _kind(b"\x55\x1d\x11"), True)
