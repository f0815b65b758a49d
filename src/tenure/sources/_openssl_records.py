"""The indexes of CA folders against the certificates and lists beside them: whose they are, what was issued, in what state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.vocabulary import StatusAuthority
from tenure.sources._openssl_folder import CaFile
from tenure.sources._openssl_index import IndexEntry, IndexRefusal, read_line
from tenure.sources._openssl_issued import Issued, IssuedCertificates
from tenure.sources._openssl_lists import RevocationLists
from tenure.sources._openssl_signers import CaCertificate, Signers


@dataclass(slots=True)
class _Index:
    """An index as read. ``owners``: one CA certificate for each key whose index it was found to be."""

    file: CaFile
    entries: list[tuple[IndexEntry, Issued | None]]
    owners: list[CaCertificate] = field(default_factory=list)
    names: set[str] = field(default_factory=set)  # issuers it lists certificates of whose CA certificate is not here

    def issuer_of(self, certificate: Issued | None) -> tuple[str | None, CaCertificate | None]:
        """Name and, where that is certain, CA certificate of who issued an entry."""
        if certificate is not None:
            return (certificate.signer.name, certificate.signer) if certificate.signer else (certificate.issuer, None)
        if len(self.owners) == 1 and not self.names:
            return self.owners[0].name, self.owners[0]
        names = self.names | {owner.name for owner in self.owners if owner.name}
        return (next(iter(names)), None) if len(names) == 1 else (None, None)


@dataclass(slots=True)
class _Collected:
    issuance: bool = False
    revocation: bool = False


class CaRecords:
    """Reads indexes, and writes what they mean once all have been read."""

    def __init__(self, draft: SnapshotDraft, signers: Signers, issued: IssuedCertificates, lists: RevocationLists) -> None:
        self._draft, self._signers, self._issued, self._lists = draft, signers, issued, lists
        self._indexes: list[_Index] = []
        self._ours: dict[bytes, tuple[CaCertificate, _Collected]] = {}

    def read_index(self, file: CaFile, data: bytes) -> None:
        """One index: its lines, the certificates they mean, and whose index it is."""
        index = _Index(file, [])
        seen: dict[str, int] = {}
        for entry in self._lines(file, data):
            if (before := seen.setdefault(entry.serial_hex, entry.line)) != entry.line:
                reason = f"serial {entry.serial_hex} stands in line {before} already"
                self._draft.problem(file.name, f"line {entry.line}", reason, "duplicate-serial")
            index.entries.append((entry, self._match(entry, file)))
        self._find_owners(index)
        self._indexes.append(index)

    def _lines(self, file: CaFile, data: bytes) -> Iterator[IndexEntry]:
        for number, line in enumerate(data.split(b"\n"), 1):
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError:
                text = line.decode("latin-1")  # openssl writes the bytes of a T61String as they are
            entry = read_line(number, text)
            if isinstance(entry, IndexRefusal):
                self._draft.problem(file.name, f"line {number}", entry.reason, entry.code, line)
            elif entry is not None:
                for code, reason in entry.doubts:
                    self._draft.problem(file.name, f"line {number}", reason, code, line)
                yield entry

    def _match(self, entry: IndexEntry, file: CaFile) -> Issued | None:
        """The certificate that a line means: of this folder, with its serial and, where the line tells it, its notAfter."""
        here = self._issued.in_folder(entry.serial_hex, file.folder)
        archived = [i for i in here if i.archived]
        wanted = here if entry.not_after is not None else archived
        found = {i.sha256: i for i in wanted if entry.not_after in (None, i.not_after)}
        if len(found) > 1:
            found = {sha256: i for sha256, i in found.items() if i.archived}
        if len(found) == 1:
            return next(iter(found.values()))
        if found or archived:
            reason = "several certificates kept here are" if found else "the certificate kept under this serial is not"
            self._draft.problem(file.name, f"line {entry.line}", f"{reason} what the line tells", "index-mismatch")
        return None

    def _find_owners(self, index: _Index) -> None:
        """Whose index it is: who signed what it lists, or a list with its revocations; else the only CA there is."""
        matched = [certificate for _, certificate in index.entries if certificate is not None]
        owners = {c.signer.spki: c.signer for c in matched if c.signer is not None}
        index.names = {c.issuer for c in matched if c.signer is None and c.issuer}
        revoked = {(e.serial_hex, e.revoked_at) for e, _ in index.entries if e.revoked_at is not None}
        for found in self._lists.verified:
            if found.folder == index.file.folder and any((e.serial_hex, e.revoked_at) in revoked for e in found.facts.entries):
                owners.setdefault(found.signer.spki, found.signer)
        if not owners and not index.names:
            owners = {ca.spki: ca for ca in self._signers.in_folder(index.file.folder)}
            if len(owners) == 1:
                self._draft.note(f"{index.file.name} is taken for the index of the only CA whose certificate lies there")
            else:
                reason = f"whose index this is cannot be told: {len(owners)} CA keys are here, none signed what it lists"
                self._draft.problem(index.file.name, "index", reason, "issuer-undetermined")
                owners = {}
        index.owners = list(owners.values())

    def write(self) -> None:
        """Authorities, issuances and states."""
        for index in self._indexes:
            for owner in index.owners:
                for ca in self._signers.with_key_of(owner):
                    self._of(ca).issuance = True
        for ca, _ in list(self._ours.values()):
            self._parents(ca)
        for found in self._lists.verified:
            for ca in self._signers.with_key_of(found.signer):
                if ca.sha256 in self._ours:
                    self._of(ca).revocation = True
        for ca, collected in self._ours.values():
            self._authority(ca.sha256, ca.name, collected, ca.origin)
        for index in self._indexes:
            unknown: list[str | None] = [*sorted(index.names)] if index.owners or index.names else [None]
            for name in unknown:
                self._authority(None, name, _Collected(issuance=True), index.file.name)
        spoken = self._spoken()
        self._draft.speaks_until(spoken)
        for index in self._indexes:
            self._write_entries(index, spoken)
        self._lists.write()

    def _of(self, ca: CaCertificate) -> _Collected:
        return self._ours.setdefault(ca.sha256, (ca, _Collected()))[1]

    def _parents(self, ca: CaCertificate) -> None:
        """Who signed an authority of ours is ours too, up to the root, as far as their certificates are here."""
        while (parent := self._signers.of_certificate(ca.der, ca.issuer_sha256)) is not None and parent.sha256 not in self._ours:
            self._of(parent)
            ca = parent

    def _authority(self, sha256: bytes | None, name: str | None, collected: _Collected, origin: str) -> None:
        flags = {"issuance_collected": collected.issuance, "revocation_collected": collected.revocation}
        self._draft.add("authority", sha256=sha256, name=name, role="operator", origin=origin, **flags)

    def _spoken(self) -> datetime | None:
        """Up to when the folder speaks: the newest issuance, revocation or list."""
        moments = [e.revoked_at for index in self._indexes for e, _ in index.entries]
        moments += [found.facts.this_update for found in self._lists.verified]
        return max((m for m in (*moments, *self._issued.issued_at()) if m is not None), default=None)

    def _write_entries(self, index: _Index, spoken: datetime | None) -> None:
        undetermined = 0
        for entry, certificate in index.entries:
            issuer, ca = index.issuer_of(certificate)
            undetermined += issuer is None
            named = {
                "sha256": certificate.sha256 if certificate else None,
                "issuer": issuer,
                "issuer_sha256": ca.sha256 if ca else None,
                "serial_hex": entry.serial_hex,
                "origin": f"{index.file.name}#{entry.line}",
            }
            issued_at = certificate.not_before if certificate else None
            self._draft.add("issuance", subject=entry.subject, issued_at=issued_at, not_after=entry.not_after, **named)
            self._draft.add(
                "credential_status",
                status=entry.status,
                status_text=entry.status_text,
                authority=StatusAuthority.CA_INDEX,
                effective_at=entry.revoked_at,
                stated_at=spoken,
                **named,
            )
        if undetermined and (index.owners or index.names):
            reason = f"{undetermined} entries whose certificates are not here may be of any of several CAs"
            self._draft.problem(index.file.name, "index", reason, "issuer-undetermined")
