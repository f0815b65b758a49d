"""Which keys the digests of tokens are made with, and how many of these still open a door."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from tenure.registry.tables.access import token
from tenure.registry.work import Reading


def tokens_by_key(reading: Reading, now: datetime) -> dict[str, int]:
    """Tokens in force by the id of the key. Reads the table once: for people, not for requests."""
    in_force = (token.c.ended_at.is_(None), token.c.expires_at > now)
    counted = select(token.c.digest_key, func.count().label("tokens")).where(*in_force).group_by(token.c.digest_key)
    return {row.digest_key: row.tokens for row in reading.rows(counted)}
