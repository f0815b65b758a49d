"""Certificates and CA certificates registered in AWS IoT: what they are, and what state the account holds them in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tenure.evidence.certificates import CertificateRecorder
from tenure.model.vocabulary import CredentialStatus, StatusAuthority
from tenure.pki import certificates
from tenure.pki.containers import ContainedProblem, certificates_in
from tenure.pki.dissection import dissect
from tenure.sources._aws_documents import Document, arn, certificate_id, moment
from tenure.sources._aws_export import Export

STATUS = {
    "ACTIVE": CredentialStatus.VALID,
    "INACTIVE": CredentialStatus.DEACTIVATED,
    "REVOKED": CredentialStatus.REVOKED,
    "PENDING_TRANSFER": CredentialStatus.PENDING,
    "PENDING_ACTIVATION": CredentialStatus.PENDING,
    "REGISTER_INACTIVE": CredentialStatus.DEACTIVATED,
}
"""AWS IoT's words for a certificate's state. REGISTER_INACTIVE is what registration on first connect leaves switched off."""


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a document says of a certificate's state."""

    status: CredentialStatus
    text: str
    changed_at: datetime | None
    origin: str


@dataclass(slots=True)
class Registered:
    """A certificate of the account. ``subject`` is set once its PEM was read and is what its id says."""

    origin: str
    authority: bool = False
    read: bool = False
    subject: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    statements: dict[str, Statement] = field(default_factory=dict)  # by the status' own word

    def latest(self) -> Statement | None:
        """The statement that was changed last; undated ones are older than any."""
        return max(self.statements.values(), key=lambda s: s.changed_at or _LONG_AGO, default=None)


class Certificates:
    """Merges what documents say of certificates, by certificate id (SHA-256 of the DER)."""

    def __init__(self, export: Export, recorder: CertificateRecorder) -> None:
        self._export, self._recorder = export, recorder
        self._known: dict[bytes, Registered] = {}
        self.readers: dict[str, Callable[[Document], None]] = {
            "certificateDescription": self._described,
            "certificates": self._listed,
            "outgoingCertificates": self._outgoing,
            "certificateArn": self._registered,
        }

    def _entry(self, document: Document, entry: dict[str, Any], place: str) -> tuple[bytes, Registered] | None:
        """The certificate that an entry with certificateId or certificateArn is about."""
        text = entry.get("certificateId") or entry.get("certificateArn")
        if (name := certificate_id(text)) is None:
            self._export.problem(document, f"no certificate id: {str(text)[:100]!r}", "unrecognised-entry", place)
            return None
        known = self._known.setdefault(name, Registered(document.entry(name.hex())))
        its_arn = arn(entry.get("certificateArn"))
        known.authority |= (its_arn is not None and its_arn.kind == "cacert") or "autoRegistrationStatus" in entry
        return name, known

    def _described(self, document: Document) -> None:
        """describe-certificate or describe-ca-certificate."""
        entry = document.value["certificateDescription"]
        if not isinstance(entry, dict):
            self._export.problem(document, "certificateDescription is no object", "unrecognised-entry")
            return
        self._one(document, entry, "certificateDescription")

    def _registered(self, document: Document) -> None:
        """create-keys-and-certificate, create-certificate-from-csr, register-certificate, or an entry of a list by itself."""
        if isinstance(pair := document.value.get("keyPair"), dict) and pair.get("PrivateKey"):
            reason = "a private key lies in the export: remove it, and take the key for compromised if others could read it"
            self._export.draft.problem(document.file, "keyPair.PrivateKey", reason, "private-key-present")
        self._one(document, document.value, document.origin.partition("#")[2] or "document")

    def _one(self, document: Document, entry: dict[str, Any], place: str) -> None:
        if (found := self._entry(document, entry, place)) is not None:
            self._pem(document, entry, *found)
            self._state(document, entry, found[1], place)

    def _pem(self, document: Document, entry: dict[str, Any], name: bytes, known: Registered) -> None:
        """Records the certificate and holds it against its id."""
        if isinstance(validity := entry.get("validity"), dict):
            known.not_before, known.not_after = moment(validity.get("notBefore")), moment(validity.get("notAfter"))
        if (pem := entry.get("certificatePem")) is None:
            return
        data, others, told = str(pem).encode("utf-8", "replace"), [], False
        for found in certificates_in(data):
            if isinstance(found, ContainedProblem):
                self._export.draft.problem(document.file, "certificatePem", found.reason, found.code, found.data)
                told = True
                continue
            digest = self._recorder.add(found.der, document.origin)
            if digest == name:
                known.read, known.subject = True, certificates.read(found.der).subject
            elif dissect(found.der).plausible:
                others.append(digest.hex())
            else:
                told = True
        if not known.read and (others or not told):
            which = f"{others[0]}, its id says {name.hex()}" if others else f"not in it; the state of {name.hex()} is kept"
            code = "certificate-id-mismatch" if others else "certificate-refused"
            self._export.draft.problem(document.file, "certificatePem", f"the certificate is {which}", code, data)

    def _state(self, document: Document, entry: dict[str, Any], known: Registered, place: str) -> None:
        """What the entry says of the state. A word that AWS does not have is a problem and stands as unknown."""
        changed = self._export.time(document, entry, "lastModifiedDate", place)
        self._export.time(document, entry, "creationDate", place)
        if (text := entry.get("status")) is None:
            return
        text = str(text)
        status = STATUS.get(text, CredentialStatus.UNKNOWN)
        if status is CredentialStatus.UNKNOWN:
            self._export.problem(document, f"no status of an AWS IoT certificate: {text[:80]!r}", "unknown-status", place)
        before = known.statements.get(text)
        if before is None or (changed is not None and (before.changed_at is None or changed > before.changed_at)):
            known.statements[text] = Statement(status, text, changed, document.origin)

    def _listed(self, document: Document) -> None:
        """list-certificates, list-certificates-by-ca or list-ca-certificates."""
        by_ca = document.file if "by-ca" in document.file else ""
        listings = set()
        for place, entry in self._export.objects(document, "certificates"):
            if (found := self._entry(document, entry, place)) is not None:
                self._state(document, entry, found[1], place)
                its_arn = arn(entry.get("certificateArn"))
                listings.add(("cacert" if found[1].authority else "cert", its_arn.scope if its_arn else ""))
        for kind, scope in listings or {("cert", "")}:
            self._export.page(document, "certificates", by_ca, kind, scope)

    def _outgoing(self, document: Document) -> None:
        """list-outgoing-certificates: on their way to another account."""
        for place, entry in self._export.objects(document, "outgoingCertificates"):
            if (found := self._entry(document, entry, place)) is not None:
                at = self._export.time(document, entry, "transferDate", place)
                stated = Statement(CredentialStatus.PENDING, "PENDING_TRANSFER", at, document.origin)
                found[1].statements.setdefault(stated.text, stated)

    def write(self, mentioned: Mapping[bytes, str]) -> None:
        """The rows. ``mentioned`` are certificates that things or policies name, with where: they exist, listed or not."""
        draft = self._export.draft
        for name, known in self._known.items():
            if not known.read:
                dates = {"not_before": known.not_before, "not_after": known.not_after}
                draft.add("certificate", sha256=name, reader="log", origin=known.origin, **dates)
            if len(known.statements) > 1:
                words = ", ".join(sorted(known.statements))
                draft.problem(
                    known.origin.partition("#")[0], name.hex(), f"told in several states: {words}", "conflicting-record"
                )
            if known.authority:
                self._authority(name, known)
            else:
                self._statuses(name, known)
        for name, origin in mentioned.items():
            if name not in self._known:
                draft.add("certificate", sha256=name, reader="log", origin=origin)

    def _authority(self, name: bytes, known: Registered) -> None:
        """A CA of which the account accepts certificates. Its state here is the account's, so it ends no trust elsewhere."""
        statement = known.latest()
        self._export.draft.add(
            "authority",
            sha256=name,
            name=known.subject,
            role="registered",
            status=statement.status if statement else None,
            issuance_collected=False,
            revocation_collected=False,
            origin=known.origin,
        )

    def _statuses(self, name: bytes, known: Registered) -> None:
        for stated in known.statements.values():
            ends = stated.status in (CredentialStatus.REVOKED, CredentialStatus.DEACTIVATED)
            self._export.draft.add(
                "credential_status",
                sha256=name,
                status=stated.status,
                status_text=stated.text,
                authority=StatusAuthority.CLOUD,
                effective_at=stated.changed_at if ends else None,
                stated_at=self._export.newest,
                origin=stated.origin,
            )
