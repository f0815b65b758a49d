"""Certificates on their way into a snapshot: rows of the table ``certificate`` and of ``problem``, before anything is written.

Needs no draft, so another process can take certificates in and hand over what came out in a file (``CertificateBatch``).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from tenure.evidence.schemas import CERTIFICATE
from tenure.pki import certificates
from tenure.pki.certificates import NoCertificateError
from tenure.pki.containers import Contained, Found, certificates_in

BATCH_ROWS: Final = 8192

Row = tuple[object, ...]
"""A row of ``certificate`` or of ``problem`` in the order of its schema."""


@dataclass(frozen=True, slots=True)
class CertificateBatch:
    """What was taken in, to be handed over: a file with an Arrow stream of certificates (none where there are none), and rows of
    ``problem``. The file is mapped where it is read, so millions of certificates go from process to process without a copy."""

    path: Path | None
    problems: list[Row]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The certificates; the file is removed after the last."""
        if self.path is not None:
            with pa.memory_map(str(self.path)) as mapped, pa.ipc.open_stream(mapped) as stream:
                yield from stream
            self.path.unlink()


class CertificateIntake:
    """Takes certificates in, each once for each origin; or each, where the origins are known to differ (``distinct``).

    What was taken is remembered for the file being read (the origin before ``#``): a file that is come back to after
    another one gives its certificates again.
    """

    def __init__(self, *, distinct: bool = False) -> None:
        self.rows: list[Row] = []
        self.problems: list[Row] = []
        self._distinct = distinct
        self._file = ""
        self._taken: set[tuple[bytes, str]] = set()

    def add(self, der: bytes, origin: str) -> bytes:
        """One certificate; gives its SHA-256. Bytes that are none become a problem (``no-certificate``) and no row."""
        try:
            facts = certificates.read(der)
        except NoCertificateError as error:
            self.problem(origin, "", error.problem, "no-certificate", der)
            return hashlib.sha256(der).digest()
        if self._distinct or self._new(facts.sha256, origin):
            self.rows.append(facts[:-1] + (origin,))  # noqa: RUF005 - half the time of unpacking, once for each certificate
            for problem in facts.problems:
                self.problem(origin, problem.field, problem.reason, problem.code, facts.der)
        return facts.sha256

    def _new(self, sha256: bytes, origin: str) -> bool:
        file = origin.partition("#")[0]
        if file != self._file:
            self._file = file
            self._taken.clear()
        mark = sha256, origin
        if mark in self._taken:
            return False
        self._taken.add(mark)
        return True

    def add_container(self, data: bytes, origin: str, passwords: Sequence[bytes] = ()) -> list[bytes]:
        """All certificates in the bytes of a certificate file, whatever its form; their SHA-256s in order."""
        return self.add_found(certificates_in(data, passwords), origin)

    def add_found(self, found: Iterable[Found], origin: str, *, several: bool = False) -> list[bytes]:
        """The same for what was found in a container already.

        Where there is more than one (or there is known to be: ``several``), each has its place behind the origin
        (``bundle.pem#2``).
        """
        digests: list[bytes] = []
        only: Contained | None = None  # the first certificate, until it is known whether it is the only one
        before = origin + ("/" if "#" in origin else "#")
        for item in found:
            if not isinstance(item, Contained):
                self.problem(placed(origin, item.place), "", item.reason, item.code, item.data)
            elif several:
                digests.append(self.add(item.der, before + item.place))
            elif only is None:
                only = item
            else:
                several = True
                digests.append(self.add(only.der, before + only.place))
                digests.append(self.add(item.der, before + item.place))
        if only is not None and not several:
            digests.append(self.add(only.der, origin))
        return digests

    def problem(self, origin: str, field: str, reason: str, code: str, data: bytes | None) -> None:
        file, _, place = origin.partition("#")
        digest = None if data is None else hashlib.sha256(data).digest()
        self.problems.append((file, f"{place} {field}".strip(), reason, code, digest))

    def take(self) -> tuple[list[Row], list[Row]]:
        """The rows of ``certificate`` and of ``problem`` taken in since the last time."""
        taken = self.rows, self.problems
        self.rows, self.problems = [], []
        return taken

    def batch(self, folder: Path) -> CertificateBatch:
        """The same to be handed over, in a file of its own in this folder."""
        rows, problems = self.take()
        if not rows:
            return CertificateBatch(None, problems)
        schema = CERTIFICATE.schema
        descriptor, path = tempfile.mkstemp(".arrows", dir=folder)
        os.close(descriptor)
        with pa.OSFile(path, "wb") as file, pa.ipc.new_stream(file, schema) as writer:
            for at in range(0, len(rows), BATCH_ROWS):
                columns = zip(*rows[at : at + BATCH_ROWS], strict=True)
                arrays = [pa.array(column, field.type) for field, column in zip(schema, columns, strict=True)]
                writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
        return CertificateBatch(Path(path), problems)


def placed(origin: str, place: str) -> str:
    """The origin of a thing at a place inside what has this origin."""
    if not place:
        return origin
    return f"{origin}/{place}" if "#" in origin else f"{origin}#{place}"
