"""Keyed digests of secrets: what lets two copies of one secret be seen as one without anybody holding it (invariant 12).

A plain digest that arrives in an export is keyed too, since short tokens and PSKs fall to a dictionary.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from tenure.errors import TenureError

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class SecretDigest:
    """HMAC-SHA-256 under one key. ``key_id`` names the key (first 8 bytes of its SHA-256, hex) and stands in every row."""

    key: bytes = field(repr=False)

    @property
    def key_id(self) -> str:
        return hashlib.sha256(b"tenure digest key id\x00" + self.key).hexdigest()[:16]

    def of(self, secret: bytes) -> bytes:
        """Digest of a secret itself: the same as of its SHA-256, so that a source with digests and one without agree."""
        return self.of_sha256(hashlib.sha256(secret).digest())

    def of_sha256(self, digest: bytes) -> bytes:
        """Digest of a secret of which only the plain SHA-256 arrived (32 bytes)."""
        return hmac.digest(self.key, b"tenure secret sha256\x00" + digest, "sha256")

    def of_other(self, scheme: str, digest: bytes) -> bytes:
        """Digest of another one-way form (``bcrypt``, ``md5``): equal only to the same form of the same secret."""
        return hmac.digest(self.key, b"tenure secret " + scheme.encode() + b"\x00" + digest, "sha256")


def digest_key(path: Path) -> SecretDigest:
    """The key in a file, made on first use with mode 0600. Losing it means that digests of before and after do not compare.

    Raises TenureError when the file is there and holds no key.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = path.read_bytes()
        if len(key) != KEY_BYTES:
            raise TenureError(
                f"{path} holds no digest key of {KEY_BYTES} bytes", "restore it from backup, or remove it"
            ) from None
        return SecretDigest(key)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return digest_key(path)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key := secrets.token_bytes(KEY_BYTES))
    return SecretDigest(key)
