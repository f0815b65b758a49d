"""Adoption: devices and credentials out of a roll into the registry, so that the next audit sees one device, not two.

For each chunk of devices, in one transaction:

1. Known: what the registry has already, by hardware root, strong identifier, or maker and serial, is not registered again.
2. Fit: a device that nothing strong holds, or whose state nobody tells, would be two devices or a wrong one next time.
3. Judge: as an import does, by the rules of arrival; nothing may come in twice.
4. Load: what was permitted, as one batch; beside each device its strong identifiers, with the snapshots as evidence.
5. Credentials: of what came in, and of what was known and still is in its first term; secrets as keyed digests only.
6. Reach the state: what comes as quarantined, retired or lost came in as active or manufactured, and gets there by the verb
   itself, with the tombstones and obligations that verb always leaves.

Devices that are gone come after all others: a key that a living sibling has too is then known to be shared, and is barred for
nobody. Dead in the middle: whole chunks are there, and the same roll again brings the rest. A dry run does all of it and takes
it back, chunk by chunk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

import duckdb

from tenure.flows.adoption.holdings import identity, root_kind, taken_over
from tenure.flows.adoption.naming import TAKEN, Names, cells
from tenure.flows.imports.devices import TRIES, Import, Judged, Mode, Order, judge_chunk, load_chunk
from tenure.flows.imports.table import FileKind, Record
from tenure.flows.imports.understanding import Parties, Unclear
from tenure.ledger.rows import rows_root
from tenure.lifecycle.commands import Asked, Command, Quarantine, ReportLost, Retire
from tenure.lifecycle.verbs import judge
from tenure.lifecycle.verdict import permitted
from tenure.model import identifiers
from tenure.model.access import Actor
from tenure.model.devices import Device
from tenure.model.events import Cause
from tenure.model.vocabulary import DeviceState, IdentifierKind
from tenure.registry import adoptions, bulk, credentials, devices, issuers
from tenure.registry.adoptions import Adoption, StrongIdentifier
from tenure.registry.facts import facts_of
from tenure.registry.faults import RegistryError, TombstonedError
from tenure.registry.registry import Registry
from tenure.registry.verdicts import carry_out
from tenure.registry.work import Work
from tenure.roll.adoptable import STRONG, HeldCredential, KnownDevice, adoptable, extent

CHUNK = 500
_REACHED_BY: dict[DeviceState, tuple[DeviceState, Command]] = {
    DeviceState.QUARANTINED: (DeviceState.ACTIVE, Quarantine()),
    DeviceState.RETIRED: (DeviceState.MANUFACTURED, Retire()),
    DeviceState.LOST: (DeviceState.MANUFACTURED, ReportLost()),
}
"""State -> the state a device comes in as, and the verb that takes it from there."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be adopted, and how. ``name`` is what events call the roll."""

    name: str
    names: Names
    digest_key: str  # id of the key that keyed the digests of the roll's secrets
    reason: str = ""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A device, or one credential of it, that does not come in, and why."""

    device: KnownDevice
    credential: HeldCredential | None
    problem: str
    fix: str


Tell: TypeAlias = Callable[[LeftOut], None]


@dataclass(slots=True)
class Adopted:
    """What came of it: of a dry run, what would."""

    devices: int = 0
    known: int = 0
    credentials: int = 0
    left_out: int = 0
    unbound: int = 0  # credentials that nothing strong binds to a device: they stay with the audit
    left_away: Counter[tuple[str, str]] = field(default_factory=Counter)  # sites and classes the registry does not know
    batches: list[UUID] = field(default_factory=list)


@dataclass(slots=True)
class _Chunk:
    """A chunk under way: what is told and counted only when its transaction stands."""

    left_out: list[LeftOut] = field(default_factory=list)
    recorded: set[tuple[int, int]] = field(default_factory=set)  # device and credential in the roll
    left_away: Counter[tuple[str, str]] = field(default_factory=Counter)
    devices: int = 0
    known: int = 0
    credentials: int = 0
    batches: list[UUID] = field(default_factory=list)

    def leave(self, device: KnownDevice, problem: str, fix: str, credential: HeldCredential | None = None) -> None:
        self.left_out.append(LeftOut(device, credential, problem, fix))


@dataclass(slots=True)
class _Adoption:
    registry: Registry
    wanted: Wanted
    importing: Import
    safe: set[tuple[int, int]] = field(default_factory=set)
    """Credentials of devices in service that share a key with another's, and are recorded."""

    @property
    def cause(self) -> Cause:
        return self.importing.cause


class _UndoneError(Exception):
    """Rolls back what a dry run did."""


def adopt(
    registry: Registry,
    actor: Actor,
    roll: duckdb.DuckDBPyConnection,
    wanted: Wanted,
    tell: Tell,
    progress: Callable[[int], None],
) -> Adopted:
    """The numbered story above. ``tell`` gets what is left out, ``progress`` how many devices are done. Raises RegistryError:
    the chunks before stay then."""
    shown = tuple(bytes.fromhex(id) for (id,) in roll.execute("SELECT DISTINCT content_id FROM source ORDER BY 1").fetchall())
    order = Order(wanted.name, FileKind.JSONL, Mode.ROW_BY_ROW, wanted.reason, "device", "adopt", shown)
    running = _Adoption(registry, wanted, Import(actor, order, lambda _: None, lambda _: None))
    done = Adopted(unbound=extent(roll).unbound)
    first = 1
    for found in adoptable(roll, CHUNK):
        chunk = _settled(running, actor, dict(enumerate(found, first)))
        first += len(found)
        running.safe |= chunk.recorded
        for each in chunk.left_out:
            tell(each)
        done.devices += chunk.devices
        done.known += chunk.known
        done.credentials += chunk.credentials
        done.left_out += len(chunk.left_out)
        done.left_away += chunk.left_away
        done.batches += [] if wanted.dry_run else chunk.batches
        progress(len(found))
    return done


def _settled(running: _Adoption, actor: Actor, found: dict[int, KnownDevice]) -> _Chunk:
    """A chunk as a transaction, done anew when somebody else brings or bars the same hardware meanwhile."""
    for attempt in range(1, TRIES + 1):
        chunk = _Chunk()
        try:
            with running.registry.change(actor) as work:
                _adopt_chunk(running, work, found, chunk)
                if running.wanted.dry_run:
                    raise _UndoneError
        except _UndoneError:
            pass
        except RegistryError:
            if attempt == TRIES:
                raise
            continue
        break
    return chunk


def _adopt_chunk(running: _Adoption, work: Work, found: dict[int, KnownDevice], chunk: _Chunk) -> None:
    here = _known(running, work, list(found.values()))
    records = []
    parties = Parties(work, running.importing.scope)
    for number, each in found.items():
        if len(here[each.key]) > 1:
            whose = ", ".join(map(str, sorted(here[each.key])))
            chunk.leave(each, f"the registry has it as several devices: {whose}", "retire the wrong one, or mend the identifiers")
        elif here[each.key]:
            chunk.known += 1
        elif unfit := _unfit(running, each):
            chunk.leave(each, unfit.problem, unfit.fix)
        else:
            records.append(Record(number, _cells(running, each, parties, chunk.left_away)))
    judged = judge_chunk(running.importing, work, parties, records, work.world) if records else Judged([], [], [], "")
    for reject in judged.rejects:
        chunk.leave(found[reject.line], reject.problem, reject.fix)
    came = {found[line].key: each.device for line, each in zip(judged.lines, judged.permitted, strict=True)}
    with bulk.loading(work, rows_root) as load:
        load_chunk(running.importing, load, judged)
        _remember(running, work, [(found[line], came[found[line].key]) for line in judged.lines])
        held = _held_before(running, work, {key: next(iter(ids)) for key, ids in here.items() if len(ids) == 1})
        _take_credentials(running, work, list(found.values()), came | held, chunk)
    chunk.devices, chunk.batches = len(came), load.batches
    for line in judged.lines:
        _reach(running, work, found[line], came[found[line].key].id)


# -- 1. what the registry has already -----------------------------------------------------------------------------------


def _known(running: _Adoption, work: Work, found: Sequence[KnownDevice]) -> dict[int, set[UUID]]:
    told = {each.key: _identifiers(each) for each in found}
    roots = adoptions.by_roots(work, [spki for each in found for spki in _roots(each)])
    holders = adoptions.holders(work, {identifier for some in told.values() for identifier in some})
    claims = {each.key: claim for each in found if (claim := _claim(each))}
    claimed = bulk.claimed(work, running.importing.scope, set(claims.values()))
    own = _own_ids(running, work, found)
    known: dict[int, set[UUID]] = {}
    for each in found:
        here = {roots[spki] for spki in _roots(each) if spki in roots} | own.get(each.key, set())
        for identifier in told[each.key]:
            here |= holders.get((identifier.kind, identifier.value, identifier.scope), set())
        if not here and each.key in claims and claims[each.key] in claimed:
            here = {claimed[claims[each.key]]}
        known[each.key] = here
    return known


def _own_ids(running: _Adoption, work: Work, found: Sequence[KnownDevice]) -> dict[int, set[UUID]]:
    """Ids that a registry's export gave: those that are of this registry."""
    told = {each.key: {UUID(id) for id in each.registry_ids} for each in found if each.registry_ids}
    there = (
        {each.id for each in devices.get_many(work, running.importing.scope, sorted(set().union(*told.values())))}
        if told
        else set()
    )
    return {key: ids & there for key, ids in told.items()}


def _identifiers(device: KnownDevice) -> tuple[StrongIdentifier, ...]:
    return tuple(StrongIdentifier(IdentifierKind(kind), value, scope) for kind, value, scope in device.identifiers)


def _roots(device: KnownDevice) -> list[bytes]:
    return [bytes.fromhex(value) for kind, value, _ in device.identifiers if kind == IdentifierKind.HARDWARE_KEY]


def _claim(device: KnownDevice) -> tuple[str, str] | None:
    """Maker and serial, of a device that has no root to be told apart by."""
    serials = [(scope, value) for kind, value, scope in device.identifiers if kind == IdentifierKind.SERIAL]
    if _roots(device) or not serials:
        return None
    scope, value = serials[0]
    return scope, identifiers.serial(value) or value


# -- 2. what can be taken over ------------------------------------------------------------------------------------------


def _unfit(running: _Adoption, device: KnownDevice) -> Unclear | None:
    state = running.wanted.names.state(device)
    if not device.identifiers:
        kinds = ", ".join(STRONG)
        return Unclear("no strong identifier holds it: the next audit would see two devices", f"collect one of {kinds}")
    if state not in TAKEN:
        return Unclear(f"its state is {device.state}", 'say what it is: a map file with [state] and, say, unknown = "active"')
    if state in _REACHED_BY and not running.wanted.reason.strip():
        return Unclear(f"taking it over as {state} needs a reason", "say with --reason how it is known")
    if state.gone and (loose := [pair for held in device.credentials for pair in held.sharers if pair not in running.safe]):
        problem = f"a device in service shares a key with it ({len(loose)} credentials) and is not adopted: it would be cut off"
        return Unclear(problem, "mend what keeps that one out first")
    return None


def _cells(running: _Adoption, device: KnownDevice, parties: Parties, left_away: Counter[tuple[str, str]]) -> dict[str, object]:
    state = running.wanted.names.state(device)
    told = cells(device, running.wanted.names, parties, left_away)
    told["state"] = str(_REACHED_BY[state][0] if state in _REACHED_BY else state)
    for spki in (root.hex() for root in _roots(device)):
        told.setdefault(root_kind(device, spki).value, []).append(spki)
    return told


# -- 4 to 6. what is written --------------------------------------------------------------------------------------------


def _remember(running: _Adoption, work: Work, came: Sequence[tuple[KnownDevice, Device]]) -> None:
    kept = [
        Adoption(
            device.id, _identifiers(known), tuple(bytes.fromhex(content) for content in known.snapshots), known.left_service_at
        )
        for known, device in came
    ]
    adoptions.keep(work, kept, Cause(running.cause.verb, running.cause.reason))
    devices.seen(work, [(device.id, known.last_seen_at) for known, device in came if known.last_seen_at])


def _held_before(running: _Adoption, work: Work, known: dict[int, UUID]) -> dict[int, Device]:
    """Those whose credentials may still be taken: in service, and of the first owner, as a roll does not tell terms apart."""
    held = {each.device.id: each.device for each in devices.hold_many(work, running.importing.scope, sorted(set(known.values())))}
    return {key: held[id] for key, id in known.items() if id in held and held[id].state.in_service and held[id].term == 1}


def _take_credentials(
    running: _Adoption, work: Work, found: Sequence[KnownDevice], here: dict[int, Device], chunk: _Chunk
) -> None:
    there = adoptions.recorded(work, [device.id for device in here.values()])
    for each in found:
        if each.key not in here:
            continue
        device = here[each.key]
        for held in each.credentials:
            named = identity(held)
            if held.own:
                continue
            if isinstance(named, Unclear):
                chunk.leave(each, named.problem, named.fix, held)
                continue
            if named not in there[device.id]:
                if not _recorded(running, work, each, held, device.id, chunk):
                    continue
                there[device.id].add(named)
            if held.sharers:
                chunk.recorded.add((each.key, held.key))


def _recorded(running: _Adoption, work: Work, known: KnownDevice, held: HeldCredential, to: UUID, chunk: _Chunk) -> bool:
    """One that several devices hold stands for each of them, and then under no issuer: a serial number is there once."""
    issuer = None
    if held.issuer_spki is not None and held.holders == 1:
        issuer = issuers.foreign(work, held.issuer or "", bytes.fromhex(held.issuer_spki), running.cause)
        if held.serial_hex is not None and credentials.by_serial(work, issuer, held.serial_hex) is not None:
            issuer = None
    given = taken_over(known, held, work.world.ids(), to, issuer, running.wanted.digest_key, work.at)
    snapshot = bytes.fromhex(held.content_id)
    try:
        credentials.record(work, given, Cause(running.cause.verb, running.cause.reason, (snapshot,)))
    except TombstonedError as error:
        chunk.leave(known, error.problem, error.fix, held)
        return False
    chunk.credentials += 1
    return True


def _reach(running: _Adoption, work: Work, known: KnownDevice, id: UUID) -> None:
    state = running.wanted.names.state(known)
    if state not in _REACHED_BY:
        return
    importing, evidence = running.importing, tuple(bytes.fromhex(content) for content in known.snapshots)
    command = _REACHED_BY[state][1]
    held = devices.hold(work, importing.scope, id)
    asked = Asked(importing.actor, importing.order.reason, evidence)
    permission = permitted(judge(facts_of(work, held), command, asked, work.at, work.world.ids))
    carry_out(work, [held], permission, Cause(command.verb, importing.order.reason, evidence))
