"""The registry as the frame needs it: callers of the doors, keys of repeated requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from uuid import UUID

from tenure.api.authentication import Door, Presented
from tenure.api.idempotency import Answer, Begun, Key, Seen
from tenure.model.access import Actor, ActorKind, Token
from tenure.registry import people, repeated
from tenure.registry.registry import Registry
from tenure.registry.repeated import KeptAnswer
from tenure.registry.work import Reading

ITSELF = Actor(ActorKind.SYSTEM, "api")


@dataclass(frozen=True, slots=True)
class RegistryCallers:
    """Tokens of the registry. One whose person has left is not given: nobody answers for it any more."""

    registry: Registry

    def by_token(self, token: UUID) -> Token | None:
        with self.registry.read() as reading:
            return self._answered_for(reading, people.get_token(reading, token))

    def by_certificate(self, sha256: bytes) -> Token | None:
        with self.registry.read() as reading:
            return self._answered_for(reading, people.token_by_certificate(reading, sha256))

    def _answered_for(self, reading: Reading, token: Token | None) -> Token | None:
        if token is None or token.person is None:
            return token
        return token if people.get_person(reading, token.person).ended_at is None else None


@dataclass(slots=True)
class Uses:
    """Which tokens acted since that was last written down: noted while requests are answered, written beside them.

    Dead in between, at most a minute of it is lost: it says to the hour when a token was last used.
    """

    registry: Registry
    _seen: set[UUID] = field(default_factory=set)
    _turn: Lock = field(default_factory=Lock)

    def note(self, token: UUID) -> None:
        with self._turn:
            self._seen.add(token)

    def write(self) -> bool:
        """One transaction for all. Whatever it raises, they are written next time."""
        with self._turn:
            seen = frozenset(self._seen)
        if seen:
            with self.registry.change(ITSELF) as work:
                for token in sorted(seen):
                    people.token_used(work, token)
            with self._turn:
                self._seen -= seen
        return False


@dataclass(frozen=True, slots=True)
class Noted:
    """A door that keeps in mind who came in by it, and not who only tried."""

    door: Door
    uses: Uses

    def caller(self, presented: Presented, now: datetime) -> Actor | None:
        actor = self.door.caller(presented, now)
        if actor is not None:
            self.uses.note(UUID(actor.name))
        return actor


@dataclass(frozen=True, slots=True)
class RegistryKeys:
    """An IdempotencyStore that all processes over one registry share."""

    registry: Registry

    def begin(self, key: Key, request: bytes, at: datetime) -> Begun | Seen:  # noqa: ARG002 - the registry has the time
        with self.registry.change(ITSELF) as work:
            seen = repeated.begin(work, key.caller, key.text, request)
        if seen is None:
            return Begun()
        kept = seen.answer
        return Seen(seen.request, seen.begun, Answer(kept.status, kept.headers, kept.body) if kept else None)

    def finish(self, key: Key, answer: Answer) -> None:
        with self.registry.change(ITSELF) as work:
            repeated.finish(work, key.caller, key.text, KeptAnswer(answer.status, answer.headers, answer.body))

    def release(self, key: Key) -> None:
        with self.registry.change(ITSELF) as work:
            repeated.release(work, key.caller, key.text)
