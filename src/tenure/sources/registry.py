"""Source ``registry``: what a Tenure registry says, read from the folder that ``tenure registry export`` writes.

The registry's word on a credential counts as its issuer's only where Tenure issued it: what we decided about a credential
of somebody else's is no evidence that a relying party refuses it (invariant 8).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from tenure.errors import SourceError
from tenure.evidence.certificates import CertificateRecorder
from tenure.evidence.collection import CollectContext, Place, Recognition, Source
from tenure.evidence.registry_export import (
    FILES,
    MANIFEST,
    AnchorRow,
    CredentialRow,
    DeviceRow,
    ExportedFile,
    IssuerRow,
    Manifest,
    TombstoneRow,
    read_manifest,
    read_row,
)
from tenure.evidence.snapshot import SnapshotDraft
from tenure.model import identifiers
from tenure.model.credentials import KeyState
from tenure.model.devices import TombstoneKind
from tenure.model.vocabulary import CredentialKind, CredentialRole, CredentialStatus, IdentifierKind, Rotation, StatusAuthority
from tenure.sources._device_columns import Makers

LINE_BYTES = 1 << 20  # a row with its certificate takes a few thousand

_STATUS = {
    KeyState.PRE_ACTIVE: CredentialStatus.PENDING,
    KeyState.ACTIVE: CredentialStatus.VALID,
    KeyState.SUSPENDED: CredentialStatus.SUSPENDED,
    KeyState.DEACTIVATED: CredentialStatus.DEACTIVATED,
    KeyState.COMPROMISED: CredentialStatus.REVOKED,
    KeyState.DESTROYED: CredentialStatus.DEACTIVATED,
}
"""What the state of a credential that Tenure issued is at its issuer."""


class Registry:
    kind: ClassVar[str] = "registry"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "export of a Tenure registry"

    def recognise(self, place: Place) -> Recognition | None:
        if not place.is_folder:
            return None
        try:
            return None if read_manifest(place.path) is None else Recognition(100, "export of a Tenure registry")
        except SourceError:
            return Recognition(100, "export of a Tenure registry, in another version")

    def collect(self, place: Place, context: CollectContext, draft: SnapshotDraft) -> None:
        manifest = read_manifest(place.path) if place.is_folder else None
        if manifest is None:
            raise SourceError(f"{place.relative} is no export of a registry", "write one with `tenure registry export`")
        rows = _Rows(context, draft)
        for name, kind in FILES.items():
            for number, row in _read(place.path / name, name, kind, manifest, context, draft):
                rows.write(row, f"{name}#{number}")
        rows.recorder.verify_edges()
        draft.speaks_until(manifest.exported_at)


def _read(
    path: Path, name: str, kind: type[Any], manifest: Manifest, context: CollectContext, draft: SnapshotDraft
) -> Iterator[tuple[int, Any]]:
    """Rows with their line numbers. A file that is not as the manifest says makes the snapshot partial; its rows count."""
    said = manifest.files.get(name, ExportedFile(0, hashlib.sha256().hexdigest()))
    digest, number = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while line := file.readline(LINE_BYTES):
                digest.update(line)
                context.progress(len(line))
                number += 1
                try:
                    yield number, read_row(kind, line)
                except ValueError as error:
                    draft.problem(name, str(number), f"no row of an export: {error}", "bad-row", line)
    except OSError as error:
        draft.problem(name, "file", f"cannot be read: {error.strerror or error}", "unreadable-file")
        draft.cut_short(f"{name} cannot be read")
        return
    if digest.hexdigest() != said.sha256:
        reason = (
            f"{MANIFEST} says {said.rows} rows with another hash, here are {number}: changed or cut short after it was written"
        )
        draft.problem(name, "file", reason, "not-as-written")
        draft.cut_short(f"{name} is not what the manifest says")


class _Rows:
    """Writes rows of an export to the draft. Remembers the devices that are gone, and models that were told."""

    def __init__(self, context: CollectContext, draft: SnapshotDraft) -> None:
        self.recorder = CertificateRecorder(draft)
        self._draft = draft
        self._makers = Makers(context)
        self._gone: dict[str, set[str]] = {}  # device -> its roots
        self._models: set[str] = set()
        self._writers: dict[type, Callable[[Any, str], None]] = {
            DeviceRow: self._device,
            CredentialRow: self._credential,
            AnchorRow: self._anchor,
            IssuerRow: self._issuer,
            TombstoneRow: self._tombstone,
        }

    def write(self, row: Any, origin: str) -> None:
        self._writers[type(row)](row, origin)

    def _device(self, row: DeviceRow, origin: str) -> None:
        record = str(row.id)
        if row.state.gone:
            self._gone[record] = set(row.roots)
        carried = {i.kind: i.raw or i.value for i in row.identifiers}
        self._draft.add(
            "device_record",
            record_id=record,
            name=row.name,
            serial=row.serial,
            mac=carried.get(IdentifierKind.MAC),
            maker=row.maker,
            model=row.model,
            thing_name=carried.get(IdentifierKind.THING_NAME),
            state=row.state,
            state_text=row.state,
            owner_ref=self._draft.describe("owner", row.owner),
            site_ref=self._draft.describe("site", row.site),
            trust_domain=row.trust_domain,
            hardware_security=row.hardware_security,
            discovered_at=row.last_seen,
            left_service_at=row.state_since if row.state.gone else None,
            origin=origin,
        )
        self._identifiers(row, record)
        if row.model and row.device_class and row.rotation is not Rotation.UNKNOWN and row.model not in self._models:
            self._models.add(row.model)
            of_class = {"device_class": row.device_class, "maker": row.maker, "rotation": row.rotation}
            self._draft.add("device_class", model=row.model, origin=origin, **of_class)

    def _identifiers(self, row: DeviceRow, record: str) -> None:
        scope, strip_zeros = (None, True) if row.maker is None else self._makers[row.maker]
        found: dict[tuple[IdentifierKind, str, str | None], str] = {(IdentifierKind.RECORD_ID, record, None): record}
        if (serial := identifiers.serial(row.serial, strip_zeros=strip_zeros)) is not None:
            found[IdentifierKind.SERIAL, serial, scope or None] = row.serial or serial
        told = {serial, identifiers.serial(row.serial, strip_zeros=not strip_zeros)}  # with and without leading zeros
        if (name := identifiers.name(row.name)) is not None:
            found[IdentifierKind.NAME, name, None] = row.name or name
        for root in row.roots:
            found[IdentifierKind.HARDWARE_KEY, root, None] = root
        for other in row.identifiers:
            if other.kind is not IdentifierKind.SERIAL or other.value not in told:
                found.setdefault((other.kind, other.value, other.scope), other.raw or other.value)
        for (kind, value, within), raw in found.items():
            self._draft.add("identifier", record_id=record, kind=kind, value=value, scope=within, raw=raw)

    def _credential(self, row: CredentialRow, origin: str) -> None:
        if row.kind is not CredentialKind.CERTIFICATE:
            self._secret(row, origin)
            return
        sha256 = None if row.fingerprint is None else bytes.fromhex(row.fingerprint)
        if sha256 is None and (row.serial is None or row.issuer is None):
            reason = "a certificate with neither a fingerprint nor issuer and serial cannot be linked"
            self._draft.problem(*_split(origin), reason, "nameless-credential")
            return
        if sha256 is not None:
            told = {
                "serial_hex": row.serial,
                "issuer": row.issuer,
                "subject": row.subject,
                "not_before": row.not_before,
                "not_after": row.not_after,
                "spki_sha256": _bytes(row.spki),
            }
            self._certificate(sha256, row.certificate, origin, told)
            if row.device is not None:
                self._draft.add("binding", record_id=str(row.device), sha256=sha256, origin=origin)
        self._status(row, sha256, origin)

    def _status(self, row: CredentialRow, sha256: bytes | None, origin: str) -> None:
        """What the issuer says, where we are the issuer. A certificate known by serial only is told with nothing said of it."""
        if not row.issued and sha256 is not None:
            return
        status = _STATUS[row.state] if row.issued else CredentialStatus.UNKNOWN
        self._draft.add(
            "credential_status",
            sha256=sha256,
            issuer=None if sha256 is not None else row.issuer,
            serial_hex=row.serial,
            status=status,
            status_text=f"{row.state}: {row.end_reason}" if row.end_reason else row.state.value,
            authority=StatusAuthority.CA_INDEX,
            effective_at=row.ended_at if row.issued else None,
            origin=origin,
        )
        if row.issued and row.serial is not None:
            named = {"serial_hex": row.serial, "sha256": sha256, "subject": row.subject, "issuer": row.issuer}
            self._draft.add("issuance", issued_at=row.created_at, not_after=row.not_after, origin=origin, **named)

    def _secret(self, row: CredentialRow, origin: str) -> None:
        digest = row.fingerprint if row.kind.secret else row.spki or row.fingerprint
        self._draft.add(
            "secret",
            secret_id=row.subject or str(row.id),  # an adopted one keeps the id of its source
            kind=row.kind,
            digest=_bytes(digest),
            digest_key_id=row.digest_key if row.kind.secret else None,
            holder_kind=None if row.holder is None else row.holder.kind,
            holder=None if row.holder is None else row.holder.value,
            holder_text=None if row.holder is None else row.holder.raw or row.holder.value,
            role=row.role,
            created_at=row.not_before or row.created_at,
            expires_at=row.not_after,
            last_used_at=row.last_seen,
            ended_at=row.ended_at if row.issued else None,
            status=_STATUS[row.state] if row.issued else None,
            origin=origin,
        )

    def _certificate(self, sha256: bytes, encoded: str | None, origin: str, told: Mapping[str, object]) -> None:
        """The certificate itself where it is kept and hashes to its fingerprint; else what the row tells of it."""
        if encoded is not None:
            try:
                der = base64.b64decode(encoded, validate=True)
            except binascii.Error:
                der = b""
            if hashlib.sha256(der).digest() == sha256:
                self.recorder.add(der, origin)
                return
            reason = "the certificate is not the one its fingerprint says; the row stands without it"
            self._draft.problem(*_split(origin), reason, "fingerprint-mismatch", encoded.encode("utf-8", "replace"))
        self._draft.add("certificate", sha256=sha256, reader="log", origin=origin, **told)

    def _anchor(self, row: AnchorRow, origin: str) -> None:
        sha256 = bytes.fromhex(row.fingerprint)
        self._certificate(sha256, row.certificate, origin, {"subject": row.subject, "spki_sha256": _bytes(row.spki)})
        party = {"relying_party": row.relying_party, "relying_party_kind": row.relying_party_kind, "purpose": row.purpose}
        self._draft.add("anchor", sha256=sha256, bundle="registry", origin=origin, **party)

    def _issuer(self, row: IssuerRow, origin: str) -> None:
        sha256 = _bytes(row.fingerprint)
        if sha256 is not None:
            self._certificate(sha256, row.certificate, origin, {"subject": row.name, "is_ca": True})
        collected = {"issuance_collected": True, "revocation_collected": True}
        self._draft.add("authority", sha256=sha256, name=row.name, role="operator", origin=origin, **collected)

    def _tombstone(self, row: TombstoneRow, origin: str) -> None:
        """A root belongs to its device for ever, also where the device's own row is gone; a key is held by it and ended."""
        record = str(row.device)
        if row.kind is TombstoneKind.KEY:
            self._draft.add(
                "secret",
                secret_id=f"tombstone {row.spki}",
                kind=CredentialKind.RAW_KEY,
                digest=bytes.fromhex(row.spki),
                holder_kind=None if row.holder is None else row.holder.kind,
                holder=None if row.holder is None else row.holder.value,
                holder_text=None if row.holder is None else row.holder.raw or row.holder.value,
                role=CredentialRole.UNKNOWN,
                ended_at=row.at,
                status=CredentialStatus.DEACTIVATED,
                origin=origin,
            )
            return
        if record not in self._gone:
            self._gone[record] = set()
            state = {"state": row.state, "state_text": row.state, "left_service_at": row.at}
            self._draft.add("device_record", record_id=record, origin=origin, **state)
        if row.spki not in self._gone[record]:
            self._gone[record].add(row.spki)
            self._draft.add("identifier", record_id=record, kind=IdentifierKind.HARDWARE_KEY, value=row.spki, raw=row.spki)


def _bytes(digest: str | None) -> bytes | None:
    return None if digest is None else bytes.fromhex(digest)


def _split(origin: str) -> tuple[str, str]:
    file, _, place = origin.partition("#")
    return file, place


SOURCE: Source = Registry()
