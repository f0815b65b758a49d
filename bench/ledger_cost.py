"""What the ledger costs: the same changes with and without it, at equal durability and batch size; and how many events it takes.

python -m bench.ledger_cost [sqlite|postgresql|both] [SECONDS]

1. Cost: devices change (row, version), ``batch`` of them in a transaction. Once as they are, with events, and a sequencer that
   places them meanwhile; once without digests, events and sequencer. Taken in turns, medians.
2. Events: transactions that note ``batch`` events, with the sequencer beside; counted are events that have a place at the end.

Wall time on a busy machine says little, so processor time (of writers, sequencer and server) stands beside it.
The sequencer works as in `tenure serve`: on SQLite a thread of the process that writes, on PostgreSQL a process beside two.
"""

from __future__ import annotations

import ctypes
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ClassVar, TypeAlias
from uuid import UUID

import psycopg
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
PAUSE = 0.2  # seconds between two looks of the sequencer, the default of tenure serve
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


class Done(ctypes.Structure):
    """What all writers did together."""

    _fields_: ClassVar = [("rate", ctypes.c_double), ("changes", ctypes.c_longlong), ("seconds", ctypes.c_double)]


@dataclass(frozen=True)
class Load:
    """What a writer does; picklable, as each is a process of its own."""

    url: str
    batch: int
    bare: bool
    act: Act
    seconds: float

    @property
    def alone(self) -> bool:
        """One process writes and places."""
        return self.url.startswith("sqlite")


def write(load: Load, ids: list[UUID], go: Any, done: Any, placed: Any) -> None:
    registry, over = opened(load.url), threading.Event()
    if load.bare:
        without_ledger()
    placing = threading.Thread(target=place, args=(registry, over, placed))
    if load.alone and not load.bare:
        placing.start()
    with registry.read() as reading:
        reading.connection.exec_driver_sql("SELECT 1")
    go.wait()
    begun = time.process_time()
    started, turn, count = time.monotonic(), 0, 0
    while (spent := time.monotonic() - started) < load.seconds:
        start = turn * load.batch % max(1, len(ids) - load.batch + 1)
        with registry.change(ACTOR) as work:
            load.act(work, ids[start : start + load.batch], turn)
        turn, count = turn + 1, count + load.batch
    over.set()
    if placing.is_alive():
        placing.join()
    with done.get_lock():
        done.rate, done.changes, done.seconds = (
            done.rate + count / spent,
            done.changes + count,
            done.seconds + time.process_time() - begun,
        )
    registry.close()


def place(registry: Registry, over: Any, placed: Any) -> None:
    """Until it is over and nothing is left."""
    sequencer = Sequencer(RegistryLedger(registry), NoShelf(), IDENTITY, [SIGNER], Terms(str(os.getpid())))
    while True:
        last = over.is_set()
        step = sequencer.place(datetime.now(UTC))
        events = step.events if isinstance(step, Placed) else 0
        placed.value += events
        if not events:
            if last:
                break
            over.wait(PAUSE)
    sequencer.stop(datetime.now(UTC))


def place_beside(url: str, over: Any, done: Any, placed: Any) -> None:
    registry = opened(url)
    begun = time.process_time()
    place(registry, over, placed)
    with done.get_lock():
        done.seconds += time.process_time() - begun
    registry.close()


def server_seconds(url: str) -> float:
    """Processor time of PostgreSQL's processes so far, also of those that have ended."""
    if url.startswith("sqlite"):
        return 0.0
    with psycopg.connect(url) as connection:
        server = int(Path(f"/proc/{connection.info.backend_pid}/stat").read_text().rpartition(")")[2].split()[1])
        ticks = 0
        for each in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # it ended meanwhile
                told = each.read_text().rpartition(")")[2].split()
                if int(each.parent.name) == server:
                    ticks += sum(map(int, told[11:15]))  # its own, and of children that ended
                elif int(told[1]) == server:
                    ticks += sum(map(int, told[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Run:
    """Events (or changes) a second: as they were written, and as they were placed."""

    written: float
    placed: float
    processor: float  # microseconds of processor time each


def run(load: Load, ids: list[list[UUID]]) -> Run:
    writers = 1 if load.alone else WRITERS
    go, over = SPAWN.Barrier(writers + 1), SPAWN.Event()
    done: Any = SPAWN.Value(Done)
    placed = SPAWN.Value("q", 0)
    before = server_seconds(load.url)
    writing = [SPAWN.Process(target=write, args=(load, ids[n], go, done, placed)) for n in range(writers)]
    placing = SPAWN.Process(target=place_beside, args=(load.url, over, done, placed))
    beside = [] if load.alone or load.bare else [placing]
    for process in (*writing, *beside):
        process.start()
    go.wait()
    started = time.monotonic()
    for process in writing:
        process.join()
    over.set()
    for process in beside:
        process.join()
    whole = time.monotonic() - started
    seconds = done.seconds + server_seconds(load.url) - before
    return Run(done.rate, placed.value / whole, seconds / done.changes * 1e6)


def main(kinds: tuple[str, ...], seconds: float) -> None:
    for kind in kinds:
        with database(kind) as url:
            ids = filled(url)
            run(Load(url, 100, False, note, 1.0), ids)  # warm, and what filling left gets its places
            for name, act in (("a bare change of a row", change), ("a verb", verb)):
                for batch in BATCHES:
                    told = cost(Load(url, batch, False, act, seconds), ids)
                    print(f"{kind}, {name}, {batch} a transaction: {told}", flush=True)
            for batch in BATCHES:
                found = [run(Load(url, batch, False, note, seconds), ids) for _ in range(TURNS)]
                written, placed = (statistics.median(getattr(r, n) for r in found) for n in ("written", "placed"))
                print(f"{kind}, {batch} events a transaction: {written:,.0f}/s written, {placed:,.0f}/s placed", flush=True)


def cost(load: Load, ids: list[list[UUID]]) -> str:
    bare, kept = [], []
    for _ in range(TURNS):
        bare.append(run(replace(load, bare=True), ids))
        kept.append(run(load, ids))
    told = []
    for figure, unit in (("written", "/s"), ("processor", " us of processor")):
        without, with_ = (statistics.median(getattr(r, figure) for r in runs) for runs in (bare, kept))
        dearer = without / with_ if figure == "written" else with_ / without
        told.append(f"{without:,.0f}{unit} without, {with_:,.0f}{unit} with the ledger ({dearer - 1:+.0%})")
    return "; ".join(told)


if __name__ == "__main__":
    named = sys.argv[1] if len(sys.argv) > 1 else "both"
    main(KINDS if named == "both" else (named,), float(sys.argv[2]) if len(sys.argv) > 2 else 4.0)
