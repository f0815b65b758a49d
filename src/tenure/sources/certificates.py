"""Source ``certificates``: any tree of certificate files, and certificates inside any binary file of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import ClassVar, Final

from tenure.errors import SourceError
from tenure.evidence.certificates import CertificateRecorder
from tenure.evidence.collection import CollectContext, Place, Recognition
from tenure.evidence.parallel import WorkerDiedError, Workers
from tenure.evidence.revocation_lists import ListRecorder
from tenure.evidence.snapshot import SnapshotDraft
from tenure.pki import crls
from tenure.sources._certificate_files import CLAIMING, LIST_NAME, Task, holds_certificates, read_portion
from tenure.sources._certificate_tree import portions

_BINARIES: Final = (
    b"\x7fELF",
    b"MZ",
    b"hsqs",
    b"\x27\x05\x19\x56",
    b"\xd0\x0d\xfe\xed",
    b"UBI#",
    b"\xfe\xed\xfe\xed",
    b"\xce\xce\xce\xce",
)
"""Beginnings of files that carry certificates inside: programs, file systems and images of devices, key stores."""

_BINARY_NAMES: Final = (
    ".bin",
    ".img",
    ".fw",
    ".rom",
    ".fd",
    ".efi",
    ".elf",
    ".so",
    ".exe",
    ".dll",
    ".uf2",
    ".dfu",
    ".jks",
    ".bks",
)
_LISTED: Final = 1_000


class Certificates:
    """PEM, DER, PKCS#7, PKCS#12, bundles; revocation lists; what is carved out of firmware, programs and key stores."""

    kind: ClassVar[str] = "certificates"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "Certificates in files, bundles, key stores and binaries"

    def recognise(self, place: Place) -> Recognition | None:
        """Little sureness throughout, so that whoever knows more of a certificate's whereabouts comes first."""
        if place.is_folder:
            return _folder(place)
        if count := holds_certificates(place.head):
            return Recognition(
                40 if place.head[:1] == b"\x30" else 30, f"{count} certificates or more" if count > 1 else "a certificate"
            )
        if crls.holds_list(place.head):
            return Recognition(30, "a revocation list")
        if place.path.name.lower().endswith((*CLAIMING, LIST_NAME)):
            return Recognition(20, "named like a certificate file or a revocation list")
        binary = place.head.startswith(_BINARIES) or _is_firmware(place)
        return Recognition(10, "a binary that may carry certificates") if binary else None

    def collect(self, place: Place, context: CollectContext, draft: SnapshotDraft) -> None:
        if not place.path.exists():
            raise SourceError(f"{place.relative} does not exist", "check the path")
        recorder, lists = CertificateRecorder(draft), ListRecorder(draft)
        without = 0
        with tempfile.TemporaryDirectory(prefix="tenure-certificates-") as scratch, Workers() as workers:
            tasks = (Task(p, context.passwords, Path(scratch)) for p in portions(place.path, place.relative))
            try:
                for outcome in workers.map(read_portion, tasks):
                    recorder.add_batch(outcome.batch)
                    for file in outcome.lists:
                        lists.add_file(file.data, file.origin, first=file.first, several=not file.whole)
                    without += outcome.without
                    if outcome.unread:
                        draft.cut_short(outcome.unread)
                    context.progress(outcome.size)
                recorder.verify_edges(workers)
            except WorkerDiedError as error:
                draft.problem(place.relative, "whole", error.problem, "process-died")
                draft.cut_short(error.problem)
        if without:
            draft.note(f"{without} files of other kinds hold no certificate")


def _folder(place: Place) -> Recognition | None:
    """A folder with a certificate file directly in it, as its name says. Its other files are asked one by one."""
    with os.scandir(place.path) as listing:
        for number, entry in enumerate(listing):
            if entry.name.lower().endswith(CLAIMING):
                return Recognition(15, "folder with certificate files")
            if number >= _LISTED:
                break
    return None


def _is_firmware(place: Place) -> bool:
    return b"_FVH" in place.head[:64] or (place.path.name.lower().endswith(_BINARY_NAMES) and b"\0" in place.head)


SOURCE = Certificates()
