"""The inventory of Tenure's own keys: what lies here, how it is kept, and what in the registry rests on it."""

from __future__ import annotations

from dataclasses import dataclass

from tenure.flows.own_keys.turn import Custody
from tenure.ledger.checkpoint import Identity
from tenure.ledger.note import Verifier
from tenure.ledger.refusals import NoteError
from tenure.ledger.shelf import ShelfReader
from tenure.ledger.store import LedgerRows
from tenure.ledger.tiles import CHECKPOINT
from tenure.model.own_keys import OwnKey, Purpose, current, of_purpose
from tenure.registry import digest_use


@dataclass(frozen=True, slots=True)
class Line:
    """One key. ``tokens`` is how many in force are known by a digest under it; None: it makes none."""

    key: OwnKey
    current: bool
    sealed: bool
    tokens: int | None


@dataclass(frozen=True, slots=True)
class Inventory:
    """``missing``: ids of digest keys that do not lie here, with the number of tokens in force that open no door without them."""

    lines: tuple[Line, ...]
    missing: tuple[tuple[str, int], ...]


def inventory(custody: Custody) -> Inventory:
    """Raises OwnKeyError."""
    keys = custody.folder.listed()
    with custody.registry.read() as reading:
        used = digest_use.tokens_by_key(reading, custody.registry.world.now())
    lines = tuple(
        Line(
            key,
            key == current(keys, purpose),
            custody.folder.sealed(key),
            used.get(key.id, 0) if purpose is Purpose.DIGEST else None,
        )
        for purpose in Purpose
        for key in of_purpose(keys, purpose)
    )
    held = {key.id for key in keys if key.purpose is Purpose.DIGEST and key.needs_secret}
    return Inventory(lines, tuple(sorted((id, tokens) for id, tokens in used.items() if id not in held)))


def rests_on(custody: Custody, key: OwnKey, rows: LedgerRows, shelf: ShelfReader, origin: str) -> str:
    """What would be lost if a key ended now, in words; empty: nothing."""
    if key.purpose is Purpose.DIGEST:
        with custody.registry.read() as reading:
            used = digest_use.tokens_by_key(reading, custody.registry.world.now()).get(key.id, 0)
        return f"{used} tokens in force are known by digests under {key.id}" if used else ""
    if key.purpose is Purpose.LEDGER:
        rest = tuple(
            verifier_of(k) for k in custody.folder.listed() if k.purpose is Purpose.LEDGER and k.trusted and k.id != key.id
        )
        for note, where in ((rows.checkpoint(), "in the database"), (shelf.read(CHECKPOINT), "on the shelf")):
            if note is not None and not _opens(Identity(origin, rest), note):
                return f"the checkpoint {where} is signed by {key.id} alone: restart tenure serve and let it ship an event"
    return ""


def verifier_of(key: OwnKey) -> Verifier:
    """A key of the ledger as readers of signed notes know it."""
    assert key.public is not None, "keys of the ledger sign"
    return Verifier(key.name, key.public)


def _opens(identity: Identity, note: bytes) -> bool:
    try:
        identity.open(note)
    except NoteError:
        return False
    return True
