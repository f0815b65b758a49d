"""AWS CLI outputs: every layout and shape, retries and pages, what AWS says of certificates, and real outputs.

Long because one source reads a dozen kinds of output, a section each; the tree of tests mirrors the code.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.errors import SourceError
from tenure.model.declarations import Declarations, MakerDeclaration
from tenure.sources._aws_documents import Document, Unreadable, certificate_in_path, documents, moment, target
from tenure.sources.aws_iot import SOURCE
from tests.closed import closed
from tests.sources.collected import codes, collect, place_of, rows
from tests.sources.issuers import Ca, der, pem

ACCOUNT = "arn:aws:iot:eu-central-1:123456789012:"
ONE, TWO = "1" * 64, "2" * 64


def thing(name: str, version: int = 1, **attributes: str) -> dict[str, Any]:
    return {"thingName": name, "thingArn": f"{ACCOUNT}thing/{name}", "attributes": attributes, "version": version}


def listed(certificate: str, status: str = "ACTIVE", **more: object) -> dict[str, Any]:
    return {"certificateArn": f"{ACCOUNT}cert/{certificate}", "certificateId": certificate, "status": status, **more}


def export(folder: Path, files: Mapping[str, object]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return folder


# -- reading files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b'{"a": 1}\n{"a": 2}', [{"a": 1}, {"a": 2}]),
        (b'{"a": 1}{"a": 2}', [{"a": 1}, {"a": 2}]),
        (b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        ('{"a": "ä"}'.encode("utf-8-sig"), [{"a": "ä"}]),
        ('{"a": "ä"}'.encode("utf-16"), [{"a": "ä"}]),
        (b"\xfe\xff" + '{"a": "ä"}'.encode("utf-16-be"), [{"a": "ä"}]),
        (b" \n ", []),
    ],
)
def test_documents_of_a_file(data: bytes, found: list[dict[str, Any]]) -> None:
    assert [d.value for d in documents(data, "x.json") if isinstance(d, Document)] == found


def test_pages_behind_the_first_have_their_number_in_the_origin() -> None:
    assert [d.origin for d in documents(b"{}{}", "x.json") if isinstance(d, Document)] == ["x.json", "x.json#page-2"]


def test_the_offset_of_broken_json_is_in_bytes() -> None:
    text = '{"name": "ää"}\n{"things": [{"thingName": "x"'
    first, broken = documents(text.encode(), "x.json")
    assert isinstance(first, Document)
    assert isinstance(broken, Unreadable)
    assert broken.place == f"byte {len(text.encode())}"
    assert broken.listing


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (1559925941.924, datetime(2019, 6, 7, 16, 45, 41, 924000, tzinfo=UTC)),
        ("2019-06-07T16:45:41.924000+00:00", datetime(2019, 6, 7, 16, 45, 41, 924000, tzinfo=UTC)),
        ("2019-06-07T09:45:41-07:00", datetime(2019, 6, 7, 16, 45, 41, tzinfo=UTC)),
        ("2019-06-07T09:45:41", None),
        (True, None),
        (1e300, None),
        (float("nan"), None),
        ("soon", None),
        ([], None),
    ],
)
def test_times_of_both_versions_of_the_cli(value: object, found: datetime | None) -> None:
    assert moment(value) == found


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("list-thing-principals/gw-1.json", "gw-1"),
        ("a/list-thing-principals/gw-1.json", "gw-1"),
        ("list-thing-principals-gw-1.json", "gw-1"),
        ("list-thing-principals.gw-1.json", "gw-1"),
        ("list-thing-principals-v2.gw-1.json", "gw-1"),
        ("gw-1.list-thing-principals.json", "gw-1"),
        ("gw-1/list-thing-principals.json", "gw-1"),
        ("principals/gw-1.json", "gw-1"),
        ("list-thing-principals.json", None),
        ("list-thing-principals.2.json", None),
        ("list-thing-principals/list-thing-principals.2.json", None),
        ("gw-1.json", None),
    ],
)
def test_whom_an_output_is_about(file: str, name: str | None) -> None:
    assert target(file, "list-thing-principals", folder_hint="principal") == name


def test_the_certificate_in_a_path() -> None:
    assert certificate_in_path(f"{ONE}/list-attached-policies-{TWO.upper()}.json") == bytes.fromhex(TWO)
    assert certificate_in_path(f"{ONE}0.json") is None


# -- things ---------------------------------------------------------------------------------------------------------


def test_a_thing_becomes_a_record_with_identifiers(tmp_path: Path) -> None:
    attributes: dict[str, Any] = {
        "serialNumber": " 0048 ",
        "Manufacturer": "Example GmbH",
        "model": "X-1",
        "mac_address": "00-1B-44-11-3A-B7",
    }
    found = collect(SOURCE, export(tmp_path, {"list-things.json": {"things": [thing("t1", **attributes)]}}))
    (record,) = rows(found, "device_record")
    assert record["record_id"] == f"{ACCOUNT}thing/t1"
    assert (record["serial"], record["maker"], record["model"], record["thing_name"]) == ("0048", "Example GmbH", "X-1", "t1")
    assert record["state"] is None
    assert {(r["kind"], r["value"], r["scope"]) for r in rows(found, "identifier")} == {
        ("thing-name", "t1", "123456789012"),
        ("serial", "48", "example"),
        ("mac", "001b44113ab7", None),
    }


def test_zeros_that_a_maker_means_are_kept(tmp_path: Path) -> None:
    said = Declarations(maker={"Example": MakerDeclaration(leading_zeros="significant")})
    folder = export(tmp_path, {"list-things.json": {"things": [thing("t", sn="0048", maker="Example")]}})
    assert "0048" in {r["value"] for r in rows(collect(SOURCE, folder, said), "identifier")}


def test_a_mac_that_is_none_is_a_problem(tmp_path: Path) -> None:
    assert codes(collect(SOURCE, export(tmp_path, {"list-things.json": {"things": [thing("t", mac="none")]}}))) == {
        "bad-identifier": 1
    }


def test_a_thing_told_twice_is_one_record_and_the_newer_version_counts(tmp_path: Path) -> None:
    pages = {
        "list-things.1.json": {"things": [thing("t", 1, serial="A1")]},
        "list-things.2.json": {"things": [thing("t", 2, serial="B2")]},
    }
    found = collect(SOURCE, export(tmp_path, pages))
    assert [r["serial"] for r in rows(found, "device_record")] == ["B2"]
    assert codes(found) == {}


def test_one_version_told_in_two_ways_is_a_problem(tmp_path: Path) -> None:
    pages = [{"things": [thing("t", 1, serial="A1")]}, {"things": [thing("t", 1, serial="B2")]}]
    found = collect(SOURCE, export(tmp_path, {"list-things.json": pages}))
    assert [r["serial"] for r in rows(found, "device_record")] == ["A1"]
    assert codes(found) == {"conflicting-record": 1}


def test_one_name_in_two_regions_are_two_things(tmp_path: Path) -> None:
    other = {"thingName": "t", "thingArn": "arn:aws:iot:us-east-1:123456789012:thing/t", "attributes": {}, "version": 1}
    found = collect(SOURCE, export(tmp_path, {"list-things.json": {"things": [thing("t"), other]}}))
    assert len(rows(found, "device_record")) == 2


def test_a_search_result_adds_to_the_thing_of_its_name(tmp_path: Path) -> None:
    search = {"things": [{"thingName": "t", "thingId": "i", "connectivity": {"connected": False, "timestamp": 1760000000000}}]}
    found = collect(
        SOURCE, export(tmp_path, {"search-index.json": search, "list-things.json": {"things": [thing("t", sn="A1")]}})
    )
    (record,) = rows(found, "device_record")
    assert record["record_id"].endswith("thing/t")
    assert record["discovered_at"] == datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC)


# -- who holds what --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "files",
    [
        {"list-thing-principals/t.json": {"principals": [f"{ACCOUNT}cert/{ONE}"]}},
        {"list-thing-principals-v2/t.json": {"thingPrincipalObjects": [{"principal": f"{ACCOUNT}cert/{ONE}"}]}},
        {"all.json": [{"thingName": "t", "principals": [f"{ACCOUNT}cert/{ONE}"]}]},
        {f"list-principal-things/{ONE}.json": {"things": ["t"]}},
        {f"list-principal-things-v2/{ONE}.json": {"principalThingObjects": [{"thingName": "t"}]}},
    ],
)
def test_a_principal_is_a_binding(tmp_path: Path, files: dict[str, object]) -> None:
    found = collect(SOURCE, export(tmp_path, {"list-things.json": {"things": [thing("t")]}, **files}))
    ((record, digest),) = [(r["record_id"], r["sha256"]) for r in rows(found, "binding")]
    assert (record, digest.hex()) == (f"{ACCOUNT}thing/t", ONE)
    assert [r["reader"] for r in rows(found, "certificate")] == ["log"]
    assert codes(found) == {}


def test_a_principal_of_a_thing_that_was_not_listed_names_it(tmp_path: Path) -> None:
    found = collect(SOURCE, export(tmp_path, {"list-thing-principals/t.json": {"principals": [f"{ACCOUNT}cert/{ONE}"]}}))
    (bound,) = rows(found, "binding")
    assert (bound["record_id"], bound["holder_kind"], bound["holder"]) == (None, "thing-name", "t")


def test_what_the_path_does_not_say_is_a_problem_not_a_guess(tmp_path: Path) -> None:
    files = {
        "list-thing-principals.1.json": {"principals": [f"{ACCOUNT}cert/{ONE}"]},
        "list-principal-things.1.json": {"things": ["t"]},
        "list-attached-policies.1.json": {"policies": [{"policyName": "p", "policyArn": f"{ACCOUNT}policy/p"}]},
        "list-targets-for-policy.1.json": {"targets": [f"{ACCOUNT}cert/{ONE}"]},
    }
    found = collect(SOURCE, export(tmp_path, files))
    assert codes(found) == {"no-target": 4}
    assert not rows(found, "binding")
    assert not rows(found, "policy_grant")


def test_a_principal_that_is_no_certificate_is_told(tmp_path: Path) -> None:
    files = {"list-thing-principals/t.json": {"principals": ["eu-central-1:6fa1f8ac-0000-0000-0000-000000000000"]}}
    assert codes(collect(SOURCE, export(tmp_path, files))) == {"principal-kind": 1}


@pytest.mark.parametrize(
    "files",
    [
        {f"list-attached-policies/{ONE}.json": {"policies": [{"policyName": "p", "policyArn": f"{ACCOUNT}policy/p"}]}},
        {
            "attached.json": {
                "target": f"{ACCOUNT}cert/{ONE}",
                "policies": [{"policyName": "p", "policyArn": f"{ACCOUNT}policy/p"}],
            }
        },
        {"list-targets-for-policy/p.json": {"targets": [f"{ACCOUNT}cert/{ONE}"]}},
        {"list-policy-principals/p.json": {"principals": [f"{ACCOUNT}cert/{ONE}"]}},
    ],
)
def test_who_holds_a_policy(tmp_path: Path, files: dict[str, object]) -> None:
    document = {"policyName": "p", "policyArn": f"{ACCOUNT}policy/p", "policyDocument": "{}", "defaultVersionId": "3"}
    found = collect(SOURCE, export(tmp_path, {"get-policy/p.json": document, **files}))
    assert [(r["name"], r["scope"], r["document"], r["version"]) for r in rows(found, "policy")] == [
        ("p", "123456789012/eu-central-1", "{}", "3")
    ]
    assert [(r["policy"], r["scope"], r["sha256"].hex()) for r in rows(found, "policy_grant")] == [
        ("p", "123456789012/eu-central-1", ONE)
    ]


def test_a_version_that_is_not_in_force_is_left_out_and_a_group_is_a_target(tmp_path: Path) -> None:
    old = {"policyName": "p", "policyArn": f"{ACCOUNT}policy/p", "policyDocument": "{}", "isDefaultVersion": False}
    files = {"get-policy-version/p.json": old, "list-targets-for-policy/p.json": {"targets": [f"{ACCOUNT}thinggroup/g"]}}
    found = collect(SOURCE, export(tmp_path, files))
    assert not rows(found, "policy")
    assert [r["target"] for r in rows(found, "policy_grant")] == [f"{ACCOUNT}thinggroup/g"]


# -- certificates ----------------------------------------------------------------------------------------------------


def described(certificate: bytes, status: str, text: str | None = None, **more: object) -> dict[str, Any]:
    entry = listed(hashlib.sha256(certificate).hexdigest(), status, lastModifiedDate=1770000000.0, **more)
    return {"certificateDescription": {**entry, "certificatePem": text}}


@pytest.mark.parametrize(
    ("word", "status", "dated"),
    [
        ("ACTIVE", "valid", False),
        ("INACTIVE", "deactivated", True),
        ("REVOKED", "revoked", True),
        ("PENDING_TRANSFER", "pending", False),
        ("PENDING_ACTIVATION", "pending", False),
        ("REGISTER_INACTIVE", "deactivated", True),
    ],
)
def test_the_state_of_a_certificate(tmp_path: Path, word: str, status: str, dated: bool) -> None:
    certificate = Ca("ca").issue("device", 7)
    document = described(der(certificate), word, pem(certificate).decode(), creationDate=1760000000.0)
    found = collect(SOURCE, export(tmp_path, {"describe-certificate/1.json": document}))
    (row,) = rows(found, "credential_status")
    changed = datetime(2026, 2, 2, 2, 40, tzinfo=UTC)
    assert (row["status"], row["status_text"], row["authority"]) == (status, word, "cloud")
    assert row["effective_at"] == (changed if dated else None)
    assert row["stated_at"] == found.manifest.speaks_as_of == changed
    assert [(r["sha256"], r["reader"]) for r in rows(found, "certificate")] == [(row["sha256"], "full")]
    assert codes(found) == {}


def test_an_unknown_word_is_a_problem_and_no_guess(tmp_path: Path) -> None:
    found = collect(SOURCE, export(tmp_path, {"list-certificates.json": {"certificates": [listed(ONE, "ARCHIVED")]}}))
    assert [r["status"] for r in rows(found, "credential_status")] == ["unknown"]
    assert codes(found) == {"unknown-status": 1}


def test_a_certificate_that_is_not_what_its_id_says(tmp_path: Path) -> None:
    ca = Ca("ca")
    document = described(der(ca.issue("a", 1)), "ACTIVE", pem(ca.issue("b", 2)).decode())
    found = collect(SOURCE, export(tmp_path, {"describe-certificate.json": document}))
    assert codes(found) == {"certificate-id-mismatch": 1}
    claimed = document["certificateDescription"]["certificateId"]
    assert [r["sha256"].hex() for r in rows(found, "credential_status")] == [claimed]
    assert {r["reader"] for r in rows(found, "certificate") if r["sha256"].hex() == claimed} == {"log"}


@pytest.mark.parametrize("text", ["", "<certificate-text>", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])
def test_a_certificate_that_cannot_be_read_keeps_its_state(tmp_path: Path, text: str) -> None:
    found = collect(SOURCE, export(tmp_path, {"describe-certificate.json": described(b"x", "REVOKED", text)}))
    assert [r["status"] for r in rows(found, "credential_status")] == ["revoked"]
    assert sum(codes(found).values()) == 1


def test_a_registered_ca(tmp_path: Path) -> None:
    ca = Ca("Example CA")
    leaf = ca.issue("device", 2)
    name = hashlib.sha256(der(ca.certificate)).hexdigest()
    registered = listed(name, "INACTIVE", certificatePem=pem(ca.certificate).decode(), autoRegistrationStatus="DISABLE")
    registered["certificateArn"] = f"{ACCOUNT}cacert/{name}"
    files = {
        "describe-ca-certificate.json": {"certificateDescription": registered},
        "list-ca-certificates.json": {"certificates": [{**registered, "certificatePem": None}]},
        "describe-certificate.json": described(der(leaf), "ACTIVE", pem(leaf).decode()),
    }
    found = collect(SOURCE, export(tmp_path, files))
    (row,) = rows(found, "authority")
    assert (row["sha256"].hex(), row["name"], row["role"], row["status"]) == (name, "CN=Example CA", "registered", "deactivated")
    assert not row["issuance_collected"]
    assert [r["status"] for r in rows(found, "credential_status")] == [
        "valid"
    ]  # of the leaf: a CA switched off here ends no trust
    assert any(r["verified"] and r["issuer_sha256"].hex() == name for r in rows(found, "signature_edge"))


def test_a_private_key_in_the_export_is_told(tmp_path: Path) -> None:
    created = {**listed(ONE), "certificatePem": "", "keyPair": {"PublicKey": "x", "PrivateKey": "y"}}
    assert codes(collect(SOURCE, export(tmp_path, {"create-keys-and-certificate.json": created})))["private-key-present"] == 1


# -- pages that are missing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "partial"),
    [
        ({"list-things.json": {"things": [thing("a")], "NextToken": "x"}}, True),
        (
            {"list-things.json": {"things": [thing("a")]}, "list-things.retry.json": {"things": [thing("a")], "NextToken": "x"}},
            False,
        ),
        (
            {"list-things.1.json": {"things": [thing("a")], "nextToken": "x"}, "list-things.2.json": {"things": [thing("b")]}},
            False,
        ),
        ({"list-certificates.json": {"certificates": [listed(ONE)], "nextMarker": "x"}}, True),
        (
            {
                "list-thing-principals/t.json": {"principals": [], "NextToken": "x"},
                "list-thing-principals/u.json": {"principals": []},
            },
            True,
        ),
        ({"list-things.json": b'{"things": [{"thingName": "a"'}, True),
        ({"describe-thing.json": b'{"thingName": "a"'}, False),
        ({"list-audit-findings.json": {"findings": [], "nextToken": "x"}}, True),
    ],
)
def test_a_listing_that_breaks_off_makes_the_snapshot_partial(tmp_path: Path, files: dict[str, object], partial: bool) -> None:
    assert collect(SOURCE, export(tmp_path, files)).manifest.partial is partial


def test_another_regions_whole_listing_completes_nothing(tmp_path: Path) -> None:
    other = {"thingName": "t", "thingArn": "arn:aws:iot:us-east-1:123456789012:thing/t"}
    files = {"a/list-things.json": {"things": [thing("a")], "NextToken": "x"}, "b/list-things.json": {"things": [other]}}
    assert collect(SOURCE, export(tmp_path, files)).manifest.partial


# -- what is not understood ------------------------------------------------------------------------------------------


def test_unknown_and_broken_files_are_problems(tmp_path: Path) -> None:
    files = {
        "list-things.json": {"things": [thing("a"), {"no": "name"}, 7]},
        "other.json": {"hello": "world"},
        "numbers.json": [1, 2],
        "notes.txt": b"remember the milk",
        "update-thing-group.json": {"version": 4},
        ".DS_Store": b"\x00",
        "empty.json": b"\n",
    }
    found = collect(SOURCE, export(tmp_path, files))
    assert codes(found) == {"unrecognised-entry": 2, "unrecognised-json": 3, "malformed-json": 1, "empty-file": 1}
    assert all(r["sha256"] for r in rows(found, "problem") if r["code"].endswith("-json"))


def test_a_folder_that_cannot_be_listed_makes_the_snapshot_partial(tmp_path: Path) -> None:
    place = export(tmp_path, {"list-things.json": {"things": []}, "more/list-things.json": {"things": []}})
    with closed(place / "more"):
        found = collect(SOURCE, place)
    assert codes(found) == {"unreadable-file": 1}
    assert found.manifest.partial_reason == "more: the folder cannot be read: Permission denied"


def test_a_pipe_does_not_keep_us_waiting(tmp_path: Path) -> None:
    os.mkfifo(export(tmp_path, {"list-things.json": {"things": []}}) / "pipe.json")
    found = collect(SOURCE, tmp_path)
    assert codes(found) == {"unreadable-file": 1}
    assert found.manifest.partial


def test_names_that_are_no_unicode_can_be_stored(tmp_path: Path) -> None:
    folder = export(
        tmp_path, {"list-things.json": b'{"things": [{"thingName": "half\\ud800", "attributes": {"sn": "\\uDFFF1"}}]}'}
    )
    (folder / os.fsdecode(b"caf\xe9.json")).write_bytes(b"{}")
    found = collect(SOURCE, folder)
    assert [(r["name"], r["serial"]) for r in rows(found, "device_record")] == [("half?", "?1")]
    assert [r["file"] for r in rows(found, "problem")] == ["caf\\xe9.json"]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        collect(SOURCE, tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "known"),
    [
        ("a.json", {"things": [thing("a")]}, True),
        ("a.json", {"principals": [f"{ACCOUNT}cert/{ONE}"]}, True),
        ("a.json", {"certificateDescription": {}}, True),
        ("a.json", {"sys_id": "1", "serial_number": "2"}, False),
        ("a.csv", b"name,thingArn\n", False),
    ],
)
def test_recognising_a_file(tmp_path: Path, name: str, content: object, known: bool) -> None:
    assert (SOURCE.recognise(place_of(export(tmp_path, {name: content}) / name)) is not None) is known


def test_recognising_a_file_of_a_windows_shell(tmp_path: Path) -> None:
    path = export(tmp_path, {"a.json": json.dumps({"things": [thing("a")]}).encode("utf-16")}) / "a.json"
    assert SOURCE.recognise(place_of(path)) is not None


# -- hostile input ---------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["things", "thingName", "thingArn", "attributes", "principals", "certificates", "certificateDescription", "certificateId",
     "certificatePem", "status", "policies", "policyName", "policyDocument", "targets", "findings", "finding", "NextToken",
     "creationDate", "version", "connectivity", "timestamp", "nonCompliantResource", "resourceIdentifier", "keyPair", "validity"]
)  # fmt: skip
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from([ONE, f"{ACCOUNT}thing/t", "t"])
)
ANY_JSON = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=15
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(WORDS, ANY_JSON, min_size=1, max_size=4))
def test_any_document_becomes_rows_or_problems(document: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        collect(SOURCE, export(Path(folder), {"list-things.json": document}))


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(min_value=1, max_value=8))
def test_cut_and_changed_files_become_rows_or_problems(chance: random.Random, changes: int) -> None:
    whole = json.dumps({"things": [thing("a", sn="1", mac="001b44113ab7"), thing("b")], "NextToken": "x"}).encode()
    data = bytearray(whole)
    for _ in range(changes):
        data[chance.randrange(len(data))] = chance.randrange(256)
    del data[chance.randrange(len(data)) :]
    with tempfile.TemporaryDirectory() as folder:
        assert collect(SOURCE, export(Path(folder), {"list-things.json": bytes(data)})).manifest.rows


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:0 1e', max_size=60).map(str.encode))
def test_any_bytes_are_read(data: bytes) -> None:
    for found in documents(data, "x.json"):
        assert isinstance(found, Document | Unreadable)


def test_deeply_nested_json_is_a_problem() -> None:
    (found,) = documents(b"[" * 200_000, "x.json")
    assert isinstance(found, Unreadable)


# -- real outputs ----------------------------------------------------------------------------------------------------


def test_the_sample_fleet(corpus: Path) -> None:
    folder = corpus / "fleet-sample" / "aws"
    assert SOURCE.recognise(place_of(folder)) is not None
    found = collect(SOURCE, folder)
    assert found.manifest.rows == {
        "authority": 3, "binding": 137, "certificate": 186, "credential_status": 183, "device_record": 96,
        "identifier": 192, "policy": 9, "policy_grant": 137, "problem": 1, "signature_edge": 173,
    }  # fmt: skip
    assert not found.manifest.partial  # the retry ends with a token, but the whole listing lies beside it
    assert codes(found) == {"armour-damaged": 1}  # one certificatePem has a foreign line in it; its state is kept
    statuses = [r["status"] for r in rows(found, "credential_status")]
    assert {s: statuses.count(s) for s in set(statuses)} == {"valid": 97, "deactivated": 68, "revoked": 18}
    assert sum(r["verified"] for r in rows(found, "signature_edge")) == 173
    assert collect(SOURCE, folder).manifest.content_id == found.manifest.content_id


def test_the_examples_of_the_aws_cli(corpus: Path) -> None:
    folder = corpus / "aws-iot-cli"
    assert SOURCE.recognise(place_of(folder)) is not None
    found = collect(SOURCE, folder)
    assert found.manifest.rows == {
        "authority": 1, "certificate": 9, "credential_status": 8, "device_record": 4, "external_finding": 4,
        "identifier": 4, "policy": 4, "problem": 8,
    }  # fmt: skip
    # The examples are edited by hand: two certificates are no certificates, and file names do not say whom an output is about.
    assert codes(found) == {"certificate-refused": 1, "conflicting-record": 1, "no-certificate": 1, "no-target": 5}
    shared = next(r for r in rows(found, "external_finding") if r["finding_id"].startswith("eeef61068b0eb03c456d746c5a26ee04"))
    assert shared["sha256"].hex().startswith("b193ab7162c0")
