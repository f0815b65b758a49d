"""Linking of devices: strong identifiers join, weak ones never do, and what lost its power is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.declarations import Declarations
from tests.roll.exports import AS_OF, DAY, Exports

GATEWAY = {"serial": "NW-100", "mac": "00:d0:c9:00:00:01", "name": "gw-graz-1", "maker": "Nordwerk"}
THERMOSTAT = {"serial": "0042000042", "mac": "7c:2c:67:00:00:02", "name": "thermo-2", "maker": "Thermion", "model": "TH-20"}


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    return Exports(tmp_path)


def devices(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    result = con.execute("SELECT * FROM device ORDER BY device_key")
    names = [d[0] for d in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def records_by_device(con: duckdb.DuckDBPyConnection) -> list[list[str]]:
    rows = con.execute("SELECT list(record_id ORDER BY record_id) FROM device_record GROUP BY device_key ORDER BY 1").fetchall()
    return [row[0] for row in rows]


def lost_power(con: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    return set(con.execute("SELECT kind, value FROM identifier WHERE non_identifying").fetchall())


def test_records_of_two_sources_with_one_serial_of_one_maker_are_one_device(exports: Exports) -> None:
    exports.cmdb({**THERMOSTAT, "record_id": "c1"})
    exports.cloud({"serial": "0042000042", "maker": "THERMION GmbH", "thing_name": "thermo", "record_id": "t1"})
    assert records_by_device(exports.link()) == [["c1", "t1"]]


def test_leading_zeros_that_a_spreadsheet_lost_do_not_part_a_device(exports: Exports) -> None:
    exports.cmdb({**THERMOSTAT, "serial": "42000042", "record_id": "c1"})
    exports.cloud({"serial": "0042000042", "maker": "Thermion", "record_id": "t1"})
    assert records_by_device(exports.link()) == [["c1", "t1"]]


def test_two_makers_may_have_equal_serials(exports: Exports) -> None:
    exports.cmdb(
        {"serial": "62068265", "maker": "Thermion", "name": "thermo", "record_id": "a"},
        {"serial": "62068265", "maker": "Midori", "name": "sensor", "record_id": "b"},
    )
    con = exports.link()
    assert records_by_device(con) == [["a"], ["b"]]
    assert lost_power(con) == set()


def test_a_missing_maker_follows_from_the_models_class(exports: Exports) -> None:
    exports.cmdb({**THERMOSTAT, "record_id": "c1"}, {"serial": "0042000042", "maker": "Midori", "name": "s", "record_id": "c2"})
    exports.cloud({"serial": "0042000042", "model": "TH-20", "record_id": "t1"})
    exports.source(
        "device-classes",
        "classes.csv",
        lambda d: d.add("device_class", model="TH-20", maker="Thermion", rotation="online", origin="1"),
    )
    con = exports.link()
    assert records_by_device(con) == [["c1", "t1"], ["c2"]]
    assert con.execute("SELECT maker, maker_inferred FROM device_record WHERE record_id = 't1'").fetchone() == ("thermion", True)


def test_a_missing_maker_follows_from_a_mac_prefix_that_one_maker_has(exports: Exports) -> None:
    exports.cmdb(
        {**THERMOSTAT, "record_id": "c1"},
        {"serial": "0042000042", "maker": "Midori", "mac": "f4:ce:36:00:00:01", "name": "s", "record_id": "c2"},
    )
    exports.cloud({"serial": "0042000042", "mac": "f4:ce:36:00:00:09", "record_id": "t1"})
    assert records_by_device(exports.link()) == [["c1"], ["c2", "t1"]]


def test_a_serial_whose_maker_nothing_tells_links_nothing_where_two_makers_have_it(exports: Exports) -> None:
    exports.cmdb({**THERMOSTAT, "record_id": "c1"}, {"serial": "0042000042", "maker": "Midori", "name": "s", "record_id": "c2"})
    exports.cloud({"serial": "0042000042", "record_id": "t1"})
    assert records_by_device(exports.link()) == [["c1"], ["c2"], ["t1"]]


def test_host_names_never_link(exports: Exports) -> None:
    exports.cmdb(
        {**GATEWAY, "record_id": "old", "state": "retired"}, {**GATEWAY, "serial": "NW-101", "mac": None, "record_id": "new"}
    )
    assert records_by_device(exports.link()) == [["new"], ["old"]]


def test_host_names_link_where_they_were_declared_strong_for_a_source(exports: Exports) -> None:
    exports.cmdb({"name": "gw-graz-1", "record_id": "a"}, name="cmdb.csv")
    exports.cmdb({"name": "GW_GRAZ.1", "record_id": "b"}, name="second.csv")
    declared = Declarations.model_validate({"source": [{"path": ".", "strong_identifiers": ["name"]}]})
    assert records_by_device(exports.link(declared)) == [["a", "b"]]
    assert records_by_device(exports.link()) == [["a"], ["b"]]


def test_three_notations_of_one_hardware_are_one_device(exports: Exports) -> None:
    exports.cmdb(
        {**THERMOSTAT, "record_id": "a"},
        {**THERMOSTAT, "name": "THERMO-2", "serial": "42000042", "mac": "7C-2C-67-00-00-02", "record_id": "b"},
        {**THERMOSTAT, "serial": " 0042000042", "mac": "7c2c.6700.0002", "maker": "THERMION", "record_id": "c"},
    )
    assert records_by_device(exports.link()) == [["a", "b", "c"]]


@pytest.mark.parametrize("filler", ["To be filled by O.E.M.", "0000000000", "N/A", "123456789", "XXXXXXXX"])
def test_a_filler_serial_links_nothing_and_is_told(exports: Exports, filler: str) -> None:
    exports.cmdb(
        {"serial": filler, "maker": "M", "name": "a", "record_id": "a"},
        {"serial": filler, "maker": "M", "name": "b", "record_id": "b"},
    )
    con = exports.link()
    assert records_by_device(con) == [["a"], ["b"]]
    assert {kind for kind, _ in lost_power(con)} == {"serial"}


def test_a_serial_on_different_macs_of_one_source_loses_its_power(exports: Exports) -> None:
    exports.cmdb({**THERMOSTAT, "record_id": "a"}, {**THERMOSTAT, "mac": "7c:2c:67:00:00:03", "name": "other", "record_id": "b"})
    con = exports.link()
    assert records_by_device(con) == [["a"], ["b"]]
    assert lost_power(con) == {("serial", "42000042")}


def test_a_mac_on_different_serials_of_one_source_loses_its_power(exports: Exports) -> None:
    exports.cmdb({**THERMOSTAT, "record_id": "a"}, {**THERMOSTAT, "serial": "0042000043", "name": "other", "record_id": "b"})
    con = exports.link()
    assert records_by_device(con) == [["a"], ["b"]]
    assert lost_power(con) == {("mac", "7c2c67000002")}


def test_many_names_under_one_serial_are_not_one_device(exports: Exports) -> None:
    exports.cmdb(*({"serial": "SN-12345", "maker": "M", "name": n, "record_id": n} for n in "abc"))
    con = exports.link()
    assert len(records_by_device(con)) == 3
    assert lost_power(con) == {("serial", "SN-12345")}


def test_chains_of_identifiers_make_one_component(exports: Exports) -> None:
    exports.cmdb({"serial": "S-00001", "maker": "M", "mac": "00:d0:c9:00:00:01", "record_id": "a"})
    exports.cmdb({"mac": "00:d0:c9:00:00:01", "record_id": "b"}, name="second.csv")
    exports.cloud({"serial": "S-00001", "maker": "M", "thing_name": "t", "record_id": "c"})
    assert records_by_device(exports.link()) == [["a", "b", "c"]]


def test_the_device_id_is_stable_and_survives_a_merge_as_that_of_the_better_identifier(exports: Exports, tmp_path: Path) -> None:
    exports.cmdb({"serial": "S-00001", "maker": "M", "record_id": "a"})
    exports.cmdb({"mac": "00:d0:c9:00:00:01", "record_id": "b"}, name="second.csv")
    apart = {d["serial"]: d["device_id"] for d in devices(exports.link())}
    assert apart == {d["serial"]: d["device_id"] for d in devices(exports.link())}
    later = Exports(tmp_path / "later", [*exports.snapshots])
    later.cloud({"serial": "S-00001", "maker": "M", "mac": "00:d0:c9:00:00:01", "record_id": "joins"})
    (merged,) = devices(later.link())
    assert merged["device_id"] == apart["S-00001"]


def test_the_deciding_source_tells_state_and_owner_and_claims_stay_side_by_side(exports: Exports) -> None:
    exports.cmdb(
        {**THERMOSTAT, "state": "retired", "state_text": "Retired", "left_service_at": AS_OF - 30 * DAY, "record_id": "c1"}
    )
    exports.cloud({"serial": "0042000042", "maker": "Thermion", "owner": "Somebody Else", "record_id": "t1"})
    con = exports.link()
    (device,) = devices(con)
    assert (device["state"], device["gone"], device["in_service"]) == ("retired", True, False)
    assert device["left_service_at"] == (AS_OF - 29 * DAY).replace(tzinfo=None), "the end of the day it left"
    assert con.execute("SELECT name FROM owner WHERE owner_key = ?", [device["owner_key"]]).fetchone() == ("Plant Operations",)
    assert con.execute("SELECT count(*) FROM device_record WHERE owner = 'Somebody Else'").fetchone() == (1,)


@pytest.mark.parametrize("state", ["manufactured", "retiring"])
def test_in_stock_and_pending_disposal_are_neither_in_service_nor_gone(exports: Exports, state: str) -> None:
    exports.cmdb({**GATEWAY, "state": state})
    (device,) = devices(exports.link())
    assert (device["in_service"], device["gone"]) == (False, False)


def test_of_two_records_of_one_authority_the_newer_speaks(exports: Exports) -> None:
    exports.cmdb(
        {**GATEWAY, "state": "retired", "left_service_at": AS_OF - 300 * DAY, "record_id": "old"},
        {**GATEWAY, "state": "active", "discovered_at": AS_OF - DAY, "record_id": "new"},
    )
    (device,) = devices(exports.link())
    assert (device["state"], device["left_service_at"], device["records"]) == ("active", None, 2)


def test_a_thing_without_a_record_in_the_inventory_is_not_registered(exports: Exports) -> None:
    exports.cmdb(GATEWAY)
    exports.cloud({"thing_name": "ghost", "record_id": "t"})
    assert {d["name"]: d["registered"] for d in devices(exports.link())} == {"gw-graz-1": True, None: False}


def test_without_an_inventory_the_cloud_registry_is_the_register(exports: Exports) -> None:
    exports.cloud({"thing_name": "thing", "record_id": "t"})
    (device,) = devices(exports.link())
    assert (device["registered"], device["active"]) == (True, True)


def test_a_gateway_is_found_by_its_serial_and_an_unknown_one_is_still_a_gateway(exports: Exports) -> None:
    exports.cmdb(
        {**GATEWAY, "record_id": "g"},
        {"name": "a", "gateway_serial": " nw-100", "record_id": "a"},
        {"name": "b", "gateway_serial": "NW-999", "record_id": "b"},
    )
    by_name = {d["name"]: d for d in devices(exports.link())}
    assert by_name["a"]["gateway_key"] == by_name["gw-graz-1"]["device_key"]
    assert (by_name["b"]["behind_gateway"], by_name["b"]["gateway_key"]) == (True, None)
    assert not by_name["gw-graz-1"]["behind_gateway"]


def test_a_source_older_than_agreed_is_stale(exports: Exports) -> None:
    exports.cmdb(GATEWAY)
    fresh = exports.link().execute("SELECT stale, age_days FROM source").fetchone()
    assert fresh == (False, 1.0)
    declared = Declarations.model_validate({"source": [{"path": "cmdb.csv", "max_age_days": 0.5}]})
    assert exports.link(declared).execute("SELECT stale FROM source").fetchone() == (True,)


def test_an_inventory_that_tells_no_states_leaves_its_devices_active(exports: Exports) -> None:
    exports.cmdb({**GATEWAY, "state": None})
    (device,) = devices(exports.link())
    assert (device["registered"], device["state"]) == (True, "active")


def test_one_unknown_state_among_told_ones_stays_unknown(exports: Exports) -> None:
    exports.cmdb({**GATEWAY, "state": None}, {**THERMOSTAT, "state": "retired"})
    assert {d["name"]: d["state"] for d in devices(exports.link())} == {"gw-graz-1": "unknown", "thermo-2": "retired"}


def test_thing_names_of_two_accounts_join_only_where_declared_equal(exports: Exports) -> None:
    exports.cloud({"thing_name": "thermo", "record_id": "a"}, name="aws")
    exports.source("azure", "other", _thing_of_another_account)
    assert records_by_device(exports.link()) == [["a"], ["b"]]
    assert records_by_device(exports.link(Declarations(equal_thing_names=True))) == [["a", "b"]]


def _thing_of_another_account(draft: SnapshotDraft) -> None:
    draft.add("device_record", record_id="b", thing_name="thermo", origin="1")
    draft.add("identifier", record_id="b", kind="thing-name", value="thermo", scope="another account")


@pytest.mark.parametrize("path", ["second.csv", "./second.csv"])
def test_a_declared_authority_decides_instead_of_the_kind(exports: Exports, path: str) -> None:
    exports.cmdb({**GATEWAY, "state": "active"}, name="first.csv")
    exports.cmdb({**GATEWAY, "state": "retired"}, name="second.csv")
    declared = Declarations.model_validate({"authoritative": {"device_state": [path]}})
    assert [d["state"] for d in devices(exports.link(declared))] == ["retired"]
