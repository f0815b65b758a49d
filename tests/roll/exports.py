"""Exports as snapshots, for the tests of linking: a healthy little fleet, written row by row, to break one thing in.

Digests are made from words (``digest("key of A")``), so a test reads as what it is about; signature edges say what a real
collection would have verified.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from tenure.evidence.snapshot import Snapshot, SnapshotDraft
from tenure.model import identifiers
from tenure.model.declarations import Declarations
from tenure.roll.link import Limits, link

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def digest(word: str) -> bytes:
    return hashlib.sha256(word.encode()).digest()


@dataclass
class Exports:
    """Snapshots of one test. Each method writes one source and adds it; rows are given as keyword dictionaries."""

    folder: Path
    snapshots: list[Snapshot] = field(default_factory=list)

    def source(self, kind: str, name: str, write: Callable[[SnapshotDraft], None]) -> Snapshot:
        with SnapshotDraft(self.folder / "evidence", kind, 1, name) as draft:
            write(draft)
            draft.speaks_until(AS_OF - DAY)
            snapshot = draft.finish(AS_OF)
        self.snapshots.append(snapshot)
        return snapshot

    def cmdb(self, *records: dict[str, Any], name: str = "cmdb.csv") -> None:
        """Records with ``serial``, ``mac``, ``name``, ``maker`` ... as a CMDB source would write them."""

        def write(draft: SnapshotDraft) -> None:
            for number, given in enumerate(records, 1):
                record(draft, number, **given)

        self.source("cmdb", name, write)

    def cloud(self, *things: dict[str, Any], name: str = "aws") -> None:
        """Things with ``thing_name`` and ``certificates`` (words) attached to them."""

        def write(draft: SnapshotDraft) -> None:
            for number, given in enumerate(things, 1):
                attached = given.pop("certificates", ())
                key = record(draft, number, state=None, **given)
                for word in attached:
                    draft.add("binding", record_id=key, sha256=digest(word), origin=f"{name}#{number}")

        self.source("aws-iot", name, write)

    def link(self, declarations: Declarations | None = None) -> duckdb.DuckDBPyConnection:
        roll = link(
            self.snapshots,
            declarations or Declarations(),
            AS_OF,
            self.folder / "roll.duckdb",
            limits=Limits("1GB", 1),
            edge_cache=None,
        )
        return roll.connect()


def record(draft: SnapshotDraft, number: int, **given: Any) -> str:
    """One device record with the identifiers that a source derives from its cells."""
    key = str(given.pop("record_id", f"row-{number}"))
    owner, site = given.pop("owner", "Plant Operations"), given.pop("site", "graz")
    row = {"state": "active", **given}
    draft.add(
        "device_record",
        record_id=key,
        owner_ref=draft.describe("owner", owner),
        site_ref=draft.describe("site", site),
        origin=f"row {number}",
        **row,
    )
    draft.add("identifier", record_id=key, kind="record-id", value=key)
    found = {
        "serial": identifiers.serial(row.get("serial")),
        "mac": identifiers.mac(row.get("mac")),
        "name": identifiers.name(row.get("name")),
        "thing-name": row.get("thing_name"),
    }
    scopes = {"serial": identifiers.maker(row.get("maker")), "thing-name": "account"}
    for kind, value in found.items():
        if value is not None:
            draft.add("identifier", record_id=key, kind=kind, value=value, scope=scopes.get(kind))
    return key


def certificate(draft: SnapshotDraft, word: str, issuer: str = "CN=Issuing", **given: Any) -> bytes:
    """A certificate named by a word; its key is ``key of <word>`` unless given, its subject ``CN=<word>``."""
    row: dict[str, Any] = {
        "reader": "full",
        "version": 3,
        "serial_hex": digest(word).hex()[:16].upper(),
        "issuer": issuer,
        "subject": f"CN={given.get('subject_cn', word)}",
        "subject_cn": word,
        "not_before": AS_OF - 100 * DAY,
        "not_after": AS_OF + 200 * DAY,
        "spki_sha256": digest(given.pop("key", f"key of {word}")),
        "key_algorithm": "ec",
        "key_bits": 256,
        "signature_hash": "sha256",
        "is_ca": False,
        "self_issued": False,
        **given,
    }
    draft.add("certificate", sha256=digest(word), origin=f"{word}.pem", **row)
    return digest(word)


def authority(draft: SnapshotDraft, word: str, issuer: str | None = None, **given: Any) -> bytes:
    """A CA certificate with subject ``CN=<word>``, self-signed unless an issuer's word is given; the edge is verified."""
    above = issuer or word
    sha = certificate(draft, word, f"CN={above}", is_ca=True, self_issued=issuer is None, not_after=AS_OF + 3000 * DAY, **given)
    signed(draft, word, above)
    return sha


def signed(draft: SnapshotDraft, word: str, issuer: str, *, verified: bool = True) -> None:
    draft.add(
        "signature_edge",
        sha256=digest(word),
        issuer_sha256=digest(issuer),
        issuer_spki_sha256=digest(f"key of {issuer}"),
        verified=verified,
    )


def anchor(draft: SnapshotDraft, word: str, party: str = "broker", purpose: str | None = None) -> None:
    draft.add(
        "anchor",
        sha256=digest(word),
        relying_party=party,
        relying_party_kind="broker",
        purpose=purpose,
        bundle=f"{party}.pem",
        origin=party,
    )


def session(draft: SnapshotDraft, started_at: datetime, party: str = "broker", **given: Any) -> None:
    word = given.pop("certificate", None)
    kind = "certificate" if word else "name" if given.get("user_name") else "client-id"
    draft.add(
        "session",
        **{
            "relying_party": party,
            "started_at": started_at,
            "ended_at": started_at + timedelta(hours=1),
            "address": "10.0.0.9",
            "port": 4000,
            "outcome": "accepted",
            "subject_kind": kind,
            "sha256": digest(word) if word else None,
            "origin": "log",
            **given,
        },
    )


def log_span(draft: SnapshotDraft, party: str = "broker", *, sensor: bool = False, days: int = 180) -> None:
    draft.add(
        "log_span",
        relying_party=party,
        kind="broker",
        first_at=AS_OF - days * DAY,
        last_at=AS_OF - timedelta(hours=1),
        entries=1000,
        sensor=sensor,
        origin="log",
    )
