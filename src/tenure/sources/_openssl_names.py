"""Distinguished names as OpenSSL prints them (``-nameopt RFC2253``; Zeek logs them so) into the text of the evidence.

Same order of the names' parts, but: short names of attributes that RFC 4514 has no short name for become their object
identifiers, bytes written as ``\\C3\\BC`` become the characters they are, a value dumped as ``#0C05...`` becomes its text, and
the parts of one relative name stand in the order of the encoding (OpenSSL turns them round). So the name of a certificate
is the same text whether it was read from the certificate or from a log.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from tenure.pki.names import escaped

_RFC4514: Final = {
    "2.5.4.3": "CN", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.6": "C", "2.5.4.9": "STREET",
    "0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID",
}  # fmt: skip
_OIDS: Final = {
    "CN": "2.5.4.3", "SN": "2.5.4.4", "serialNumber": "2.5.4.5", "C": "2.5.4.6", "L": "2.5.4.7", "ST": "2.5.4.8",
    "street": "2.5.4.9", "STREET": "2.5.4.9", "O": "2.5.4.10", "OU": "2.5.4.11", "title": "2.5.4.12", "description": "2.5.4.13",
    "searchGuide": "2.5.4.14", "businessCategory": "2.5.4.15", "postalAddress": "2.5.4.16", "postalCode": "2.5.4.17",
    "postOfficeBox": "2.5.4.18", "physicalDeliveryOfficeName": "2.5.4.19", "telephoneNumber": "2.5.4.20",
    "telexNumber": "2.5.4.21", "facsimileTelephoneNumber": "2.5.4.23", "x121Address": "2.5.4.24", "member": "2.5.4.31",
    "owner": "2.5.4.32", "roleOccupant": "2.5.4.33", "seeAlso": "2.5.4.34", "name": "2.5.4.41", "GN": "2.5.4.42",
    "initials": "2.5.4.43", "generationQualifier": "2.5.4.44", "x500UniqueIdentifier": "2.5.4.45", "dnQualifier": "2.5.4.46",
    "houseIdentifier": "2.5.4.51", "dmdName": "2.5.4.54", "pseudonym": "2.5.4.65", "role": "2.5.4.72",
    "organizationIdentifier": "2.5.4.97", "countryCode3c": "2.5.4.98", "countryCode3n": "2.5.4.99", "c3": "2.5.4.98",
    "n3": "2.5.4.99", "dnsName": "2.5.4.100",
    "emailAddress": "1.2.840.113549.1.9.1", "unstructuredName": "1.2.840.113549.1.9.2",
    "challengePassword": "1.2.840.113549.1.9.7", "unstructuredAddress": "1.2.840.113549.1.9.8",
    "friendlyName": "1.2.840.113549.1.9.20",
    "DC": "0.9.2342.19200300.100.1.25", "UID": "0.9.2342.19200300.100.1.1", "mail": "0.9.2342.19200300.100.1.3",
    "info": "0.9.2342.19200300.100.1.4", "host": "0.9.2342.19200300.100.1.9",
    "jurisdictionL": "1.3.6.1.4.1.311.60.2.1.1", "jurisdictionST": "1.3.6.1.4.1.311.60.2.1.2",
    "jurisdictionC": "1.3.6.1.4.1.311.60.2.1.3", "jurisdictionLocalityName": "1.3.6.1.4.1.311.60.2.1.1",
    "jurisdictionStateOrProvinceName": "1.3.6.1.4.1.311.60.2.1.2", "jurisdictionCountryName": "1.3.6.1.4.1.311.60.2.1.3",
    "INN": "1.2.643.3.131.1.1", "OGRN": "1.2.643.100.1", "SNILS": "1.2.643.100.3",
}  # fmt: skip
_ATTRIBUTE = re.compile(r"([A-Za-z][A-Za-z0-9]*|\d+(?:\.\d+)+)=((?:[^\\,+]|\\[0-9A-Fa-f]{2}|\\.)*)([,+]|$)", re.S)
_ESCAPE = re.compile(rb"\\([0-9A-Fa-f]{2})|\\(.)", re.S)
_CODECS: Final = {0x1E: "utf-16-be", 0x1C: "utf-32-be", 0x14: "latin-1"}
_UTF8_TAGS: Final = frozenset({0x04, 0x0C, 0x12, 0x13, 0x16, 0x17, 0x18, 0x1A})


class Name(NamedTuple):
    """A name in the text of the evidence, and the attributes that stand apart there (the last of each, as encoded)."""

    text: str
    common_name: str | None
    serial: str | None
    organisation: str | None


@lru_cache(maxsize=4096)
def read(text: str) -> Name | None:
    """The name that OpenSSL printed so; None where the text is no such name or an attribute in it has an unknown name."""
    names: list[str] = []
    kept: dict[str, str] = {}
    parts: list[str] = []
    at = 0
    while at < len(text):
        match = _ATTRIBUTE.match(text, at)
        oid = _OIDS.get(match[1], match[1]) if match else ""
        if match is None or not oid[0].isdigit() or (match[3] and match.end() == len(text)):
            return None
        value = _value(match[2])
        if isinstance(value, str):
            kept.setdefault(oid, value)  # printed from the last to the first
            value = escaped(value)
        else:
            value = f"#{value.hex()}"
        parts.append(f"{_RFC4514.get(oid, oid)}={value}")
        at = match.end()
        if match[3] != "+":
            names.append("+".join(reversed(parts)))
            parts.clear()
    return Name(",".join(names), kept.get("2.5.4.3"), kept.get("2.5.4.5"), kept.get("2.5.4.10"))


def _value(written: str) -> str | bytes:
    if re.fullmatch(r"#(?:[0-9A-Fa-f]{2}){2,}", written):
        return _dumped(bytes.fromhex(written[1:]))
    raw = _ESCAPE.sub(lambda m: bytes.fromhex(m[1].decode()) if m[1] else m[2], written.encode())
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _dumped(encoded: bytes) -> str | bytes:
    """A value that was dumped as DER because its attribute has no name: its text, or its content where it has none."""
    tag, length, start = encoded[0], encoded[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(encoded[2:start], "big")
    content = encoded[start:]
    if length != len(content):
        return encoded
    try:
        if tag in _UTF8_TAGS:
            return content.decode()
        if codec := _CODECS.get(tag):
            return content.decode(codec)
    except UnicodeDecodeError:
        return content
    return content
