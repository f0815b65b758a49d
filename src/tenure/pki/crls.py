"""Revocation lists (RFC 5280 section 5): who says, as of when, and which serials are revoked since when and why.

Entries are read by walking the DER, since lists have hundreds of thousands of them; whether the list as a whole is well
formed is asked of the library.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from cryptography import x509

from tenure.errors import TenureError
from tenure.model.identifiers import serial_hex
from tenure.pki import armour, der, general_names, names, signature_algorithms
from tenure.pki.containers import Contained, ContainedProblem, Found
from tenure.pki.der import Bytes, DerError
from tenure.pki.dissection import dissect
from tenure.pki.facts import ReadingProblem
from tenure.pki.remembering import remembering
from tenure.pki.signatures import Verdict, verify_signed

REASONS: Final[dict[int, str]] = {
    0: "unspecified", 1: "keyCompromise", 2: "cACompromise", 3: "affiliationChanged", 4: "superseded",
    5: "cessationOfOperation", 6: "certificateHold", 8: "removeFromCRL", 9: "privilegeWithdrawn", 10: "aACompromise",
}  # fmt: skip
_NUMBER, _AKI, _DELTA = b"\x55\x1d\x14", b"\x55\x1d\x23", b"\x55\x1d\x1b"
_REASON, _CERTIFICATE_ISSUER = b"\x55\x1d\x15", b"\x55\x1d\x1d"
_BEGIN: Final = b"-----BEGIN X509 CRL-----"
_FAR: Final = 1 << 62


class NoCrlError(TenureError):
    """The bytes hold nothing that can be seen to be a revocation list."""


class CrlEntry(NamedTuple):
    """One revoked certificate. ``issuer`` is told where it is not the list's own (an indirect list)."""

    serial_hex: str
    revoked_at: datetime | None
    reason: str | None  # word of RFC 5280 5.3.1; None where the entry gives none
    issuer: str | None


@dataclass(frozen=True, slots=True)
class CrlFacts:
    """One revocation list as read. ``delta`` means that it holds changes only."""

    sha256: bytes
    issuer: str | None
    issuer_sha256: bytes | None
    authority_key_id: bytes | None
    this_update: datetime | None
    next_update: datetime | None
    number: int | None
    delta: bool
    signature_algorithm: str | None
    signature_hash: str | None
    entries: tuple[CrlEntry, ...]
    problems: tuple[ReadingProblem, ...]
    der: bytes


@dataclass(slots=True)
class _Parts:
    signed: bytes
    algorithm: bytes
    signature: bytes


def holds_list(data: Bytes) -> bool:
    """Whether these bytes, which may be no more than a file's beginning, are or hold a revocation list."""
    return data.find(_BEGIN) >= 0 or _begins_list(data)


def crls_in(data: Bytes, first: int = 1) -> Iterator[Found]:
    """The revocation lists in a file (their DER as ``Contained.der``): PEM blocks among others, or one list in DER.

    ``first`` is the number of its first PEM block, where it is a part of a longer text.
    """
    if armour.contains_mark(data):
        for block in armour.blocks(data, first):
            if block.label == "X509 CRL" and block.damage:
                reason = f"an armoured {block.label} is damaged: {block.damage}"
                yield ContainedProblem(str(block.number), reason, "armour-damaged", data[block.at : block.end])
            elif block.label == "X509 CRL":
                yield Contained(block.content, str(block.number))
    elif data[:1] == b"\x30":
        yield Contained(bytes(data[:]), "")


def verify(crl: bytes, issuer: bytes) -> Verdict:
    """Whether the key in the issuer's certificate signed the list (both DER)."""
    parts = _parts(crl)
    return verify_signed(parts.signed, parts.algorithm, parts.signature, dissect(issuer).spki)


def read(crl: bytes) -> CrlFacts:
    """All that can be read of the list. Raises NoCrlError where none can be seen in the bytes."""
    problems: list[ReadingProblem] = []
    try:
        x509.load_der_x509_crl(crl)
    except Exception as error:  # noqa: BLE001 - a refusal in whatever form is told as a problem
        problems.append(ReadingProblem("der", f"cryptography refuses the structure: {error}", "der-refused"))
    return _Walk(crl, problems).facts()


def _begins_list(data: Bytes) -> bool:
    """Whether the DER at the beginning is a list's: where a certificate has its validity, a list has the time it was made."""
    try:
        outer, at, _ = der.loose_header(data, 0, _FAR)
        inner, at, _ = der.loose_header(data, at, _FAR)
        if data[at] == der.INTEGER:
            _, _, at = der.loose_header(data, at, _FAR)
        algorithm, _, at = der.loose_header(data, at, _FAR)
        issuer, _, at = der.loose_header(data, at, _FAR)
        return {outer, inner, algorithm, issuer} == {der.SEQUENCE} and data[at] in (der.UTC_TIME, der.GENERALIZED_TIME)
    except (DerError, IndexError):
        return False


def _parts(crl: bytes) -> _Parts:
    """What is signed, how, and the signature; empty where they cannot be reached."""
    try:
        _, at, end = der.loose_header(crl, 0, len(crl))
        _, _, stop = der.loose_header(crl, at, end)
        _, _, after = der.loose_header(crl, stop, end)
        _, start, last = der.loose_header(crl, after, end)
        return _Parts(crl[at:stop], crl[stop:after], crl[start + 1 : last])
    except DerError:
        return _Parts(b"", b"", b"")


class _Walk:
    """One pass over a list: the head first, then the entries, then the list's extensions."""

    def __init__(self, crl: bytes, problems: list[ReadingProblem]) -> None:
        self._crl, self._problems = crl, problems
        self._number: int | None = None
        self._key_id: bytes | None = None
        self._delta = False
        self._entries: list[CrlEntry] = []

    def facts(self) -> CrlFacts:
        crl = self._crl
        try:
            _, start, end = der.loose_header(crl, 0, len(crl))
            tag, start, end = der.loose_header(crl, start, end)
            first = start
            if crl[start : start + 1] == b"\x02":
                _, _, first = der.loose_header(crl, start, end)
            algorithm, first = self._sequence(first, end)
            issuer, at = self._sequence(first, end)
            tag, start, stop = der.loose_header(crl, at, end)
            if tag not in (der.UTC_TIME, der.GENERALIZED_TIME):
                raise DerError("thisUpdate is no time")
        except DerError as error:
            raise NoCrlError(f"no revocation list can be seen in these bytes: {error}", "see what the file is") from None
        this_update = self._time(tag, crl[start:stop], "this_update")
        next_update = self._rest(stop, end)
        name = self._name(issuer)
        method = self._algorithm(_parts(crl).algorithm or algorithm)
        return CrlFacts(
            hashlib.sha256(crl).digest(), name and name.text, name and name.sha256, self._key_id, this_update, next_update,
            self._number, self._delta, method and method.oid, method and method.hash_name,
            tuple(self._entries), tuple(self._problems), crl,
        )  # fmt: skip

    def _rest(self, at: int, end: int) -> datetime | None:
        """nextUpdate, the entries and the extensions, in this order and each of them optional."""
        next_update = None
        try:
            while at < end:
                tag, start, stop = der.loose_header(self._crl, at, end)
                if tag in (der.UTC_TIME, der.GENERALIZED_TIME):
                    next_update = self._time(tag, self._crl[start:stop], "next_update")
                elif tag == der.SEQUENCE:
                    self._revoked(start, stop)
                elif tag == 0xA0:
                    self._extensions(start, stop)
                at = stop
        except DerError as error:
            self._tell("entries", str(error))
        return next_update

    def _sequence(self, at: int, end: int) -> tuple[bytes, int]:
        tag, _, stop = der.loose_header(self._crl, at, end)
        if tag != der.SEQUENCE:
            raise DerError(f"an element has tag 0x{tag:02X}")
        return self._crl[at:stop], stop

    def _tell(self, field: str, reason: str) -> None:
        self._problems.append(ReadingProblem(field, reason, "der-malformed"))

    def _time(self, tag: int, content: bytes, field: str) -> datetime | None:
        moment, flaw = _moment(tag, content)
        if flaw:
            self._tell(field, flaw)
        return moment

    def _name(self, encoded: bytes) -> names.Name | None:
        try:
            name = names.read(encoded)
        except DerError as error:
            self._tell("issuer", str(error))
            return None
        if name.flaw:
            self._tell("issuer", name.flaw)
        return name

    def _algorithm(self, encoded: bytes) -> signature_algorithms.SignatureAlgorithm | None:
        try:
            return signature_algorithms.read(encoded)
        except DerError as error:
            self._tell("signature_algorithm", str(error))
            return None

    def _revoked(self, at: int, end: int) -> None:
        """The entries; one that cannot be read is told and passed over, the place in the list is its number."""
        crl, header, entries = self._crl, der.loose_header, self._entries
        issuer: str | None = None
        number = 0
        while at < end:
            _, start, at = header(crl, at, end)
            number += 1
            try:
                tag, first, last = header(crl, start, at)
                if tag != der.INTEGER or first == last:
                    raise DerError("an entry has no serial")
                serial = serial_hex(int.from_bytes(crl[first:last], "big", signed=True))
                tag, first, last = header(crl, last, at)
                moment, flaw = _moment(tag, crl[first:last])
                said = _entry_extensions(crl[last:at]) if last < at else _SAYS_NOTHING
            except DerError as error:
                self._tell(f"entry {number}", str(error))
                continue
            if flaw or said.flaw:
                self._tell(f"entry {number}", flaw or said.flaw)
            issuer = said.issuer or issuer
            entries.append(CrlEntry(serial, moment, said.reason, issuer))

    def _extensions(self, at: int, end: int) -> None:
        try:
            for kind, value in _each_extension(self._crl[at:end]):
                if kind == _NUMBER:
                    self._number = der.integer(der.whole(value, der.INTEGER, "the CRL number"))
                elif kind == _AKI:
                    inside = der.whole(value, der.SEQUENCE, "authorityKeyIdentifier")
                    for tag, _, start, stop in der.elements(inside, 0, len(inside)):
                        self._key_id = inside[start:stop] if tag == 0x80 else self._key_id
                elif kind == _DELTA:
                    self._delta = True
        except DerError as error:
            self._tell("extensions", str(error))


class _EntryExtensions(NamedTuple):
    reason: str | None
    issuer: str | None
    flaw: str


_SAYS_NOTHING: Final = _EntryExtensions(None, None, "")


def _moment(tag: int, content: bytes) -> tuple[datetime | None, str]:
    """A time and what is wrong with how it is written."""
    try:
        return der.time(tag, content), ""
    except DerError as error:
        flaw = str(error)
    try:
        return der.loose_time(tag, content), flaw
    except DerError:
        return None, flaw


def _each_extension(encoded: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and value of each extension in a SEQUENCE OF Extension."""
    inside = der.whole(encoded, der.SEQUENCE, "a list of extensions")
    for _, _, start, stop in der.elements(inside, 0, len(inside)):
        first, last = der.expect(inside, start, stop, der.OID, "an extension's type")
        tag, begin, end = der.header(inside, last, stop)
        if tag == der.BOOLEAN:
            tag, begin, end = der.header(inside, end, stop)
        if tag != der.OCTET_STRING:
            raise DerError("an extension's value is no OCTET STRING")
        yield inside[first:last], inside[begin:end]


@remembering(1024)
def _entry_extensions(encoded: bytes) -> _EntryExtensions:
    """What an entry's extensions say. A reason that RFC 5280 does not know is told, never guessed."""
    reason = issuer = None
    flaw = ""
    for kind, value in _each_extension(encoded):
        if kind == _REASON:
            code = int.from_bytes(der.whole(value, 0x0A, "a reason"), "big", signed=True)
            reason = REASONS.get(code)
            flaw = flaw or ("" if reason else f"the reason {code} is none of RFC 5280")
        elif kind == _CERTIFICATE_ISSUER:
            start, stop = der.expect(value, 0, len(value), der.SEQUENCE, "certificateIssuer")
            found = general_names.read(value, start, stop)
            told = [text.removeprefix("dirname:") for text in found.lines if text.startswith("dirname:")]
            issuer = told[0] if told else None
            flaw = flaw or found.flaw or ""
    return _EntryExtensions(reason, issuer, flaw)
