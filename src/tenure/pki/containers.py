"""Files that hold certificates: PEM, DER, PKCS#7, PKCS#12, bundles of them, and any binary with certificates inside.

A container yields what it holds in order, and a ContainedProblem for each thing that should be a certificate and cannot be
got out. Private keys are never yielded; that one is there is told by a problem with the code ``private-key-present``.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from tenure.pki import armour, carving, pkcs7, pkcs12
from tenure.pki.armour import Block
from tenure.pki.der import Bytes, DerError, loose_header
from tenure.pki.dissection import dissect

KEY_PRESENT: Final = "private-key-present"
_CERTIFICATE: Final = frozenset({"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"})
_PKCS7: Final = frozenset({"PKCS7", "CMS", "PKCS #7 SIGNED DATA"})
_PADDING: Final = b"\x00\xff\r\n\t \x1a"
_LONGEST_BARE_BASE64: Final = 1 << 26
_PRIVATE_KEY: Final = re.compile(
    rb"\x02\x01\x00\x30.{1,4}\x06|\x02\x01\x00\x02.{1,3}\x00?[\x80-\xff]|\x02\x01\x01\x04[\x14-\x48]", re.DOTALL
)
_ENCRYPTED_KEY: Final = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05"


class Contained(NamedTuple):
    """A certificate found. ``place`` is the number of its block or entry, its offset (``0x1f40``), or empty for the whole."""

    der: bytes
    place: str


class ContainedProblem(NamedTuple):
    """Something that should have been a certificate, or should not lie there. Of ``data`` only the hash may be kept.

    Codes: armour-damaged, no-certificate, trailing-bytes, pkcs7-unreadable, pkcs12-locked, private-key-present.
    """

    place: str
    reason: str
    code: str
    data: bytes


Found = Contained | ContainedProblem


def certificates_in(data: Bytes, passwords: Sequence[bytes] = ()) -> Iterator[Found]:
    """What a certificate file holds, whatever its form. Nothing where it is none (for any other binary there is ``carve``)."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = bytes(data[:]).decode("utf-16", "replace").encode()
    if armour.contains_mark(data):
        yield from in_armour(data)
    elif data[:1] == b"\x30":
        yield from _encoded(bytes(data[:]), passwords)
    elif data[:64].lstrip()[:1] == b"M" and len(data) < _LONGEST_BARE_BASE64:
        yield from _bare_base64(bytes(data[:]), passwords)


def in_armour(data: Bytes, first: int = 1) -> Iterator[Found]:
    """What the PEM blocks of a text hold. ``first`` is the number of its first block, where it is a part of a longer text."""
    for block in armour.blocks(data, first):
        if block.label == "CERTIFICATE" and block.content:
            yield tuple.__new__(Contained, (block.content, str(block.number)))
        else:
            yield from _block(data, block, str(block.number))


def carve(data: Bytes) -> Iterator[Found]:
    """Certificates anywhere in a binary, as DER or as PEM text. What merely begins like one is nothing, not a problem."""
    for at, encoded in carving.carve(data):
        yield Contained(encoded, f"0x{at:x}")
    if armour.contains_mark(data):
        for block in armour.blocks(data):
            if block.closed:
                yield from _block(data, block, f"0x{block.at:x}")


def _block(data: Bytes, block: Block, place: str) -> Iterator[Found]:
    if block.label.endswith("PRIVATE KEY"):
        yield ContainedProblem(place, f"a private key lies here ({block.label})", KEY_PRESENT, data[block.at : block.end])
    elif block.label not in _CERTIFICATE and block.label not in _PKCS7:
        return
    elif block.damage:
        yield ContainedProblem(
            place, f"an armoured {block.label} is damaged: {block.damage}", "armour-damaged", data[block.at : block.end]
        )
    elif block.label in _PKCS7:
        yield from _signed_data(block.content, place + "/")
    elif block.label == "TRUSTED CERTIFICATE":
        yield Contained(block.content[: dissect(block.content).size or None], place)
    else:
        yield Contained(block.content, place)


def _bare_base64(text: bytes, passwords: Sequence[bytes]) -> Iterator[Found]:
    """Base64 without armour, as EST servers send it."""
    try:
        decoded = armour.decoded(text)
    except binascii.Error:
        return
    if decoded[:1] == b"\x30":
        yield from _encoded(decoded, passwords)


def _encoded(data: bytes, passwords: Sequence[bytes]) -> Iterator[Found]:
    """DER objects one after another. The first decides whether this is a certificate file at all."""
    at = number = 0
    while data[at : at + 1] == b"\x30":
        try:
            _, _, stop = loose_header(data, at, len(data))
        except DerError:
            stop = len(data)
        number += 1
        alone = number == 1 and not data[stop:].strip(_PADDING)
        found = list(_object(data[at:stop] if number > 1 or stop < len(data) else data, passwords, "" if alone else str(number)))
        if not found:
            break
        yield from found
        at = stop
    rest = data[at:].strip(_PADDING)
    if at and rest:
        hits: list[Found] = [Contained(der, f"0x{at + where:x}") for where, der in carving.carve(data[at:])]
        yield from hits or [
            ContainedProblem(f"0x{at:x}", f"{len(rest)} bytes follow the last certificate", "trailing-bytes", rest)
        ]


def _object(data: bytes, passwords: Sequence[bytes], place: str) -> Iterator[Found]:
    """What one DER object holds: it may be a certificate, PKCS#7, PKCS#12 or a key; nothing where it is something else."""
    inner = place + "/" if place else ""
    if pkcs7.is_signed_data(data):
        yield from _signed_data(data, inner)
    elif pkcs12.is_key_store(data):
        yield from _key_store(data, passwords, inner)
    elif dissect(data).plausible:
        yield Contained(data, place)
    elif _PRIVATE_KEY.match(data, _content(data)) or data.find(_ENCRYPTED_KEY, 0, 24) > 0:
        yield ContainedProblem(place, "a private key lies here", KEY_PRESENT, data)


def _content(data: bytes) -> int:
    return 2 if data[1:2] < b"\x80" else 2 + (data[1] & 0x7F)


def _signed_data(data: bytes, prefix: str) -> Iterator[Found]:
    """Certificates of a PKCS#7; from one that is no DER they are carved."""
    number = 0
    try:
        for tag, encoded in pkcs7.certificates(data):
            number += 1
            if tag == 0x30:
                yield Contained(encoded, f"{prefix}{number}")
            else:
                reason = f"an entry of the PKCS#7 with tag 0x{tag:02X} is no X.509 certificate"
                yield ContainedProblem(f"{prefix}{number}", reason, "no-certificate", encoded)
    except DerError as error:
        hits: list[Found] = [Contained(encoded, f"{prefix}0x{at:x}") for at, encoded in carving.carve(data)]
        yield from hits or [ContainedProblem(prefix.rstrip("/"), f"the PKCS#7 cannot be read: {error}", "pkcs7-unreadable", data)]


def _key_store(data: bytes, passwords: Sequence[bytes], prefix: str) -> Iterator[Found]:
    """Certificates of a PKCS#12; from one that no password opens, those that lie in the clear."""
    opened = pkcs12.open_store(data, passwords)
    if isinstance(opened, str):
        yield ContainedProblem(prefix.rstrip("/"), opened, "pkcs12-locked", data)
        for at, encoded in carving.carve(data):
            yield Contained(encoded, f"{prefix}0x{at:x}")
        return
    for number, encoded in enumerate(opened.certificates, 1):
        yield Contained(encoded, f"{prefix}{number}")
    if opened.has_key:
        yield ContainedProblem(prefix.rstrip("/"), "a private key lies here (PKCS#12)", KEY_PRESENT, data)
