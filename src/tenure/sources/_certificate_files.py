"""Reading files for certificates: what a file holds, and what is told of one that should hold some and does not.

Runs in processes beside us, so everything that goes in and out can be sent.
"""

from __future__ import annotations

import gc
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from tenure.evidence.certificate_intake import CertificateBatch, CertificateIntake
from tenure.pki import crls
from tenure.pki.armour import blocks, contains_mark
from tenure.pki.containers import Contained, Found, carve, certificates_in, in_armour
from tenure.pki.der import Bytes
from tenure.sources._certificate_tree import Piece, Portion

LIST_NAME: Final = ".crl"

CLAIMING: Final = (".pem", ".crt", ".cer", ".der", ".p7b", ".p7c", ".p12", ".pfx")
"""Names that say: certificates. A file called so that holds none is a problem."""

OTHER_ARMOUR: Final = frozenset(
    {
        "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", "PUBLIC KEY", "RSA PUBLIC KEY", "EC PARAMETERS",
        "DH PARAMETERS", "DSA PARAMETERS", "X9.42 DH PARAMETERS", "OPENSSL SESSION PARAMETERS", "SSH2 PUBLIC KEY",
    }
)  # fmt: skip
"""What a .pem may hold without anybody calling it certificates."""

UNREAD: Final = frozenset({"unreadable", "reading-failed"})
"""Problems that leave out what nobody has looked at: the snapshot is partial."""

_MAPPED_FROM: Final = 1 << 26
"""Bigger files are mapped, not read: if one is cut while we read it, the process that reads it dies, not the collection."""

_LOOKED_AT: Final = 4096
_BYTE_ORDER: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Task:
    portion: Portion
    passwords: tuple[bytes, ...]
    scratch: Path  # folder for what comes out


class ListFile(NamedTuple):
    """A file, or a part of one, with revocation lists in it: they are few, and read where they are written."""

    origin: str
    data: bytes
    first: int  # number of its first PEM block
    whole: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a portion. ``without`` counts files that hold no certificates and do not claim to; ``unread`` names the first
    that should have been read and could not be."""

    batch: CertificateBatch
    lists: list[ListFile]
    size: int
    without: int
    unread: str


def read_portion(task: Task) -> Outcome:
    intake = CertificateIntake(distinct=True)
    lists: list[ListFile] = []
    without = 0
    with _no_search_for_cycles():
        for piece in task.portion.pieces:
            without += _read(piece, task.passwords, intake, lists)
        for trouble in task.portion.troubles:
            intake.problem(trouble.origin, "", trouble.reason, trouble.code, None)
        unread = (f"{file}: {reason}" for file, _, reason, code, _ in intake.problems if code in UNREAD)
        first = next(unread, "")
        return Outcome(intake.batch(task.scratch), lists, task.portion.size, without, first)


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Rows are tuples of text and numbers, they hold no cycles; looking for some again and again costs a tenth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _read(piece: Piece, passwords: tuple[bytes, ...], intake: CertificateIntake, lists: list[ListFile]) -> int:
    """Take in what a piece holds; 1 where that is nothing and it need not be told, else 0."""
    told = len(intake.problems)
    try:
        data = _content(piece)
        digests = intake.add_found(_found(piece, data, passwords), piece.origin, several=not piece.whole)
        if listed := crls.holds_list(data):
            lists.append(ListFile(piece.origin, bytes(data[:]), piece.first, piece.whole))
        if digests or listed or len(intake.problems) > told or not piece.whole:
            return 0
        labels = _labels(data)
        if (piece.path.lower().endswith(CLAIMING) or "CERTIFICATE" in labels) and not (
            piece.path.lower().endswith(".pem") and labels and labels <= OTHER_ARMOUR
        ):
            reason = f"no certificate in it, but {', '.join(sorted(labels)[:3])}" if labels else "no certificate in it"
            intake.problem(piece.origin, "", reason, "no-certificate", bytes(data[:]))
            return 0
        if piece.path.lower().endswith(LIST_NAME):
            intake.problem(piece.origin, "", "no revocation list in it", "no-crl", bytes(data[:]))
            return 0
    except OSError as error:
        intake.problem(piece.origin, "", f"the file cannot be read: {error.strerror or error}", "unreadable", None)
        return 0
    except Exception as error:  # noqa: BLE001 - one file that breaks a reader must not end the collection of all others
        intake.problem(piece.origin, "", f"reading it failed: {type(error).__name__}: {error}", "reading-failed", None)
        return 0
    return 1


def _content(piece: Piece) -> Bytes:
    descriptor = os.open(piece.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if piece.whole and piece.size >= _MAPPED_FROM:
            return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
        if not piece.whole:
            return os.pread(descriptor, piece.size, piece.start)
        data = os.read(descriptor, piece.size + 1)
        if len(data) != piece.size:  # it grew or shrank since it was listed
            with os.fdopen(os.dup(descriptor), "rb", closefd=True) as file:
                data += file.read()
        return data
    finally:
        os.close(descriptor)


def _found(piece: Piece, data: Bytes, passwords: tuple[bytes, ...]) -> Iterator[Found]:
    """A certificate file by its form; any other binary is searched."""
    if not piece.whole:
        return in_armour(data, piece.first)
    if data[:1] == b"\x30":
        return _encoded(data, passwords)
    if b"\0" in data[:_LOOKED_AT] and data[:2] not in _BYTE_ORDER:
        return carve(data)
    return certificates_in(data, passwords)


def _encoded(data: Bytes, passwords: tuple[bytes, ...]) -> Iterator[Found]:
    some = False
    for found in certificates_in(data, passwords):
        some = True
        yield found
    if not some:
        yield from carve(data)


def _labels(data: Bytes) -> set[str]:
    """What the armour in a file says it is instead."""
    return {block.label for block in blocks(data)} if contains_mark(data) else set()


def holds_certificates(head: bytes) -> int:
    """How many certificates the first bytes of a file show (a cut one at the end counts)."""
    found = certificates_in(head) if b"\0" not in head[:_LOOKED_AT] or head[:1] == b"\x30" else carve(head)
    return sum(isinstance(item, Contained) for item in found)
