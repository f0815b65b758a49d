"""Mapping files: what a mapping may say, which one an export gets, and cells into moments and words."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.errors import DeclarationError, SourceError
from tenure.evidence.collection import CollectContext
from tenure.evidence.digests import SecretDigest
from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.declarations import Declarations, SourceDeclaration
from tenure.model.vocabulary import DeviceState
from tenure.sources._cells import Moments, Words
from tenure.sources._mapping import FIELDS, WORDS, Mapping, built_in, mapping_for, recognised
from tenure.sources._reading import Reading
from tenure.sources._tabular import Chunk, Table, column_key
from tenure.sources.cmdb import SOURCE
from tests.sources.collected import codes, collect, place_of, rows

MINE = """
kind = "cmdb"
title = "our own list"
date_formats = ["%d/%m/%Y"]
[columns]
record_id = ["No."]
name = ["Bezeichnung", "Alt"]
serial = ["Seriennummer"]
state = ["Zustand"]
installed_at = ["Einbau"]
[constants]
maker = "Nordwerk"
[words.state]
"in Betrieb" = "active"
"verschrottet" = "retired"
"""
EXPORT = (
    "No.;Bezeichnung;Alt;Seriennummer;Zustand;Einbau\nA1;;pump;007;In  Betrieb;03/04/2025\nA2;valve;x;8;verschrottet;31/12/2024\n"
)


def declared(mapping: str, **more: str) -> Declarations:
    return Declarations(source=(SourceDeclaration.model_validate({"path": "export.csv", "mapping": mapping, **more}),))


def test_a_mapping_of_ones_own_names_columns_words_dates_and_constants(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINE)
    (tmp_path / "export.csv").write_text(EXPORT)
    snapshot = collect(SOURCE, tmp_path / "export.csv", declared("mine.toml"))
    first, second = rows(snapshot, "device_record")
    assert (first["record_id"], first["name"], first["serial"], first["maker"]) == ("A1", "pump", "007", "Nordwerk")
    assert (first["state"], first["state_text"], first["installed_at"]) == (
        "active",
        "In  Betrieb",
        datetime(2025, 4, 3, tzinfo=UTC),
    )
    assert (second["name"], second["state"]) == ("valve", "retired")
    assert codes(snapshot) == {}


def test_a_mapping_may_extend_a_built_in_one(tmp_path: Path) -> None:
    (tmp_path / "more.toml").write_text(
        'kind="cmdb"\ntitle="ours"\nextends="cmdb-generic"\n[columns]\nname=["Rufname"]\n[words.state]\n"am Netz"="active"\n'
    )
    (tmp_path / "export.csv").write_text("Rufname,serial,status,mac\npump,1,am Netz,\nvalve,2,retired,\n")
    snapshot = collect(SOURCE, tmp_path / "export.csv", declared("more.toml"))
    assert [(row["name"], row["serial"], row["state"]) for row in rows(snapshot, "device_record")] == [
        ("pump", "1", "active"),
        ("valve", "2", "retired"),
    ]


def test_a_built_in_mapping_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_text("hostname,sn\na,1\n")
    snapshot = collect(SOURCE, tmp_path / "export.csv", declared("cmdb-generic"))
    assert rows(snapshot, "device_record")[0]["serial"] == "1"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind = ", "no mapping file"),
        ('kind="cmdb"', "no mapping file"),
        ('kind="cmdb"\ntitle="x"\ncolour="red"', "no mapping file"),
        ('kind="laundry"\ntitle="x"', "takes no mapping"),
        ('kind="issuance-log"\ntitle="x"', "is a mapping for issuance-log"),
        ('kind="cmdb"\ntitle="x"\n[columns]\nweight=["kg"]', "no such field: weight"),
        ('kind="cmdb"\ntitle="x"\n[words.name]\n"a"="b"', r"\[words\] of name"),
        ('kind="cmdb"\ntitle="x"\n[words.state]\n"up"="running"', "state has no word running"),
        ('kind="cmdb"\ntitle="x"\n[columns]\nstate=["a"]\n[words_by_column.a]\n"up"="running"', "no word running"),
        ('kind="cmdb"\ntitle="x"\n[constants]\nstate="running"', "state has no word running"),
        ('kind="cmdb"\ntitle="x"\nextends="nothing"', "no built-in mapping"),
    ],
)
def test_what_is_wrong_with_a_mapping_file_is_said(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "bad.toml").write_text(text)
    (tmp_path / "export.csv").write_text("sys_id,install_status\n1,1\n")
    with pytest.raises(DeclarationError, match=told) as raised:
        collect(SOURCE, tmp_path / "export.csv", declared("bad.toml"))
    assert raised.value.fix


def test_a_mapping_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_text("a\n1\n")
    with pytest.raises(DeclarationError, match="cannot be read"):
        collect(SOURCE, tmp_path / "export.csv", declared("gone.toml"))


def test_columns_nobody_knows_are_an_error_with_advice(tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_text("colour,weight\nred,1\n")
    with pytest.raises(SourceError, match="colour, weight") as raised:
        collect(SOURCE, tmp_path / "export.csv")
    assert "mapping" in raised.value.fix


def test_built_in_mappings_name_only_fields_and_words_that_exist() -> None:
    names = [mapping.name for mapping in built_in()]
    assert names == sorted(names)
    assert {mapping.kind for mapping in built_in()} == set(FIELDS)
    for mapping in built_in():
        assert mapping.distinctive
        assert mapping.columns.keys() | mapping.constants.keys() <= FIELDS[mapping.kind]
        assert all((mapping.kind, field) in WORDS for field in mapping.words)


def header(text: str) -> frozenset[str]:
    return frozenset(map(column_key, next(csv.reader(io.StringIO(text)))))


@pytest.mark.parametrize(
    ("kind", "columns", "name"),
    [
        ("cmdb", "sys_id,name,serial_number,mac_address,manufacturer,install_status", "cmdb-servicenow"),
        ("cmdb", "Name,Status,Tenant,Site,Location,Rack,Role,Manufacturer,Type,IP Address", "cmdb-netbox"),
        ("cmdb", "name,device_role,tenant,manufacturer,device_type,serial,asset_tag,status,site", "cmdb-netbox"),
        ("cmdb", "Hostname,MAC address,Owner", "cmdb-generic"),
        ("issuance-log", "serial,subject,issuer,not_before,not_after", "issuance-generic"),
        ("issuance-log", "Request ID,Requester Name,Serial Number,Certificate Expiration Date", "issuance-adcs"),
        ("issuance-log", "fingerprint,issuerDN,subjectDN,serialNumber,status,expireDate", "issuance-ejbca"),
        ("issuance-log", "nkey,nvalue", "issuance-step-ca-database"),
        ("secrets", "token_id,sha256_of_token,device_serial,created_on,expires_on", "secrets-tokens"),
        ("secrets", "psk_identity,psk,device_serial", "secrets-psk"),
        ("device-classes", "model_id,device_class,manufacturer,rotation", "device-classes"),
    ],
)
def test_headers_find_their_mapping_and_no_other_kind_claims_them_as_surely(kind: str, columns: str, name: str) -> None:
    found = recognised(kind, header(columns))
    assert found is not None
    assert found.name == name
    others = [recognised(other, header(columns)) for other in FIELDS if other != kind]
    assert all(other is None or other.sureness < found.sureness for other in others)


# -- moments ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-10-26 09:48:38", datetime(2026, 10, 26, 9, 48, 38, tzinfo=UTC)),
        ("2026-10-26T09:48:38Z", datetime(2026, 10, 26, 9, 48, 38, tzinfo=UTC)),
        ("2026-10-26 09:48+01", datetime(2026, 10, 26, 8, 48, tzinfo=UTC)),
        ("2026-10-26T09:48:38.1234567+02:00", datetime(2026, 10, 26, 7, 48, 38, 123456, tzinfo=UTC)),
        ("2026-10-26 09:48:38 UTC", datetime(2026, 10, 26, 9, 48, 38, tzinfo=UTC)),
        ("2026-10-26", datetime(2026, 10, 26, tzinfo=UTC)),
        ("20261026", datetime(2026, 10, 26, tzinfo=UTC)),
        ("20261026094838", datetime(2026, 10, 26, 9, 48, 38, tzinfo=UTC)),
        ("26.10.2026", datetime(2026, 10, 26, tzinfo=UTC)),
        ("26.10.2026 09:48", datetime(2026, 10, 26, 9, 48, tzinfo=UTC)),
        ("2026/10/26", datetime(2026, 10, 26, tzinfo=UTC)),
        ("2026-10-26 9:48:38", datetime(2026, 10, 26, 9, 48, 38, tzinfo=UTC)),
        ("9999-12-31", datetime(9999, 12, 31, tzinfo=UTC)),
    ],
)
def test_forms_with_one_meaning_are_read(text: str, moment: datetime) -> None:
    assert Moments()[text] == moment


@pytest.mark.parametrize(
    "text", ["05/06/2026", "1712063012345", "20261026109", "2026-W01-1", "tomorrow", "2026-13-01", "²026-01-01"]
)
def test_what_can_be_read_two_ways_or_none_is_not_read(text: str) -> None:
    moments = Moments()
    assert moments[text] is None
    assert moments.unread == {text}


@pytest.mark.parametrize("text", ["0000-00-00 00:00:00", "0001-01-01T00:00:00Z", "0001-01-01 00:00:00", "never", "N/A", "-"])
def test_words_and_zero_dates_for_nothing_are_no_problem(text: str) -> None:
    moments = Moments()
    assert moments[text] is None
    assert not moments.unread


def test_zones_and_formats_are_as_declared() -> None:
    berlin = Moments(("%m/%d/%Y %I:%M %p", "epoch-ms"), "Europe/Berlin")
    assert berlin["2026-07-01 12:00:00"] == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert berlin["2026-07-01"] == datetime(2026, 7, 1, tzinfo=UTC)
    assert berlin["7/1/2026 1:30 PM"] == datetime(2026, 7, 1, 11, 30, tzinfo=UTC)
    assert berlin["1782907200000"] == datetime(2026, 7, 1, 12, tzinfo=UTC)
    with pytest.raises(DeclarationError, match="no time zone"):
        Moments((), "Mars/Olympus")


@given(st.text(max_size=30) | st.from_regex(r"[0-9]{4}[-/]?[01][0-9][-/]?[0-3][0-9][ T]?[0-9:.+Z-]{0,14}", fullmatch=True))
def test_no_text_crashes_and_all_moments_are_utc(text: str) -> None:
    moment = Moments(("epoch", "%d/%m/%Y"), "Europe/Berlin")[text]
    assert moment is None or moment.utcoffset() is not None


# -- words --------------------------------------------------------------------------------------------------------------


def test_words_are_compared_without_case_blanks_and_dashes() -> None:
    words = Words({"In Stock": "manufactured", "*": "unknown"}, None)
    assert words["IN  stock"] == words["in_stock"] == words["In-Stock"] == "manufactured"
    assert words["else"] == "unknown"


def test_a_word_no_table_holds_is_unknown_and_remembered() -> None:
    words = Words({"up": "active"}, DeviceState.UNKNOWN)
    assert words["down"] == DeviceState.UNKNOWN
    assert words["n/a"] is None
    assert words.unread == {"down"}


# -- Arrow columns ------------------------------------------------------------------------------------------------------

TIME = r"[ T][0-2][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,7})?)?(Z|[+-]0[0-9]:?00)?"
DATED = st.from_regex(rf"([0-9]{{4}}-[01][0-9]-[0-3][0-9]({TIME})?)|0001-01-01|never|x", fullmatch=True)
SPACED = st.text(alphabet="ab \t\x1c\u00a0é", max_size=5)


@settings(max_examples=150, deadline=None)
@given(cells=st.lists(st.tuples(SPACED, DATED | st.just("")), min_size=1, max_size=6))
def test_columns_of_arrow_say_what_cells_say(cells: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.csv"
        path.write_text("sys_id,name,install_status,last_discovered\n1,a,1,2026-01-01\n")
        said = Declarations()
        context = CollectContext(said, said.for_path(path.name), SecretDigest(b"k" * 32), path.parent)
        with SnapshotDraft(path.parent / "store", "cmdb", 1, path.name) as draft:
            table = Table(place_of(path), context, draft)
            reading = Reading(mapping_for("cmdb", table, context), table, context)
            names, dates = zip(*cells, strict=True)
            chunk = Chunk(range(len(cells)), {"name": names, "last_discovered": dates})
            assert reading.texts(chunk, "name").to_pylist() == reading.text(chunk, "name")
            assert reading.instants(chunk, "discovered_at").to_pylist() == reading.moment(chunk, "discovered_at")
            assert reading.texts(chunk, "serial").null_count == len(cells)


# -- documentation ------------------------------------------------------------------------------------------------------

DOCS = Path(__file__).resolve().parents[2] / "docs" / "sources"


def test_every_field_and_option_is_documented() -> None:
    text = (DOCS / "mapping.md").read_text()
    documented = set(re.findall(r"[a-z0-9_-]+", text))
    assert {field for fields in FIELDS.values() for field in fields} <= documented
    assert {word for words in WORDS.values() for word in words} - {"certificate", "raw-key", "ssh-key"} <= documented
    assert {option for mapping in built_in() for option in mapping.options} <= documented
    assert set(Mapping.model_fields) - {"name"} <= documented | {"words_by_column"}


READ_BY = {
    "cmdb": "cmdb _device_columns _device_credentials _reading _cells _tabular _csv_rows _json_entries _decoded_lines",
    "issuance-log": "_mapped_log _issuance_rows _ejbca_audit _serial_notation",
    "device-classes": "device_classes",
    "secrets": "secrets _known_hosts",
}
CODE = re.compile(r'(?:tell|wrong)\([^()]*(?:\([^()]*\)[^()]*)*"([a-z0-9]+(?:-[a-z0-9]+)+)"')


@pytest.mark.parametrize("kind", sorted(FIELDS))
def test_every_code_of_a_problem_is_documented(kind: str) -> None:
    documented = set(re.findall(r"`([a-z0-9-]+)`", (DOCS / f"{kind}.md").read_text() + (DOCS / "cmdb.md").read_text()))
    sources = DOCS.parents[1] / "src" / "tenure" / "sources"
    used = {code for name in READ_BY[kind].split() for code in CODE.findall((sources / f"{name}.py").read_text())}
    assert used
    assert used <= documented
