"""Signed notes with Ed25519, by C2SP signed-note: a text, an empty line, a line for each signature.

Keys travel as one line, ``name+key id in hex+base64``, as other readers of the format write them.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tenure.ledger.refusals import NoteError

_ED25519 = b"\x01"
_DASH = "\u2014 "
_MOST = 64  # signatures we look at; the specification asks for 16 at least
_FIX = "fetch it again; if it stays so, it was changed or is no signed note"


@dataclass(frozen=True, slots=True)
class Verifier:
    """A key that is trusted to sign notes under a name."""

    name: str
    public: bytes  # 32 bytes, RFC 8032

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or any(c.isspace() or ord(c) < 32 for c in self.name) or len(self.public) != 32:
            raise NoteError(f"{self.name!r} with {len(self.public)} bytes is no key", "a name without spaces or +, and 32 bytes")

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, line: str) -> Verifier:
        """Raises NoteError for what is no Ed25519 key in one line, or whose id is not that of the key."""
        parts = line.strip().split("+", 2)
        raw = _base64(parts[-1])
        if len(parts) != 3 or raw[:1] != _ED25519:
            raise NoteError(f"not an Ed25519 key of signed notes: {line.strip()!r}", "write name+id+base64")
        key = cls(parts[0], raw[1:])
        if key.key_id.hex() != parts[1]:
            raise NoteError(f"the id of key {parts[0]} is {key.key_id.hex()}, not {parts[1]}", "copy the whole line again")
        return key

    def accepts(self, text: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


class Signer(Protocol):
    """Who signs notes; the private key may be kept anywhere."""

    @property
    def verifier(self) -> Verifier: ...

    def sign(self, text: bytes) -> bytes:
        """64 bytes, RFC 8032."""


@dataclass(frozen=True, slots=True)
class KeySigner:
    """A signer whose key is in the memory of this process."""

    name: str
    key: Ed25519PrivateKey

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, self.key.public_key().public_bytes_raw())

    def sign(self, text: bytes) -> bytes:
        return self.key.sign(text)


def signed(text: str, signers: Sequence[Signer]) -> bytes:
    """The note. While a key is being changed for another, both sign. Raises NoteError for a text that can be none."""
    if not text.endswith("\n") or any(ord(c) < 32 and c != "\n" for c in text) or not signers:
        raise NoteError("not a text of a note", "lines without control characters, the last one ended; and one signer at least")
    body = text.encode()
    lines = [f"{_DASH}{s.verifier.name} {base64.b64encode(s.verifier.key_id + s.sign(body)).decode()}\n" for s in signers]
    return body + ("\n" + "".join(lines)).encode()


def opened(note: bytes, trusted: Collection[Verifier]) -> str:
    """The text, when a trusted key signed it and no signature of a trusted key is wrong; others are passed over.

    Raises NoteError.
    """
    text, signatures = _parted(note)
    known = {(key.name, key.key_id): key for key in trusted}
    good = 0
    for name, raw in signatures:
        if key := known.get((name, raw[:4])):
            if not key.accepts(text.encode(), raw[4:]):
                raise NoteError(f"the signature of {name} is wrong", "the text or the signature was changed")
            good += 1
    if not good:
        names = ", ".join(sorted({name for name, _ in signatures}))
        raise NoteError(
            f"signed by no key that is trusted, but by: {names}", "name the key of the ledger, from a place you trust"
        )
    return text


def _parted(note: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    try:
        whole = note.decode()
    except UnicodeDecodeError as error:
        raise NoteError("a note that is not UTF-8", _FIX) from error
    text, gap, tail = whole.rpartition("\n\n")
    lines = tail.split("\n")
    if not gap or lines.pop() or not lines or len(lines) > _MOST or any(ord(c) < 32 and c != "\n" for c in whole):
        raise NoteError("not a signed note", _FIX)
    return text + "\n", list(_signatures(lines))


def _signatures(lines: Iterable[str]) -> Iterable[tuple[str, bytes]]:
    for line in lines:
        name, space, coded = line.removeprefix(_DASH).partition(" ")
        raw = _base64(coded)
        if not line.startswith(_DASH) or not space or not name or "+" in name or len(raw) < 5:
            raise NoteError(f"not a signature line: {line[:80]!r}", _FIX)
        yield name, raw


def _base64(text: str) -> bytes:
    """Empty for what is no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
