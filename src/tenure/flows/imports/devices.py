"""Import of devices: a file of them, judged by the same rules as one registration, loaded in batches, one event for each.

1. Read: records of the file, CHUNK at a time.
2. Understand: words, names and digests into commands to register.
3. Facts: who has or had these hardware roots, and who claims these serials; one look for the whole chunk.
4. Judge: each command, by the rules of arrival. Beside them: nothing may stand in the file twice.
5. Load: what was permitted, as one batch whose event names the tree head over its rows.
6. Bury: what came in as retired or lost leaves its tombstones, in the same transaction.

All or nothing: one transaction over the whole file; a reject makes the rest a check, and then nothing of it stays. Row by
row: a transaction for each chunk; rejects are told, all others stay. Dead in the middle: of the first nothing is there, of the
second whole chunks, and the same file again brings the rest, as what is there is rejected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import BinaryIO
from uuid import UUID

from tenure.flows.imports.table import FileKind, Read, Record, Reject, RejectWriter, Unreadable, records
from tenure.flows.imports.understanding import Parties, Unclear, understood
from tenure.ledger.rows import rows_root
from tenure.lifecycle.arrival import judge_arrival
from tenure.lifecycle.commands import Asked, Register
from tenure.lifecycle.facts import ArrivalFacts, Taken
from tenure.lifecycle.transitions import TABLE
from tenure.lifecycle.verdict import Permitted, Refused
from tenure.model import identifiers
from tenure.model.access import Actor, Scope
from tenure.model.events import Cause
from tenure.registry import bulk, facts, tombstones
from tenure.registry.bulk import Loading
from tenure.registry.faults import RegistryError
from tenure.registry.registry import Registry
from tenure.registry.work import Reading, Work, World

CHUNK = 10_000
TRIES = 3
"""How often a chunk is judged anew when somebody else registers the same hardware meanwhile."""


class Mode(StrEnum):
    DRY_RUN = "dry-run"
    WHOLE = "whole"
    ROW_BY_ROW = "row-by-row"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be imported, and how. ``name`` is what events call the file, ``unit`` what its records are counted in."""

    name: str
    kind: FileKind
    mode: Mode
    reason: str = ""
    unit: str = "line"
    verb: str = "import"
    evidence: tuple[bytes, ...] = ()  # SHA-256 of each record that shows what it says


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of it: devices that are in (of a dry run: would be), records that are not."""

    devices: int
    rejects: int
    batches: tuple[UUID, ...]


@dataclass(slots=True)
class Import:
    """One import under way."""

    actor: Actor
    order: Order
    tell: RejectWriter
    progress: Callable[[int], None]
    roots_seen: dict[bytes, int] = field(default_factory=dict)  # hardware root -> line that has it; about 180 bytes each
    claims_seen: dict[tuple[str, str], int] = field(default_factory=dict)
    devices: int = 0
    rejects: int = 0
    batches: list[UUID] = field(default_factory=list)

    @property
    def scope(self) -> Scope:
        return self.actor.scope(TABLE[Register.verb].roles)

    @property
    def asked(self) -> Asked:
        return Asked(self.actor, self.order.reason, self.order.evidence)

    @property
    def cause(self) -> Cause:
        return Cause(self.order.verb, self.order.reason, self.order.evidence)

    def take(self, judged: Judged) -> None:
        """Counts and tells a chunk whose fate is settled."""
        for reject in judged.rejects:
            self.tell(reject)
        self.devices += len(judged.permitted)
        self.rejects += len(judged.rejects)
        self.progress(len(judged.permitted) + len(judged.rejects))

    def done(self) -> Imported:
        return Imported(self.devices, self.rejects, tuple(self.batches))


@dataclass(frozen=True, slots=True)
class Judged:
    """A chunk after step 4."""

    permitted: list[Permitted]
    lines: list[int]  # of those that are permitted
    rejects: list[Reject]
    source: str


class _UndoneError(Exception):
    """Rolls a transaction back that must not stay."""


def import_devices(
    registry: Registry,
    actor: Actor,
    file: BinaryIO,
    order: Order,
    tell: RejectWriter,
    progress: Callable[[int], None],
) -> Imported:
    """The numbered story above. ``tell`` gets each reject, ``progress`` how many records are done.

    Raises ImportFileError; of a row-by-row import the chunks before stay then. Raises RegistryError, when nothing of the
    file (row by row: of the chunk) is there.
    """
    running = Import(actor, order, tell, progress)
    chunks = _chunks(records(file, order.kind))
    match order.mode:
        case Mode.DRY_RUN:
            with registry.read() as reading:
                known = Parties(reading, running.scope)
                for chunk in chunks:
                    running.take(judge_chunk(running, reading, known, chunk, registry.world))
        case Mode.WHOLE:
            _whole(running, registry, chunks)
        case Mode.ROW_BY_ROW:
            for chunk in chunks:
                _one_chunk(running, registry, chunk)
    return running.done()


def _whole(running: Import, registry: Registry, chunks: Iterable[Sequence[Read]]) -> None:
    try:
        with registry.change(running.actor) as work:
            known = Parties(work, running.scope)
            gone: list[Permitted] = []
            with bulk.loading(work, rows_root) as load:
                for chunk in chunks:
                    running.take(judged := judge_chunk(running, work, known, chunk, registry.world))
                    if not running.rejects:
                        gone += load_chunk(running, load, judged)
            if running.rejects:
                raise _UndoneError
            bury_gone(work, gone, running.cause)
            running.batches += load.batches
    except _UndoneError:
        running.devices = 0


def _one_chunk(running: Import, registry: Registry, chunk: Sequence[Read]) -> None:
    """Judged anew when somebody else registers or buries the same hardware between judgement and load."""
    for attempt in range(1, TRIES + 1):
        try:
            with registry.change(running.actor) as work:
                judged = judge_chunk(running, work, Parties(work, running.scope), chunk, registry.world)
                with bulk.loading(work, rows_root) as load:
                    gone = load_chunk(running, load, judged)
                bury_gone(work, gone, running.cause)
        except RegistryError:
            if attempt == TRIES:
                raise
        else:
            running.batches += load.batches
            running.take(judged)
            return


def _chunks(found: Iterator[Read]) -> Iterator[Sequence[Read]]:
    while chunk := list(islice(found, CHUNK)):
        yield chunk


def judge_chunk(running: Import, reading: Reading, known: Parties, chunk: Sequence[Read], world: World) -> Judged:
    """Steps 2 to 4 for a chunk. Done again for the same chunk it says the same."""
    commands: list[tuple[Record, Register]] = []
    rejects: list[Reject] = []
    for each in chunk:
        if isinstance(each, Unreadable):
            rejects.append(Reject(each, each.problem, "mend the line"))
        elif isinstance(told := understood(each, known, world.ids), Unclear):
            rejects.append(Reject(each, told.problem, told.fix))
        elif twice := _twice(running, each.line, told):
            rejects.append(Reject(each, twice.problem, twice.fix))
        else:
            commands.append((each, told))
    taken = _by_root(facts.taken(reading, running.scope, [root.spki for _, told in commands for root in told.roots]))
    claimed = bulk.claimed(reading, running.scope, {claim for _, told in commands if (claim := _claim(told))})
    permitted: list[Permitted] = []
    lines: list[int] = []
    asked, now = running.asked, world.now()
    for record, told in commands:
        if (claim := _claim(told)) in claimed:
            problem = f"device {claimed[claim]} of this maker and serial is there, and the record has no hardware root"
            rejects.append(Reject(record, problem, "leave it out; if it is another device, name its hardware root"))
            continue
        verdict = judge_arrival(_facts(taken, told), told, asked, now, world.ids)
        if isinstance(verdict, Refused):
            rejects.append(Reject(record, verdict.problem + _pointer(verdict), verdict.fix))
        else:
            permitted.append(verdict)
            lines.append(record.line)
    rejects.sort(key=lambda reject: reject.line)
    source = f"{running.order.name}, {running.order.unit}s {chunk[0].line} to {chunk[-1].line}"
    return Judged(permitted, lines, rejects, source)


def _twice(running: Import, line: int, told: Register) -> Unclear | None:
    """What stands in the file before: the same root, or the same maker and serial with nothing that tells two devices apart."""
    unit = running.order.unit
    for root in told.roots:
        if (first := running.roots_seen.setdefault(root.spki, line)) != line:
            return Unclear(
                f"its hardware root stands in {unit} {first} already", "one hardware root is one device: leave one of them"
            )
    if (claim := _claim(told)) and (first := running.claims_seen.setdefault(claim, line)) != line:
        return Unclear(f"its maker and serial stand in {unit} {first} already", "leave one of them, or name their hardware roots")
    return None


def _claim(told: Register) -> tuple[str, str] | None:
    """Maker and serial of a device that has nothing better to be found again by."""
    if told.roots or (serial := identifiers.serial(told.serial)) is None:
        return None
    return identifiers.maker(told.maker) or "", serial


def _by_root(taken: Iterable[Taken]) -> dict[bytes, list[Taken]]:
    found: dict[bytes, list[Taken]] = {}
    for each in taken:
        found.setdefault(each.spki, []).append(each)
    return found


_FREE = ArrivalFacts()


def _facts(taken: dict[bytes, list[Taken]], told: Register) -> ArrivalFacts:
    held = tuple(each for root in told.roots for each in taken.get(root.spki, ()))
    return ArrivalFacts(held) if held else _FREE


def _pointer(refused: Refused) -> str:
    return f" (see device {', '.join(map(str, refused.see))})" if refused.see else ""


def load_chunk(running: Import, load: Loading, judged: Judged) -> list[Permitted]:
    """Step 5; those that came in gone."""
    if judged.permitted:
        load.add((each.device for each in judged.permitted), judged.source, running.cause)
    return [each for each in judged.permitted if each.tombstones]


def bury_gone(work: Work, gone: Sequence[Permitted], cause: Cause) -> None:
    """Step 6, after the load has made sure that no root it brought is barred."""
    for each in gone:
        tombstones.bury(work, each.tombstones, cause)
