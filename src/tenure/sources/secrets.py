"""Credentials that are no certificates: lists of API tokens, PSK identities and passwords, and SSH known_hosts files.

Secrets in clear are keyed the moment they are read; neither they nor plain hashes of them reach the snapshot or a problem
(invariant 12).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from tenure.evidence.collection import CollectContext, Place, Recognition, Source
from tenure.evidence.digests import SecretDigest
from tenure.evidence.snapshot import SnapshotDraft
from tenure.model import identifiers
from tenure.model.vocabulary import CredentialKind, CredentialRole, CredentialStatus, IdentifierKind
from tenure.sources._known_hosts import collect_known_hosts, is_known_hosts
from tenure.sources._mapping import mapping_for, recognised
from tenure.sources._reading import Reading
from tenure.sources._tabular import Chunk, Table, peek

_NEVER = frozenset({"0", "-1", "never", "none", "no", "n/a", "-", "null", "unlimited", "permanent", "infinite", "indefinite"})
_SENTINEL_YEAR = 2099  # an end from here on is no end: 2099-12-31, 2100-01-01, 9999-12-31
_SCHEME = re.compile(r"\{?([A-Za-z0-9][A-Za-z0-9_/-]{1,20})\}?:|\$([0-9a-z]+)\$|\{([A-Za-z0-9-]+)\}")
_HEX = re.compile(r"(?:0[xX])?((?:[0-9A-Fa-f]{2}){8,})")
_SEVERAL = re.compile(r"[;|\n]+")
_HOLDERS = {
    "holder_serial": IdentifierKind.SERIAL,
    "holder_mac": IdentifierKind.MAC,
    "holder_thing_name": IdentifierKind.THING_NAME,
    "holder_name": IdentifierKind.NAME,
}


class Secrets:
    kind: ClassVar[str] = "secrets"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "API tokens, PSK identities, SSH host keys"

    def recognise(self, place: Place) -> Recognition | None:
        seen = peek(place)
        if seen is None:
            return None
        if is_known_hosts(seen.text):
            return Recognition(90, "SSH known_hosts file")
        mapping = recognised(self.kind, seen.columns)
        return None if mapping is None else Recognition(mapping.sureness, mapping.title)

    def collect(self, place: Place, context: CollectContext, draft: SnapshotDraft) -> None:
        table = Table(place, context, draft, secret=True)
        seen = peek(place)
        if context.declared.mapping is None and seen is not None and is_known_hosts(seen.text):
            collect_known_hosts(table, draft)
            draft.speaks_until(context.declared.as_of)
        else:
            reading = Reading(mapping_for(self.kind, table, context), table, context)
            rows = SecretRows(reading, context, draft)
            for chunk in table.chunks(reading.mapping.wanted):
                rows.write(chunk)
            draft.speaks_until(rows.latest or context.declared.as_of)


@dataclass(frozen=True, slots=True)
class Holder:
    kind: IdentifierKind
    value: str | None  # None: the cell is no identifier of this kind
    text: str


class SecretRows:
    """Writes the rows of a list of secrets. A row whose holder cell names several devices gives one row for each."""

    def __init__(self, reading: Reading, context: CollectContext, draft: SnapshotDraft) -> None:
        self._reading, self._context, self._draft = reading, context, draft
        self.latest: datetime | None = None  # newest creation, use or end of a secret

    def write(self, chunk: Chunk) -> None:
        reading = self._reading
        text = {f: reading.text(chunk, f) for f in ("secret_id", "scopes", "maker", *_HOLDERS)}
        kinds, _own = reading.word(chunk, "kind", None)
        states, _own = reading.word(chunk, "state", CredentialStatus.UNKNOWN)
        moments = {f: reading.moment(chunk, f) for f in ("created_at", "last_used_at", "ended_at")}
        ends, ends_text = self._ends(chunk)
        digests = self._digests(chunk)
        for column in moments.values():
            told = (m for m in (*column, self.latest) if m is not None and m.year < _SENTINEL_YEAR)
            self.latest = max(told, default=None)
        for at, place in enumerate(chunk.places):
            if kinds[at] is None:
                reading.table.tell(place, "the row does not say what kind of secret it is", "no-kind", None)
                continue
            named = list(self._holders({f: text[f][at] for f in _HOLDERS}, text["maker"][at], place))
            holders: list[Holder | None] = [*named] or [None]
            for holder in holders:
                self._draft.add(
                    "secret",
                    secret_id=text["secret_id"][at] or f"row-{place}",
                    kind=kinds[at],
                    digest=digests[at],
                    digest_key_id=None if digests[at] is None else self._context.digest.key_id,
                    holder_kind=None if holder is None or holder.value is None else holder.kind,
                    holder=None if holder is None else holder.value,
                    holder_text=None if holder is None else holder.text,
                    role=CredentialRole.SERVICE if holder is None else CredentialRole.OPERATIONAL,
                    expires_at=ends[at],
                    expires_text=ends_text[at],
                    status=states[at],
                    scopes=text["scopes"][at],
                    origin=reading.table.origin(place),
                    **{field: column[at] for field, column in moments.items()},
                )

    def _ends(self, chunk: Chunk) -> tuple[list[datetime | None], list[str | None]]:
        """Ends of validity; a sentinel is no end, its text stands beside it."""
        cells = self._reading.text(chunk, "expires_at")
        dated = [None if c is None or c.casefold() in _NEVER else c for c in cells]
        moments = self._reading.moments.column(dated)
        self._reading.moments.tell_unread("expires_at", dated, chunk.places, self._reading.table.wrong)
        ends = [None if m is None or m.year >= _SENTINEL_YEAR else m for m in moments]
        return ends, [cell if end is None else None for cell, end in zip(cells, ends, strict=True)]

    def _holders(self, cells: dict[str, str | None], maker: str | None, place: int) -> Iterator[Holder]:
        """The devices of the first holder column that names any."""
        for field, kind in _HOLDERS.items():
            if (cell := cells[field]) is None:
                continue
            for part in filter(None, (part.strip() for part in _SEVERAL.split(cell))):
                value = self._identifier(kind, part, maker)
                if value is None:
                    self._reading.table.tell(place, f"the holder is no {kind} of a device", "bad-holder", None)
                yield Holder(kind, value, part)
            return

    def _identifier(self, kind: IdentifierKind, text: str, maker: str | None) -> str | None:
        match kind:
            case IdentifierKind.SERIAL:
                significant = self._context.declarations.zeros_significant(identifiers.maker(maker))
                return identifiers.serial(text, strip_zeros=not significant)
            case IdentifierKind.MAC:
                return identifiers.mac(text)
            case IdentifierKind.NAME:
                return identifiers.name(text)
            case _:
                return text

    def _digests(self, chunk: Chunk) -> list[bytes | None]:
        """Keyed digests: of the secret where it stands in clear, else of the digest that arrived."""
        digest, text, digests = self._context.digest, self._reading.text, list[bytes | None]()
        columns = (text(chunk, "secret"), text(chunk, "sha256"), text(chunk, "digest"))
        kinds, _own = self._reading.word(chunk, "kind", None)
        for place, kind, secret, sha256, other in zip(chunk.places, kinds, *columns, strict=True):
            if sha256 is not None and (plain := sha256_of(sha256)) is not None:
                digests.append(digest.of_sha256(plain))
                continue
            if sha256 is not None:
                self._reading.table.tell(place, "the digest is no SHA-256 in hex or base64", "bad-digest", None)
            if secret is not None:
                digests.append(digest.of(secret_bytes(kind, secret)))
            else:
                digests.append(None if other is None else of_any(digest, other))
        return digests


def secret_bytes(kind: str | None, text: str) -> bytes:
    """The secret itself: a PSK in hex is its bytes, as every stack uses it; anything else is its text."""
    if kind == CredentialKind.PSK and (found := _HEX.fullmatch(text)):
        return bytes.fromhex(found[1])
    return text.encode("utf-8", "surrogatepass")


def sha256_of(text: str) -> bytes | None:
    """32 bytes from hex or base64 (also URL-safe, unpadded, ``sha256:`` before it); None for anything else."""
    value = re.sub(r"^\{?sha-?256\}?:?", "", text.strip(), flags=re.IGNORECASE)
    plain = re.sub(r"[:\s]", "", value)
    if len(plain) == 64 and re.fullmatch("[0-9A-Fa-f]+", plain):
        return bytes.fromhex(plain)
    if not re.fullmatch(r"[A-Za-z0-9+/_-]{43}=?", value):
        return None
    try:
        return base64.b64decode(value.rstrip("=").replace("-", "+").replace("_", "/") + "=", validate=True)
    except (binascii.Error, ValueError):
        return None


def of_any(key: SecretDigest, text: str) -> bytes:
    """Keyed digest of a one-way form of any kind: a SHA-256 where it is one, else equal only to the same form."""
    if (plain := sha256_of(text)) is not None:
        return key.of_sha256(plain)
    named = _SCHEME.match(text)
    scheme = next(filter(None, named.groups())).lower() if named else f"unnamed-{len(text)}"
    value = text.lower() if re.fullmatch("[0-9A-Fa-f]+", text) else text
    return key.of_other(scheme, value.encode("utf-8", "surrogatepass"))


SOURCE: Source = Secrets()
