"""Distinguished names as logs write them, in the one notation of the evidence (RFC 4514, CN first)."""

from __future__ import annotations

import re
from functools import lru_cache

from tenure.pki.names import escaped

_SLASHED = re.compile(r"/(?=[A-Za-z0-9.]+=)")
_PARTS = re.compile(r'((?:[^,;+"\\]|\\.|"(?:[^"\\]|\\.)*")+)([,;+]|$)', re.DOTALL)
_ATTRIBUTE = re.compile(r" *(?:OID\.)?([A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+) *= *((?:[^\\]|\\.)*?) *", re.DOTALL)
_UNESCAPE = re.compile(r"\\([0-9A-Fa-f]{2}|.)", re.DOTALL)
_LONGEST = 2048  # characters of a name that is understood
_KNOWN = frozenset({"CN", "L", "ST", "O", "OU", "C", "STREET", "DC", "UID"})
_OTHERS = {
    "S": "ST",
    "SERIALNUMBER": "2.5.4.5",
    "SN": "2.5.4.5",  # EJBCA's short form; surname is SURNAME there
    "E": "1.2.840.113549.1.9.1",
    "EMAIL": "1.2.840.113549.1.9.1",
    "EMAILADDRESS": "1.2.840.113549.1.9.1",
    "ORGANIZATIONIDENTIFIER": "2.5.4.97",
}


@lru_cache(maxsize=4096)
def rfc4514(text: str) -> str:
    """The name in RFC 4514 notation; text that is no distinguished name, or uses attributes we do not know, as it is."""
    text = text.lstrip(" ")  # not rstrip: a last space may be escaped
    if len(text) > _LONGEST:
        return text
    if text.startswith("/"):
        parts: list[tuple[str, str]] = [(part, ",") for part in _SLASHED.split(text)[1:]]
    else:
        parts = [(found[1], found[2]) for found in _PARTS.finditer(text)]
        if sum(len(part) + len(end) for part, end in parts) != len(text):
            return text
    names: list[list[tuple[str, str]]] = [[]]
    for part, end in parts:
        if (attribute := _attribute(part)) is None:
            return text
        names[-1].append(attribute)
        if end in (",", ";"):
            names.append([])
    names = [name for name in names if name]
    if names and names[-1][0][0] == "CN" and names[0][0][0] != "CN":
        names.reverse()  # written from the country down, as the encoding is
    return ",".join("+".join(f"{kind}={value}" for kind, value in name) for name in names) or text


def _attribute(part: str) -> tuple[str, str] | None:
    found = _ATTRIBUTE.fullmatch(part)
    if found is None:
        return None
    kind = found[1].upper()
    kind = _OTHERS.get(kind, kind)
    if kind not in _KNOWN and not kind[0].isdigit():
        return None
    value = found[2]
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    return kind, escaped(_UNESCAPE.sub(_unescaped, value))


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if len(found[1]) == 2 else found[1]
