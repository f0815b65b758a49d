"""``tenure collect``: one export into one snapshot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tenure.evidence.snapshot import open_snapshot
from tenure.wiring import SOURCES
from tests.cli.conftest import Ran, Tenure
from tests.flows.plant import LOG
from tests.sources import exported_registry

FLEET = {
    "aws-iot": "aws",
    "aws-iot-log": "cloudwatch.jsonl",
    "certificates": "ca/newcerts",
    "cmdb": "cmdb.csv",
    "device-classes": "device-classes.csv",
    "mosquitto-log": "mosquitto.log",
    "openssl-ca": "ca",
    "secrets": "keys/api-tokens.csv",
    "trust-anchors": "anchors",
    "zeek": "zeek",
}
EXPECTED = {
    "aws-iot": "device_record",
    "aws-iot-log": "session",
    "certificates": "certificate",
    "cmdb": "device_record",
    "device-classes": "device_class",
    "issuance-log": "issuance",
    "mosquitto-log": "session",
    "openssl-ca": "issuance",
    "registry": "device_record",
    "secrets": "secret",
    "trust-anchors": "anchor",
    "zeek": "chain",
}
EJBCA_LIST = """\
"Serial Number","Subject DN","Issuer DN","Status","Issue date","Expire date"
"""


def manifest(ran: Ran) -> dict[str, object]:
    assert ran.code == 0, ran.err
    found: dict[str, object] = json.loads(ran.out)
    return found


def export(kind: str, corpus: Path, folder: Path) -> Path:
    if kind in FLEET:
        return corpus / "fleet-sample" / FLEET[kind]
    if kind == "registry":
        return exported_registry.export(folder, exported_registry.device())
    path = folder / "issued.csv"  # the sample fleet has no CA but openssl's
    path.write_text("serial,issuer,subject,not_before,not_after,status\n0A1B,CN=Example CA,CN=a,2026-01-01,2027-01-01,valid\n")
    return path


@pytest.mark.parametrize("kind", sorted(SOURCES))
def test_every_kind_of_source_is_collected_twice_into_one_snapshot(
    tenure: Tenure, corpus: Path, tmp_path: Path, store: Path, kind: str
) -> None:
    path = export(kind, corpus, tmp_path)
    first, second = (manifest(tenure("collect", kind, path, "--json")) for _ in range(2))
    assert first["kind"] == kind
    assert first["content_id"] == second["content_id"]
    assert first["rows"][EXPECTED[kind]] > 0  # type: ignore[index]  # rows is an object
    (folder,) = (store / "evidence").iterdir()
    assert folder.name == first["content_id"]
    assert open_snapshot(folder, check=True).manifest.rows == first["rows"]


def test_people_read_what_it_holds_and_where_it_lies(tenure: Tenure, exports: Path, store: Path) -> None:
    ran = tenure("collect", "mosquitto-log", exports / "broker.log")
    (folder,) = (store / "evidence").iterdir()
    assert (ran.code, ran.err) == (0, "")
    head, *rows, last = ran.out.splitlines()
    assert head == f"mosquitto-log broker.log: snapshot {folder.name}"
    assert "           2 session" in rows
    assert any(row.startswith("  note: ") and "time_zone" in row for row in rows)
    assert last == f"  in {folder}"


@pytest.mark.parametrize("given", ["broker.log", "logs"])
def test_declarations_beside_the_export_are_heeded(tenure: Tenure, exports: Path, given: str) -> None:
    (exports / "logs").mkdir()
    (exports / "logs" / "mosquitto.log").write_text(LOG)
    plain = manifest(tenure("collect", "mosquitto-log", exports / given, "--json"))
    (exports / "audit.toml").write_text(f'[[source]]\npath = "{given}"\ntime_zone = "Europe/Berlin"\n')
    declared = manifest(tenure("collect", "mosquitto-log", exports / given, "--json"))
    assert plain["content_id"] != declared["content_id"]
    assert declared["options"] == {"time_zone": "Europe/Berlin"}


def test_declarations_within_a_folder_are_heeded(tenure: Tenure, exports: Path) -> None:
    (exports / "logs").mkdir()
    (exports / "logs" / "mosquitto.log").write_text(LOG)
    (exports / "logs" / "audit.toml").write_text('[[source]]\npath = "."\ntime_zone = "Europe/Berlin"\n')
    declared = manifest(tenure("collect", "mosquitto-log", exports / "logs", "--json"))
    assert (declared["name"], declared["options"]) == (".", {"time_zone": "Europe/Berlin"})


def test_here_is_a_place_too(tenure: Tenure, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(corpus / "fleet-sample" / "ca")
    here = manifest(tenure("collect", "openssl-ca", ".", "--json"))
    there = manifest(tenure("collect", "openssl-ca", corpus / "fleet-sample" / "ca", "--json"))
    assert here["content_id"] == there["content_id"]


def test_what_cannot_be_collected_is_a_partial_snapshot_and_said(tenure: Tenure, exports: Path) -> None:
    ran = tenure("collect", "openssl-ca", exports / "keys")
    assert ran.code == 3
    assert "           1 problem" in ran.out.splitlines()
    assert ran.err.startswith("tenure: cut short: ")


@pytest.mark.parametrize(
    ("kind", "path", "said"),
    [("cbdm", "cmdb.csv", "no kind of source is called 'cbdm'"), ("cmdb", "nowhere.csv", "cannot read")],
)
def test_what_cannot_be_followed_is_told(tenure: Tenure, exports: Path, kind: str, path: str, said: str) -> None:
    ran = tenure("collect", kind, exports / path)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert "fix: " in ran.err
