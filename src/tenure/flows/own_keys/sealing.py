"""Sealing of a key's secret under a passphrase: scrypt, then AES-256-GCM over the secret, bound to what the key says it is."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from tenure.errors import TenureError

Entropy = Callable[[int], bytes]
COST = 1 << 15  # 32 MiB, about 0.1 s a key
_SALT, _NONCE = 16, 12


class OwnKeyError(TenureError):
    """A key of Tenure's own cannot be used, or cannot be changed as was asked."""


@dataclass(frozen=True, slots=True)
class Passphrase:
    octets: bytes = field(repr=False)


def sealed(secret: bytes, bound: bytes, passphrase: Passphrase | None, entropy: Entropy) -> dict[str, str]:
    """As it is written. Without a passphrase the permissions of the file are all that guards it."""
    if passphrase is None:
        return {"plain": _text(secret)}
    salt, nonce = entropy(_SALT), entropy(_NONCE)
    return {
        "scrypt": _text(salt),
        "nonce": _text(nonce),
        "aes-256-gcm": _text(AESGCM(_derived(passphrase, salt)).encrypt(nonce, secret, bound)),
    }


def unsealed(written: Mapping[str, str], bound: bytes, passphrase: Passphrase | None) -> bytes:
    """Raises OwnKeyError."""
    try:
        if set(written) == {"plain"}:
            return base64.b64decode(written["plain"], validate=True)
        salt, nonce, body = (base64.b64decode(written[part], validate=True) for part in ("scrypt", "nonce", "aes-256-gcm"))
        if passphrase is None:
            raise OwnKeyError("the key is sealed, and no passphrase is given", "name its file: setting keys_passphrase_file")
        return AESGCM(_derived(passphrase, salt)).decrypt(nonce, body, bound)
    except InvalidTag as error:
        raise OwnKeyError(
            "the passphrase is not the one it was sealed with, or the file was changed", "give the right one"
        ) from error
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise OwnKeyError("the secret in it cannot be read", "restore the file from its copy") from error


def _derived(passphrase: Passphrase, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=COST, r=8, p=1).derive(passphrase.octets)


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
