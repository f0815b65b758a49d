"""Identifiers in one notation each, so that equal things are equal text. Pure; never guesses (returns None instead)."""

from __future__ import annotations

import re
import unicodedata

_SPACE = re.compile(r"\s+")
_EDGE = re.compile(r"^[\s\ufeff]+|[\s\ufeff]+$")
_MAC_SEPARATORS = re.compile(r"[:\-. ]")
_SERIAL_NOISE = re.compile(r"[\s\u00a0]+")
_NAME_SEPARATORS = re.compile(r"[-_.\s\ufeff]+")
_LEGAL_FORM = re.compile(r"[,.]?\s+(inc|llc|ltd|gmbh|ag|ab|sa|s\.a|co|corp|corporation|company|bv|oy|as|spa|kg|plc)\.?$")

PLACEHOLDER_SERIALS = frozenset(
    {
        "TOBEFILLEDBYOEM", "TOBEFILLEDBYO.E.M.", "DEFAULTSTRING", "SYSTEMSERIALNUMBER", "NOTSPECIFIED", "NOTAPPLICABLE",
        "NONE", "NULL", "NA", "N/A", "NIL", "UNKNOWN", "UNDEFINED", "TBD", "TODO", "TEST", "SERIAL", "SERIALNUMBER",
        "SN", "-", "--", "?", "X", "XX", "XXX", "XXXX", "XXXXXXXX", "CHANGEME", "EMPTY", "INVALID", "DUMMY", "SAMPLE",
        "0123456789", "123456789", "1234567890", "12345678", "1234567", "123456", "12345", "1234", "ABCDEF", "ABC123",
        "DEADBEEF", "00000000", "FFFFFFFF",
    }
)  # fmt: skip
"""Serial values that makers and importers leave in place of a serial: they name no device."""


def trimmed(text: str | None) -> str | None:
    """The text without surrounding white space (NBSP too); None for nothing."""
    if text is None:
        return None
    if text.isascii():
        return text.strip() or None
    return _EDGE.sub("", unicodedata.normalize("NFC", text)) or None


def serial(text: str | None, *, strip_zeros: bool = True) -> str | None:
    """A serial in one notation: upper case, no white space; all-digit serials without leading zeros.

    Spreadsheets drop leading zeros of numbers, so ``0048154247`` and ``48154247`` of one maker are one serial unless
    the declarations say that the maker's zeros are significant (``strip_zeros=False``). None for nothing.
    """
    if (text := trimmed(text)) is None:
        return None
    value = _composed(_SERIAL_NOISE.sub("", text).upper())
    if strip_zeros and value.isascii() and value.isdigit():
        value = value.lstrip("0") or "0"
    return value


def placeholder_serial(value: str) -> bool:
    """Whether a normalised serial is one that names no device: known fillers, or one character over and over."""
    return value in PLACEHOLDER_SERIALS or len(set(value.replace("-", ""))) <= 1


def mac(text: str | None) -> str | None:
    """A MAC (EUI-48) as 12 lower-case hex digits from any usual notation; None for nothing or for what is no MAC.

    All zeros, broadcast and other group addresses are nobody's: None.
    """
    if (text := trimmed(text)) is None:
        return None
    value = _MAC_SEPARATORS.sub("", text).lower()
    if len(value) != 12 or any(c not in "0123456789abcdef" for c in value):
        return None
    if value == "0" * 12 or int(value[:2], 16) & 1:
        return None
    return value


def maker(text: str | None) -> str | None:
    """A manufacturer's name in one notation: case folded, legal form dropped (``Klimatec GmbH`` = ``KLIMATEC``)."""
    if (text := trimmed(text)) is None:
        return None
    value = _composed(_SPACE.sub(" ", text).casefold())
    while (shorter := _LEGAL_FORM.sub("", value)) != value and shorter:
        value = shorter
    return value.strip(" .,\ufeff") or None


def name(text: str | None) -> str | None:
    """A host name or label in one notation: case folded, runs of ``- _ . space`` are one dash."""
    if (text := trimmed(text)) is None:
        return None
    return _NAME_SEPARATORS.sub("-", _composed(text.casefold())).strip("-") or None


def _composed(text: str) -> str:
    """What changing the case took apart, together again."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def serial_hex(number: int) -> str:
    """A certificate's serial number in the notation of the evidence: upper-case hex, no leading zeros."""
    return f"-{-number:X}" if number < 0 else f"{number:X}"


def serial_hex_text(text: str) -> str | None:
    """A hex serial from a log (``0A:1b``, ``0x0A1B``, spaces) in the same notation; None where it is not hex."""
    value = re.sub(r"[:\s]", "", text.strip())
    value = value[2:] if value[:2].lower() == "0x" else value
    try:
        return serial_hex(int(value, 16))
    except ValueError:
        return None
