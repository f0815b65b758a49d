"""What has to be remembered of each certificate to find its issuer later: 48 bytes in memory, the DER in a file of its own.

Names and key identifiers are remembered by eight bytes each. Two that fall together by accident make one more candidate,
nothing else: the signature decides who the issuer is.
"""

from __future__ import annotations

import mmap
import tempfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import numpy as np
import numpy.typing as npt

from tenure.pki.certificates import CertificateFacts

MOST_CANDIDATES: Final = 16
"""Possible issuers tried for one certificate; more share a name or key identifier only in hostile or broken collections."""

Numbers = npt.NDArray[np.uint64]


def mark(value: bytes | None) -> int:
    """Eight bytes that stand for a name's hash or a key identifier; 0 for none."""
    return int.from_bytes(value[-8:], "big") if value else 0


@dataclass(frozen=True, slots=True)
class Candidates:
    """A certificate and who may have signed it, likeliest first, by their numbers in the index."""

    certificate: int
    issuers: tuple[int, ...]
    left_out: int  # further candidates that are not tried


class CertificateIndex:
    """Certificates in the order they were remembered. The file goes with the index."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.NamedTemporaryFile(prefix="tenure-certificates-")  # noqa: SIM115 - lives as long as we
        self._ends = array("Q")
        self._digests, self._subjects, self._issuers = array("Q"), array("Q"), array("Q")
        self._subject_keys, self._issuer_keys = array("Q"), array("Q")

    def __len__(self) -> int:
        return len(self._ends)

    def remember(self, facts: CertificateFacts) -> None:
        self._file.write(facts.der)
        self._ends.append((self._ends[-1] if self._ends else 0) + len(facts.der))
        self._digests.append(mark(facts.sha256))
        self._subjects.append(mark(facts.subject_sha256))
        self._issuers.append(mark(facts.issuer_sha256))
        self._subject_keys.append(mark(facts.subject_key_id))
        self._issuer_keys.append(mark(facts.authority_key_id))

    def encoded(self) -> EncodedCertificates:
        """The DER of all, by number."""
        self._file.flush()
        return EncodedCertificates(Path(self._file.name), self._ends)

    def candidates(self) -> Iterator[Candidates]:
        """Who may have signed whom: each certificate once, however often it was remembered; those without any left out."""
        if not self._ends:
            return
        digests, subjects, issuers, subject_keys, issuer_keys = (
            np.array(column, np.uint64)
            for column in (self._digests, self._subjects, self._issuers, self._subject_keys, self._issuer_keys)
        )
        once = np.sort(np.unique(digests, return_index=True)[1])
        by_name, by_key = _Finder(subjects[once]), _Finder(subject_keys[once])
        names, keys, self_issued = issuers[once], issuer_keys[once], subjects[once] == issuers[once]
        for at in np.flatnonzero(by_name.knows(names) | by_key.knows(keys)).tolist():
            named, named_more = by_name.find(names[at])
            keyed, keyed_more = by_key.find(keys[at])
            both = [i for i in named if i in keyed]
            ordered = dict.fromkeys([*([at] if self_issued[at] else []), *both, *named, *keyed])
            tried = tuple(int(once[i]) for i in ordered)
            yield Candidates(int(once[at]), tried[:MOST_CANDIDATES], len(tried[MOST_CANDIDATES:]) + named_more + keyed_more)


class _Finder:
    """Which rows of a column hold a value."""

    def __init__(self, column: Numbers) -> None:
        self._order = np.argsort(column, kind="stable")
        self._sorted = column[self._order]

    def knows(self, values: Numbers) -> npt.NDArray[np.bool_]:
        at = np.minimum(np.searchsorted(self._sorted, values), len(self._sorted) - 1)
        return (self._sorted[at] == values) & (values != 0)

    def find(self, value: np.uint64) -> tuple[list[int], int]:
        """The first rows that hold it, and how many more do; none for 0."""
        if not value:
            return [], 0
        first, last = np.searchsorted(self._sorted, value, "left"), np.searchsorted(self._sorted, value, "right")
        kept = min(int(last), int(first) + MOST_CANDIDATES)
        return self._order[first:kept].tolist(), int(last) - kept


class EncodedCertificates:
    """Certificates in a file, one after another; opened by whoever reads them, also in another process."""

    def __init__(self, path: Path, ends: array[int]) -> None:
        self._ends = ends
        with path.open("rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if ends else b""

    def __getitem__(self, number: int) -> bytes:
        return self._data[self._ends[number - 1] if number else 0 : self._ends[number]]
