"""A registry's own export as a source: what rows become, what is no longer as it was written, and one device instead of two."""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.errors import SourceError
from tenure.evidence.registry_export import AnchorRow, Identifier, IssuerRow, TombstoneRow, read_manifest, write_export
from tenure.model.credentials import KeyState
from tenure.model.declarations import Declarations, MakerDeclaration
from tenure.model.devices import TombstoneKind
from tenure.model.vocabulary import (
    AnchorPurpose,
    CredentialKind,
    DeviceState,
    IdentifierKind,
    RelyingPartyKind,
    Rotation,
)
from tenure.sources.registry import SOURCE
from tests.roll.exports import Exports
from tests.sources.collected import codes, collect, place_of, rows
from tests.sources.exported_registry import EXPORTED, INSTANCE, SINCE, credential, device, digest, export
from tests.sources.issuers import Ca, der

RETIRED = datetime(2026, 9, 1, tzinfo=UTC)


def identifiers_of(snapshot: Any, record: int) -> set[tuple[str, str, str | None]]:
    return {(i["kind"], i["value"], i["scope"]) for i in rows(snapshot, "identifier") if i["record_id"] == str(UUID(int=record))}


# -- rows ---------------------------------------------------------------------------------------------------------------


def test_a_device_becomes_a_record_with_all_it_is_found_again_by(tmp_path: Path) -> None:
    path = export(tmp_path, device())
    recognised = SOURCE.recognise(place_of(path))
    assert recognised is not None
    assert recognised.sureness == 100
    snapshot = collect(SOURCE, path)
    (record,) = rows(snapshot, "device_record")
    texts = {row["ref"]: (row["kind"], row["text"]) for row in rows(snapshot, "description")}
    assert texts[record["owner_ref"]] == ("owner", "Building Services")
    assert texts[record["site_ref"]] == ("site", "graz")
    told = {k: record[k] for k in ("record_id", "state", "trust_domain", "hardware_security", "mac", "origin", "left_service_at")}
    assert told == {
        "record_id": str(UUID(int=7)), "state": "active", "trust_domain": "field-graz", "hardware_security": "tpm2",
        "mac": "40:f5:2b:1d:99:c0", "origin": "devices.jsonl#1", "left_service_at": None,
    }  # fmt: skip
    assert identifiers_of(snapshot, 7) == {
        ("record-id", str(UUID(int=7)), None),
        ("serial", "48154247", "klimatec"),
        ("name", "pump-7", None),
        ("hardware-key", digest("root 7"), None),
        ("mac", "40f52b1d99c0", None),
    }
    assert (snapshot.manifest.speaks_as_of, snapshot.manifest.partial, codes(snapshot)) == (EXPORTED, False, {})


def test_a_serial_that_was_adopted_without_its_zeros_does_not_stand_beside_itself(tmp_path: Path) -> None:
    adopted = Identifier(IdentifierKind.SERIAL, "48154247", "klimatec")
    other = Identifier(IdentifierKind.SERIAL, "B-2", "klimatec")
    path = export(tmp_path, device(identifiers=(adopted, other)))
    said = Declarations(maker={"Klimatec": MakerDeclaration(leading_zeros="significant")})
    serials = {i for i in identifiers_of(collect(SOURCE, path, said), 7) if i[0] == "serial"}
    assert serials == {("serial", "0048154247", "klimatec"), ("serial", "B-2", "klimatec")}


def test_a_retired_device_left_service_when_its_state_began(tmp_path: Path) -> None:
    (record,) = rows(collect(SOURCE, export(tmp_path, device(state=DeviceState.RETIRED, state_since=RETIRED))), "device_record")
    assert (record["state"], record["left_service_at"]) == ("retired", RETIRED)


def test_a_class_is_told_once_where_its_rotation_is_known(tmp_path: Path) -> None:
    of_class = {"device_class": "thermostat", "rotation": Rotation.MANUAL}
    path = export(tmp_path, device(1, **of_class), device(2, **of_class), device(3, model="X", device_class="camera"))
    (row,) = rows(collect(SOURCE, path), "device_class")
    assert (row["model"], row["device_class"], row["rotation"]) == ("KT-4S", "thermostat", "manual")


# -- credentials --------------------------------------------------------------------------------------------------------


def test_an_adopted_certificate_is_bound_and_nothing_is_said_of_its_state(tmp_path: Path) -> None:
    """That it is active here, or ended here, shows nothing of what its issuer and the relying parties hold."""
    path = export(tmp_path, device(), credential(), credential(71, state=KeyState.COMPROMISED, ended_at=RETIRED))
    snapshot = collect(SOURCE, path)
    first, second = rows(snapshot, "certificate")
    assert (first["reader"], first["serial_hex"], first["issuer"], first["sha256"].hex()) == (
        "log", "0A1B", "CN=Issuing", digest("certificate 70"),
    )  # fmt: skip
    assert [b["record_id"] for b in rows(snapshot, "binding")] == [str(UUID(int=7))] * 2
    assert rows(snapshot, "credential_status") == []
    assert rows(snapshot, "issuance") == []
    assert second["spki_sha256"].hex() == digest("key 71")


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (KeyState.PRE_ACTIVE, "pending"),
        (KeyState.ACTIVE, "valid"),
        (KeyState.SUSPENDED, "suspended"),
        (KeyState.DEACTIVATED, "deactivated"),
        (KeyState.COMPROMISED, "revoked"),
        (KeyState.DESTROYED, "deactivated"),
    ],
)
def test_of_what_tenure_issued_the_registry_is_the_issuers_word(tmp_path: Path, state: KeyState, status: str) -> None:
    ended = None if state.usable else RETIRED
    snapshot = collect(SOURCE, export(tmp_path, credential(issued=True, state=state, ended_at=ended, end_reason="retired")))
    (told,) = rows(snapshot, "credential_status")
    assert (told["status"], told["status_text"], told["effective_at"]) == (status, f"{state.value}: retired", ended)
    (issuance,) = rows(snapshot, "issuance")
    assert (issuance["serial_hex"], issuance["issued_at"], issuance["issuer"]) == ("0A1B", SINCE, "CN=Issuing")


def test_a_certificate_known_by_serial_only_is_told_and_a_nameless_one_is_a_problem(tmp_path: Path) -> None:
    path = export(tmp_path, credential(fingerprint=None), credential(71, fingerprint=None, serial=None))
    snapshot = collect(SOURCE, path)
    (told,) = rows(snapshot, "credential_status")
    assert (told["sha256"], told["issuer"], told["serial_hex"], told["status"]) == (None, "CN=Issuing", "0A1B", "unknown")
    assert codes(snapshot) == {"nameless-credential": 1}


def test_a_certificate_that_is_kept_is_read_in_full_and_its_signature_checked(tmp_path: Path) -> None:
    ca = Ca("Issuing")
    leaf = ca.issue("pump-7", 0x0A1B)
    kept = [(der(c), base64.b64encode(der(c)).decode()) for c in (leaf, ca.certificate)]
    digests = [hashlib.sha256(data).hexdigest() for data, _ in kept]
    anchor = AnchorRow(
        UUID(int=9), "broker", RelyingPartyKind.BROKER, digests[1], purpose=AnchorPurpose.OPERATION, certificate=kept[1][1]
    )
    issuer = IssuerRow(UUID(int=10), "CN=Issuing", digests[1], kept[1][1])
    path = export(tmp_path, credential(fingerprint=digests[0], certificate=kept[0][1]), anchor, issuer)
    snapshot = collect(SOURCE, path)
    assert {r["reader"] for r in rows(snapshot, "certificate")} == {"full"}
    assert any(e["sha256"].hex() == digests[0] and e["verified"] for e in rows(snapshot, "signature_edge"))
    (row,) = rows(snapshot, "anchor")
    assert (row["relying_party"], row["purpose"], row["sha256"].hex()) == ("broker", "operation", digests[1])
    (authority,) = rows(snapshot, "authority")
    assert (authority["role"], authority["issuance_collected"], authority["sha256"].hex()) == ("operator", True, digests[1])


@pytest.mark.parametrize("text", ["no base64 at all!", base64.b64encode(b"another").decode()])
def test_a_certificate_that_is_not_its_fingerprints_is_told_and_not_taken(tmp_path: Path, text: str) -> None:
    snapshot = collect(SOURCE, export(tmp_path, credential(certificate=text)))
    assert codes(snapshot) == {"fingerprint-mismatch": 1}
    assert [r["reader"] for r in rows(snapshot, "certificate")] == ["log"]


def test_secrets_keep_their_keyed_digest_and_their_holder(tmp_path: Path) -> None:
    token = credential(kind=CredentialKind.TOKEN, fingerprint=digest("t"), digest_key="ab" * 8, spki=None)
    ssh = credential(71, kind=CredentialKind.SSH_KEY, fingerprint=None, issued=True, state=KeyState.COMPROMISED, ended_at=RETIRED)
    first, second = rows(collect(SOURCE, export(tmp_path, token, ssh)), "secret")
    assert (first["digest"].hex(), first["digest_key_id"], first["status"]) == (digest("t"), "ab" * 8, None)
    assert (first["holder_kind"], first["holder"]) == ("hardware-key", digest("root 7"))
    assert (second["digest"].hex(), second["digest_key_id"], second["status"], second["ended_at"]) == (
        digest("key 71"), None, "revoked", RETIRED,
    )  # fmt: skip


# -- tombstones ---------------------------------------------------------------------------------------------------------


def tombstone(word: str, kind: TombstoneKind = TombstoneKind.ROOT, of: int = 7) -> TombstoneRow:
    holder = Identifier(IdentifierKind.HARDWARE_KEY, digest("root 7"))
    return TombstoneRow(digest(word), kind, UUID(int=of), DeviceState.RETIRED, RETIRED, holder)


def test_a_root_that_was_buried_stays_its_devices_though_the_device_is_forgotten(tmp_path: Path) -> None:
    snapshot = collect(SOURCE, export(tmp_path, tombstone("root 7"), tombstone("second root")))
    (record,) = rows(snapshot, "device_record")
    assert (record["state"], record["left_service_at"], record["serial"]) == ("retired", RETIRED, None)
    assert identifiers_of(snapshot, 7) == {
        ("hardware-key", digest("root 7"), None),
        ("hardware-key", digest("second root"), None),
    }


def test_a_root_is_told_once_where_its_device_still_has_it(tmp_path: Path) -> None:
    gone = device(state=DeviceState.RETIRED, state_since=RETIRED, serial=None, name=None, identifiers=())
    snapshot = collect(SOURCE, export(tmp_path, gone, tombstone("root 7")))
    assert len(rows(snapshot, "device_record")) == 1
    assert len([i for i in rows(snapshot, "identifier") if i["kind"] == "hardware-key"]) == 1


def test_a_buried_key_is_held_by_its_device_and_ended(tmp_path: Path) -> None:
    gone = device(state=DeviceState.RETIRED, state_since=RETIRED)
    (key,) = rows(collect(SOURCE, export(tmp_path, gone, tombstone("key 70", TombstoneKind.KEY))), "secret")
    assert (key["kind"], key["digest"].hex(), key["status"], key["holder"]) == (
        "raw-key", digest("key 70"), "deactivated", digest("root 7"),
    )  # fmt: skip


# -- what is not as it was written --------------------------------------------------------------------------------------


def test_a_file_that_was_cut_short_or_changed_makes_the_snapshot_partial(tmp_path: Path) -> None:
    path = export(tmp_path, device(1), device(2))
    lines = (path / "devices.jsonl").read_bytes().splitlines(keepends=True)
    (path / "devices.jsonl").write_bytes(lines[0])
    snapshot = collect(SOURCE, path)
    assert (len(rows(snapshot, "device_record")), snapshot.manifest.partial) == (1, True)
    assert codes(snapshot) == {"not-as-written": 1}


def test_a_missing_file_makes_the_snapshot_partial(tmp_path: Path) -> None:
    path = export(tmp_path, device())
    (path / "tombstones.jsonl").unlink()
    snapshot = collect(SOURCE, path)
    assert (snapshot.manifest.partial, codes(snapshot)) == (True, {"unreadable-file": 1})


@pytest.mark.parametrize(
    "line",
    [
        b"no json\n",
        b"[]\n",
        b'{"id": "7"}\n',
        b'{"id": "\xff"}\n',
        json.dumps({"id": str(UUID(int=7)), "state": "asleep", "state_since": "2026-01-01T00:00:00Z"}).encode() + b"\n",
        json.dumps({"id": str(UUID(int=7)), "state": "active", "state_since": "2026-01-01T00:00:00"}).encode() + b"\n",  # no zone
        json.dumps({"id": str(UUID(int=7)), "state": "active", "state_since": "2026-01-01T00:00:00Z", "roots": ["ab"]}).encode(),
    ],
)
def test_a_line_that_is_no_row_is_a_problem_and_the_others_count(tmp_path: Path, line: bytes) -> None:
    path = export(tmp_path, device())
    with (path / "devices.jsonl").open("ab") as file:
        file.write(line)
    snapshot = collect(SOURCE, path)
    assert len(rows(snapshot, "device_record")) == 1
    assert codes(snapshot) == {"bad-row": 1, "not-as-written": 1}


def test_folders_of_others_are_not_taken_and_another_version_is_refused(tmp_path: Path) -> None:
    for text in ("", "{}", "[]", '{"format": "other"}', '"tenure-registry-export"', '{"format": "tenure-registry-export"'):
        (tmp_path / "manifest.json").write_text(text)
        assert SOURCE.recognise(place_of(tmp_path)) is None
        with pytest.raises(SourceError):
            collect(SOURCE, tmp_path)
    path = export(tmp_path, device())
    said = (path / "manifest.json").read_text()
    (path / "manifest.json").write_text(said.replace('"version": 1', '"version": 2'))
    assert SOURCE.recognise(place_of(path)) is not None
    with pytest.raises(SourceError, match="version 2"):
        collect(SOURCE, path)
    assert SOURCE.recognise(place_of(path / "devices.jsonl")) is None


def test_an_export_takes_the_place_of_an_older_one_and_of_nothing_else(tmp_path: Path) -> None:
    path = export(tmp_path, device(1), device(2))
    export(tmp_path, device(1))
    manifest = read_manifest(path)
    assert manifest is not None
    assert manifest.files["devices.jsonl"].rows == 1
    assert [p.name for p in tmp_path.iterdir()] == ["registry"]
    other = tmp_path / "notes"
    other.mkdir()
    (other / "todo.txt").write_text("call Bob")
    with pytest.raises(SourceError, match="no export of a registry"):
        write_export(other, INSTANCE, EXPORTED, {})
    assert (other / "todo.txt").exists()


def test_an_export_that_fails_leaves_the_older_one_as_it_was(tmp_path: Path) -> None:
    path = export(tmp_path, device(1))
    before = (path / "devices.jsonl").read_bytes()

    def broken() -> Any:
        yield device(2)
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        write_export(path, INSTANCE, EXPORTED, {"devices.jsonl": broken()})
    assert (path / "devices.jsonl").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["registry"]


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200))
def test_every_line_becomes_a_record_or_a_problem(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = export(Path(folder))
        (path / "devices.jsonl").write_bytes(data)
        snapshot = collect(SOURCE, path)
    assert not data or rows(snapshot, "problem")


# -- linked -------------------------------------------------------------------------------------------------------------


def test_a_device_of_the_inventory_and_of_the_registry_is_one_device(tmp_path: Path) -> None:
    exports = Exports(tmp_path)
    exports.cmdb(
        {"record_id": "c1", "serial": "48154247", "maker": "KLIMATEC", "name": "pump"},
        {"record_id": "c2", "mac": "00:11:22:33:44:55", "name": "other"},
        {"record_id": "c3", "serial": "48154247", "maker": "Another", "name": "third"},
    )
    by_mac = device(8, maker=None, serial=None, roots=(), identifiers=(Identifier(IdentifierKind.MAC, "001122334455"),))
    exports.snapshots.append(collect(SOURCE, export(tmp_path, device(), by_mac, credential())))
    con = exports.link()
    grouped = con.execute(
        "SELECT list(record_id ORDER BY record_id) FROM device_record GROUP BY device_key ORDER BY 1"
    ).fetchall()
    assert [g for (g,) in grouped] == [[str(UUID(int=7)), "c1"], [str(UUID(int=8)), "c2"], ["c3"]]
    held = con.execute("SELECT how, strong FROM binding").fetchall()
    assert held == [("principal", True)]
