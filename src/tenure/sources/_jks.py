"""Java keystores (JKS, JCEKS): the certificates they hold, which lie there in clear; keys are stepped over, never read.

Layout, big endian (``sun.security.provider.JavaKeyStore``): magic, version (1 or 2), number of entries, the entries, and a
keyed SHA-1 over it all that only the password could check, so it is not checked. An entry is a tag (1 private key with
chain, 2 trusted certificate, 3 secret key of JCEKS), alias, milliseconds since 1970 and what belongs to the tag. Every
length is held against the bytes that are left before anything is read, so time and memory are linear in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

JKS_MAGIC, JCEKS_MAGIC = b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce"
_PRIVATE_KEY, _TRUSTED, _SECRET_KEY = 1, 2, 3
_DIGEST_BYTES = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MOMENT = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z, in milliseconds


@dataclass(frozen=True, slots=True)
class KeystoreEntry:
    """One alias: a trusted certificate, or the chain (leaf first) that goes with a private key."""

    alias: str
    trusted: bool
    created_at: datetime | None  # None where the keystore's number is no date
    certificates: tuple[bytes, ...]  # DER


@dataclass(frozen=True, slots=True)
class KeystoreProblem:
    """What could not be read. ``ends`` says that everything behind it is unread too."""

    place: str
    reason: str
    code: str
    data: bytes | None
    ends: bool


class _TruncatedError(ValueError):
    """A length points behind the end of the file."""


class _Bytes:
    """The file and how far it was read."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, length: int) -> bytes:
        if length > len(self.data) - self.at:
            raise _TruncatedError(f"{length} bytes wanted at offset {self.at}, {len(self.data) - self.at} are left")
        self.at += length
        return self.data[self.at - length : self.at]

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def text(self) -> str:
        """Java's modified UTF-8: NUL as two bytes, characters beyond the BMP as two surrogates of three bytes each."""
        raw = self.take(self.number(2)).replace(b"\xc0\x80", b"\x00")
        try:
            return raw.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeError:
            return raw.decode("latin-1")


def is_keystore(head: bytes) -> bool:
    """Whether a file that begins so is a JKS or JCEKS keystore."""
    return head[:4] in (JKS_MAGIC, JCEKS_MAGIC) and head[4:8] in (b"\0\0\0\x01", b"\0\0\0\x02")


def entries(data: bytes) -> Iterator[KeystoreEntry | KeystoreProblem]:
    """All entries of a keystore in their order, and what could not be read. Never raises."""
    if not is_keystore(data):
        yield KeystoreProblem("header", "no Java keystore of version 1 or 2", "keystore-refused", data, True)
        return
    source = _Bytes(data[8:])
    typed = data[7] == 2
    number = count = 0
    try:
        count = source.number(4)
        while number < count:
            number += 1
            yield from _entry(source, typed)
    except _TruncatedError as error:
        reason = f"the keystore ends inside entry {number} of {count}: {error}"
        yield KeystoreProblem(f"entry {number}", reason, "keystore-truncated", data, True)
    except _SecretKeyError as error:
        reason = f"the secret key of {error} is a Java object without a length; entries {number} to {count} are not read"
        yield KeystoreProblem(f"entry {number}", reason, "keystore-secret-key", None, True)
    except _TagError as error:
        yield KeystoreProblem(f"entry {number}", f"{error}", "keystore-refused", data, True)
    else:
        if (left := len(source.data) - source.at) != _DIGEST_BYTES:
            reason = f"{left} bytes stand behind the last entry, the digest has {_DIGEST_BYTES}"
            yield KeystoreProblem("end", reason, "keystore-trailing", source.data[source.at :], False)


class _SecretKeyError(ValueError):
    """A JCEKS secret key: no length is stored, so nothing behind it can be found."""


class _TagError(ValueError):
    """An entry of a kind that no keystore has."""


def _entry(source: _Bytes, typed: bool) -> Iterator[KeystoreEntry | KeystoreProblem]:
    tag, alias, milliseconds = source.number(4), source.text(), source.number(8)
    created = _EPOCH + timedelta(milliseconds=milliseconds) if milliseconds <= _LAST_MOMENT else None
    if tag == _SECRET_KEY:
        raise _SecretKeyError(f"alias {alias!r}")
    if tag not in (_PRIVATE_KEY, _TRUSTED):
        raise _TagError(f"alias {alias!r} has the unknown kind {tag}")
    if tag == _PRIVATE_KEY:
        source.take(source.number(4))
    certificates = []
    for position in range(source.number(4) if tag == _PRIVATE_KEY else 1):
        kind = source.text() if typed else "X.509"
        data = source.take(source.number(4))
        if kind in ("X.509", "X509"):
            certificates.append(data)
        else:
            place, reason = f"{alias}[{position}]", f"a certificate of type {kind!r}, not X.509"
            yield KeystoreProblem(place, reason, "keystore-other-certificate", data, False)
    yield KeystoreEntry(alias, tag == _TRUSTED, created, tuple(certificates))
