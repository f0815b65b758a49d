"""Explaining a device: found by any of its names, with what joined its records and what each source claims."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tenure.errors import TenureError
from tenure.evidence.snapshot import SnapshotDraft
from tenure.roll.explain import MOST_SESSIONS, explain_device
from tests.roll.exports import AS_OF, DAY, Exports, authority, certificate, digest, log_span, session, signed

GATEWAY = {"serial": "NW-100", "mac": "00:d0:c9:00:00:01", "name": "gw-graz-1", "maker": "Nordwerk", "record_id": "c1"}


@pytest.fixture
def con(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    """A gateway in the CMDB and in the cloud, with a certificate of its own, one by its name, and a log; and a sensor."""
    exports = Exports(tmp_path)
    exports.cmdb(
        {**GATEWAY, "model": "EG-500", "state": "retired", "left_service_at": AS_OF - 9 * DAY},
        {"serial": "12345", "mac": "00:d0:c9:00:00:02", "name": "sns-1", "maker": "Midori", "record_id": "c2"},
        {"serial": "12345", "mac": "00:d0:c9:00:00:03", "name": "sns-2", "maker": "Sensora", "record_id": "c3"},
        {"serial": "none", "mac": "00:d0:c9:00:00:04", "name": "sns-3", "maker": "Midori", "record_id": "c4"},
    )
    exports.cloud(
        {
            "serial": "nw-100",
            "maker": "NORDWERK AG",
            "thing_name": "gw-1",
            "record_id": "t1",
            "owner": "IT",
            "certificates": ["own"],
        }
    )

    def ca(draft: SnapshotDraft) -> None:
        authority(draft, "Root")
        draft.add(
            "authority", sha256=digest("Root"), role="operator", issuance_collected=True, revocation_collected=True, origin="ca"
        )
        for word, cn in (("own", "whatever"), ("named", "gw-graz-1")):
            certificate(draft, word, "CN=Root", subject_cn=cn)
            signed(draft, word, "Root")
        draft.add(
            "credential_status", sha256=digest("own"), status="revoked", authority="crl", effective_at=AS_OF - DAY, origin="crl"
        )
        draft.add("credential_status", sha256=digest("named"), status="valid", authority="ca-index", origin="index.txt")

    exports.source("openssl-ca", "ca", ca)

    def log(draft: SnapshotDraft) -> None:
        log_span(draft)
        for day in range(MOST_SESSIONS + 3):
            session(draft, AS_OF - (day + 1) * DAY, user_name="gw-1", port=4000 + day)

    exports.source("mosquitto-log", "broker.log", log)
    return exports.link()


@pytest.mark.parametrize("wanted", ["c1", "t1", "gw-1", "NW-100", " nw-100 ", "00-D0-C9-00-00-01", "00d0c9000001", "GW_graz.1"])
def test_a_device_is_found_by_any_of_its_names(con: duckdb.DuckDBPyConnection, wanted: str) -> None:
    found = explain_device(con, wanted)
    assert found.name == "gw-graz-1"
    assert explain_device(con, found.device_id) == found


def test_nobody_and_several_are_told_with_advice(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(TenureError, match="no device is known by 'gw-99'") as nobody:
        explain_device(con, "gw-99")
    assert nobody.value.fix
    with pytest.raises(
        TenureError, match=r"'12345' means 2 devices: device-\w+ \(sns-[12]\), device-\w+ \(sns-[12]\)"
    ) as several:
        explain_device(con, "12345")
    assert "device id" in several.value.fix


def test_each_record_says_what_it_claims_and_who_decides(con: duckdb.DuckDBPyConnection) -> None:
    found = explain_device(con, "c1")
    assert (found.state, found.state_decided_by) == ("retired", "cmdb.csv")
    cmdb, cloud = found.records
    assert (cmdb.source, cmdb.record_id, cmdb.decides) == ("cmdb.csv", "c1", True)
    assert cmdb.origin.endswith("row 1")
    assert cmdb.claims["left_service_at"].endswith("Z")
    assert (cloud.source, cloud.decides) == ("aws", False)
    assert {"serial": "nw-100", "thing_name": "gw-1", "owner": "IT"}.items() <= cloud.claims.items()
    assert "state" not in cloud.claims, "what a source does not say is not claimed"


def test_what_joined_the_records_and_what_joins_nothing(con: duckdb.DuckDBPyConnection) -> None:
    found = explain_device(con, "c1").ties
    ties = {(t.kind, t.value): t for t in found}
    serial = ties["serial", "NW-100"]
    assert (serial.scope, serial.strong, serial.reason, len(serial.records)) == ("nordwerk", True, None, 2)
    assert (ties["mac", "00d0c9000001"].strong, len(ties["mac", "00d0c9000001"].records)) == (True, 1)
    assert [t.strong for t in found] == sorted((t.strong for t in found), reverse=True)
    filler = next(t for t in explain_device(con, "c4").ties if t.kind == "serial")
    assert (filler.strong, filler.reason) == (False, "a filler that makers and importers leave in place of a serial")


def test_claims_that_contradict_are_kept_side_by_side_and_notations_do_not(con: duckdb.DuckDBPyConnection) -> None:
    found = explain_device(con, "c1")
    assert found.conflicts == {"owner": ("Plant Operations (cmdb.csv)", "IT (aws)")}


def test_a_maker_that_was_inferred_says_so(tmp_path: Path) -> None:
    exports = Exports(tmp_path)
    exports.cmdb(GATEWAY)
    exports.cloud({"serial": "NW-100", "mac": "00:d0:c9:00:00:09", "record_id": "t1"})
    (claims,) = [r.claims for r in explain_device(exports.link(), "t1").records if r.record_id == "t1"]
    assert claims["maker"] == "nordwerk (inferred)"


def test_credentials_say_how_they_are_held_and_what_is_said_of_them(con: duckdb.DuckDBPyConnection) -> None:
    held = {c.sha256: c for c in explain_device(con, "c1").credentials}
    own, named = held[digest("own").hex()], held[digest("named").hex()]
    assert (own.how, own.strong, own.source, own.usable, own.statuses) == (
        "principal",
        True,
        "aws",
        False,
        ("revoked by crl (ca)",),
    )
    assert (named.how, named.strong, named.usable, named.statuses) == ("subject-name", False, True, ("valid by ca-index (ca)",))
    assert named.not_after is not None


def test_the_last_sessions_newest_first(con: duckdb.DuckDBPyConnection) -> None:
    sessions = explain_device(con, "c1").sessions
    times = [s["started_at"] for s in sessions if s["started_at"]]
    assert len(times) == MOST_SESSIONS
    assert times == sorted(times, reverse=True)
    assert (sessions[0]["relying_party"], sessions[0]["user_name"], sessions[0]["link"]) == ("broker", "gw-1", "strong")


def test_a_device_with_nothing_but_a_record(con: duckdb.DuckDBPyConnection) -> None:
    found = explain_device(con, "sns-1")
    assert (found.credentials, found.sessions, found.conflicts) == ((), (), {})
