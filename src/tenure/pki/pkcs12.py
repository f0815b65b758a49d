"""PKCS#12 key stores (RFC 7292): the certificates in them, where one of the passwords at hand opens them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

_START: Final = re.compile(rb"\x30(?:[\x00-\x7f]|\x80|\x81.|\x82..|\x83...|\x84....)\x02\x01\x03\x30", re.DOTALL)


class KeyStore(NamedTuple):
    certificates: list[bytes]  # the holder's first
    has_key: bool


def is_key_store(data: bytes) -> bool:
    return _START.match(data) is not None


def open_store(data: bytes, passwords: Sequence[bytes]) -> KeyStore | str:
    """The store as the first password (none and the empty one are tried too) that fits shows it, or why it stays shut."""
    reasons: dict[str, None] = {}
    for password in (*passwords, None, b""):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                store = load_pkcs12(data, password)
        except Exception as error:  # noqa: BLE001 - whatever the library raises, the store stays shut, and that is told
            reasons[f"{type(error).__name__}: {error}"] = None
            continue
        held = [c for c in (store.cert, *store.additional_certs) if c is not None]
        return KeyStore([c.certificate.public_bytes(Encoding.DER) for c in held], store.key is not None)
    return f"none of {len(passwords)} passwords given opens the PKCS#12 ({'; '.join(reasons)})"
