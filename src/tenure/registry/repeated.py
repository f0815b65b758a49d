"""Repeated requests: keys that callers sent with a POST, and the answers they got. Shared by all processes; no events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from tenure.registry.tables.access import idempotency
from tenure.registry.upserts import insert_if_absent
from tenure.registry.work import Work


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class KeySeen:
    """The key was there before. Without an answer, its work is under way or its end was never written."""

    request: bytes  # digest
    begun: datetime
    answer: KeptAnswer | None


def begin(work: Work, caller: str, key: str, request: bytes) -> KeySeen | None:
    """None: the key is ours, and once this transaction is committed nobody else's."""
    if insert_if_absent(work, idempotency, {"actor": caller, "key": key, "request": request, "at": work.at}):
        return None
    row = work.row(select(idempotency).where(idempotency.c.actor == caller, idempotency.c.key == key))
    if row is None:
        return KeySeen(request, work.at, None)  # released between the two: under way, as far as we can say
    answer = None if row.status is None else KeptAnswer(row.status, tuple((n, v) for n, v in row.headers), row.body)
    return KeySeen(row.request, row.at, answer)


def finish(work: Work, caller: str, key: str, answer: KeptAnswer) -> None:
    kept = {"status": answer.status, "headers": [list(header) for header in answer.headers], "body": answer.body}
    work.write(update(idempotency).where(idempotency.c.actor == caller, idempotency.c.key == key).values(kept))


def release(work: Work, caller: str, key: str) -> None:
    """Forgets a key whose work was certainly not done."""
    mine = (idempotency.c.actor == caller, idempotency.c.key == key, idempotency.c.status.is_(None))
    work.write(delete(idempotency).where(*mine))
