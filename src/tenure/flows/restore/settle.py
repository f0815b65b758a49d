"""Settling a gap: the database learns again what it can, holds what it cannot know, and may be written to.

1. Look: which entries lie outside and not here? The gate is shut, all lanes are closed.
2. Write back: events without a place that are not of the gap move aside; the entries of the gap come back as they were.
3. Replay: the ledger gives them their old places and the checkpoint that was published. Nothing is signed anew.
4. Make good, in one transaction: devices that ended end again, with all that hangs on it; tombstones, credentials, tokens,
   people, roles, numbers; who was touched otherwise is quarantined. The gate opens with the commit.

Dead before 3 is done: begin again, 2 changes nothing twice. Dead between 3 and 4: the ledger agrees, the gap stays open, and 4
is done from what the gap remembers of itself.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from uuid import UUID

from tenure.flows.restore.missing import Happened, Outcome, Truth, shipped, truth_of
from tenure.flows.restore.standing import Latest, OtherPast, look
from tenure.ledger import gap as ledger_gap
from tenure.ledger.checkpoint import Identity
from tenure.ledger.refusals import RewindError
from tenure.ledger.shelf import ShelfReader
from tenure.ledger.store import LedgerStore
from tenure.lifecycle import departure
from tenure.lifecycle.commands import Asked, Command, Quarantine, ReportLost, Retire
from tenure.lifecycle.facts import Facts
from tenure.lifecycle.transitions import TABLE
from tenure.lifecycle.verbs import judge
from tenure.lifecycle.verdict import Code, Refused, VerbRefusedError, permitted
from tenure.model.access import EVERYTHING, Actor, Role
from tenure.model.canonical import event_in
from tenure.model.devices import Device, Verb
from tenure.model.events import Cause, value_digest
from tenure.registry import devices, gate, high_water, made_good, written_back
from tenure.registry.device_changes import change_device
from tenure.registry.facts import facts_of
from tenure.registry.gate import OpenGap
from tenure.registry.registry import Registry
from tenure.registry.verdicts import carry_out
from tenure.registry.work import Work

_OTHER_PAST = "take a backup that is older than the fork, or if the shelf was the wrong one, name the right one and dismiss"


@dataclass(frozen=True, slots=True)
class Settled:
    """What happened in the gap, and what became of each."""

    known: int
    outside: int
    happened: tuple[Happened, ...]

    def count(self) -> dict[Outcome, int]:
        return dict(Counter(each.outcome for each in self.happened))


def missing(shelf: ShelfReader, identity: Identity, gap: OpenGap) -> tuple[Happened, ...]:
    """What happened in an open gap, before anything is done about it."""
    return tuple(truth_of(shipped(shelf, identity, gap)).listed)


def settle(
    registry: Registry, ledger: LedgerStore, shelf: ShelfReader, identity: Identity, actor: Actor, reason: str
) -> Settled | None:
    """None: nothing was to be settled. Raises VerbRefusedError (not an administrator of everything), RewindError (another past),
    DamageError and NoteError (the shelf is not whole)."""
    _administrator(actor)
    standing = look(registry, ledger, shelf, identity)  # 1
    if isinstance(standing, Latest):
        return None
    if isinstance(standing, OtherPast):
        raise RewindError("the database tells another past than the entries outside", _OTHER_PAST)
    compared = ledger_gap.compare(ledger, shelf, identity)
    if isinstance(compared, ledger_gap.Behind):
        _write_back(registry, shelf, identity, compared, actor)  # 2
        ledger_gap.replay(ledger, shelf, compared, lambda leaf: event_in(leaf).id)  # 3
    return _make_good(registry, shelf, identity, standing.gap, actor, reason)  # 4


def dismiss(registry: Registry, ledger: LedgerStore, shelf: ShelfReader, identity: Identity, actor: Actor, reason: str) -> bool:
    """Opens the gate over a gap that was found against the wrong shelf. The right one must hold a checkpoint that this database
    continues. False: no gap was open. Raises VerbRefusedError, RewindError."""
    _administrator(actor)
    compared = ledger_gap.compare(ledger, shelf, identity)
    if not isinstance(compared, ledger_gap.Agreed) or shelf.read("checkpoint") is None:
        raise RewindError("this database does not continue what lies on the shelf", "settle the gap, or name the right shelf")
    with registry.change(actor) as work:
        if (found := gate.open_gap(work)) is None:
            return False
        gate.reopen(work, found, "dismissed")
        work.note(Cause("dismiss", reason), "restore", str(found.id), None, None)
    return True


def _administrator(actor: Actor) -> None:
    if not actor.scope({Role.ADMIN}).whole:
        problem = "settling a restore touches the devices of all owners"
        raise VerbRefusedError(Refused(Code.NOT_PERMITTED, problem, "let an administrator of everything do it"))


def _write_back(registry: Registry, shelf: ShelfReader, identity: Identity, behind: ledger_gap.Behind, actor: Actor) -> None:
    """One transaction, so that no lane is ever seen with a hole in it."""
    gap = OpenGap(UUID(int=0), behind.known, behind.outside.size, behind.outside.note, False)
    ids = frozenset(each.event.id for _, each in shipped(shelf, identity, gap))
    with registry.change(actor) as work:
        written_back.move_aside(work, ids)
        written_back.write_back(work, (each for _, each in shipped(shelf, identity, gap)))


def _make_good(registry: Registry, shelf: ShelfReader, identity: Identity, gap: OpenGap, actor: Actor, reason: str) -> Settled:
    truth = truth_of(shipped(shelf, identity, gap))
    told = f"again after a restore: {reason}"
    with registry.change(actor) as work:
        gate.reopen(work, gap, "settled")
        again = _Again(work, actor, told, truth)
        done = {
            **{("device", str(id)): again.end(id, verb) for id, verb in truth.ends.items()},
            **{("device", str(id)): again.hold_back(id, after) for id, after in truth.touched.items()},
        }
        for stone in truth.tombstones.values():
            made_good.bury_missing(work, [stone], again.cause("retire", str(stone.device)))
            done["tombstone", stone.spki.hex()] = Outcome.REPLAYED
        for id in truth.forgotten:
            again.forget(id)
        done |= again.ends_of_others()
        high_water.carry_over(work, truth.numbers)
        done |= {(high_water.KIND, name): Outcome.REPLAYED for name in truth.numbers}
        work.note(Cause("settle", told), "restore", str(gap.id), None, None)
    happened = (replace(each, outcome=done.get((each.subject_kind, each.subject), Outcome.LISTED)) for each in truth.listed)
    return Settled(gap.known, gap.outside, tuple(happened))


@dataclass(frozen=True, slots=True)
class _Again:
    """Step 4, one subject at a time. What it writes names the entry of the gap as its evidence."""

    work: Work
    actor: Actor
    reason: str
    truth: Truth

    def cause(self, verb: str, subject: str) -> Cause:
        why = self.truth.why.get(subject)
        return Cause(verb, self.reason, (why,) if why else ())

    def end(self, id: UUID, verb: Verb) -> Outcome:
        return self._do(id, verb, Retire() if verb is Verb.RETIRE else ReportLost())

    def hold_back(self, id: UUID, after: bytes | None) -> Outcome:
        """Whoever is here as the gap left them needs nothing."""
        if any(value_digest(held.salt, held.device) == after for held in devices.hold_many(self.work, EVERYTHING, [id])):
            return Outcome.KNOWN
        done = self._do(id, Verb.QUARANTINE, Quarantine())
        return Outcome.HELD if done is Outcome.REPLAYED else Outcome.LISTED

    def forget(self, id: UUID) -> None:
        """Two people agreed to it; the entry is there. What it owed is open again, and stays so under its bare id."""
        held = devices.hold_many(self.work, EVERYTHING, [id])
        if held and held[0].device.forgotten_at is None:
            bare = departure.forgotten(replace(facts_of(self.work, held[0]), obligations=()), self.work.at)
            if isinstance(bare, Device):
                change_device(self.work, held[0], bare, self.cause(Verb.FORGET, str(id)))

    def ends_of_others(self) -> dict[tuple[str, str], Outcome]:
        found: dict[tuple[str, str], bool] = {}
        for id, credential in self.truth.ended.items():
            cause = self.cause("end", str(id))
            found["credential", str(id)] = made_good.end_credential(self.work, credential, cause)
        for id in self.truth.tokens:
            found["token", str(id)] = made_good.end_token(self.work, id, self.cause("end", str(id)))
        for id in self.truth.people:
            found["person", str(id)] = made_good.end_person(self.work, id, self.cause("end", str(id)))
        for holder, held in self.truth.roles:
            found["role", str(holder)] = made_good.take_role(self.work, holder, held, self.cause("end", str(holder)))
        return {subject: Outcome.REPLAYED if ok else Outcome.LISTED for subject, ok in found.items()}

    def _do(self, id: UUID, verb: Verb, command: Command) -> Outcome:
        held = devices.hold_many(self.work, EVERYTHING, [id])
        if not held:
            return Outcome.LISTED  # registered in the gap: all that is left of it are its tombstones
        rule, state = TABLE[verb], held[0].device.state
        if state not in rule.sources:
            return Outcome.REPLAYED if state.gone or state is rule.target else Outcome.LISTED
        asked = Asked(self.actor, self.reason)
        facts = self._as_shared_by_then(facts_of(self.work, held[0]))
        verdict = judge(facts, command, asked, self.work.at, self.work.world.ids)
        carry_out(self.work, held, permitted(verdict), self.cause(verb, str(id)))
        return Outcome.REPLAYED

    def _as_shared_by_then(self, facts: Facts) -> Facts:
        """Keys that the gap did not bury with this device: others had them too by then, whom this copy does not know."""
        barred = {stone.spki for stone in (*facts.tombstones, *self.truth.tombstones.values())}
        keys = {each.spki for each in facts.ties.credentials if each.spki is not None} - barred
        return replace(facts, ties=replace(facts.ties, shared=facts.ties.shared | keys))
