"""GeneralNames (RFC 5280 4.2.1.6) as the evidence writes them: ``kind:value``, one a line. Pure."""

from __future__ import annotations

import ipaddress
from typing import Final, NamedTuple

from tenure.pki import der, names
from tenure.pki.der import DerError

OTHER, EMAIL, DNS, DIRECTORY, URI, IP, REGISTERED = 0xA0, 0x81, 0x82, 0xA4, 0x86, 0x87, 0x88
_TEXT: Final[dict[int, str]] = {DNS: "dns:", URI: "uri:", EMAIL: "email:"}
HARDWARE_MODULE: Final = "1.3.6.1.5.5.7.8.4"


class GeneralNames(NamedTuple):
    lines: tuple[str, ...]
    hardware_serial: str | None  # hwSerialNum of a hardwareModuleName (RFC 4108), hex
    flaw: str | None


def line(kind: str, value: str) -> str:
    """One name. A line break inside a value is written as RFC 4514 writes odd characters, so that it cannot fake a name."""
    if "\n" in value or "\r" in value:
        value = value.replace("\n", "\\0A").replace("\r", "\\0D")
    return kind + value


def plain(data: bytes, at: int) -> str | None:
    """The lines of names that lie from here to the end, if all are short text in ASCII without line breaks; else None."""
    end = len(data)
    lines: list[str] = []
    while at + 1 < end:
        kind, size = _TEXT.get(data[at]), data[at + 1]
        start = at + 2
        at = start + size
        content = data[start:at]
        if kind is None or size >= 0x80 or not content.isascii() or b"\n" in content or b"\r" in content:
            return None
        lines.append(kind + content.decode("ascii"))
    return "\n".join(lines) if at == end else None


def read(data: bytes, at: int, end: int) -> GeneralNames:
    """The names that lie in a content. Raises DerError where they cannot be told apart."""
    lines: list[str] = []
    hardware: str | None = None
    flaw: str | None = None
    while at < end:
        tag = data[at]
        start = at + 2
        stop = start + data[at + 1] if start <= end else end + 1
        if stop - start >= 0x80 or stop > end or tag & 0x1F == 0x1F:
            tag, start, stop = der.header(data, at, end)
        content = data[start:stop]
        at = stop
        if (kind := _TEXT.get(tag)) is not None:
            if content.isascii():
                lines.append(line(kind, content.decode("ascii")))
            else:
                flaw = flaw or "a general name holds characters that are not ASCII"
                lines.append(line(kind, content.decode("latin-1")))
            continue
        try:
            text, serial, wrong = _rare(tag, content)
        except DerError as error:
            text, serial, wrong = f"other:tag-{tag:02x}", None, str(error)
        lines.append(text)
        hardware = hardware or serial
        flaw = flaw or wrong
    return GeneralNames(tuple(lines), hardware, flaw)


def _rare(tag: int, content: bytes) -> tuple[str, str | None, str | None]:
    """A name of another kind: its line, a hardware serial if it is one, what is wrong with it."""
    if tag == IP:
        if len(content) in (4, 16):
            return f"ip:{ipaddress.ip_address(content)}", None, None
        return f"ip:{content.hex()}", None, f"an IP address has {len(content)} bytes"
    if tag == DIRECTORY:
        name = names.read(content)
        return line("dirname:", name.text or ""), None, name.flaw
    if tag == REGISTERED:
        return f"rid:{der.oid(content)}", None, None
    if tag == OTHER:
        start, stop = der.expect(content, 0, len(content), der.OID, "an otherName")
        kind = der.oid(content[start:stop])
        start, end = der.expect(content, stop, len(content), 0xA0, "an otherName's value")
        if end != len(content) or der.header(content, start, end)[2] != end:
            raise DerError("an otherName has not exactly one value")
        serial = hardware_serial(content[start:end]) if kind == HARDWARE_MODULE else None
        return f"other:{kind}", serial, None
    return f"other:tag-{tag:02x}", None, f"a general name has tag 0x{tag:02X}, which is not read"


def hardware_serial(value: bytes) -> str | None:
    """hwSerialNum of a HardwareModuleName, hex; None where the value is not one."""
    try:
        inside = der.whole(value, der.SEQUENCE, "a hardwareModuleName")
        _, stop = der.expect(inside, 0, len(inside), der.OID, "hwType")
        return der.whole(inside[stop:], der.OCTET_STRING, "hwSerialNum").hex()
    except DerError:
        return None
