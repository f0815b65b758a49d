"""The folder of Tenure's own keys: one file a key, for its user alone.

A file says openly what the key is and in which state; its secret stands beside that, sealed where a passphrase is set, and is
taken out when the key needs it no more. Files are replaced whole. What others could read or have put there is refused.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from tenure.clock import instant, rfc3339
from tenure.errors import TenureError
from tenure.flows.own_keys.sealing import Entropy, OwnKeyError, Passphrase, sealed, unsealed
from tenure.model.credentials import KeyState
from tenure.model.own_keys import OwnKey, Purpose

SUFFIX = ".key"
LARGEST = 1 << 16
_COPY = "restore it from where you keep its copy"


@dataclass(frozen=True, slots=True)
class KeyFolder:
    """Verbs raise OwnKeyError; what is wrong with one file is told by its name."""

    path: Path
    entropy: Entropy
    passphrase: Passphrase | None = None

    def listed(self) -> tuple[OwnKey, ...]:
        """All that lie here, by file name. No secret is opened."""
        return tuple(_key(path, _document(path)) for path in self._files())

    def secret(self, key: OwnKey) -> bytes:
        path = self._file(key)
        written = _document(path).get("secret")
        if not isinstance(written, dict):
            raise OwnKeyError(f"{path} holds no secret any more", "use the key that followed it")
        try:
            return unsealed(written, key.record, self.passphrase)
        except OwnKeyError as error:
            raise OwnKeyError(f"{path}: {error.problem}", error.fix) from error

    def sealed(self, key: OwnKey) -> bool:
        """Whether its secret, if it has one, is sealed under a passphrase."""
        return "plain" not in (_document(self._file(key)).get("secret") or {})

    def add(self, key: OwnKey, secret: bytes | None) -> None:
        """A key comes in, or is sealed anew. Durable when it returns."""
        written = None if secret is None else sealed(secret, key.record, self.passphrase, self.entropy)
        self._put(key, written)

    def restate(self, key: OwnKey) -> None:
        """Another state. The secret goes when that state needs it no more."""
        self._put(key, _document(self._file(key)).get("secret") if key.needs_secret else None)

    def remove(self, key: OwnKey) -> None:
        self._file(key).unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Among all processes on this folder; the kernel lets go if we die."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._files()  # of others, nothing is made in it
            handle = os.open(self.path / ".lock", os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise OwnKeyError(f"{self.path} cannot be used: {error.strerror}", "check its owner and permissions") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _file(self, key: OwnKey) -> Path:
        return self.path / f"{key.purpose.value}-{key.id}{SUFFIX}"

    def _files(self) -> list[Path]:
        try:
            found = self.path.lstat()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise OwnKeyError(f"{self.path} cannot be read: {error.strerror}", "check its owner and permissions") from error
        if not stat.S_ISDIR(found.st_mode):
            raise OwnKeyError(f"{self.path} is no folder", "name the folder itself: setting keys")
        _ours(self.path, found)
        if found.st_mode & 0o022:
            raise OwnKeyError(f"others can put keys into {self.path}", f"chmod 700 {self.path}")
        return sorted(self.path.glob(f"*{SUFFIX}"))

    def _put(self, key: OwnKey, written: object) -> None:
        """1. Whole beside it, on disk. 2. Renamed. 3. The name on disk. Dead before 2: a draft nobody reads."""
        path = self._file(key)
        draft = path.with_name(f".{path.name}.{uuid4().hex}")
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(_plain(key) | ({"secret": written} if written else {}), file, indent=1)
                file.flush()
                os.fsync(handle)
            draft.replace(path)
            folder = os.open(self.path, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise OwnKeyError(
                f"{path} cannot be written: {error.strerror}", "check the folder, its owner and its disk"
            ) from error


def _ours(path: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        raise OwnKeyError(
            f"{path} belongs to user {found.st_uid}, we are user {os.geteuid()}",
            f"run this as user {found.st_uid}; if the folder was copied: chown -R {os.geteuid()} {path.parent}",
        )


def _document(path: Path) -> dict[str, Any]:
    """What is checked is what is read: no name is looked up twice."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            found = os.fstat(file.fileno())
            _ours(path, found)
            if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077:
                raise OwnKeyError(
                    f"{path} can be used by others than its user", f"if nobody had it: chmod 600 {path}; else rotate"
                )
            document = json.loads(file.read(LARGEST))
    except OSError as error:
        raise OwnKeyError(f"{path} cannot be read: {error.strerror}", "check its owner; a link is not followed") from error
    except ValueError as error:
        raise OwnKeyError(f"{path} is no key", _COPY) from error
    if not isinstance(document, dict):
        raise OwnKeyError(f"{path} is no key", _COPY)
    return document


def _plain(key: OwnKey) -> dict[str, str]:
    said: dict[str, str | None] = {
        "purpose": key.purpose.value,
        "id": key.id,
        "algorithm": "Ed25519" if key.purpose.signs else "HMAC-SHA-256",
        "name": key.name or None,
        "created": rfc3339(key.created_at),
        "state": key.state.value,
        "ended": rfc3339(key.ended_at) if key.ended_at else None,
        "public": None if key.public is None else base64.b64encode(key.public).decode(),
    }
    return {word: value for word, value in said.items() if value is not None}


def _key(path: Path, said: dict[str, Any]) -> OwnKey:
    try:
        key = OwnKey(
            Purpose(said["purpose"]),
            said["id"],
            instant(said["created"]),
            base64.b64decode(said["public"], validate=True) if "public" in said else None,
            said.get("name", ""),
            KeyState(said["state"]),
            _moment(said.get("ended")),
        )
    except (KeyError, TypeError, AttributeError, ValueError, binascii.Error, TenureError) as error:
        raise OwnKeyError(f"{path} is no key", _COPY) from error
    if path.name != f"{key.purpose.value}-{key.id}{SUFFIX}" or (key.public is not None) != key.purpose.signs:
        raise OwnKeyError(f"{path} holds another key than its name says", _COPY)
    return key


def _moment(text: str | None) -> datetime | None:
    return None if text is None else instant(text)
