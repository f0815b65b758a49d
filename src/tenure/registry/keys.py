"""Keys as locks: two transactions that decide on one public key do so one after the other."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import text

from tenure.registry.work import Work

_ALL_KEYS = 0x74656E757265  # "tenure": no digest, as these fill 64 bits


def hold_keys(work: Work, spkis: Collection[bytes]) -> None:
    """Locks public keys (SHA-256 digests) until the transaction ends, whether or not any row has them.

    Whoever lets a key in (as a root, in a credential) and whoever bars it (by a tombstone) takes this lock first: neither
    sees what the other has not committed. Keys come after the rows of devices, and rise, so that nobody waits in a ring.
    SQLite has one writer anyway. Two keys of one 64-bit prefix only wait for each other.
    """
    if work.postgres and spkis:
        numbers = sorted({int.from_bytes(spki[:8], "big", signed=True) for spki in spkis})
        shared = "SELECT pg_advisory_xact_lock_shared(:all_keys)"
        work.connection.execute(text(shared), {"all_keys": _ALL_KEYS})
        work.connection.execute(
            text("SELECT pg_advisory_xact_lock(k) FROM unnest(CAST(:keys AS bigint[])) AS k"), {"keys": numbers}
        )


def hold_every_key(work: Work) -> None:
    """Waits until nobody holds a key, and lets nobody hold one until the transaction ends: a bulk import takes it last and
    for a moment, because a lock for each of a million keys has no room in the server."""
    if work.postgres:
        work.connection.execute(text("SELECT pg_advisory_xact_lock(:all_keys)"), {"all_keys": _ALL_KEYS})
