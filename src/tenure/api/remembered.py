"""The registry as the frame needs it: callers of the doors, keys of repeated requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

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
