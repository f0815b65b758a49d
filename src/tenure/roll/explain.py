"""Explain a device: which records it was linked from, by which identifiers, and what each source claims of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import duckdb

from tenure.clock import rfc3339
from tenure.errors import TenureError
from tenure.model import identifiers
from tenure.model.explanation import DeviceExplanation, Held, RecordClaim, Tie
from tenure.roll import notations

MOST_SESSIONS = 10


_CLAIMS = (
    "name",
    "serial",
    "maker",
    "model",
    "mac",
    "thing_name",
    "state",
    "state_text",
    "owner",
    "site",
    "trust_domain",
    "left_service_at",
)
_COMPARED = ("serial", "maker", "model", "mac", "state", "owner", "site", "trust_domain")


def explain_device(con: duckdb.DuckDBPyConnection, wanted: str) -> DeviceExplanation:
    """The explanation of the one device that ``wanted`` means. Raises TenureError when none or several do."""
    key = _find(con, wanted)
    row = con.execute(
        "SELECT d.device_id, d.name, d.state, s.name FROM device d LEFT JOIN source s ON s.source_key = d.state_source_key WHERE device_key = ?",
        [key],
    ).fetchone()
    assert row is not None
    records = _records(con, key)
    return DeviceExplanation(
        device_id=row[0],
        name=row[1],
        state=row[2],
        state_decided_by=row[3],
        records=records,
        ties=_ties(con, key),
        conflicts=_conflicts(records),
        credentials=_credentials(con, key),
        sessions=_sessions(con, key),
    )


_FIND = f"""
SELECT DISTINCT d.device_key, d.device_id, d.name FROM device d LEFT JOIN device_identifier di USING (device_key)
LEFT JOIN identifier i USING (identifier_key) LEFT JOIN device_record r ON r.device_key = d.device_key
WHERE d.device_id = $text OR r.record_id = $text OR r.thing_name = $text OR i.value = $text
    OR (i.kind = 'serial' AND i.value = $serial) OR (i.kind = 'mac' AND i.value = $mac) OR {notations.name("r.name")} = $name
ORDER BY 1
"""  # noqa: S608 - a notation of ours


def _find(con: duckdb.DuckDBPyConnection, wanted: str) -> int:
    other = {"text": wanted, "mac": identifiers.mac(wanted), "name": identifiers.name(wanted)}
    rows: list[tuple[int, str, str | None]] = []
    for strip_zeros in (False, True):  # as written first: a maker's leading zeros may be significant
        rows = rows or con.execute(_FIND, {**other, "serial": identifiers.serial(wanted, strip_zeros=strip_zeros)}).fetchall()
    if not rows:
        raise TenureError(
            f"no device is known by {wanted!r}",
            "use a device id, serial, MAC, name, thing name or record id of the audited exports",
        )
    if len(rows) > 1:
        several = ", ".join(f"{device} ({name})" for _, device, name in rows[:5])
        raise TenureError(f"{wanted!r} means {len(rows)} devices: {several}", "name one of them by its device id")
    return int(rows[0][0])


def _records(con: duckdb.DuckDBPyConnection, key: int) -> tuple[RecordClaim, ...]:
    rows = con.execute(
        f"SELECT s.name, r.record_id, r.origin, r.decides, r.maker_inferred, {', '.join(f'r.{c}' for c in _CLAIMS)} "  # noqa: S608 - columns are ours
        "FROM device_record r JOIN source s USING (source_key) WHERE device_key = ? ORDER BY r.decides DESC, r.record_key",
        [key],
    ).fetchall()
    return tuple(
        RecordClaim(
            source,
            record_id,
            origin,
            decides,
            {
                name: f"{_text(value)} (inferred)" if name == "maker" and inferred else _text(value)
                for name, value in zip(_CLAIMS, values, strict=True)
                if value is not None
            },
        )
        for source, record_id, origin, decides, inferred, *values in rows
    )


def _ties(con: duckdb.DuckDBPyConnection, key: int) -> tuple[Tie, ...]:
    rows = con.execute(
        "SELECT i.kind, i.value, i.scope, i.strong, i.reason, list(DISTINCT r.origin ORDER BY r.origin) FROM device_identifier d "
        "JOIN identifier i USING (identifier_key) JOIN device_record r ON r.record_key = d.record_key WHERE d.device_key = ? "
        "GROUP BY ALL ORDER BY i.strong DESC, i.kind, i.value",
        [key],
    ).fetchall()
    return tuple(Tie(kind, value, scope, strong, reason, tuple(origins)) for kind, value, scope, strong, reason, origins in rows)


def _conflicts(records: Sequence[RecordClaim]) -> dict[str, tuple[str, ...]]:
    """Fields about which records disagree; what differs only in notation does not count."""
    found: dict[str, tuple[str, ...]] = {}
    for name in _COMPARED:
        said = [(r.claims[name], r.source) for r in records if name in r.claims]
        if len({_notation(name, value) for value, _ in said}) > 1:
            found[name] = tuple(dict.fromkeys(f"{value} ({source})" for value, source in said))
    return found


def _notation(name: str, value: str) -> str | None:
    match name:
        case "serial":
            return identifiers.serial(value)
        case "mac":
            return identifiers.mac(value)
        case "maker":
            return identifiers.maker(value.removesuffix(" (inferred)"))
        case _:
            return value


def _credentials(con: duckdb.DuckDBPyConnection, key: int) -> tuple[Held, ...]:
    rows = con.execute(
        "SELECT c.kind, c.role, c.name, c.sha256, b.how, b.strong, s.name, c.usable, c.not_after, (SELECT list(t.status || ' by ' || t.authority "
        "|| ' (' || u.name || ')' ORDER BY u.name, t.authority) FROM status t JOIN source u USING (source_key) WHERE t.credential_key = c.credential_key) "
        "FROM binding b JOIN credential c USING (credential_key) JOIN source s ON s.source_key = b.source_key WHERE b.device_key = ? "
        "ORDER BY c.usable DESC, c.issued_at DESC, c.credential_key, b.how",
        [key],
    ).fetchall()
    return tuple(
        Held(kind, role, name, sha, how, strong, source, usable, None if end is None else _text(end), tuple(statuses or ()))
        for kind, role, name, sha, how, strong, source, usable, end, statuses in rows
    )


def _sessions(con: duckdb.DuckDBPyConnection, key: int) -> tuple[dict[str, str | None], ...]:
    rows = con.execute(
        "SELECT s.started_at, p.name, s.outcome, s.address, s.user_name, s.client_id, s.link, c.sha256, s.origin FROM session s "
        "JOIN relying_party p USING (relying_party_key) LEFT JOIN credential c USING (credential_key) WHERE s.device_key = ? "
        "ORDER BY s.started_at DESC LIMIT ?",
        [key, MOST_SESSIONS],
    ).fetchall()
    names = ("started_at", "relying_party", "outcome", "address", "user_name", "client_id", "link", "certificate", "origin")
    return tuple({n: None if v is None else _text(v) for n, v in zip(names, row, strict=True)} for row in rows)


def _text(value: object) -> str:
    return rfc3339(value.replace(tzinfo=UTC)) if isinstance(value, datetime) else str(value)
