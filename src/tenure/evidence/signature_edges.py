"""Who signed whom, checked: the part of the work that processes beside us can do, since it needs nothing but a file of DER."""

from __future__ import annotations

import hashlib
import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from tenure.pki import signatures
from tenure.pki.dissection import dissect

_MOST_REMEMBERED: Final = 1024


class Span(NamedTuple):
    """Where a certificate lies in the file."""

    start: int
    stop: int


class Candidates(NamedTuple):
    """A certificate (``number`` among those remembered) and who may have signed it, likeliest first."""

    number: int
    certificate: Span
    issuers: tuple[Span, ...]
    left_out: int  # further candidates that are not tried


@dataclass(frozen=True, slots=True)
class EdgeTask:
    path: Path
    candidates: tuple[Candidates, ...]


class Doubt(NamedTuple):
    """Why it cannot be said who signed a certificate."""

    number: int
    reason: str
    code: str
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Checked:
    """Rows of ``signature_edge``, and what could not be decided."""

    edges: list[tuple[object, ...]]
    doubts: list[Doubt]


class _Issuer(NamedTuple):
    sha256: bytes
    spki: bytes
    spki_sha256: bytes


def check(task: EdgeTask) -> Checked:
    checked = Checked([], [])
    issuers: dict[Span, _Issuer] = {}
    with task.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for candidates in task.candidates:
            if len(issuers) > _MOST_REMEMBERED:
                issuers.clear()
            _check(candidates, data, issuers, checked)
    return checked


def _check(candidates: Candidates, data: mmap.mmap, issuers: dict[Span, _Issuer], checked: Checked) -> None:
    """Likeliest issuer first, until one key verifies; other certificates of that same key are its issuer as well."""
    certificate = data[slice(*candidates.certificate)]
    sha256 = hashlib.sha256(certificate).digest()
    verdicts: dict[bytes, signatures.Verdict] = {}
    holder = b""
    for span in candidates.issuers:
        issuer = issuers.get(span)
        if issuer is None:
            issuer = issuers[span] = _issuer(data[slice(*span)])
        if holder and issuer.spki != holder:
            continue
        if (verdict := verdicts.get(issuer.spki)) is None:
            verdict = verdicts[issuer.spki] = signatures.verify_by_key(certificate, issuer.spki)
        if verdict.verified:
            holder = issuer.spki
        if verdict.decided:
            checked.edges.append((sha256, issuer.sha256, issuer.spki_sha256, verdict.verified))
    if holder:
        return
    for reason in sorted({v.reason for v in verdicts.values() if not v.decided}):
        checked.doubts.append(Doubt(candidates.number, reason, "signature-not-checked", sha256))
    if candidates.left_out:
        reason = f"{candidates.left_out} further certificates could be its issuer and were not tried"
        checked.doubts.append(Doubt(candidates.number, reason, "too-many-issuers", sha256))


def _issuer(encoded: bytes) -> _Issuer:
    spki = dissect(encoded).spki
    return _Issuer(hashlib.sha256(encoded).digest(), spki, hashlib.sha256(spki).digest())
