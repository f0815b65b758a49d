"""The ledger in the real world: its signing key, the keys it is known by, its shelf, its store.

Custody: ``ledger.key`` (PKCS 8, mode 0600) signs checkpoints, ``ledger.pub`` lists every key this ledger was ever known by,
one a line, the one that signs first. Whoever has the key and can write to database and shelf can rewrite the past.
docs/ledger.md says what each loss means.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from tenure.errors import TenureError
from tenure.ledger.checkpoint import Identity
from tenure.ledger.folder_shelf import FolderShelf
from tenure.ledger.note import KeySigner, Verifier
from tenure.ledger.sequencer import Sequencer, Terms
from tenure.ledger.shelf import Shelf
from tenure.registry.ledger_store import RegistryLedger
from tenure.registry.registry import Registry

if TYPE_CHECKING:
    from tenure.settings import Settings

KEY = "ledger.key"
KNOWN = "ledger.pub"


class LedgerKeyError(TenureError):
    """The key that signs checkpoints, or the list of keys the ledger is known by, cannot be used."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """All that the verbs of the ledger work on. Without ``shelf`` nothing outside the database vouches for it."""

    store: RegistryLedger
    identity: Identity
    signer: KeySigner
    shelf: Shelf | None

    def sequencer(self) -> Sequencer:
        """One for this process; its name tells it from all others that share the database."""
        holder = f"{socket.gethostname()[:60]}-{os.getpid()}-{uuid4().hex[:8]}"
        return Sequencer(self.store, self.shelf or NoShelf(), self.identity, [self.signer], Terms(holder))


class NoShelf:
    """A shelf reader where there is no shelf: nothing lies there."""

    def read(self, path: str) -> bytes | None:  # noqa: ARG002 - nothing does
        return None


def ledger_of(registry: Registry, settings: Settings) -> Ledger:
    """The ledger of a registry. Its key is made at first use, as long as nothing was ever signed. Raises LedgerKeyError."""
    store = RegistryLedger(registry)
    if not (settings.keys / KEY).exists():
        if store.checkpoint() is not None:
            raise LedgerKeyError(
                f"{settings.keys / KEY} is missing, and this ledger was signed with it",
                "copy it from the machine that has it (setting keys), or restore it",
            )
        _make(settings.keys, settings.ledger.origin or f"tenure/{registry.world.ids().hex[-12:]}")
    signer, known = _read(settings.keys)
    identity = Identity(settings.ledger.origin or signer.name, known)
    return Ledger(store, identity, signer, FolderShelf(settings.ledger.shelf) if settings.ledger.shelf else None)


def _make(folder: Path, name: str) -> None:
    """1. The key, for its user alone. 2. Linked to its name, which only one of several processes can. 3. What it is known by.

    Dead between 2 and 3: the list is missing, and is made from the key by who comes next.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = folder / f".{KEY}.{uuid4().hex}"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(f"name: {name}\n".encode() + pem)
        file.flush()
        os.fsync(handle)
    try:
        os.link(draft, folder / KEY)
    except FileExistsError:
        pass  # another process was quicker: its key is the key
    finally:
        draft.unlink()


def _read(folder: Path) -> tuple[KeySigner, tuple[Verifier, ...]]:
    signer = _signer(folder / KEY)
    listed = folder / KNOWN
    if not listed.exists():
        listed.write_text(f"{signer.verifier}\n", "utf-8")
    known = tuple(Verifier.parse(line) for line in listed.read_text("utf-8").splitlines() if line.strip())
    if signer.verifier not in known:
        raise LedgerKeyError(f"{listed} does not list the key in {KEY}", f"add the line {signer.verifier}")
    return signer, known


def _signer(path: Path) -> KeySigner:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        if path.stat().st_mode & 0o077:
            raise LedgerKeyError(f"{path} can be read by others than its user", f"chmod 600 {path}")
        head, _, pem = path.read_bytes().partition(b"\n")
        key = load_pem_private_key(pem, None)
    except OSError as error:
        raise LedgerKeyError(f"{path} cannot be read: {error.strerror}", "check its owner and permissions") from error
    except (ValueError, TypeError) as error:
        raise LedgerKeyError(f"{path} is no key of a ledger", "restore it from where you keep its copy") from error
    if not isinstance(key, Ed25519PrivateKey) or not head.startswith(b"name: "):
        raise LedgerKeyError(f"{path} is no key of a ledger", "restore it from where you keep its copy")
    return KeySigner(head.removeprefix(b"name: ").decode("utf-8", "replace").strip(), key)
