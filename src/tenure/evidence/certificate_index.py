"""What has to be remembered of each certificate to find its issuer later: 48 bytes in memory, DER and origin in files.

Names and key identifiers are remembered by eight bytes each. Two that fall together by accident make one more candidate,
nothing else: the signature decides who the issuer is.
"""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tenure.evidence.schemas import CERTIFICATE
from tenure.evidence.signature_edges import Candidates, EdgeTask, Span

TRIES: Final = 500_000
LEAST_CANDIDATES: Final = 32
"""How many possible issuers are tried for all together, and at least for each. More than some share a name or a key identifier
only in hostile or broken collections, and checking them all would take time in the square of their number."""

PORTION: Final = 4096
"""Certificates that are checked in one go."""

_BLOCK: Final = 65_536
_DER: Final = CERTIFICATE.names.index("der")
_ORIGIN: Final = CERTIFICATE.names.index("origin")
_MARKED: Final = tuple(
    CERTIFICATE.names.index(name) for name in ("sha256", "subject_sha256", "issuer_sha256", "subject_key_id", "authority_key_id")
)

Numbers = npt.NDArray[np.uint64]


class CertificateIndex:
    """Certificates in the order they were remembered, numbered from 0. The files go with the index."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.NamedTemporaryFile(prefix="tenure-certificates-")  # noqa: SIM115 - lives as long as we
        self._origins: IO[bytes] = tempfile.TemporaryFile(prefix="tenure-origins-")  # noqa: SIM115 - as above
        self._ends = array("Q")
        self._marks = tuple(array("Q") for _ in _MARKED)

    def __len__(self) -> int:
        return len(self._ends)

    def remember(self, row: tuple[object, ...]) -> None:
        """One row of ``certificate``."""
        der = cast("bytes", row[_DER])
        self._file.write(der)
        self._origins.write(_line(cast("str", row[_ORIGIN])))
        self._ends.append((self._ends[-1] if self._ends else 0) + len(der))
        for column, at in zip(self._marks, _MARKED, strict=True):
            column.append(mark(cast("bytes | None", row[at])))

    def remember_batch(self, rows: pa.RecordBatch) -> None:
        """Many rows, in Arrow."""
        ends = np.frombuffer(_memory(rows.column(_DER), 1), np.int32)[rows.column(_DER).offset :][: rows.num_rows + 1]
        before = self._ends[-1] if self._ends else 0
        self._file.write(_memory(rows.column(_DER), 2)[ends[0] : ends[-1]])
        self._origins.writelines(map(_line, cast("list[str]", rows.column(_ORIGIN).to_pylist())))
        self._ends.frombytes((ends[1:].astype(np.uint64) + np.uint64(before - int(ends[0]))).tobytes())
        for column, at in zip(self._marks, _MARKED, strict=True):
            column.frombytes(_marks(rows.column(at)).tobytes())

    def origins(self, numbers: Iterable[int]) -> dict[int, str]:
        """Where these certificates stand: one reading of the file, however many they are."""
        wanted = set(numbers)
        if not wanted:
            return {}
        self._origins.seek(0)
        lines = ((number, line) for number, line in enumerate(self._origins) if number in wanted)
        found = {number: line[:-1].replace(b"\0", b"\n").decode() for number, line in lines}
        self._origins.seek(0, os.SEEK_END)
        return found

    def tasks(self) -> Iterator[EdgeTask]:
        """Who may have signed whom, in portions: each certificate once, those for which nobody can have left out."""
        self._file.flush()
        candidates = self._candidates()
        while portion := tuple(islice(candidates, PORTION)):
            yield EdgeTask(Path(self._file.name), portion)

    def _candidates(self) -> Iterator[Candidates]:
        if not self._ends:
            return
        digests, subjects, issuers, subject_keys, issuer_keys = (np.array(column, np.uint64) for column in self._marks)
        once = np.sort(np.unique(digests, return_index=True)[1])
        by_name, by_key = _Finder(subjects[once], issuers[once]), _Finder(subject_keys[once], issuer_keys[once])
        most = max(LEAST_CANDIDATES, TRIES // len(once))
        some = np.flatnonzero(by_name.found | by_key.found)
        for start in range(0, len(some), _BLOCK):
            rows = some[start : start + _BLOCK]
            names, keys = by_name.near(rows, most), by_key.near(rows, most)
            numbers, itself = once[rows].tolist(), (subjects[once[rows]] == issuers[once[rows]]).tolist()
            for row, number, own, named, keyed in zip(rows.tolist(), numbers, itself, names, keys, strict=True):
                ordered = _likeliest_first(row if own else None, named[0], keyed[0])
                tried = tuple(self._span(int(once[i])) for i in ordered)
                yield Candidates(number, self._span(number), tried[:most], len(tried[most:]) + named[1] + keyed[1])

    def _span(self, number: int) -> Span:
        return Span(self._ends[number - 1] if number else 0, self._ends[number])


def _line(origin: str) -> bytes:
    """An origin as a line of a file; a name may have a line feed in it, and no NUL."""
    return origin.encode().replace(b"\n", b"\0") + b"\n"


def mark(value: bytes | None) -> int:
    """Eight bytes that stand for a name's hash or a key identifier; 0 for none."""
    return int.from_bytes(value[-8:], "big") if value else 0


def _marks(column: pa.Array[Any]) -> Numbers:
    """The same for a column of binary values: the eight bytes before each value's end, taken from Arrow's memory."""
    count = len(column)
    if column.null_count == count:
        return np.zeros(count, np.uint64)
    if isinstance(column, pa.FixedSizeBinaryArray):
        width = column.type.byte_width
        ends: npt.NDArray[Any] = np.arange(column.offset + 1, column.offset + count + 1) * width
        shortest = width
    else:
        offsets = np.frombuffer(_memory(column, 1), np.int32)[column.offset : column.offset + count + 1]
        ends = offsets[1:]
        shortest = int((offsets[1:] - offsets[:-1])[_valid(column)].min())
    if shortest < 8:
        return np.fromiter((mark(value) for value in column.to_pylist()), np.uint64, count)
    data = np.frombuffer(_memory(column, -1), np.uint8)
    values: Numbers = data[np.maximum(ends[:, None], 8) - 8 + np.arange(8)].view(">u8").ravel().astype(np.uint64)
    values[~_valid(column)] = 0
    return values


def _memory(column: pa.Array[Any], at: int) -> memoryview:
    """A buffer of an Arrow array that has values, so that the buffer is there."""
    buffer = column.buffers()[at]
    assert buffer is not None
    return memoryview(cast("bytes", buffer))  # a Buffer has the buffer protocol, which its stub does not say


def _valid(column: pa.Array[Any]) -> npt.NDArray[np.bool_]:
    valid: npt.NDArray[np.bool_] = np.asarray(column.is_valid())
    return valid


def _likeliest_first(own: int | None, named: list[int], keyed: list[int]) -> Iterable[int]:
    """Itself where it names itself as its issuer; then who has the name and the key identifier, the name, the identifier."""
    if own is None and (named == keyed or not keyed):
        return named
    both = set(keyed)
    return dict.fromkeys([*(() if own is None else (own,)), *(i for i in named if i in both), *named, *keyed])


class _Finder:
    """For each of many wanted values, the rows of a column that hold it; none for 0."""

    def __init__(self, column: Numbers, wanted: Numbers) -> None:
        self._order = np.argsort(column, kind="stable")
        ordered = column[self._order]
        self._first, self._last = np.searchsorted(ordered, wanted, "left"), np.searchsorted(ordered, wanted, "right")
        self._last[wanted == 0] = 0
        self.found = self._last > self._first

    def near(self, rows: npt.NDArray[np.intp], most: int) -> Iterator[tuple[list[int], int]]:
        """For each row those that hold what it wants, nearest to it first (chains lie together), and how many are left out."""
        firsts, lasts = self._first[rows], self._last[rows]
        only = self._order[np.minimum(firsts, len(self._order) - 1)].tolist()
        for row, first, last, one in zip(rows.tolist(), firsts.tolist(), lasts.tolist(), only, strict=True):
            count = last - first
            if count <= 1:
                yield ([one], 0) if count == 1 else ([], 0)
                continue
            if count > most:
                middle = first + int(np.searchsorted(self._order[first:last], row))
                first = max(first, min(middle - most // 2, last - most))
                last = first + most
            held = self._order[first:last].tolist()
            yield sorted(held, key=lambda other: abs(other - row)), count - len(held)
