"""SSH known_hosts files: host keys as credentials (sshd(8), section SSH_KNOWN_HOSTS FILE FORMAT).

Aliases of one host (``host,address``, ``[host]:port``) under one key are one credential; one key under names that have
nothing in common is several credentials with one digest, which is what a key shared across devices looks like.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_public_key

from tenure.evidence.snapshot import SnapshotDraft
from tenure.model import identifiers
from tenure.model.vocabulary import CredentialKind, CredentialRole, CredentialStatus, IdentifierKind
from tenure.sources._tabular import Table

_KEY_TYPE = r"(?:sk-)?(?:ssh|ecdsa)-[\w@.-]+"
_LINE = re.compile(rf"(?:(@[\w-]+)\s+)?(\S+)\s+({_KEY_TYPE})\s+(\S+)(?:\s+(.*))?")
_MARKERS = frozenset({"@revoked", "@cert-authority"})
_PORT = re.compile(r"\[([^\]]+)\]:\d+")


@dataclass(slots=True)
class HostKey:
    """One key with the names of one host. ``names`` are as written, ``hosts`` what two lines can have in common."""

    marker: str
    algorithm: str
    blob: str
    place: int
    names: dict[str, None] = field(default_factory=dict)
    hosts: set[str] = field(default_factory=set)


def is_known_hosts(text: str) -> bool:
    """Whether the first line that is no comment is one of a known_hosts file."""
    for line in text.splitlines()[:50]:
        if line.strip() and not line.startswith("#"):
            found = _LINE.fullmatch(line.strip())
            return found is not None and found[4].startswith("AAAA") and (found[1] is None or found[1] in _MARKERS)
    return False


def collect_known_hosts(table: Table, draft: SnapshotDraft) -> None:
    """Host keys as rows of ``secret``; lines that are none are told. The file is held in memory, once for each key."""
    keys: dict[tuple[str, str, str], list[HostKey]] = {}
    for place, line in enumerate(table.lines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None or (found[1] is not None and found[1] not in _MARKERS):
            table.tell(place, "the line is none of a known_hosts file", "known-hosts", None)
            continue
        names = [name for name in found[2].split(",") if name]
        entry = HostKey(found[1] or "", found[3], found[4], place, dict.fromkeys(names), {_host(name) for name in names})
        _join(keys.setdefault((entry.marker, entry.algorithm, entry.blob), []), entry)
    for entry in sorted((entry for group in keys.values() for entry in group), key=lambda entry: entry.place):
        _write(entry, table, draft)


def _join(group: list[HostKey], entry: HostKey) -> None:
    """Into the group of the same key: merged with all that share a host with it."""
    related = [other for other in group if not other.hosts.isdisjoint(entry.hosts)]
    if not related:
        group.append(entry)
        return
    first, *rest = related
    for other in (*rest, entry):
        first.names |= other.names
        first.hosts |= other.hosts
    group[:] = [other for other in group if other not in rest]


def _write(entry: HostKey, table: Table, draft: SnapshotDraft) -> None:
    facts = _facts(entry, table)
    holder = _holder(entry)
    draft.add(
        "secret",
        secret_id=next(iter(entry.names), f"row-{entry.place}"),
        kind=CredentialKind.SSH_KEY,
        digest=facts[0],
        key_algorithm=entry.algorithm,
        key_bits=facts[1],
        holder_kind=None if holder is None else IdentifierKind.NAME,
        holder=holder,
        holder_text=",".join(entry.names),
        role=CredentialRole.AUTHORITY if entry.marker == "@cert-authority" else CredentialRole.OPERATIONAL,
        status=CredentialStatus.REVOKED if entry.marker == "@revoked" else None,
        origin=table.origin(entry.place),
    )


def _facts(entry: HostKey, table: Table) -> tuple[bytes | None, int | None]:
    """SHA-256 of the key's SubjectPublicKeyInfo, and its size in bits; told and None where the key cannot be read."""
    try:
        base64.b64decode(entry.blob, validate=True)
        key = load_ssh_public_key(f"{entry.algorithm} {entry.blob}".encode())
        digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    except (ValueError, binascii.Error, UnsupportedAlgorithm) as error:
        table.tell(entry.place, f"the {entry.algorithm} key cannot be read: {error}", "ssh-key", None)
        return None, None
    match key:
        case rsa.RSAPublicKey() | dsa.DSAPublicKey() | ec.EllipticCurvePublicKey():
            return digest, key.key_size
        case ed25519.Ed25519PublicKey():
            return digest, 256
        case _:
            return digest, None


def _holder(entry: HostKey) -> str | None:
    """The normalised name of the host; None where only addresses, patterns or hashed names are told."""
    names: Iterable[str] = (_host(name) for name in entry.names)
    return next(
        (identifiers.name(n) for n in names if not _is_address(n) and not re.match(r"\||!", n) and not set(n) & {"*", "?"}), None
    )


def _host(name: str) -> str:
    """A name without its port, as two lines can be compared by it."""
    with_port = _PORT.fullmatch(name)
    return (with_port[1] if with_port else name).casefold()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
