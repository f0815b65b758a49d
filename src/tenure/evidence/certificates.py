"""Certificates into a snapshot: rows, the problems met in reading, and the signatures that were checked among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext

from tenure.evidence.certificate_index import CertificateIndex
from tenure.evidence.certificate_intake import CertificateBatch, CertificateIntake, placed
from tenure.evidence.parallel import WorkerDiedError, Workers
from tenure.evidence.schemas import CERTIFICATE
from tenure.evidence.signature_edges import Doubt, check
from tenure.evidence.snapshot import SnapshotDraft
from tenure.pki.containers import Found

__all__ = ["CertificateRecorder", "placed"]


class CertificateRecorder:
    """Writes the certificates that one source finds into its draft, each once for each origin."""

    def __init__(self, draft: SnapshotDraft) -> None:
        self._draft = draft
        self._intake = CertificateIntake()
        self._index = CertificateIndex()

    def add(self, der: bytes, origin: str) -> bytes:
        """One certificate; gives its SHA-256. Bytes that are none become a problem (``no-certificate``) and no row."""
        digest = self._intake.add(der, origin)
        self._settle()
        return digest

    def add_container(self, data: bytes, origin: str, passwords: Sequence[bytes] = ()) -> list[bytes]:
        """All certificates in the bytes of a certificate file, whatever its form; their SHA-256s in order.

        Where it holds more than one, each has its place behind the origin (``bundle.pem#2``).
        """
        digests = self._intake.add_container(data, origin, passwords)
        self._settle()
        return digests

    def add_found(self, found: Iterable[Found], origin: str) -> list[bytes]:
        """The same for what was found in a container already."""
        digests = self._intake.add_found(found, origin)
        self._settle()
        return digests

    def add_batch(self, batch: CertificateBatch) -> int:
        """What an intake took in elsewhere; gives the number of certificates."""
        count = 0
        for rows in batch.batches():
            self._draft.add_columns("certificate", dict(zip(CERTIFICATE.names, rows.columns, strict=True)))
            self._index.remember_batch(rows)
            count += rows.num_rows
        self._draft.add_rows("problem", batch.problems)
        return count

    def verify_edges(self, workers: Workers | None = None) -> None:
        """Check who signed whom among all certificates added, and write what came out. Call it once, at the end.

        On all cores where there is much to check; if a process dies over it, the snapshot is partial.
        """
        doubts: list[Doubt] = []
        with Workers() if workers is None else nullcontext(workers) as working:
            try:
                for checked in working.map(check, self._index.tasks()):
                    self._draft.add_rows("signature_edge", checked.edges)
                    doubts += checked.doubts
            except WorkerDiedError as error:
                self._draft.problem("", "signatures", error.problem, "process-died")
                self._draft.cut_short(error.problem)
        origins = self._index.origins(doubt.number for doubt in doubts)
        for doubt in doubts:
            file, _, place = origins[doubt.number].partition("#")
            self._draft.add_row("problem", (file, place, doubt.reason, doubt.code, doubt.sha256))

    def _settle(self) -> None:
        rows, problems = self._intake.take()
        self._draft.add_rows("certificate", rows)
        self._draft.add_rows("problem", problems)
        for row in rows:
            self._index.remember(row)
