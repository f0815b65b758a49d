"""Credentials that an inventory names beside its devices (a cloud registry's thumbprints and symmetric keys)."""

from __future__ import annotations

import base64
import binascii
import re

from tenure.evidence.collection import CollectContext
from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.vocabulary import CredentialKind, CredentialRole, CredentialStatus, IdentifierKind, StatusAuthority
from tenure.sources._reading import Reading
from tenure.sources._tabular import Chunk, column_key

_HEX = re.compile(r"[0-9a-f]+")


class DeviceCredentials:
    """Writes bindings, what the registry says of each certificate's state, and keyed digests of symmetric keys."""

    def __init__(self, reading: Reading, context: CollectContext, draft: SnapshotDraft) -> None:
        self._reading, self._context, self._draft = reading, context, draft
        self._certificates = reading.mapping.candidates("certificate")
        self._keys = reading.mapping.candidates("symmetric_key")

    def write(self, chunk: Chunk, ids: list[str]) -> None:
        if not any(key in chunk.columns for key in (*self._certificates, *self._keys)):
            return
        state, text = self._reading.word(chunk, "credential_state", CredentialStatus.UNKNOWN)
        things = self._reading.text(chunk, "thing_name")
        for at, record_id in enumerate(ids):
            said = (state[at], text[at])
            for key in self._certificates:
                if key in chunk.columns and (cell := chunk.columns[key][at].strip()):
                    self._certificate(chunk.places[at], record_id, cell, said)
            for key in self._keys:
                if key in chunk.columns and (cell := chunk.columns[key][at].strip()):
                    self._symmetric(chunk.places[at], things[at] or record_id, column_key(key).rsplit(".", 1)[-1], cell, said[0])

    def _certificate(self, place: int, record_id: str, cell: str, said: tuple[str | None, str | None]) -> None:
        thumbprint = re.sub(r"[:\s]", "", cell).lower()
        origin = self._reading.table.origin(place)
        if not _HEX.fullmatch(thumbprint) or len(thumbprint) not in (40, 64):
            self._reading.table.wrong(place, "no thumbprint of a certificate", cell, "bad-digest")
        elif len(thumbprint) == 40:
            reason = f"record {record_id} names its certificate by SHA-1 ({thumbprint}) only: it is not linked"
            self._reading.table.tell(place, reason, "sha1-thumbprint", None)
        else:
            digest = bytes.fromhex(thumbprint)
            self._draft.add("binding", record_id=record_id, sha256=digest, origin=origin)
            if said[0] is not None:
                self._draft.add(
                    "credential_status",
                    sha256=digest, status=said[0], status_text=said[1], authority=StatusAuthority.CLOUD, origin=origin,
                )  # fmt: skip

    def _symmetric(self, place: int, holder: str, which: str, cell: str, status: str | None) -> None:
        try:
            secret = base64.b64decode(cell, validate=True)
        except (binascii.Error, ValueError):
            self._reading.table.tell(place, f"the {which} of {holder} is no base64", "bad-secret", None)
            return
        self._draft.add(
            "secret",
            secret_id=f"{holder}/{which}",
            kind=CredentialKind.PSK,
            digest=self._context.digest.of(secret),
            digest_key_id=self._context.digest.key_id,
            holder_kind=IdentifierKind.THING_NAME,
            holder=holder,
            holder_text=holder,
            role=CredentialRole.OPERATIONAL,
            status=status,
            origin=self._reading.table.origin(place),
        )
