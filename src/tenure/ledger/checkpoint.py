"""Checkpoints: what the tree of one ledger was at one size, signed, by C2SP tlog-checkpoint."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from tenure.ledger import note
from tenure.ledger.note import Signer, Verifier
from tenure.ledger.refusals import NoteError
from tenure.ledger.tree import EMPTY_ROOT, HASH


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head that somebody signed; ``note`` is the signed text itself. Comes from ``Identity.open`` or ``sign`` alone."""

    origin: str
    size: int
    root: bytes
    note: bytes

    def same_tree(self, other: Checkpoint) -> bool:
        return (self.size, self.root) == (other.size, other.root)


@dataclass(frozen=True, slots=True)
class Identity:
    """Which ledger we speak of, and by which keys it is known. All of them are trusted: a retired key stays here."""

    origin: str
    trusted: tuple[Verifier, ...]

    def open(self, signed: bytes) -> Checkpoint:
        """The only way to a Checkpoint from outside. Raises NoteError: not signed, not this ledger's, or not a checkpoint."""
        origin, size, root = _parsed(note.opened(signed, self.trusted))
        if origin != self.origin:
            raise NoteError(f"a checkpoint of {origin}, not of {self.origin}", "point to the ledger it belongs to")
        return Checkpoint(origin, size, root, signed)


def sign(origin: str, size: int, root: bytes, signers: Sequence[Signer]) -> Checkpoint:
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    if _parsed(text) != (origin, size, root):
        raise NoteError(f"{origin!r} cannot name a ledger", "one line that is not empty")
    return Checkpoint(origin, size, root, note.signed(text, signers))


def _parsed(text: str) -> tuple[str, int, bytes]:
    lines = text.removesuffix("\n").split("\n")
    wrong = NoteError("not a checkpoint", "origin, size and root stand on one line each")
    if len(lines) < 3 or "" in lines:
        raise wrong
    origin, number, coded = lines[:3]
    try:
        size, root = int(number[:20]), base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise wrong from error
    if str(size) != number or size < 0 or len(root) != HASH or (size == 0 and root != EMPTY_ROOT):
        raise wrong
    return origin, size, root
