"""The second reader of certificates: walks the DER itself, as far as it can, and says where it could not go on. Pure.

Quick enough to be the first reader of bulk (names and extensions that were seen before are not read again), and the only
one for certificates whose structure the library refuses. What it may be trusted with alone is decided in
``tenure.pki.certificates``.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Final, NamedTuple

from tenure.model.identifiers import serial_hex
from tenure.pki import der, extensions, names, public_keys, signature_algorithms
from tenure.pki.der import DerError
from tenure.pki.dissection import dissect
from tenure.pki.extensions import Extension, remembered
from tenure.pki.facts import CertificateFacts, NoCertificateError, ReadingProblem

_NO_NAME: Final = names.Name(None, None, None, None, None, None)
_NO_KEY: Final = public_keys.KeyFacts(None, None, None, None)
MALFORMED: Final = "der-malformed"


class Walked(NamedTuple):
    """What a walk found, and what whoever judges it needs beside."""

    facts: CertificateFacts
    extensions: list[Extension]
    accepted: bool  # the library has taken each of its extensions before
    algorithms: tuple[bytes, bytes]  # the signature's AlgorithmIdentifier, as signed and as said outside


def walk(data: bytes) -> Walked:
    """All that can be read of the certificate the data begins with, and the problems met.

    Raises NoCertificateError where no certificate can be seen in the bytes.
    """
    parts = dissect(data)
    if not parts.plausible:
        raise NoCertificateError("no certificate can be seen in these bytes", "see what it is: a key, a request, a CRL?")
    problems: list[ReadingProblem] = []
    encoded = data
    if 0 < parts.size < len(data):
        encoded = data[: parts.size]
        problems.append(ReadingProblem("der", f"{len(data) - parts.size} bytes follow the certificate", "trailing-bytes"))
    if parts.flaw is not None:
        problems.append(ReadingProblem(*parts.flaw, MALFORMED))
    issuer = _name(parts.issuer, "issuer", problems)
    subject = _name(parts.subject, "subject", problems)
    key = _key(parts.spki, problems)
    algorithm, hash_name = _signature(parts.algorithm or parts.inner_algorithm, problems)
    not_before = _time(parts.not_before, "not_before", problems)
    not_after = _time(parts.not_after, "not_after", problems)
    self_issued = parts.issuer == parts.subject if parts.subject else None
    said: list[object] = [None] * len(extensions.COLUMNS)
    found, accepted = _extensions(parts.extensions, said, problems)
    if said[0] is None and not (parts.version == 1 and self_issued) and not (problems and _authority_unsure(problems)):
        said[0] = False
    told: tuple[Any, ...] = (
        hashlib.sha256(encoded).digest(), "full", parts.version, _serial(parts.serial),
        issuer.text, issuer.sha256, subject.text, subject.sha256, subject.common_name, subject.serial, subject.organisation,
        not_before, not_after, hashlib.sha256(parts.spki).digest() if parts.spki else None, *key, algorithm, hash_name,
        *said, self_issued, encoded, tuple(problems),
    )  # fmt: skip
    return Walked(CertificateFacts(*told), found, accepted, (parts.inner_algorithm, parts.algorithm))


def _authority_unsure(problems: list[ReadingProblem]) -> bool:
    """Whether an unread basicConstraints may hide behind a problem."""
    return any(p.code == MALFORMED and p.field not in ("issuer", "subject", "signature", "signature_algorithm") for p in problems)


def _serial(content: bytes) -> str | None:
    return serial_hex(int.from_bytes(content, "big", signed=True)) if content else None


def _name(encoded: bytes, field: str, problems: list[ReadingProblem]) -> names.Name:
    if not encoded:
        return _NO_NAME
    try:
        name = names.read(encoded)
    except DerError as error:
        problems.append(ReadingProblem(field, str(error), MALFORMED))
        return _NO_NAME._replace(sha256=hashlib.sha256(encoded).digest())
    if name.flaw is not None:
        problems.append(ReadingProblem(field, name.flaw, MALFORMED))
    return name


def _key(spki: bytes, problems: list[ReadingProblem]) -> public_keys.KeyFacts:
    if not spki:
        return _NO_KEY
    try:
        return public_keys.read(spki)
    except DerError as error:
        problems.append(ReadingProblem("key_algorithm", str(error), MALFORMED))
        return _NO_KEY


def _time(told: tuple[int, bytes], field: str, problems: list[ReadingProblem]) -> datetime | None:
    tag, content = told
    if not tag:
        return None
    try:
        return der.time(tag, content)
    except DerError as error:
        problems.append(ReadingProblem(field, str(error), MALFORMED))
    try:
        return der.loose_time(tag, content)
    except DerError:
        return None


def _signature(encoded: bytes, problems: list[ReadingProblem]) -> tuple[str | None, str | None]:
    if not encoded:
        return None, None
    try:
        return signature_algorithms.read(encoded)[:2]
    except DerError as error:
        problems.append(ReadingProblem("signature_algorithm", str(error), MALFORMED))
        return None, None


def _extensions(content: bytes, said: list[object], problems: list[ReadingProblem]) -> tuple[list[Extension], bool]:
    """Each extension, and whether all were accepted before; what they say. Of two of one type the first counts."""
    accepted = True
    found: list[Extension] = []
    at, end = 0, len(content)
    known = remembered.get
    try:
        while at < end:
            size = content[at + 1] if at + 1 < end else 0x80
            stop = at + 2 + size
            if size >= 0x80 or content[at] != der.SEQUENCE or stop > end:
                tag, _, stop = der.loose_header(content, at, end)
                if tag != der.SEQUENCE:
                    raise DerError(f"an extension has tag 0x{tag:02X}")
            encoded = content[at:stop]
            found.append(known(encoded) or extensions.read(encoded))
            at = stop
    except DerError as error:
        problems.append(ReadingProblem("extensions", str(error), MALFORMED))
    for extension in found:
        accepted = accepted and extension.accepted
        for index, value in extension.values:
            said[index] = value
        if extension.flaw is not None:
            problems.append(ReadingProblem(extension.column, extension.flaw, MALFORMED))
    if len({extension.oid for extension in found}) != len(found):
        _twice(found, said, problems)
    return found, accepted


def _twice(found: list[Extension], said: list[object], problems: list[ReadingProblem]) -> None:
    """Tell each type that stands in it more than once, and let its first extension be what counts."""
    seen: dict[bytes, Extension] = {}
    for extension in found:
        if extension.oid not in seen:
            seen[extension.oid] = extension
            continue
        problems.append(ReadingProblem(extension.column, "the extension stands in it twice", MALFORMED))
        for index, value in seen[extension.oid].values:
            said[index] = value
