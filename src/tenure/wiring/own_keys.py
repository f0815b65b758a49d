"""Tenure's own keys as its parts use them: the one place where they are taken out of the folder (docs/keys.md).

What makes something new is chosen when a process starts; what checks is looked up again when an id is not known, so that a
rotation elsewhere is heard of without a restart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenure.flows.own_keys.folder import KeyFolder
from tenure.flows.own_keys.inventory import verifier_of
from tenure.flows.own_keys.sealing import OwnKeyError, Passphrase
from tenure.flows.own_keys.turn import Custody, at_work
from tenure.flows.tokens import DigestKeys
from tenure.ledger.note import KeySigner, Verifier
from tenure.model.credentials import KeyState
from tenure.model.own_keys import OwnKey, Purpose, of_purpose, published

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tenure.flows.webhooks.signing import WebhookKey
    from tenure.registry.registry import Registry
    from tenure.settings import Settings

SHORTEST = 12


def custody_of(registry: Registry, settings: Settings) -> Custody:
    """Raises OwnKeyError when the passphrase cannot be read."""
    file = settings.keys_passphrase_file
    return Custody(registry, KeyFolder(settings.keys, registry.world.entropy, passphrase_in(file) if file else None))


def passphrase_in(file: Path) -> Passphrase:
    """The first line of a file that is for its user alone, or given to us by the service manager. Raises OwnKeyError."""
    try:
        if file.stat().st_mode & 0o077:
            raise OwnKeyError(f"{file} is open to others than its user", f"chmod 600 {file}, and change the passphrase")
        octets = file.read_bytes().partition(b"\n")[0].strip()
    except OSError as error:
        raise OwnKeyError(f"{file} cannot be read: {error.strerror}", "check its owner and permissions") from error
    if len(octets) < SHORTEST:
        raise OwnKeyError(f"the passphrase in {file} is shorter than {SHORTEST} bytes", "take a longer one, by chance")
    return Passphrase(octets)


@dataclass(frozen=True, slots=True)
class Secrets(Mapping[str, bytes]):
    """Secrets of a purpose by key id. An id that is not known is looked for in the folder once more."""

    folder: KeyFolder
    purpose: Purpose
    known: dict[str, bytes] = field(default_factory=dict, repr=False)

    def __getitem__(self, id: str) -> bytes:
        if id not in self.known:
            self.read()
        return self.known[id]

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)

    def read(self) -> None:
        """Raises OwnKeyError."""
        for key in of_purpose(self.folder.listed(), self.purpose):
            if key.trusted and key.needs_secret and key.id not in self.known:
                self.known[key.id] = self.folder.secret(key)


def digest_keys(custody: Custody) -> DigestKeys:
    """Raises OwnKeyError."""
    first, *_ = at_work(custody, Purpose.DIGEST)
    secrets = Secrets(custody.folder, Purpose.DIGEST)
    secrets.read()
    return DigestKeys(secrets, first.id)


def cursor_keys(custody: Custody) -> tuple[Mapping[str, bytes], str]:
    """By id, and the one that seals. Ids come from whoever asks, so nothing is looked up for one. Raises OwnKeyError."""
    first, *_ = at_work(custody, Purpose.CURSOR)
    secrets = Secrets(custody.folder, Purpose.CURSOR)
    secrets.read()
    return dict(secrets), first.id


def ledger_keys(custody: Custody, name: Callable[[], str]) -> tuple[list[KeySigner], tuple[Verifier, ...]]:
    """Who signs checkpoints, and by which keys the ledger is known; the current one first. Raises OwnKeyError."""
    keys = at_work(custody, Purpose.LEDGER, name)
    signing = [key for key in keys if key.state is KeyState.ACTIVE]
    return [KeySigner(key.name, private(custody, key)) for key in signing], tuple(map(verifier_of, keys))


def webhook_key(custody: Custody) -> WebhookKey:
    """Raises OwnKeyError."""
    from tenure.flows.webhooks.signing import WebhookKey

    first, *_ = at_work(custody, Purpose.WEBHOOK)
    return WebhookKey(first.id, private(custody, first))


@dataclass(frozen=True, slots=True)
class HandoverSigner:
    """Signs offers and acceptances; the other party compared ``public_key`` with us when the two met."""

    public_key: bytes
    key: Ed25519PrivateKey = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message)


def handover_signer(custody: Custody) -> HandoverSigner:
    """Raises OwnKeyError."""
    first, *_ = at_work(custody, Purpose.HANDOVER)
    key = private(custody, first)
    return HandoverSigner(key.public_key().public_bytes_raw(), key)


def private(custody: Custody, key: OwnKey) -> Ed25519PrivateKey:
    """Raises OwnKeyError, also when the private part is not that of the public one."""
    try:
        found = Ed25519PrivateKey.from_private_bytes(custody.folder.secret(key))
    except ValueError as error:
        raise OwnKeyError(
            f"{key.purpose} key {key.id} holds no private key", "restore it from where you keep its copy"
        ) from error
    if found.public_key().public_bytes_raw() != key.public:
        raise OwnKeyError(f"the two parts of {key.purpose} key {key.id} do not belong together", "restore it from its copy")
    return found


def published_in(custody: Custody) -> Sequence[OwnKey]:
    """What others may rely on, as it lies in the folder now. Raises OwnKeyError."""
    return published(custody.folder.listed())
