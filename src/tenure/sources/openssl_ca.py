"""A CA run with ``openssl ca`` or easy-rsa: its index, the certificates it keeps, its CRLs, its CA certificates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from tenure.errors import SourceError
from tenure.evidence.certificates import CertificateRecorder
from tenure.evidence.collection import CollectContext, Place, Recognition, Source
from tenure.evidence.snapshot import SnapshotDraft
from tenure.pki import armour, crls
from tenure.pki.certificates import NoCertificateError, read
from tenure.pki.containers import Contained, Found, certificates_in
from tenure.pki.crls import NoCrlError
from tenure.sources._openssl_folder import INDEX, CaFile, Role, ca_files
from tenure.sources._openssl_issued import IssuedCertificates
from tenure.sources._openssl_lists import RevocationLists
from tenure.sources._openssl_records import CaRecords
from tenure.sources._openssl_signers import Signers
from tenure.sources._whole_files import content

LONGEST_FILE = 1 << 28
"""Bytes of a file that is read whole; a CRL of five million entries has less."""

_BESIDE_AN_INDEX = frozenset(
    ("index.txt.attr", "serial", "serial.txt", "newcerts", "certs_by_serial", "issued", "crl.pem", "crlnumber", "private")
)
_OTHER_LABELS = frozenset(
    (
        "EC PARAMETERS", "DH PARAMETERS", "X9.42 DH PARAMETERS", "DSA PARAMETERS", "PUBLIC KEY", "RSA PUBLIC KEY",
        "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST",
    )
)  # fmt: skip


class OpensslCa:
    """A CA folder, or a folder of several."""

    kind: ClassVar[str] = "openssl-ca"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "CA folder of openssl ca or easy-rsa"

    def recognise(self, place: Place) -> Recognition | None:
        """A folder with an index.txt and at least one of the other things that a CA folder holds."""
        if not place.is_folder:
            return None
        names = {path.name for path in place.path.iterdir()}
        beside = sorted(names & _BESIDE_AN_INDEX) or sorted(n for n in names if n.startswith(("ca.", "cacert.")))
        if INDEX not in names or not beside:
            return None
        return Recognition(95, f"openssl CA folder: {INDEX} with {', '.join(beside[:3])}")

    def collect(self, place: Place, context: CollectContext, draft: SnapshotDraft) -> None:
        files = list(ca_files(place.path, draft)) if place.is_folder else []
        if not any(file.role is Role.INDEX for file in files):
            raise SourceError(
                f"{place.relative} is no CA folder: there is no {INDEX} in it",
                "point at the folder that openssl.cnf names as dir, or at easy-rsa's pki",
            )
        reader = _Reader(context, draft)
        for role in (Role.LOOSE, Role.ARCHIVED, Role.PRIVATE):  # CA certificates first: the archive is checked against them
            for file in files:
                if file.role is role:
                    reader.read(file)
        reader.issued.settle()
        reader.lists.settle()
        records = CaRecords(draft, reader.signers, reader.issued, reader.lists)
        for file in files:
            if file.role is Role.INDEX and (data := reader.content(file)) is not None:
                records.read_index(file, data)
        records.write()
        reader.recorder.verify_edges()


class _Reader:
    """Opens the files of a CA folder: certificates go to the recorder, and to ``signers`` and ``issued``; lists to ``lists``."""

    def __init__(self, context: CollectContext, draft: SnapshotDraft) -> None:
        self._context, self._draft = context, draft
        self.recorder = CertificateRecorder(draft)
        self.signers = Signers()
        self.issued = IssuedCertificates(self.signers)
        self.lists = RevocationLists(draft, self.signers, self.issued)

    def content(self, file: CaFile) -> bytes | None:
        return content(file.path, file.name, LONGEST_FILE, self._context, self._draft)

    def read(self, file: CaFile) -> None:
        """One file that may hold certificates or lists; a private key is not opened."""
        if file.role is Role.PRIVATE:
            reason = "a private key by its name, not opened: leave the CA's keys out of the export"
            self._draft.problem(file.name, "file", reason, "private-key-present")
        elif (data := self.content(file)) is not None:
            found = list(certificates_in(data, self._context.passwords))
            self.recorder.add_found(found, file.name)
            some = self._certificates(found, file)
            if not (some and data[:1] == b"\x30"):  # a DER file that is a certificate is no list
                some |= self._lists(data, file)
            if not found and not some and _should_hold_something(data):
                self._draft.problem(file.name, "file", "no certificate and no CRL in it", "unrecognised-file", data)

    def _certificates(self, found: Iterable[Found], file: CaFile) -> bool:
        """Remembers the certificates of a file; whether there were any. The recorder tells what is wrong with them."""
        some = False
        for item in found:
            if isinstance(item, Contained):
                some = True
                try:
                    facts = read(item.der)
                except NoCertificateError:
                    continue
                self.signers.add(facts, file)
                self.issued.add(facts, file)
        return some

    def _lists(self, data: bytes, file: CaFile) -> bool:
        """Remembers the revocation lists of a file; whether there were any, readable or not."""
        some = False
        for item in crls.crls_in(data):
            if not isinstance(item, Contained):
                self._draft.problem(file.name, item.place, item.reason, item.code, item.data)
            else:
                try:
                    self.lists.add(crls.read(item.der), file, item.place)
                except NoCrlError as error:
                    if not item.place:
                        continue  # any DER may be tried as a list; nobody called this one a list
                    self._draft.problem(file.name, item.place, error.problem, "no-crl", item.der)
            some = True
        return some


def _should_hold_something(data: bytes) -> bool:
    """Whether a file that gave nothing is a surprise: it is not empty, and no PEM of parameters, requests or public keys."""
    labels = {block.label for block in armour.blocks(data)} if armour.contains_mark(data) else set()
    return bool(data.strip()) and not (labels and labels <= _OTHER_LABELS)


SOURCE: Source = OpensslCa()
