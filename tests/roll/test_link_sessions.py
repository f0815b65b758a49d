"""Linking of sessions: a certificate decides who it was, a name only where it means one device, and a log covers what it shows."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.declarations import Declarations
from tests.roll.exports import AS_OF, DAY, Exports, anchor, authority, certificate, digest, log_span, session, signed


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    """Two gateways with a certificate each (CN = name, serialNumber = serial) under our CA, and a swapped pair under one name."""
    exports = Exports(tmp_path)
    exports.cmdb(
        {"serial": "NW-100001", "mac": "00:d0:c9:00:00:01", "name": "gw-1", "maker": "Nordwerk", "record_id": "g1"},
        {
            "serial": "NW-100002",
            "mac": "00:d0:c9:00:00:02",
            "name": "gw-2",
            "maker": "Nordwerk",
            "record_id": "g2",
            "site": "porto",
        },
        {
            "serial": "NW-100003",
            "name": "gw-swap",
            "maker": "Nordwerk",
            "state": "retired",
            "left_service_at": AS_OF - 60 * DAY,
            "record_id": "old",
        },
        {"serial": "NW-100004", "name": "gw-swap", "maker": "Nordwerk", "record_id": "new"},
        {"serial": "SVPL641555", "name": "plc-varna-141", "maker": "Stahlmann", "record_id": "p"},
    )

    def ca(draft: SnapshotDraft) -> None:
        authority(draft, "Root")
        anchor(draft, "Root")
        draft.add(
            "authority", sha256=digest("Root"), role="operator", issuance_collected=True, revocation_collected=True, origin="ca"
        )
        for word, cn, serial in (
            ("one", "gw-1", "NW-100001"),
            ("two", "gw-2", "NW-100002"),
            ("old", "gw-swap", "NW-100003"),
            ("new", "gw-swap", "NW-100004"),
        ):
            certificate(draft, word, "CN=Root", subject_cn=cn, subject_serial=serial)
            signed(draft, word, "Root")

    exports.source("openssl-ca", "ca", ca)
    return exports


def broker(exports: Exports, *sessions: dict[str, Any]) -> None:
    def write(draft: SnapshotDraft) -> None:
        log_span(draft)
        for given in sessions:
            session(draft, given.get("at", AS_OF - DAY), **{k: v for k, v in given.items() if k != "at"})

    exports.source("mosquitto-log", "mosquitto.log", write)


def sensor(exports: Exports, *sessions: dict[str, Any]) -> None:
    def write(draft: SnapshotDraft) -> None:
        log_span(draft, "10.10.0.5:8883", sensor=True)
        for given in sessions:
            session(draft, given.get("at", AS_OF - DAY), "10.10.0.5:8883", **{k: v for k, v in given.items() if k != "at"})

    exports.source("zeek", "zeek", write)


def seen(con: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """(record id of the device, certificate's word, link, linked_by) of each session in order."""
    words = {digest(w).hex(): w for w in ("one", "two", "old", "new", "stranger")}
    rows = con.execute(
        "SELECT (SELECT min(r.record_id) FROM device_record r WHERE r.device_key = s.device_key), c.sha256, s.link, s.linked_by "
        "FROM session s LEFT JOIN credential c USING (credential_key) ORDER BY s.session_key"
    ).fetchall()
    return [(record, words.get(sha), link, by) for record, sha, link, by in rows]


def test_a_certificate_decides_and_no_name_outweighs_it(exports: Exports) -> None:
    broker(exports, {"certificate": "two", "user_name": "gw-1", "client_id": "gw-1"})
    assert seen(exports.link()) == [("g2", "two", "certificate", None)]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"user_name": "gw-1", "client_id": "x"}, ("g1", None, "common-name", "user-name")),
        ({"user_name": "CN=gw-1", "client_id": "x"}, ("g1", None, "common-name", "user-name")),
        ({"user_name": "plc_varna_141", "client_id": "x"}, ("p", None, "name", "user-name")),
        ({"client_id": "S7_SVPL641555"}, ("p", None, "strong", "client-id")),
        ({"client_id": "00:d0:c9:00:00:02"}, ("g2", None, "strong", "client-id")),
        ({"user_name": "gw-2", "client_id": "gw-1"}, ("g2", None, "common-name", "user-name")),
        ({"user_name": "shared-account", "client_id": "NW/SVPL641555"}, ("p", None, "strong", "client-id")),
        ({"user_name": "gw-swap", "client_id": "gw-swap"}, (None, None, None, None)),
        ({"client_id": "esp32-aad79c"}, (None, None, None, None)),
    ],
)
def test_names_link_where_they_mean_one_device(exports: Exports, names: dict[str, str], expected: tuple[Any, ...]) -> None:
    broker(exports, names)
    assert seen(exports.link()) == [expected]


def test_the_sensor_tells_the_certificate_behind_a_brokers_line(exports: Exports) -> None:
    broker(exports, {"user_name": "gw-swap", "client_id": "gw-swap", "address": "10.0.0.7", "port": 5000})
    sensor(exports, {"certificate": "old", "address": "10.0.0.7", "port": 5000, "at": AS_OF - DAY + timedelta(seconds=2)})
    con = exports.link()
    assert seen(con) == [("old", "old", "certificate", None)]
    assert con.execute("SELECT name FROM relying_party WHERE collected").fetchall() == [("broker",)], (
        "10.10.0.5:8883 is the broker"
    )


@pytest.mark.parametrize("other", [{"port": 5001}, {"address": "10.0.0.8"}, {"at": AS_OF - DAY + timedelta(minutes=5)}])
def test_another_port_address_or_time_is_another_connection(exports: Exports, other: dict[str, Any]) -> None:
    broker(exports, {"user_name": "gw-1", "address": "10.0.0.7", "port": 5000})
    sensor(exports, {"certificate": "two", "address": "10.0.0.7", "port": 5000, **other})
    assert len(seen(exports.link())) == 2


def test_a_port_used_again_is_joined_to_the_nearest_connection(exports: Exports) -> None:
    first, second = AS_OF - DAY, AS_OF - DAY + timedelta(seconds=60)
    broker(
        exports,
        {"user_name": "gw-1", "address": "10.0.0.7", "port": 5000, "at": first},
        {"user_name": "gw-2", "address": "10.0.0.7", "port": 5000, "at": second},
    )
    sensor(
        exports,
        {"certificate": "one", "address": "10.0.0.7", "port": 5000, "at": first + timedelta(seconds=1)},
        {"certificate": "two", "address": "10.0.0.7", "port": 5000, "at": second + timedelta(seconds=1)},
    )
    assert [row[:2] for row in seen(exports.link())] == [("g1", "one"), ("g2", "two")]


def test_only_accepted_sessions_are_use(exports: Exports) -> None:
    broker(exports, {"certificate": "one", "outcome": "refused"})
    con = exports.link()
    assert con.execute("SELECT last_used_at FROM credential WHERE sha256 = ?", [digest("one").hex()]).fetchone() == (None,)
    assert con.execute("SELECT last_seen_at FROM device WHERE name = 'gw-1'").fetchone() == (None,)
    assert con.execute("SELECT accepted, refused FROM sighting").fetchall() == [(0, 1)]


def test_a_name_may_be_use_and_is_not_proved_to_be(exports: Exports) -> None:
    broker(exports, {"user_name": "gw-1"})
    row = (
        exports.link()
        .execute("SELECT last_used_at, last_maybe_used_at FROM credential WHERE sha256 = ?", [digest("one").hex()])
        .fetchone()
    )
    assert row == (None, (AS_OF - DAY).replace(tzinfo=None))


def test_a_place_is_covered_by_the_log_its_devices_appear_in(exports: Exports) -> None:
    broker(exports, {"user_name": "gw-1"})
    con = exports.link()
    assert con.execute("SELECT s.name, c.declared FROM coverage c JOIN site s USING (site_key)").fetchall() == [("graz", False)]
    assert dict(con.execute("SELECT name, covered FROM device WHERE name IN ('gw-1', 'gw-2')").fetchall()) == {
        "gw-1": True,
        "gw-2": False,
    }


def test_declared_coverage_replaces_the_guess(exports: Exports) -> None:
    broker(exports, {"user_name": "gw-1"})
    declared = Declarations.model_validate(
        {"relying_party": [{"name": "broker", "sites": ["porto"], "since": (AS_OF - 10 * DAY).isoformat()}]}
    )
    con = exports.link(declared)
    assert con.execute("SELECT s.name, c.since, c.declared FROM coverage c JOIN site s USING (site_key)").fetchall() == [
        ("porto", (AS_OF - 10 * DAY).replace(tzinfo=None), True)
    ]
    assert dict(con.execute("SELECT name, covered FROM device WHERE name IN ('gw-1', 'gw-2')").fetchall()) == {
        "gw-1": False,
        "gw-2": True,
    }


def test_a_chain_on_the_wire_resolves_by_a_collected_authority_only(exports: Exports) -> None:
    broker(exports, {"certificate": "one"}, {"certificate": "stranger"})

    def zeek(draft: SnapshotDraft) -> None:
        log_span(draft, "10.10.0.5:8883", sensor=True)
        certificate(draft, "stranger", "CN=Nobody knows", reader="log", spki_sha256=None)
        certificate(
            draft,
            "its ca",
            "CN=Nobody knows",
            subject="CN=Nobody knows",
            reader="log",
            is_ca=True,
            spki_sha256=None,
            self_issued=True,
        )

    exports.source("zeek", "x509", zeek)
    rows = exports.link().execute(
        "SELECT c.sha256, p.resolved FROM presented p JOIN credential c USING (credential_key) WHERE side = 'client'"
    )
    assert dict(rows.fetchall()) == {digest("one").hex(): True, digest("stranger").hex(): False}


def test_takeovers_keep_client_and_party(exports: Exports) -> None:
    def write(draft: SnapshotDraft) -> None:
        log_span(draft)
        session(draft, AS_OF - DAY, client_id="gw-1")
        draft.add(
            "takeover",
            relying_party="broker",
            happened_at=AS_OF - DAY,
            client_id="gw-1",
            old_address="a",
            new_address="b",
            origin="1",
        )

    exports.source("mosquitto-log", "m.log", write)
    con = exports.link()
    assert con.execute("SELECT count(*) FROM takeover t JOIN session s USING (client_key)").fetchone() == (1,)
