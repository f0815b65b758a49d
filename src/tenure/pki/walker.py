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
from tenure.pki.dissection import dissect, ordinary
from tenure.pki.extensions import Extension, remembered
from tenure.pki.facts import CertificateFacts, NoCertificateError, ReadingProblem

_NO_NAME: Final = names.Name(None, None, None, None, None, None)
_NO_KEY: Final = public_keys.KeyFacts(None, None, None, None)
MALFORMED: Final = "der-malformed"


class Walked(NamedTuple):
    """What a walk found, and what whoever judges it needs beside."""

    facts: CertificateFacts
    extensions: list[Extension]  # or runs of them
    spki: bytes
    algorithms: bytes  # the signature's AlgorithmIdentifier as signed, and again as said outside


def walk(data: bytes) -> Walked:
    """All that can be read of the certificate the data begins with, and the problems met.

    Raises NoCertificateError where no certificate can be seen in the bytes.
    """
    return straight(data) or careful(data)


def straight(data: bytes) -> Walked | None:
    """The quick gear, for a certificate of ordinary form in which nothing is odd; None for any other."""
    ends = ordinary(data)
    if ends is None:
        return None
    serial, algorithm, issuer_end, before, validity, subject_end, spki_end, extensions_at, tbs, outer, _ = ends
    spki = data[subject_end:spki_end]
    outer_algorithm = data[tbs:outer]
    said: list[object] = [False, None, None, None, None, None, None, None, None, None]
    try:
        issuer, subject = names.read(data[algorithm:issuer_end]), names.read_once(data[validity:subject_end])
        key, method = public_keys.read(spki), signature_algorithms.read(outer_algorithm)
        not_before = der.time(data[issuer_end + 2], data[issuer_end + 4 : before])
        not_after = der.time(data[before], data[before + 2 : validity])
        found = _run_by_run(data, extensions_at, tbs, said)
    except DerError:
        return None
    if found is None or issuer[5] or subject[5]:
        return None
    facts = tuple.__new__(CertificateFacts, (
        hashlib.sha256(data).digest(), "full", 3, _serial(data[15:serial]), issuer[0], issuer[1], *subject[:5],
        not_before, not_after, hashlib.sha256(spki).digest(), *key, method[0], method[1], *said,
        issuer[1] == subject[1], data, (),
    ))  # fmt: skip
    return tuple.__new__(Walked, (facts, found, spki, data[serial:algorithm] + outer_algorithm))


def _run_by_run(data: bytes, at: int, end: int, said: list[object]) -> list[Extension] | None:
    """The extensions and runs of extensions in a content, and what they say; None where something is odd in them."""
    found: list[Extension] = []
    known = remembered.get
    kinds = 0
    while at < end:
        size = data[at + 1] if at + 1 < end else 0x80
        stop = at + 2 + size
        if size >= 0x80:
            _, _, stop = der.loose_header(data, at, end)
        encoded = data[at:stop]
        extension = known(encoded) or extensions.of_one_certificate(encoded, said) or extensions.read(encoded)
        for run in extension.runs:
            if data.startswith(run.encoded, at, end):
                extension, stop = run, at + len(run.encoded)
                break
        if extension.flaw is not None or not extension.kinds or kinds & extension.kinds:
            return None
        kinds |= extension.kinds
        for index, value in extension.values:
            said[index] = value
        found.append(extension)
        at = stop
    return found if at == end else None


def careful(data: bytes) -> Walked:
    """The gear for everything: each part by itself, so that one that cannot be read costs no other."""
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
    found = _extensions(parts.extensions, said, problems)
    if said[0] is None and not (parts.version == 1 and self_issued) and not (problems and _authority_unsure(problems)):
        said[0] = False
    told: tuple[Any, ...] = (
        hashlib.sha256(encoded).digest(), "full", parts.version, _serial(parts.serial),
        issuer.text, issuer.sha256, subject.text, subject.sha256, subject.common_name, subject.serial, subject.organisation,
        not_before, not_after, hashlib.sha256(parts.spki).digest() if parts.spki else None, *key, algorithm, hash_name,
        *said, self_issued, encoded, tuple(problems),
    )  # fmt: skip
    return Walked(CertificateFacts(*told), found, parts.spki, parts.inner_algorithm + parts.algorithm)


def _authority_unsure(problems: list[ReadingProblem]) -> bool:
    """Whether an unread basicConstraints may hide behind a problem."""
    return any(p.code == MALFORMED and p.field not in ("issuer", "subject", "signature", "signature_algorithm") for p in problems)


def _serial(content: bytes) -> str | None:
    """In the notation of ``serial_hex``."""
    if content[:1] < b"\x80":
        return (content.hex().upper().lstrip("0") or "0") if content else None
    return serial_hex(int.from_bytes(content, "big", signed=True))


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


def _extensions(content: bytes, said: list[object], problems: list[ReadingProblem]) -> list[Extension]:
    """Each extension, and what they say. Of two of one type the first counts."""
    found: list[Extension] = []
    at = 0
    try:
        while at < len(content):
            _, _, stop = der.loose_header(content, at, len(content))
            found.append(extensions.read(content[at:stop]))
            at = stop
    except DerError as error:
        problems.append(ReadingProblem("extensions", str(error), MALFORMED))
    for extension in found:
        for index, value in extension.values:
            said[index] = value
        if extension.flaw is not None:
            problems.append(ReadingProblem(extension.column, extension.flaw, MALFORMED))
    if len({extension.oid for extension in found}) != len(found):
        _twice(found, said, problems)
    return found


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
