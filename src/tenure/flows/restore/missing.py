"""What happened in a gap, read from the shelf, and what of it a database can be made to know again. Pure but for the reading.

The ledger holds digests, not devices. So ends are done again (they need no more than an id), tombstones, ended credentials and
numbers come back from their records, whoever was touched otherwise is held in quarantine, and all else is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from tenure.ledger import gap as ledger_gap
from tenure.ledger.checkpoint import Identity
from tenure.ledger.refusals import DamageError
from tenure.ledger.shelf import ShelfReader
from tenure.model.canonical import NotCanonicalError, event_in, value_in
from tenure.model.credentials import Credential
from tenure.model.devices import Tombstone, Verb
from tenure.model.events import Event
from tenure.model.vocabulary import DeviceState
from tenure.registry import high_water
from tenure.registry.gate import OpenGap
from tenure.registry.written_back import Shipped


class Outcome(StrEnum):
    """What became of something that happened in the gap."""

    KNOWN = "known"  # the database has it: it was committed before the backup, and shipped after
    REPLAYED = "replayed"  # it is so again
    HELD = "held"  # the device is quarantined: what was done with it is not known here
    LISTED = "listed"  # nothing could be done: somebody has to look


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of the gap."""

    position: int
    at: datetime
    actor: str
    verb: str
    subject_kind: str
    subject: str
    outcome: Outcome = Outcome.LISTED


@dataclass(slots=True)
class Truth:
    """All that is to be made good, in the order it happened."""

    ends: dict[UUID, Verb] = field(default_factory=dict)  # devices gone at the end of the gap: retire or report-lost
    forgotten: set[UUID] = field(default_factory=set)
    touched: dict[UUID, bytes | None] = field(default_factory=dict)  # devices something else was done with: their last digest
    tombstones: dict[tuple[bytes, UUID, int], Tombstone] = field(default_factory=dict)
    ended: dict[UUID, Credential] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    tokens: set[UUID] = field(default_factory=set)  # ended
    people: set[UUID] = field(default_factory=set)  # ended
    roles: list[tuple[UUID, bytes]] = field(default_factory=list)  # taken away: holder, digest of what they held
    why: dict[str, bytes] = field(default_factory=dict)  # subject -> SHA-256 of the last entry about it
    listed: list[Happened] = field(default_factory=list)


def shipped(shelf: ShelfReader, identity: Identity, gap: OpenGap) -> Iterator[tuple[int, Shipped]]:
    """The entries of the gap with their places, each proved. Raises DamageError, NoteError before any comes, and DamageError
    for a record that its entry does not name."""
    behind = ledger_gap.Behind(gap.known, identity.open(gap.note))
    for missed in ledger_gap.missed(shelf, behind):
        if missed.refused:
            raise DamageError(
                f"a {missed.refused[0].kind} on the shelf at place {missed.position} is not what its entry names",
                "take records/ from a copy of the shelf",
            )
        try:
            event = event_in(missed.leaf)
        except NotCanonicalError as error:
            raise DamageError(
                f"the entry at place {missed.position} is no event", "use the Tenure that wrote it, or a newer one"
            ) from error
        yield missed.position, Shipped(event, tuple((record.kind, record.content) for record in missed.records))


def truth_of(entries: Iterator[tuple[int, Shipped]]) -> Truth:
    """What was so at the end of the gap, as far as entries and records tell."""
    truth = Truth()
    for position, each in entries:
        event = each.event
        truth.why[event.subject] = sha256(event.leaf()).digest()
        truth.listed.append(Happened(position, event.at, event.actor, event.verb, event.subject_kind, event.subject))
        _about(truth, event)
        for kind, content in each.records:
            _record(truth, kind, content)
    for id in truth.ends.keys() & truth.touched.keys():
        del truth.touched[id]
    return truth


def _about(truth: Truth, event: Event) -> None:
    match event.subject_kind, event.verb:
        case "device", Verb.RETIRE | Verb.REPORT_LOST:
            truth.ends[UUID(event.subject)] = Verb(event.verb)
        case "device", Verb.FORGET:
            truth.forgotten.add(UUID(event.subject))
        case "device", _:  # a return too: its proof and keys are not known here, so it is done anew
            truth.touched[UUID(event.subject)] = event.after
        case "token", "end":
            truth.tokens.add(UUID(event.subject))
        case "person", "end":
            truth.people.add(UUID(event.subject))
        case "role", _ if event.before is not None and event.after is None:
            truth.roles.append((UUID(event.subject), event.before))


def _record(truth: Truth, kind: str, content: bytes) -> None:
    try:
        match kind:
            case "tombstone":
                stone = value_in(Tombstone, content)
                truth.tombstones[stone.spki, stone.device, stone.term] = stone
                if stone.returned_at is None:
                    truth.ends[stone.device] = Verb.RETIRE if stone.state is DeviceState.RETIRED else Verb.REPORT_LOST
            case "revocation":
                credential = value_in(Credential, content)
                truth.ended[credential.id] = credential
            case high_water.KIND:
                mark = high_water.high_water_in(content)
                truth.numbers[mark.name] = max(mark.value, truth.numbers.get(mark.name, 0))
    except NotCanonicalError as error:
        raise DamageError(f"a {kind} on the shelf cannot be read", "use the Tenure that wrote it, or a newer one") from error
