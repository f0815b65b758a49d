"""Inventories: ServiceNow-style exports, NetBox, Azure IoT Hub; dirt of every kind; what real exports give.

Long because one source reads three kinds of inventory, a section each; the tree of tests mirrors the code.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.evidence.digests import SecretDigest
from tenure.evidence.snapshot import Snapshot
from tenure.model import identifiers
from tenure.model.declarations import Declarations, MakerDeclaration, SourceDeclaration
from tenure.sources._device_columns import mac
from tenure.sources.cmdb import SOURCE, SeenHashes
from tests.sources.collected import codes, collect, place_of, rows

HEADER = (
    "sys_id,name,serial_number,mac_address,manufacturer,model_id,firmware_version,install_status,owned_by,ownership_changed_on,"
    "location,managed_by,trust_domain,gateway_serial,hardware_security,installed_on,last_discovered,retired_on"
)


def export(folder: Path, *lines: str, header: str = HEADER, name: str = "cmdb.csv") -> Path:
    path = folder / name
    path.write_text("\n".join((header, *lines)) + "\n")
    return path


def cells(**given: str) -> str:
    """A row of the header with the columns given."""
    return ",".join(given.get(column, "") for column in HEADER.split(","))


def records(snapshot: Snapshot) -> list[dict[str, Any]]:
    return rows(snapshot, "device_record")


def identifiers_of(snapshot: Snapshot, record_id: str) -> set[tuple[str, str, str | None]]:
    return {(i["kind"], i["value"], i["scope"]) for i in rows(snapshot, "identifier") if i["record_id"] == record_id}


# -- rows ---------------------------------------------------------------------------------------------------------------


def test_a_row_becomes_a_record_with_its_identifiers_and_names(tmp_path: Path) -> None:
    path = export(
        tmp_path,
        cells(
            sys_id="a1", name="Pump 7", serial_number=" 0048154247", mac_address="40-F5-2B-1D-99-C0",
            manufacturer="KLIMATEC GmbH", model_id="KT-4S", firmware_version="1.2", install_status="In Stock",
            owned_by="Building Services", location="graz",
            ownership_changed_on="2026-08-21", managed_by="ops-graz", trust_domain="field-graz", gateway_serial="NW1",
            hardware_security="secure_element", installed_on="2025-06-01", last_discovered="2026-10-26 09:48:38",
            retired_on="2026-09-01",
        ),
    )  # fmt: skip
    snapshot = collect(SOURCE, path)
    (record,) = records(snapshot)
    texts = {row["ref"]: (row["kind"], row["text"]) for row in rows(snapshot, "description")}
    assert texts[record.pop("owner_ref")] == ("owner", "Building Services")
    assert texts[record.pop("managed_by_ref")] == ("manager", "ops-graz")
    assert texts[record.pop("site_ref")] == ("site", "graz")
    assert record == {
        "record_id": "a1", "name": "Pump 7", "serial": "0048154247", "mac": "40-F5-2B-1D-99-C0", "maker": "KLIMATEC GmbH",
        "model": "KT-4S", "thing_name": None, "firmware": "1.2", "state": "manufactured", "state_text": "In Stock",
        "owner_changed_at": datetime(2026, 8, 21, tzinfo=UTC), "trust_domain": "field-graz", "gateway_serial": "NW1",
        "hardware_security": "secure-element", "installed_at": datetime(2025, 6, 1, tzinfo=UTC),
        "discovered_at": datetime(2026, 10, 26, 9, 48, 38, tzinfo=UTC), "left_service_at": datetime(2026, 9, 1, tzinfo=UTC),
        "origin": "cmdb.csv#2",
    }  # fmt: skip
    assert identifiers_of(snapshot, "a1") == {
        ("serial", "48154247", "klimatec"),
        ("mac", "40f52b1d99c0", None),
        ("name", "pump-7", None),
        ("record-id", "a1", None),
    }
    assert snapshot.manifest.speaks_as_of == datetime(2026, 10, 26, 9, 48, 38, tzinfo=UTC)
    assert codes(snapshot) == {}


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("Installed", "active"), ("in use", "active"), ("1", "active"), ("On Order", "manufactured"), ("6", "manufactured"),
        ("Pending Install", "manufactured"), ("In Maintenance", "quarantined"), ("Pending Repair", "quarantined"),
        ("Pending Disposal", "retiring"), ("Retired", "retired"), ("7", "retired"), ("Disposed", "retired"), ("Stolen", "lost"),
        ("8", "lost"), ("Missing", "lost"), ("Absent", "unknown"),
    ],
)  # fmt: skip
def test_status_words_are_mapped_by_table(tmp_path: Path, word: str, state: str) -> None:
    snapshot = collect(SOURCE, export(tmp_path, cells(sys_id="a", install_status=word)))
    assert (records(snapshot)[0]["state"], codes(snapshot)) == (state, {})


def test_an_unknown_status_word_is_told_and_never_guessed(tmp_path: Path) -> None:
    snapshot = collect(SOURCE, export(tmp_path, cells(sys_id="a", install_status="Kaputt"), cells(sys_id="b")))
    assert [(r["state"], r["state_text"]) for r in records(snapshot)] == [("unknown", "Kaputt"), (None, None)]
    assert codes(snapshot) == {"unknown-status": 1}


def test_numbers_of_two_status_columns_mean_different_things(tmp_path: Path) -> None:
    header = "sys_id,install_status,operational_status"
    snapshot = collect(SOURCE, export(tmp_path, "a,6,6", "b,,6", "c,,1", header=header))
    assert [r["state"] for r in records(snapshot)] == ["manufactured", "retired", "active"]


@pytest.mark.parametrize(
    ("word", "kept"),
    [("tpm2", "tpm2"), ("TPM 2.0", "tpm2"), ("Secure-Element", "secure-element"), ("none", "none"), ("TPM", "unknown")],
)
def test_words_of_hardware_security(tmp_path: Path, word: str, kept: str) -> None:
    snapshot = collect(SOURCE, export(tmp_path, cells(sys_id="a", hardware_security=word)))
    assert (records(snapshot)[0]["hardware_security"], codes(snapshot)) == (kept, {})


def test_cells_that_do_not_parse_are_told_and_null(tmp_path: Path) -> None:
    snapshot = collect(
        SOURCE,
        export(
            tmp_path,
            cells(sys_id="a", mac_address="not:a:mac", installed_on="31/12/2025", hardware_security="strongbox"),
            cells(sys_id="b", mac_address="ff:ff:ff:ff:ff:ff", retired_on="0000-00-00"),
            cells(sys_id="c", mac_address="N/A", last_discovered="never"),
        ),
    )
    assert [(r["mac"], r["installed_at"], r["left_service_at"], r["discovered_at"]) for r in records(snapshot)] == [
        (None,) * 4
    ] * 3
    assert codes(snapshot) == {"bad-mac": 2, "bad-date": 1, "unknown-word": 1}
    assert [row["place"] for row in rows(snapshot, "problem") if row["code"] == "bad-mac"] == ["line 2", "line 3"]


def test_a_cell_with_several_macs_gives_several_identifiers(tmp_path: Path) -> None:
    line = 'a,"40:f5:2b:00:00:01; 40:f5:2b:00:00:02",1'
    snapshot = collect(SOURCE, export(tmp_path, line, header="sys_id,mac_address,install_status"))
    assert {i[1] for i in identifiers_of(snapshot, "a") if i[0] == "mac"} == {"40f52b000001", "40f52b000002"}
    assert codes(snapshot) == {}


def test_a_row_exported_again_is_one_record_and_a_reused_id_two(tmp_path: Path) -> None:
    snapshot = collect(
        SOURCE,
        export(
            tmp_path,
            cells(sys_id="a", serial_number="1"),
            cells(sys_id="b", serial_number="2"),
            cells(sys_id="a", serial_number="1"),
            cells(sys_id="b", serial_number="3"),
            cells(serial_number="4"),
            cells(serial_number="4"),
        ),
    )
    assert [(r["record_id"], r["serial"]) for r in records(snapshot)] == [
        ("a", "1"),
        ("b", "2"),
        ("b", "3"),
        ("row-6", "4"),
        ("row-7", "4"),
    ]
    told = [(p["code"], p["place"]) for p in rows(snapshot, "problem")]
    assert told == [("duplicate-row", "line 4"), ("record-id-reused", "line 5")]
    assert identifiers_of(snapshot, "row-6") == {("serial", "4", None)}


def test_copies_are_found_across_chunks_in_json_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenure.sources._tabular.CHUNK_ROWS", 2)
    entries = [{"sys_id": "a", "install_status": "1"}, {"sys_id": "b", "name": "x"}, {"install_status": "1", "sys_id": "a"}]
    (tmp_path / "cmdb.json").write_text(json.dumps({"result": entries}))
    snapshot = collect(SOURCE, tmp_path / "cmdb.json")
    assert [r["record_id"] for r in records(snapshot)] == ["a", "b"]
    assert codes(snapshot) == {"duplicate-row": 1}


@given(st.lists(st.lists(st.integers(-(2**62), 2**62) | st.integers(0, 5), max_size=20), max_size=12))
def test_seen_hashes_are_a_set(lists: list[list[int]]) -> None:
    hashes, known = SeenHashes(), set[int]()
    for some in lists:
        got = hashes.seen(some).tolist()
        for at, number in enumerate(some):
            assert got[at] == (number in known)
            known.add(number)


@given(
    st.text(alphabet="0123456789abcdefABCDEF:-. xg\u00a0", max_size=20)
    | st.binary(min_size=6, max_size=6).map(lambda b: b.hex(":"))
)
def test_the_quick_reading_of_macs_is_the_reading_of_macs(text: str) -> None:
    assert mac(text) == identifiers.mac(text)


def test_leading_zeros_and_aliases_are_as_declared_for_the_maker(tmp_path: Path) -> None:
    said = Declarations(
        maker={
            "Sensora": MakerDeclaration(leading_zeros="significant"),
            "Nordwerk": MakerDeclaration(aliases=("NW Elektronik GmbH",)),
        }
    )
    snapshot = collect(
        SOURCE,
        export(
            tmp_path,
            cells(sys_id="a", manufacturer="SENSORA", serial_number="007"),
            cells(sys_id="b", manufacturer="NW Elektronik", serial_number="007"),
            cells(sys_id="c", serial_number="To Be Filled By O.E.M."),
        ),
        said,
    )
    assert ("serial", "007", "sensora") in identifiers_of(snapshot, "a")
    assert ("serial", "7", "nordwerk") in identifiers_of(snapshot, "b")
    assert ("serial", "TOBEFILLEDBYO.E.M.", None) in identifiers_of(snapshot, "c")


def test_planned_and_sentinel_dates_are_not_what_the_export_speaks_of(tmp_path: Path) -> None:
    lines = (
        cells(sys_id="a", last_discovered="2026-10-01 00:00:00", retired_on="2031-01-01", installed_on="2027-01-01"),
        cells(sys_id="b", last_discovered="9999-12-31 00:00:00"),
    )
    assert collect(SOURCE, export(tmp_path, *lines)).manifest.speaks_as_of == datetime(2026, 10, 1, tzinfo=UTC)
    undated = export(tmp_path, cells(sys_id="a"), name="other.csv")
    as_of = datetime(2026, 9, 1, tzinfo=UTC)
    said = Declarations(source=(SourceDeclaration(path="other.csv", as_of=as_of),))
    assert collect(SOURCE, undated, said).manifest.speaks_as_of == as_of
    installed = export(tmp_path, cells(sys_id="a", installed_on="2026-02-03"), name="third.csv")
    assert collect(SOURCE, installed).manifest.speaks_as_of == datetime(2026, 2, 3, tzinfo=UTC)


def test_the_table_api_with_display_values(tmp_path: Path) -> None:
    entry = {
        "sys_id": {"display_value": "a", "value": "a"},
        "install_status": {"display_value": "Retired", "value": "7"},
        "manufacturer": {"display_value": "Nordwerk", "link": "https://…", "value": "8f"},
    }
    (tmp_path / "cmdb.json").write_text(json.dumps({"result": [entry]}))
    (record,) = records(collect(SOURCE, tmp_path / "cmdb.json"))
    assert (record["record_id"], record["state"], record["maker"]) == ("a", "retired", "Nordwerk")


def test_collecting_again_gives_the_same_content_id(tmp_path: Path) -> None:
    path = export(tmp_path, *(cells(sys_id=str(n), serial_number=str(n % 7)) for n in range(500)))
    assert collect(SOURCE, path).manifest.content_id == collect(SOURCE, path).manifest.content_id


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300))
def test_no_bytes_crash(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cmdb.csv"
        path.write_bytes(HEADER.encode() + b"\n" + data)
        collect(SOURCE, path)


@settings(max_examples=60, deadline=None)
@given(
    table=st.lists(st.lists(st.text(alphabet='ab0:-,\n"é\x00', max_size=8), min_size=18, max_size=18), min_size=1, max_size=20)
)
def test_every_row_is_a_record_or_a_problem(table: list[list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cmdb.csv"
        quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in table]
        path.write_text("\n".join((HEADER, *quoted)) + "\n", newline="")
        snapshot = collect(SOURCE, path)
    empty = sum(not any(row) for row in table)
    again = codes(snapshot).get("duplicate-row", 0)
    assert len(records(snapshot)) + again + empty == len(table)
    assert codes(snapshot).get("empty-rows", 0) == bool(empty)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("2026-01-01"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["value", "name", "", "x.y"]), inner, max_size=2),
    max_leaves=6,
)
KEYS = st.sampled_from([*HEADER.split(","), "etag", "status", "authentication.symmetricKey.primaryKey", "deviceId", "extra"])


@settings(max_examples=120, deadline=None)
@given(
    entries=st.lists(st.dictionaries(KEYS, VALUES, max_size=6), max_size=6),
    first=st.sampled_from(["sys_id", "etag"]),
    shape=st.booleans(),
)
def test_every_entry_of_json_is_a_record_or_a_problem(entries: list[dict[str, object]], first: str, shape: bool) -> None:
    head: dict[str, object] = {first: "first", "install_status": "1", "deviceId": "d", "status": "enabled"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cmdb.json"
        path.write_text(json.dumps([head, *entries]) if shape else "\n".join(map(json.dumps, [head, *entries])))
        snapshot = collect(SOURCE, path)
    assert len(records(snapshot)) + codes(snapshot).get("duplicate-row", 0) == 1 + len(entries)


# -- NetBox -------------------------------------------------------------------------------------------------------------


def dump_row(model: str, pk: int, /, **fields: object) -> dict[str, object]:
    return {"model": model, "pk": pk, "fields": fields}


DUMP = [
    {"model": "contenttypes.contenttype", "fields": {"app_label": "dcim", "model": "device"}},
    dump_row(
        "dcim.device", 7, name="sw1", serial="A7", asset_tag="t-1", status="decommissioning", device_type=3, site=4, tenant=None
    ),
    dump_row("dcim.device", 8, name=None, serial="", asset_tag=None, status="on fire", device_type=99, site=4, tenant=5),
    dump_row("dcim.manufacturer", 2, name="Nordwerk"),
    dump_row("dcim.devicetype", 3, model="EG-100", manufacturer=2),
    dump_row("dcim.site", 4, name="graz"),
    dump_row("tenancy.tenant", 5, name="Plant"),
    dump_row("dcim.interface", 11, device=7, mac_address="40:F5:2B:00:00:01"),
    dump_row("dcim.interface", 12, device=7, mac_address=None),
    dump_row("dcim.macaddress", 1, mac_address="40:F5:2B:00:00:02", assigned_object_id=12),
    dump_row("virtualization.virtualmachine", 1, name="vm"),
]


def test_a_django_dump_is_resolved(tmp_path: Path) -> None:
    path = tmp_path / "netbox.json.gz"
    path.write_bytes(gzip.compress(json.dumps(DUMP).encode()))
    recognition = SOURCE.recognise(place_of(path))
    assert recognition is not None
    assert "NetBox" in recognition.why
    snapshot = collect(SOURCE, path)
    first, second = records(snapshot)
    assert (first["record_id"], first["maker"], first["model"], first["state"]) == ("7", "Nordwerk", "EG-100", "retiring")
    assert (second["record_id"], second["name"], second["maker"], second["state"]) == ("8", None, None, "unknown")
    assert identifiers_of(snapshot, "7") == {
        ("serial", "A7", "nordwerk"), ("mac", "40f52b000001", None), ("mac", "40f52b000002", None), ("name", "sw1", None),
        ("asset-tag", "T-1", None), ("record-id", "7", None),
    }  # fmt: skip
    assert codes(snapshot) == {"unknown-status": 1}
    assert snapshot.manifest.notes == ("1 virtual machines of NetBox are no devices and were left out",)


def test_the_api_of_netbox(tmp_path: Path) -> None:
    entry = {
        "id": 7, "name": "sw1", "serial": "A7", "asset_tag": None, "status": {"value": "staged", "label": "Staged"},
        "device_type": {"model": "EG-100", "manufacturer": {"name": "Nordwerk"}}, "site": {"name": "graz"}, "tenant": None,
        "last_updated": "2026-10-20T10:00:00.5Z", "custom_fields": {"trust_domain": "field-graz"},
    }  # fmt: skip
    (tmp_path / "devices.json").write_text(json.dumps({"count": 1, "next": None, "previous": None, "results": [entry]}))
    snapshot = collect(SOURCE, tmp_path / "devices.json")
    (record,) = records(snapshot)
    assert (record["maker"], record["model"], record["state"], record["trust_domain"]) == (
        "Nordwerk",
        "EG-100",
        "claimed",
        "field-graz",
    )
    assert snapshot.manifest.speaks_as_of == datetime(2026, 10, 20, 10, 0, 0, 500_000, tzinfo=UTC)


# -- Azure IoT Hub ------------------------------------------------------------------------------------------------------


def test_a_hub_lists_things_thumbprints_and_keys(tmp_path: Path) -> None:
    thumbprint = hashlib.sha256(b"certificate").hexdigest()
    twins = [
        {
            "deviceId": "d1", "etag": "AA", "status": "disabled", "lastActivityTime": "2026-10-20T01:02:03.1234567Z",
            "x509Thumbprint": {"primaryThumbprint": thumbprint.upper(), "secondaryThumbprint": "ab" * 20},
        },
        {"deviceId": "d2", "etag": "AA", "status": "enabled", "lastActivityTime": "0001-01-01T00:00:00Z",
         "authentication": {"symmetricKey": {"primaryKey": "c2VjcmV0", "secondaryKey": "not base64"}}},
    ]  # fmt: skip
    (tmp_path / "hub.json").write_text(json.dumps(twins))
    snapshot = collect(SOURCE, tmp_path / "hub.json")
    assert [(r["record_id"], r["thing_name"], r["state"]) for r in records(snapshot)] == [("d1", "d1", None), ("d2", "d2", None)]
    (binding,) = rows(snapshot, "binding")
    assert (binding["record_id"], binding["sha256"].hex()) == ("d1", thumbprint)
    (status,) = rows(snapshot, "credential_status")
    assert (status["status"], status["status_text"], status["authority"]) == ("deactivated", "disabled", "cloud")
    (secret,) = rows(snapshot, "secret")
    assert secret["digest"] == SecretDigest(b"k" * 32).of(b"secret")
    assert (secret["kind"], secret["holder_kind"], secret["holder"]) == ("psk", "thing-name", "d2")
    assert codes(snapshot) == {"sha1-thumbprint": 1, "bad-secret": 1}
    assert "not base64" not in json.dumps([p["reason"] for p in rows(snapshot, "problem")])


# -- real exports -------------------------------------------------------------------------------------------------------


def test_the_inventory_of_the_sample_fleet(corpus: Path) -> None:
    snapshot = collect(SOURCE, corpus / "fleet-sample" / "cmdb.csv")
    assert snapshot.manifest.rows == {"description": 26, "device_record": 303, "identifier": 1195, "problem": 2}
    assert codes(snapshot) == {"encoding": 1, "duplicate-row": 1}
    assert Counter(r["state"] for r in records(snapshot)) == {
        "active": 276, "retired": 14, "manufactured": 9, "lost": 3, "retiring": 1,
    }  # fmt: skip
    assert Counter(r["hardware_security"] for r in records(snapshot)) == {
        "none": 162, "secure-element": 57, "software": 48, "tpm2": 36,
    }  # fmt: skip
    assert "service-météo" in {row["text"] for row in rows(snapshot, "description")}
    assert snapshot.manifest.speaks_as_of == datetime(2026, 10, 30, 18, 57, 12, tzinfo=UTC)
    assert not snapshot.manifest.partial


def test_the_demo_data_of_netbox(corpus: Path) -> None:
    snapshot = collect(SOURCE, corpus / "netbox-demo" / "netbox-demo-v3.6.json.gz")
    assert snapshot.manifest.rows == {"description": 19, "device_record": 72, "identifier": 122}
    assert {r["state"] for r in records(snapshot)} == {"active"}
    assert Counter(i["kind"] for i in rows(snapshot, "identifier")) == {
        "record-id": 72,
        "name": 50,
    }  # every serial and tag is empty
    assert snapshot.manifest.notes == ("180 virtual machines of NetBox are no devices and were left out",)


def test_excerpts_of_an_azure_hub(corpus: Path) -> None:
    path = corpus / "log-excerpts" / "azure_iothub_devices.txt"
    recognition = SOURCE.recognise(place_of(path))
    assert recognition is not None
    snapshot = collect(SOURCE, path)
    assert snapshot.manifest.rows == {"description": 1, "device_record": 8, "identifier": 24, "problem": 3, "secret": 10}
    assert codes(snapshot) == {"bad-secret": 2, "bad-digest": 1}  # the placeholders <base64Key> and <THUMB> of the documents
    assert len({s["digest"] for s in rows(snapshot, "secret")}) == 2  # five devices of the documentation share "abc=" and "def="


@pytest.mark.parametrize(
    "path",
    [
        "log-excerpts/thingsboard_provision_response.json", "fleet-sample/device-classes.csv", "fleet-sample/keys/api-tokens.csv",
        "fleet-sample/keys/known_hosts", "fleet-sample/mosquitto.log", "fleet-sample/cloudwatch.jsonl", "README.md",
        "netbox-demo/netbox-demo-v4.2.sql.gz", "fleet-sample/aws/list-things.json", "aws-iot-cli/list-certificates.1.json",
    ],
)  # fmt: skip
def test_what_is_no_inventory_is_not_taken_for_one(corpus: Path, path: str) -> None:
    assert SOURCE.recognise(place_of(corpus / path)) is None


def test_a_big_export_streams(tmp_path: Path) -> None:
    """Ten chunks of rows: all are there, the copies are told, and no chunk is lost between batches."""
    chance = random.Random(3)
    lines = [cells(sys_id=f"{n:08}", name=f"d{n}", serial_number=f"{chance.getrandbits(40)}") for n in range(80_000)]
    lines += lines[1_000:1_010]
    snapshot = collect(SOURCE, export(tmp_path, *lines))
    assert snapshot.manifest.rows["device_record"] == 80_000
    assert codes(snapshot) == {"duplicate-row": 10}
