"""What the ledger costs: the same changes with and without it, at equal durability and batch size; and how many events it takes.

python -m bench.ledger_cost [sqlite|postgresql|both] [SECONDS]

1. Cost: devices change (row, version), ``batch`` of them in a transaction. Once as they are, with events, a sequencer that places
   them at the same time in a process of its own, once without digests, events and sequencer. Taken in turns, medians.
2. Events: transactions that note ``batch`` events, with the sequencer beside; counted are events that have a place at the end.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from typing import Any, TypeAlias
from uuid import UUID

import uuid_utils.compat
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench._databases import KINDS, database
from tenure.ledger.checkpoint import Identity
from tenure.ledger.note import KeySigner
from tenure.ledger.sequencer import Placed, Sequencer, Terms
from tenure.lifecycle.commands import Asked, Command, Quarantine, Release
from tenure.lifecycle.verbs import judge
from tenure.lifecycle.verdict import permitted
from tenure.model.access import EVERYTHING, Actor, ActorKind, Area, Role, RoleAssignment
from tenure.model.devices import Device, HardwareRoot, RootKind
from tenure.model.events import Cause
from tenure.model.vocabulary import DeviceState
from tenure.registry import device_changes
from tenure.registry.devices import hold_many
from tenure.registry.facts import facts_of
from tenure.registry.ledger_store import RegistryLedger
from tenure.registry.opening import open_registry
from tenure.registry.registry import Registry
from tenure.registry.verdicts import carry_out
from tenure.registry.work import Work, World

SIGNER = KeySigner("ledger.example/bench", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
IDENTITY = Identity(SIGNER.name, (SIGNER.verifier,))
ACTOR = Actor(ActorKind.SYSTEM, "bench", (RoleAssignment(Role.ADMIN, Area()),))
ASKED = Asked(ACTOR, "how dear is it")
BATCHES = (1, 10, 100, 1000)
DEVICES = 2000
TURNS = 3
SPAWN = get_context("spawn")
WRITERS = 2  # on PostgreSQL; SQLite has one at a time

Act: TypeAlias = Callable[[Work, list[UUID], int], None]


class NoShelf:
    def read(self, path: str) -> bytes | None:  # noqa: ARG002 - nothing lies there
        return None


def opened(url: str) -> Registry:
    return open_registry(url, World(lambda: datetime.now(UTC), uuid_utils.compat.uuid7, os.urandom))


def filled(url: str) -> list[list[UUID]]:
    """Devices to change, of each writer its own."""
    registry, then = opened(url), datetime.now(UTC)
    ids: list[list[UUID]] = [[], []]
    for some in ids:
        with registry.change(ACTOR) as work:
            for number in range(DEVICES):
                root = HardwareRoot(RootKind.IDEVID, os.urandom(32))
                new = Device(uuid_utils.compat.uuid7(), DeviceState.ACTIVE, then, then, serial=str(number), roots=(root,))
                some.append(device_changes.insert_device(work, new, Cause("register")).id)
    registry.close()
    return ids


def change(work: Work, ids: list[UUID], turn: int) -> None:
    for held in hold_many(work, EVERYTHING, ids):
        device_changes.change_device(work, held, replace(held.device, name=f"pump {turn}"), Cause("describe"))


def verb(work: Work, ids: list[UUID], _turn: int) -> None:
    """Quarantine and release in turns, judged and carried out as the flows do."""
    for held in hold_many(work, EVERYTHING, ids):
        command: Command = Quarantine() if held.device.state is DeviceState.ACTIVE else Release()
        verdict = permitted(judge(facts_of(work, held), command, ASKED, work.at, work.world.ids))
        carry_out(work, [held], verdict, Cause(command.verb, ASKED.reason))


def note(work: Work, ids: list[UUID], _turn: int) -> None:
    for id in ids:
        work.note(Cause("describe"), "device", str(id), id.bytes * 2, id.bytes * 2)


def without_ledger() -> None:
    """In this process: changes are what they are, but there are no digests and no events."""
    nothing: Callable[..., None] = lambda *_a, **_k: None  # noqa: E731 - it takes the place of three
    Work.note = nothing  # type: ignore[method-assign] # that is the comparison
    setattr(device_changes, "value_digest", lambda *_: b"")  # noqa: B010 - as above


def write(url: str, ids: list[UUID], batch: int, bare: bool, act: Act, go: Any, seconds: float, done: Synchronized[int]) -> None:
    registry = opened(url)
    if bare:
        without_ledger()
    with registry.read() as reading:
        reading.connection.exec_driver_sql("SELECT 1")
    go.wait()
    end, turn, count = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        start = turn * batch % max(1, len(ids) - batch + 1)
        with registry.change(ACTOR) as work:
            act(work, ids[start : start + batch], turn)
        turn, count = turn + 1, count + batch
    with done.get_lock():
        done.value += count
    registry.close()


def place(url: str, stop: Any, placed: Synchronized[int]) -> None:
    """Until told to stop and nothing is left."""
    registry = opened(url)
    sequencer = Sequencer(RegistryLedger(registry), NoShelf(), IDENTITY, [SIGNER], Terms("bench"))
    while True:
        last = stop.is_set()
        step = sequencer.place(datetime.now(UTC))
        events = step.events if isinstance(step, Placed) else 0
        placed.value += events
        if not events:
            if last:
                break
            time.sleep(0.05)
    sequencer.stop(datetime.now(UTC))
    registry.close()


@dataclass(frozen=True)
class Run:
    """Events (or changes) a second: as they were written, and as they were placed."""

    written: float
    placed: float


def run(url: str, ids: list[list[UUID]], writers: int, batch: int, bare: bool, act: Act, seconds: float) -> Run:
    go, stop = SPAWN.Barrier(writers + 1), SPAWN.Event()
    done: Any = SPAWN.Value("q", 0)
    placed: Any = SPAWN.Value("q", 0)
    writing = [SPAWN.Process(target=write, args=(url, ids[n], batch, bare, act, go, seconds, done)) for n in range(writers)]
    placing = SPAWN.Process(target=place, args=(url, stop, placed))
    for process in writing:
        process.start()
    if not bare:
        placing.start()
    go.wait()
    started = time.monotonic()
    for process in writing:
        process.join()
    spent = time.monotonic() - started
    stop.set()
    if not bare:
        placing.join()
    whole = time.monotonic() - started
    return Run(done.value / spent, placed.value / whole)


def main(kinds: tuple[str, ...], seconds: float) -> None:
    for kind in kinds:
        with database(kind) as url:
            ids, writers = filled(url), 1 if kind == "sqlite" else WRITERS
            run(url, ids, writers, 100, False, change, 1.0)  # warm, and what filling left gets its places
            for name, act in (("a bare change of the row", change), ("a verb", verb)):
                for batch in BATCHES:
                    print(
                        f"{kind}, {writers} writers, {name}, {batch} a transaction: {cost(url, ids, batch, act, seconds)}",
                        flush=True,
                    )
            for batch in BATCHES:
                found = [run(url, ids, writers, batch, False, note, seconds) for _ in range(TURNS)]
                written, placed = (statistics.median(getattr(r, n) for r in found) for n in ("written", "placed"))
                print(f"{kind}, {batch} events a transaction: {written:,.0f}/s written, {placed:,.0f}/s placed", flush=True)


def cost(url: str, ids: list[list[UUID]], batch: int, act: Act, seconds: float) -> str:
    bare, kept = [], []
    writers = 1 if url.startswith("sqlite") else WRITERS
    for _ in range(TURNS):
        bare.append(run(url, ids, writers, batch, True, act, seconds).written)
        kept.append(run(url, ids, writers, batch, False, act, seconds).written)
    dearer = statistics.median(b / k - 1 for b, k in zip(bare, kept, strict=True))
    return f"{statistics.median(bare):,.0f}/s without, {statistics.median(kept):,.0f}/s with the ledger: {dearer:+.0%}"


if __name__ == "__main__":
    named = sys.argv[1] if len(sys.argv) > 1 else "both"
    main(KINDS if named == "both" else (named,), float(sys.argv[2]) if len(sys.argv) > 2 else 4.0)
