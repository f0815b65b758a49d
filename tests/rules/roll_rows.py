"""Rows of a small roll in memory, settled into consistency and put into DuckDB under the roll's own DDL.

What the linker computes is settled here in the plainest way where a test does not give it: counts follow the bindings,
use follows the sessions, flags follow state and times. A column that a test gives stays as given.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, TypeAlias

import duckdb
import pyarrow as pa

from tenure.model.vocabulary import CredentialKind, DeviceState
from tenure.roll.tables import COUNT, FLAG, KEY, REAL, ROLL_TABLES, TABLES_BY_NAME, TEXT, TIME

Row: TypeAlias = dict[str, Any]

_ARROW = {
    KEY: pa.int64(), COUNT: pa.int64(), TEXT: pa.string(), FLAG: pa.bool_(), TIME: pa.timestamp("us"),
    REAL: pa.float64(), "DATE": pa.date32(),
}  # fmt: skip

_OWN_KEY = {
    "source": "source_key", "site": "site_key", "owner": "owner_key", "domain": "domain_key", "device_class": "class_key",
    "device": "device_key", "device_record": "record_key", "identifier": "identifier_key", "key": "key_key",
    "credential": "credential_key", "issuer": "issuer_key", "relying_party": "relying_party_key", "anchor": "anchor_key",
    "session": "session_key", "policy": "policy_key",
}  # fmt: skip


class RollRows:
    """Tables of the roll as lists of rows; ``connect`` makes the database."""

    def __init__(self, as_of: datetime) -> None:
        self.as_of = as_of
        self.tables: dict[str, list[Row]] = {table.name: [] for table in ROLL_TABLES}
        self.add("roll", as_of=as_of, tenure_version="test")

    def add(self, table: str, /, **columns: object) -> int:
        """One row; returns its dense key (0 for tables without one). Raises KeyError for a column that is not there."""
        known = {name for name, _, _ in TABLES_BY_NAME[table].columns}
        if unknown := columns.keys() - known:
            raise KeyError(f"{table} has no column {', '.join(sorted(unknown))}")
        rows = self.tables[table]
        key = len(rows) + 1
        rows.append({_OWN_KEY[table]: key, **columns} if table in _OWN_KEY else dict(columns))
        return key

    def row(self, table: str, key: int) -> Row:
        """The row with this dense key, to look at or to change before the next run."""
        return self.tables[table][key - 1]

    def change(self, table: str, key: int, /, **columns: object) -> None:
        """Give other values to columns of one row; what depended on them is settled anew."""
        known = {name for name, _, _ in TABLES_BY_NAME[table].columns}
        if unknown := columns.keys() - known:
            raise KeyError(f"{table} has no column {', '.join(sorted(unknown))}")
        self.row(table, key).update(columns)

    def key_of(self, table: str, name: str) -> int:
        """The key of the one row of this name."""
        (found,) = (row[_OWN_KEY[table]] for row in self.tables[table] if row.get("name") == name)
        return int(found)

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A fresh in-memory roll with these rows, settled."""
        connection = duckdb.connect(":memory:")
        settled = settle({name: [dict(row) for row in rows] for name, rows in self.tables.items()}, self.as_of)
        for table in ROLL_TABLES:
            connection.execute(table.ddl)
            if rows := settled[table.name]:
                arrays = [pa.array([_cell(row.get(n), t) for row in rows], _ARROW[t]) for n, t, _ in table.columns]
                connection.register("arriving", pa.Table.from_arrays(arrays, names=[n for n, _, _ in table.columns]))
                connection.execute(f"INSERT INTO {table.name} SELECT * FROM arriving")
                connection.unregister("arriving")
        return connection


def _cell(value: object, sql_type: str) -> object:
    """Flags are never NULL; instants lose their zone (the roll is in UTC)."""
    if sql_type == FLAG:
        return bool(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


def settle(tables: dict[str, list[Row]], as_of: datetime) -> dict[str, list[Row]]:
    """Fill in, where nothing is given, what follows from other rows. Order: state, holders, use, then who is newest."""
    for device in tables["device"]:
        state = DeviceState(device.get("state", "unknown"))
        device.setdefault("in_service", state.in_service)
        device.setdefault("active", state is DeviceState.ACTIVE)
        device.setdefault("gone", state.gone)
    _settle_validity(tables, as_of)
    _settle_holders(tables)
    _settle_use(tables)
    _settle_generations(tables["credential"])
    _settle_counts(tables)
    _fold_sightings(tables)
    return tables


def _settle_validity(tables: dict[str, list[Row]], as_of: datetime) -> None:
    for credential in tables["credential"]:
        begin, end = credential.get("not_before"), credential.get("not_after")
        credential.setdefault("issued_at", begin)
        credential.setdefault("no_expiry", end is None)
        credential.setdefault("lifetime_days", None if begin is None or end is None else (end - begin).total_seconds() / 86400)
        credential.setdefault("expired", end is not None and end < as_of)
        credential.setdefault("not_yet_valid", begin is not None and begin > as_of)
        credential.setdefault("ended", credential.get("revoked_at") is not None)
        credential.setdefault("ended_at", credential.get("revoked_at"))
        trusted = credential.get("anchored_for_operation") if credential.get("role") == "birth" else credential.get("anchored")
        over = credential["expired"] or credential["not_yet_valid"] or credential["ended"]
        credential.setdefault("usable", not over and bool(trusted or credential.get("active_at_issuer")))


def _settle_holders(tables: dict[str, list[Row]]) -> None:
    holders: dict[int, set[int]] = defaultdict(set)
    for binding in tables["binding"]:
        if binding.get("device_key") is not None:
            holders[binding["credential_key"]].add(binding["device_key"])
    by_key: dict[int, list[Row]] = defaultdict(list)
    for credential in tables["credential"]:
        devices = holders[credential["credential_key"]]
        credential.setdefault("devices", len(devices))
        credential.setdefault("device_key", next(iter(devices)) if len(devices) == 1 else None)
        if credential.get("key_key") is not None:
            by_key[credential["key_key"]].append(credential)
    for key in tables["key"]:
        members = by_key[key["key_key"]]
        key.setdefault("credentials", len(members))
        key.setdefault("devices", len({d for c in members for d in holders[c["credential_key"]]}))
        key.setdefault("first_known_at", min((c["issued_at"] for c in members if c.get("issued_at")), default=None))


def _settle_use(tables: dict[str, list[Row]]) -> None:
    proved: dict[int, list[datetime]] = defaultdict(list)
    named: dict[int, list[datetime]] = defaultdict(list)
    seen: dict[int, list[datetime]] = defaultdict(list)
    for session in tables["session"]:
        if not session.get("accepted"):
            continue
        if session.get("credential_key") is not None:
            proved[session["credential_key"]].append(session["started_at"])
        if session.get("device_key") is not None:
            seen[session["device_key"]].append(session["started_at"])
            if session.get("credential_key") is None:
                named[session["device_key"]].append(session["started_at"])
    for credential in tables["credential"]:
        uses, device = proved[credential["credential_key"]], credential.get("device_key")
        credential.setdefault("first_used_at", min(uses, default=None))
        credential.setdefault("last_used_at", max(uses, default=None))
        last = credential["last_used_at"]
        maybe = [] if device is None else [t for t in named[device] if _in_validity(credential, t)]
        credential.setdefault("last_maybe_used_at", max([*maybe, *([last] if last else [])], default=None))
        if device is not None and last and CredentialKind(credential["kind"]).secret:
            seen[device].append(last)
    for row in tables["device"]:
        row.setdefault("first_seen_at", min(seen[row["device_key"]], default=None))
        row.setdefault("last_seen_at", max(seen[row["device_key"]], default=None))


def _in_validity(credential: Row, moment: datetime) -> bool:
    begin, end = credential.get("not_before"), credential.get("not_after")
    return (begin is None or begin <= moment) and (end is None or moment <= end)


def _settle_generations(credentials: list[Row]) -> None:
    families: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for credential in credentials:
        if credential.get("device_key") is not None and credential.get("issued_at") is not None:
            families[(credential["device_key"], credential["kind"], credential.get("role"))].append(credential)
    for family in families.values():
        family.sort(key=lambda c: (c["issued_at"], c["credential_key"]))
        for older, newer in pairwise(family):
            older.setdefault("successor_key", newer["credential_key"])
        if usable := [c for c in family if c["usable"]]:
            usable[-1].setdefault("newest_of_role", True)


def _settle_counts(tables: dict[str, list[Row]]) -> None:
    usable: dict[int, int] = defaultdict(int)
    shown: dict[int, int] = defaultdict(int)
    for credential in tables["credential"]:
        if credential.get("issuer_key") is not None and not credential.get("ca"):
            usable[credential["issuer_key"]] += int(credential["usable"])
            shown[credential["issuer_key"]] += 1
    for issuer in tables["issuer"]:
        issuer.setdefault("usable_credentials", usable[issuer["issuer_key"]])
    for anchor in tables["anchor"]:
        anchor.setdefault("usable_under", usable[anchor["issuer_key"]])
        anchor.setdefault("seen_under", shown[anchor["issuer_key"]])
        certificate = tables["credential"][anchor["credential_key"] - 1]
        anchor.setdefault("longest_not_after", certificate.get("not_after"))
    for device in tables["device"]:
        records = [r for r in tables["device_record"] if r.get("device_key") == device["device_key"]]
        device.setdefault("records", len(records))


def _fold_sightings(tables: dict[str, list[Row]]) -> None:
    """Sessions folded by subject, relying party and day; sightings a test added itself stay beside them."""
    names = ("relying_party_key", "credential_key", "device_key", "user_name", "client_id", "link")
    folded: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for session in tables["session"]:
        folded[(*(session.get(n) for n in names), session["started_at"].date())].append(session)
    for subject, sessions in folded.items():
        tables["sighting"].append({
            **dict(zip((*names, "day"), subject, strict=True)),
            "first_at": min(s["started_at"] for s in sessions),
            "last_at": max(s["started_at"] for s in sessions),
            "accepted": sum(1 for s in sessions if s.get("accepted")),
            "refused": sum(1 for s in sessions if s.get("outcome") == "refused"),
            "addresses": len({s["address"] for s in sessions if s.get("address")}),
        })  # fmt: skip
