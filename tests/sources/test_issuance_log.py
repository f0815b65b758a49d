"""Issuers' logs: mapped lists, EJBCA's table and audit log, AD CS, step-ca; serials in both notations; real lines.

Long because one source reads the logs of four CAs, a section each; the tree of tests mirrors the code.
"""

from __future__ import annotations

import base64
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.evidence.snapshot import Snapshot
from tenure.model.declarations import Declarations, SourceDeclaration
from tenure.sources._name_text import rfc4514
from tenure.sources._serial_notation import SerialNotation
from tenure.sources.issuance_log import SOURCE
from tests.sources.collected import codes, collect, place_of, rows
from tests.sources.issuers import BEGIN, END, Ca, der, pem

GENERIC = "serial,subject,issuer,not_before,not_after,status,revoked_at,revocation_reason,requester,certificate"


def logged(folder: Path, *lines: str, header: str = GENERIC, name: str = "log.csv", said: Declarations | None = None) -> Snapshot:
    (folder / name).write_text("\n".join((*([header] if header else []), *lines)) + "\n")
    assert SOURCE.recognise(place_of(folder / name)) is not None
    return collect(SOURCE, folder / name, said)


def issuances(snapshot: Snapshot) -> list[dict[str, Any]]:
    return rows(snapshot, "issuance")


def states(snapshot: Snapshot) -> list[tuple[str, str, str | None, datetime | None]]:
    return [(s["serial_hex"], s["status"], s["status_text"], s["effective_at"]) for s in rows(snapshot, "credential_status")]


def declared(name: str, **fields: object) -> Declarations:
    return Declarations(source=(SourceDeclaration.model_validate({"path": name, **fields}),))


# -- any list -----------------------------------------------------------------------------------------------------------


def test_a_row_becomes_an_issuance_its_state_and_the_authority(tmp_path: Path) -> None:
    snapshot = logged(
        tmp_path,
        '0A:1b,"CN=d1, O=fleet","C=CH, O=fleet, CN=Sub CA",2026-01-01,2027-01-01,valid,,,ra-1,',
        'ff,CN=d2,"/C=CH/O=fleet/CN=Sub CA",2026-02-01,2027-01-01,revoked,2026-03-01 10:00:00,keyCompromise,,',
        "1c,CN=d3,CN=Other CA,2026-02-02,2027-01-01,revoked,2026-03-02,certificateHold,,",
    )
    name = "CN=Sub CA,O=fleet,C=CH"
    assert [(i["issuer"], i["serial_hex"], i["subject"]) for i in issuances(snapshot)] == [
        (name, "A1B", "CN=d1, O=fleet"),
        (name, "FF", "CN=d2"),
        ("CN=Other CA", "1C", "CN=d3"),
    ]
    first = issuances(snapshot)[0]
    assert (first["issued_at"], first["not_after"], first["requester"], first["origin"]) == (BEGIN, END, "ra-1", "log.csv#2")
    assert states(snapshot) == [
        ("A1B", "valid", "valid", None),
        ("FF", "revoked", "revoked; keyCompromise", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("1C", "suspended", "revoked; certificateHold", datetime(2026, 3, 2, tzinfo=UTC)),
    ]
    assert {s["stated_at"] for s in rows(snapshot, "credential_status")} == {datetime(2026, 3, 2, tzinfo=UTC)}
    assert {
        (a["name"], a["role"], a["issuance_since"], a["issuance_collected"], a["revocation_collected"])
        for a in rows(snapshot, "authority")
    } == {
        (name, "operator", BEGIN, True, True),
        ("CN=Other CA", "operator", datetime(2026, 2, 2, tzinfo=UTC), True, True),
    }
    assert snapshot.manifest.speaks_as_of == datetime(2026, 3, 2, tzinfo=UTC)
    assert codes(snapshot) == {}


def test_an_embedded_certificate_speaks_for_itself_and_its_signature_is_checked(tmp_path: Path) -> None:
    root = Ca("Root")
    leaf = root.issue("d1", serial=0xBEEF)
    encoded = pem(leaf).decode().strip()
    line = f'1,CN=other,CN=who,,,,,,,"{encoded}"'
    bare = f"2,CN=ca,CN=who,,,,,,,{base64.b64encode(der(root.certificate)).decode()}"
    snapshot = logged(tmp_path, line, bare)
    first = issuances(snapshot)[0]
    assert (first["serial_hex"], first["issuer"], first["issued_at"], first["not_after"]) == ("BEEF", "CN=Root", BEGIN, END)
    assert issuances(snapshot)[0]["sha256"] == rows(snapshot, "certificate")[0]["sha256"]
    assert [c["origin"] for c in rows(snapshot, "certificate")] == ["log.csv#2", "log.csv#" + str(2 + line.count("\n") + 1)]
    assert {
        (e["verified"], e["issuer_sha256"] == issuances(snapshot)[1]["sha256"]) for e in rows(snapshot, "signature_edge")
    } == {(True, True)}
    assert [a["name"] for a in rows(snapshot, "authority")] == ["CN=Root"]


def test_what_is_wrong_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    snapshot = logged(
        tmp_path,
        "xyz,CN=d1,CN=A,2026-01-01,2027-01-01,valid,,,,",
        ",CN=d2,CN=A,2026-01-01,2027-01-01,valid,,,,",
        "1f,CN=d3,CN=A,yesterday,2027-01-01,mislaid,,,,",
        "2f,CN=d4,CN=A,2026-01-01,2027-01-01,valid,,,,bm8gY2VydGlmaWNhdGU=",
        ",,,,,denied,,,bob,",
    )
    assert [i["serial_hex"] for i in issuances(snapshot)] == ["1F", "2F"]
    assert [s[1] for s in states(snapshot)] == ["unknown", "valid"]
    assert codes(snapshot) == {"bad-serial": 1, "no-serial": 2, "bad-date": 1, "unknown-status": 1, "no-certificate": 1}
    assert snapshot.manifest.notes == ("1 entries of log.csv are no issued certificates (other lines, refused requests)",)


def test_a_log_without_issuers_is_the_declared_authoritys_or_says_that_it_is_nobodys(tmp_path: Path) -> None:
    header, line = "serial,subject,not_after", "a1,CN=x,2027-01-01"
    nobody = logged(tmp_path, line, header=header)
    assert [a["name"] for a in rows(nobody, "authority")] == [None]
    assert issuances(nobody)[0]["issuer"] is None
    assert any("declare `issuer`" in note for note in nobody.manifest.notes)
    ours = logged(tmp_path, line, header=header, said=declared("log.csv", issuer="C=CH, CN=Ours"))
    assert [a["name"] for a in rows(ours, "authority")] == ["CN=Ours,C=CH"]
    assert issuances(ours)[0]["issuer"] == "CN=Ours,C=CH"
    assert not rows(ours, "authority")[0]["revocation_collected"]


def test_an_empty_log_still_says_whose_record_it_is(tmp_path: Path) -> None:
    snapshot = logged(tmp_path, said=declared("log.csv", issuer="CN=Ours"))
    (authority,) = rows(snapshot, "authority")
    assert (authority["name"], authority["issuance_since"], authority["issuance_collected"]) == ("CN=Ours", None, True)


def test_fingerprints_name_certificates(tmp_path: Path) -> None:
    header = "serial,subject,issuer,sha256"
    snapshot = logged(tmp_path, f"a,CN=x,CN=A,{'ab:' * 31}ab", f"b,CN=x,CN=A,{'cd' * 20}", "c,CN=x,CN=A,short", header=header)
    assert [i["sha256"] for i in issuances(snapshot)] == [b"\xab" * 32, None, None]
    assert codes(snapshot) == {"bad-digest": 1}
    assert any("SHA-1" in note for note in snapshot.manifest.notes)


# -- serial notation ----------------------------------------------------------------------------------------------------

LONG = ["123456789012345678901234567890", "223456789012345678901234567891", "323456789012345678901234567892"]


def test_digits_alone_are_decimal_only_where_chance_cannot_have_made_them(tmp_path: Path) -> None:
    header = "serial,subject,issuer"
    decimal = logged(tmp_path, *(f"{n},CN=x,CN=A" for n in LONG), header=header)
    assert [int(i["serial_hex"], 16) for i in issuances(decimal)] == [int(n) for n in LONG]
    assert codes(decimal) == {}
    mixed = logged(tmp_path, *(f"{n},CN=x,CN=A" for n in LONG), "ab,CN=x,CN=A", header=header)
    assert [i["serial_hex"] for i in issuances(mixed)] == [*LONG, "AB"]
    short = logged(tmp_path, "1000,CN=x,CN=A", "1001,CN=x,CN=A", header=header)
    assert [i["serial_hex"] for i in issuances(short)] == ["1000", "1001"]
    assert codes(short) == {"serial-notation": 1}


@pytest.mark.parametrize(
    ("declared_as", "text", "hexadecimal"),
    [
        ("hex", "00:ab", "AB"), ("hex", "61 00 0f", "61000F"), ("hex", "0x0A", "A"), ("decimal", "255", "FF"),
        ("decimal", "-1", "-1"),
        ("decimal", "ff", None), ("hex", "", None), ("decimal", "9" * 600, None), ("hex", "f" * 600, None),
    ],
)  # fmt: skip
def test_serials_are_read_as_declared(declared_as: str, text: str, hexadecimal: str | None) -> None:
    assert SerialNotation(declared_as).hex(text) == hexadecimal


# -- names --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("CN=Sub CA,O=fleet,C=CH", "CN=Sub CA,O=fleet,C=CH"),
        ("CN=Sub CA, O=fleet, C=CH", "CN=Sub CA,O=fleet,C=CH"),
        ("C = CH, O = fleet, CN = Sub CA", "CN=Sub CA,O=fleet,C=CH"),
        ("/C=CH/O=fleet/CN=a/b", "CN=a/b,O=fleet,C=CH"),
        ('CN=x, O="Acme, Inc."', r"CN=x,O=Acme\, Inc."),
        (r"CN=x,O=Acme\, Inc.", r"CN=x,O=Acme\, Inc."),
        (r"CN=x,O=Acme\2C Inc.", r"CN=x,O=Acme\, Inc."),
        ("cn=x,serialNumber=7,E=a@b", "CN=x,2.5.4.5=7,1.2.840.113549.1.9.1=a@b"),
        ("OU=a+CN=b,C=CH", "OU=a+CN=b,C=CH"),
        ("Smallstep Sub CA", "Smallstep Sub CA"),
        ("CN=x,COLOUR=red", "CN=x,COLOUR=red"),
        ("", ""),
    ],
)
def test_names_of_logs_are_written_as_the_evidence_writes_them(text: str, name: str) -> None:
    assert rfc4514(text) == name


@given(st.lists(st.tuples(st.sampled_from(["CN", "O", "OU", "C", "L"]), st.text(min_size=1, max_size=8)), min_size=1, max_size=4))
def test_names_in_rfc4514_stay_or_turn_round(parts: list[tuple[str, str]]) -> None:
    """Whatever x509 writes is understood, and writing it again changes nothing."""
    oids = {"CN": "2.5.4.3", "O": "2.5.4.10", "OU": "2.5.4.11", "C": "2.5.4.6", "L": "2.5.4.7"}
    try:
        name = x509.Name([x509.NameAttribute(x509.ObjectIdentifier(oids[kind]), value) for kind, value in parts])
    except ValueError:
        return
    text = name.rfc4514_string()
    once = rfc4514(text)
    assert rfc4514(once) == once
    assert once == text or once == x509.Name(reversed(list(name))).rfc4514_string()


@given(st.text(max_size=60))
def test_no_name_crashes(text: str) -> None:
    rfc4514(text)


# -- EJBCA --------------------------------------------------------------------------------------------------------------


def test_the_table_of_ejbca(tmp_path: Path) -> None:
    header = "issuerDN,subjectDN,serialNumber,status,expireDate,notBefore,revocationDate,revocationReason,username,base64Cert"
    snapshot = logged(
        tmp_path,
        '"CN=Sub,O=A","CN=d1",255,20,1798761600000,1767225600000,-1,-1,d1,',
        '"CN=Sub,O=A","CN=d2",256,40,1798761600000,1767225600000,1772323200000,1,d2,',
        '"CN=Sub,O=A","CN=d3",257,40,1798761600000,1767225600000,1772323200000,6,d3,',
        header=header,
    )
    assert [i["serial_hex"] for i in issuances(snapshot)] == ["FF", "100", "101"]
    assert (issuances(snapshot)[0]["issued_at"], issuances(snapshot)[0]["not_after"]) == (BEGIN, END)
    assert [(s[1], s[3]) for s in states(snapshot)] == [
        ("valid", None),
        ("revoked", datetime(2026, 3, 1, tzinfo=UTC)),
        ("suspended", datetime(2026, 3, 1, tzinfo=UTC)),
    ]
    (authority,) = rows(snapshot, "authority")
    assert (authority["issuance_since"], authority["revocation_collected"]) == (None, True)
    assert codes(snapshot) == {}


AUDIT = (
    "2026-09-22 14:49:22,928 INFO  [org.cesecore.audit.impl.log4j.Log4jDevice] (default task-2) 2026-09-22 14:{:02}:22+02:00;{}"
)


def audit(minute: int, event: str, serial: str, details: str, outcome: str = "SUCCESS", ca: str = "-57") -> str:
    return AUDIT.format(minute, f"{event};{outcome};CERTIFICATE;CORE;CN=admin,O=A;{ca};{serial};user7;{details}")


def test_the_audit_log_of_ejbca(tmp_path: Path) -> None:
    root = Ca("Root")
    leaf = root.issue("d1", serial=0xBEEF)
    encoded = base64.b64encode(der(leaf)).decode()
    snapshot = logged(
        tmp_path,
        audit(1, "CERT_REVOKED", "00AA", "msg=Revoked certificate for user7, revocation reason: 1"),
        audit(2, "CERT_CREATION", "BEEF", f"subjectdn=CN=d1;certprofile=1;cert={encoded}"),
        audit(3, "CERT_REVOKED", "BEEF", "msg=Revoked certificate for user7, revocation reason: 6"),
        audit(4, "CERT_REVOKED", "BEEF", "msg=Unrevoked certificate for user7"),
        audit(5, "CERT_CREATION", "CAFE", "subjectdn=CN=d2;certprofile=1", outcome="FAILURE"),
        audit(6, "CERT_CREATION", "C0DE", "subjectdn=CN=d3;certprofile=1"),
        audit(7, "CERT_CREATION", "C0FE", "subjectdn=CN=d4;cert=AAAA"),
        audit(8, "CERT_REVOKED", "none", "msg=x"),
        audit(9, "CERT_REVOKED", "AB", "msg=x", ca="-58"),
        "2026-09-22 nonsense;CERT_CREATION;",
        "at org.ejbca.Something(Some.java:1)",
        header="",
        name="audit.log",
    )
    assert [(i["serial_hex"], i["issuer"], i["subject"], i["requester"]) for i in issuances(snapshot)] == [
        ("BEEF", "CN=Root", "CN=d1", "user7"),
        ("C0DE", "CN=Root", "CN=d3", "user7"),
        ("C0FE", "CN=Root", "CN=d4", "user7"),
    ]
    assert issuances(snapshot)[0]["issued_at"] == datetime(2026, 9, 22, 12, 2, 22, tzinfo=UTC)
    assert [(s["serial_hex"], s["issuer"], s["status"]) for s in rows(snapshot, "credential_status")] == [
        ("AA", "CN=Root", "revoked"),
        ("BEEF", "CN=Root", "suspended"),
        ("BEEF", "CN=Root", "valid"),
        ("AB", "CN=Root", "revoked"),
    ]
    (authority,) = rows(snapshot, "authority")
    assert authority["issuance_since"] == datetime(2026, 9, 22, 12, 1, 22, tzinfo=UTC)
    assert codes(snapshot) == {"no-certificate": 1, "no-serial": 1, "audit-line": 1}
    assert snapshot.manifest.notes == ("2 lines of audit.log are about other things than certificates",)


def test_a_revocation_by_a_ca_nobody_names_is_told(tmp_path: Path) -> None:
    snapshot = logged(tmp_path, audit(1, "CERT_REVOKED", "AA", "msg=x"), header="", name="audit.log")
    assert [(s["serial_hex"], s["issuer"]) for s in rows(snapshot, "credential_status")] == [("AA", None)]
    assert codes(snapshot) == {"unknown-issuer": 1}


# -- AD CS --------------------------------------------------------------------------------------------------------------


def test_the_database_of_adcs(tmp_path: Path) -> None:
    header = (
        '"Request ID","Requester Name","Request Disposition","Serial Number","Certificate Effective Date",'
        '"Certificate Expiration Date","Issued Common Name","Issued Distinguished Name","Revocation Date","Revocation Reason"'
    )
    lines = (
        r'"2","CORP\svc","20 -- Issued","61000000028a","1/2/2026 1:30 PM","1/2/2027 1:30 PM","d1","CN=d1, DC=corp",'
        '"EMPTY","EMPTY"',
        r'"3","CORP\svc","21 -- Revoked","61000000038b","1/3/2026 1:30 PM","1/3/2027 1:30 PM","d2","EMPTY",'
        '"3/4/2026 9:00 AM","6 -- Reason: Certificate Hold"',
        r'"4","CORP\bob","31 -- Denied","EMPTY","EMPTY","EMPTY","EMPTY","EMPTY","EMPTY","EMPTY"',
    )
    said = declared("log.csv", issuer="CN=Corp Sub CA,DC=corp", time_zone="America/New_York")
    snapshot = logged(tmp_path, *lines, header=header, said=said)
    assert [(i["serial_hex"], i["subject"], i["issued_at"]) for i in issuances(snapshot)] == [
        ("61000000028A", "CN=d1, DC=corp", datetime(2026, 1, 2, 18, 30, tzinfo=UTC)),
        ("61000000038B", "d2", datetime(2026, 1, 3, 18, 30, tzinfo=UTC)),
    ]
    assert [(s[0], s[1]) for s in states(snapshot)] == [("61000000028A", "valid"), ("61000000038B", "suspended")]
    assert {i["issuer"] for i in issuances(snapshot)} == {"CN=Corp Sub CA,DC=corp"}
    assert codes(snapshot) == {}
    assert [note.split(" of ")[0] for note in snapshot.manifest.notes] == ["1 entries", "dates"]
    other = logged(tmp_path, lines[0], header=header, said=declared("log.csv", timestamp_format="%d/%m/%Y %I:%M %p"))
    assert issuances(other)[0]["issued_at"] == datetime(2026, 2, 1, 13, 30, tzinfo=UTC)


# -- step-ca ------------------------------------------------------------------------------------------------------------


def test_the_log_of_step_ca(tmp_path: Path) -> None:
    sub = Ca("Sub", parent=Ca("Root"))
    leaf = sub.issue("d1", serial=777)
    common = {"level": "info", "method": "POST", "remote-address": "10.0.0.1", "request-id": "c1", "time": "2026-05-01T10:00:00Z"}
    issued = common | {
        "path": "/1.0/sign", "status": 201, "serial": "777", "subject": "d1", "issuer": "Sub", "provisioner": "admin",
        "valid-from": "2026-01-01T00:00:00Z", "valid-to": "2027-01-01T00:00:00Z",
        "certificate": base64.b64encode(der(leaf)).decode(),
    }  # fmt: skip
    lines = [
        common | {"path": "/health", "status": 200},
        issued,
        common | {"path": "/1.0/sign", "status": 403, "error": "no"},
        common | {"path": "/1.0/revoke", "status": 200, "serial": "777", "reasonCode": 1, "time": "2026-06-01T10:00:00Z"},
    ]
    snapshot = logged(tmp_path, *map(json.dumps, lines), header="", name="step-ca.log")
    (issuance,) = issuances(snapshot)
    assert (issuance["serial_hex"], issuance["issuer"], issuance["subject"], issuance["requester"]) == (
        "309",
        "CN=Sub",
        "d1",
        "admin",
    )
    assert states(snapshot) == [("309", "revoked", None, datetime(2026, 6, 1, 10, tzinfo=UTC))]
    assert rows(snapshot, "credential_status")[0]["issuer"] == "CN=Sub"
    assert rows(snapshot, "authority")[0]["issuance_since"] == datetime(2026, 5, 1, 10, tzinfo=UTC)
    assert [note.split(" of ")[0] for note in snapshot.manifest.notes] == ["2 entries"]
    assert codes(snapshot) == {}


def test_the_database_of_step_ca(tmp_path: Path) -> None:
    leaf = Ca("Sub").issue("d1", serial=777)
    snapshot = logged(tmp_path, rf"\x373737,\x{der(leaf).hex()}", f"777,0x{der(leaf).hex()}", header="nkey,nvalue")
    assert [i["serial_hex"] for i in issuances(snapshot)] == ["309", "309"]
    assert rows(snapshot, "authority")[0]["issuance_since"] is None
    assert codes(snapshot) == {}


# -- anything, and the real line ----------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(data=st.binary(max_size=300))
def test_no_bytes_crash(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for head in (GENERIC.encode() + b"\n", audit(1, "CERT_CREATION", "AA", "cert=").encode(), b'{"nkey":"1","nvalue":"2"}\n'):
            path = Path(folder) / "log"
            path.write_bytes(head + data)
            collect(SOURCE, path)


CELLS = st.lists(st.text(alphabet="0aA:=,CN \n", max_size=5), min_size=10, max_size=10)


@settings(max_examples=60, deadline=None)
@given(table=st.lists(CELLS, min_size=1, max_size=8))
def test_every_row_is_an_issuance_or_a_problem(table: list[list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        quoted = [",".join('"' + cell + '"' for cell in row) for row in table]
        path.write_text("\n".join((GENERIC, *quoted)) + "\n", newline="")
        snapshot = collect(SOURCE, path)
    got = codes(snapshot)
    empty = sum(not any(row) for row in table)
    assert len(issuances(snapshot)) + got.get("no-serial", 0) + empty == len(table)


def test_the_real_line_of_ejbca_embeds_a_certificate(corpus: Path) -> None:
    path = corpus / "log-excerpts" / "ejbca_audit.log"
    assert SOURCE.recognise(place_of(path)) is not None
    snapshot = collect(SOURCE, path)
    assert snapshot.manifest.rows == {"authority": 1, "certificate": 1, "issuance": 1}
    (issuance,), (certificate,) = issuances(snapshot), rows(snapshot, "certificate")
    assert issuance["serial_hex"] == certificate["serial_hex"] == "4B2387786EFC0F2F673336A61EC8E5AC"
    assert issuance["sha256"] == certificate["sha256"]
    assert certificate["subject_cn"] == issuance["requester"] == "SUP-2684"
    assert rows(snapshot, "authority")[0]["name"] == certificate["issuer"]
    assert snapshot.manifest.notes == ("4 lines of ejbca_audit.log are about other things than certificates",)


@pytest.mark.parametrize(
    "path", ["fleet-sample/cmdb.csv", "log-excerpts/mosquitto_connect_variants.log", "zeek-logs", "fleet-sample/ca"]
)
def test_what_is_no_issuance_log_is_not_taken_for_one(corpus: Path, path: str) -> None:
    assert SOURCE.recognise(place_of(corpus / path)) is None


def test_columns_that_are_null_in_the_first_entry_are_columns(tmp_path: Path) -> None:
    entries = [
        {"serial": "a1", "subject": "CN=x", "issuer": "CN=A", "not_after": None, "status": None},
        {"serial": "a2", "subject": "CN=y", "issuer": "CN=A", "not_after": None, "status": "revoked"},
    ]
    snapshot = logged(tmp_path, json.dumps(entries), header="", name="log.json")
    assert states(snapshot) == [("A2", "revoked", "revoked", None)]
    assert rows(snapshot, "authority")[0]["revocation_collected"]


def test_a_log_without_times_speaks_as_declared(tmp_path: Path) -> None:
    as_of = datetime(2026, 10, 1, tzinfo=UTC)
    snapshot = logged(tmp_path, "a1,CN=x,CN=A", header="serial,subject,issuer", said=declared("log.csv", as_of=as_of))
    assert snapshot.manifest.speaks_as_of == as_of
