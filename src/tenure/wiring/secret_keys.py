"""Tenure's own symmetric keys: of digests of tokens, and of cursors. One file each, a key a line, the one in use first.

Custody: ``digest.keys`` and ``cursor.keys`` in the folder of the setting ``keys``, mode 0600, the same on every machine that
serves one registry. Without ``digest.keys`` no token opens a door any more; who has it and the database can try tokens against
it, which 256 random bits outlast. Without ``cursor.keys`` readers of long lists begin again, and nothing else happens.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

from tenure.errors import TenureError

Entropy = Callable[[int], bytes]
KEY_BYTES = 32


class SecretKeyError(TenureError):
    """A file of keys cannot be used."""


class Purpose(StrEnum):
    DIGEST = "digest"
    CURSOR = "cursor"

    @property
    def file(self) -> str:
        return f"{self.value}.keys"


@dataclass(frozen=True, slots=True)
class SecretKeys:
    """Keys by id. ``current`` makes what is new; the others still read what they made."""

    keys: Mapping[str, bytes] = field(repr=False)
    current: str


def secret_keys(folder: Path, purpose: Purpose, entropy: Entropy) -> SecretKeys:
    """The keys of a purpose, made at first use. Raises SecretKeyError."""
    path = folder / purpose.file
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _put(path, _line(entropy), new=True)
    return _read(path)


def rotate(folder: Path, purpose: Purpose, entropy: Entropy) -> SecretKeys:
    """A new key comes first; the old ones stay for what they made. Processes read it when they start. Raises SecretKeyError."""
    path = folder / purpose.file
    _read(path)
    _put(path, _line(entropy) + path.read_text("ascii"), new=False)
    return _read(path)


def _line(entropy: Entropy) -> str:
    return f"{entropy(4).hex()} {entropy(KEY_BYTES).hex()}\n"


def _put(path: Path, content: str, *, new: bool) -> None:
    """Whole or not at all; of several processes that make a new one, one does."""
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        if not new:
            draft.replace(path)
            return
        try:
            os.link(draft, path)
        except FileExistsError:
            return  # another process was quicker: its key is the key
    finally:
        draft.unlink(missing_ok=True)


def _read(path: Path) -> SecretKeys:
    try:
        if path.stat().st_mode & 0o077:
            raise SecretKeyError(f"{path} can be read by others than its user", f"chmod 600 {path}")
        lines = [line.split() for line in path.read_text("ascii").splitlines() if line.strip()]
        keys = {name: bytes.fromhex(key) for name, key in lines}
    except OSError as error:
        raise SecretKeyError(f"{path} cannot be read: {error.strerror}", "check its owner and permissions") from error
    except ValueError as error:
        raise SecretKeyError(f"{path} is no file of keys", "restore it from where you keep its copy") from error
    if not keys or len(keys) < len(lines) or any(len(key) != KEY_BYTES for key in keys.values()):
        raise SecretKeyError(f"{path} is no file of keys", "restore it from where you keep its copy")
    return SecretKeys(keys, lines[0][0])
