"""Entries of issuers' logs as evidence: issuance, revocation, embedded certificates, and the authorities they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tenure.evidence.certificates import CertificateRecorder
from tenure.evidence.collection import CollectContext
from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.vocabulary import CredentialStatus, StatusAuthority
from tenure.pki import certificates
from tenure.pki.certificates import CertificateFacts, NoCertificateError
from tenure.pki.containers import Contained, certificates_in
from tenure.pki.names import escaped
from tenure.sources._name_text import rfc4514
from tenure.sources._tabular import Table


@dataclass(frozen=True, slots=True)
class Issued:
    """An entry that says: this was issued. What an embedded certificate says counts before the log's own words."""

    place: int
    serial_hex: str | None
    certificate: CertificateFacts | None = None
    issuer: str | None = None
    subject: str | None = None
    sha256: bytes | None = None
    issued_at: datetime | None = None
    not_after: datetime | None = None
    requester: str | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """What the log says of the state of a certificate."""

    status: str
    text: str | None
    effective_at: datetime | None


class IssuanceRows:
    """Writes the entries of one log; ``finish`` writes its authorities and checks signatures.

    ``complete`` says that the log holds all that was ever issued; otherwise it is complete from its first entry on, of
    each issuer. ``revocation`` says that it holds the revocations too.
    """

    def __init__(self, table: Table, context: CollectContext, draft: SnapshotDraft, *, complete: bool, revocation: bool) -> None:
        self._table, self._draft = table, draft
        self._declared = None if context.declared.issuer is None else rfc4514(context.declared.issuer)
        self._complete, self._revocation = complete, revocation
        self._recorder = CertificateRecorder(draft)
        self._first: dict[str | None, datetime | None] = {}  # issuer -> its earliest entry
        self.stated_at: datetime | None = context.declared.as_of  # up to when the log speaks of states
        self.since: datetime | None = None  # an incomplete log begins here even where its first issuance is later

    def certificate(self, place: int, data: bytes) -> CertificateFacts | None:
        """The certificate an entry embeds (PEM, base64 or DER), written to the draft; told and None where there is none."""
        found = [item for item in certificates_in(data) if isinstance(item, Contained)]
        if len(found) == 1:
            try:
                facts = certificates.read(found[0].der)
            except NoCertificateError as error:
                self._table.tell(place, f"no certificate can be read from the entry: {error.problem}", "no-certificate", data)
                return None
            self._recorder.add(facts.der, self._table.origin(place))
            return facts
        self._table.tell(place, f"the entry should embed one certificate and holds {len(found)}", "no-certificate", data)
        return None

    def issued(self, entry: Issued, stated: Stated | None = None) -> None:
        """An issuance, and its state where the log keeps it beside. An entry without a serial is told."""
        facts = entry.certificate
        serial = entry.serial_hex if facts is None or facts.serial_hex is None else facts.serial_hex
        if serial is None:
            self._table.tell(entry.place, "the entry names no serial number of a certificate", "no-serial", None)
            return
        issuer = self._issuer(entry)
        sha256 = entry.sha256 if facts is None else facts.sha256
        self._draft.add(
            "issuance",
            issuer=issuer,
            serial_hex=serial,
            sha256=sha256,
            subject=entry.subject or (None if facts is None else facts.subject),
            issued_at=entry.issued_at or (None if facts is None else facts.not_before),
            not_after=(None if facts is None else facts.not_after) or entry.not_after,
            requester=entry.requester,
            origin=self._table.origin(entry.place),
        )
        self._remember(issuer, entry.issued_at or (None if facts is None else facts.not_before))
        if stated is not None:
            self.stated(entry.place, serial, issuer, stated, sha256)

    def stated(self, place: int, serial: str, issuer: str | None, stated: Stated, sha256: bytes | None = None) -> None:
        """The state of a certificate that this log's issuer issued at some time."""
        self._draft.add(
            "credential_status",
            sha256=sha256,
            issuer=issuer,
            serial_hex=serial,
            status=stated.status,
            status_text=stated.text,
            authority=StatusAuthority.ISSUANCE_LOG,
            effective_at=stated.effective_at,
            stated_at=self.stated_at,
            origin=self._table.origin(place),
        )

    def known_issuer(self, text: str | None) -> str | None:
        """The issuer an entry names, else the declared one, else the only one of the log so far."""
        if text is None:
            named = [issuer for issuer in self._first if issuer is not None]
            return self._declared or (named[0] if len(named) == 1 else None)
        name = rfc4514(text)
        if "=" not in name:  # a common name alone: the issuer of that CN, where the log shows one in full
            full = [i for i in (self._declared, *self._first) if i is not None and f"CN={escaped(name)}" in i.split(",")]
            name = full[0] if len(set(full)) == 1 else name
        return name

    def finish(self) -> None:
        """The authorities this log is the record of, and the signatures among its certificates."""
        if not self._first:
            self._first[self._declared] = None
        for issuer, first in self._first.items():
            since = first if self.since is None or first is None else min(first, self.since)
            self._draft.add(
                "authority",
                name=issuer,
                role="operator",
                issuance_since=None if self._complete else since or self.since,
                issuance_collected=True,
                revocation_collected=self._revocation,
                origin=self._table.relative,
            )
        if None in self._first:
            self._draft.note(f"{self._table.relative} does not say whose log it is: declare `issuer` in [[source]]")
        self._recorder.verify_edges()

    def _issuer(self, entry: Issued) -> str | None:
        if entry.certificate is not None and entry.certificate.issuer is not None:
            return entry.certificate.issuer
        return self._declared if entry.issuer is None else self.known_issuer(entry.issuer)

    def _remember(self, issuer: str | None, at: datetime | None) -> None:
        known = self._first.get(issuer)
        self._first[issuer] = at if known is None else known if at is None else min(known, at)


def state_with_reason(status: str, reason: str | None) -> str:
    """A revocation whose reason is a hold is a suspension (RFC 5280 5.3.1, certificateHold)."""
    held = status == CredentialStatus.REVOKED and reason == CredentialStatus.SUSPENDED
    return CredentialStatus.SUSPENDED if held else status
