"""CA folders: every form of an index line, whose index it is, revocation lists, and real folders.

Long because index, lists and folders of one CA hang together, a section each; the tree of tests mirrors the code.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.x509 import ReasonFlags
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.errors import SourceError
from tenure.evidence.snapshot import Snapshot
from tenure.model.vocabulary import CredentialStatus
from tenure.pki.certificates import read
from tenure.sources._openssl_folder import CaFile, Role
from tenure.sources._openssl_index import IndexEntry, IndexRefusal, asn1_time, read_line
from tenure.sources._openssl_signers import Signers
from tenure.sources.openssl_ca import SOURCE
from tests.closed import closed
from tests.sources.collected import codes, collect, place_of, rows
from tests.sources.issuers import BEGIN, END, Ca, der, pem

Files = dict[str, bytes | str]
REVOKED = datetime(2026, 5, 1, 12, tzinfo=UTC)


def line(letter: str = "V", end: str = "270101000000Z", revocation: str = "", serial: str = "01", subject: str = "/CN=x") -> str:
    return "\t".join((letter, end, revocation, serial, "unknown", subject))


def folder_of(place: Path, files: Mapping[str, bytes | str]) -> Path:
    for name, content in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return place


def test_a_folder_that_cannot_be_listed_makes_the_snapshot_partial(tmp_path: Path) -> None:
    ca = Ca("Plant CA")
    place = folder_of(tmp_path, {"index.txt": line() + "\n", "ca.pem": pem(ca.certificate), "newcerts/01.pem": b""})
    with closed(place / "newcerts"):
        found = collect(SOURCE, place)
    assert codes(found) == {"unreadable-file": 1}
    assert found.manifest.partial_reason == "newcerts: the folder cannot be read: Permission denied"


# -- lines of an index --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("250828064205Z", datetime(2025, 8, 28, 6, 42, 5, tzinfo=UTC)),
        ("2508280642Z", datetime(2025, 8, 28, 6, 42, tzinfo=UTC)),
        ("491231235959Z", datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("500101000000Z", datetime(1950, 1, 1, tzinfo=UTC)),
        ("20510828064205Z", datetime(2051, 8, 28, 6, 42, 5, tzinfo=UTC)),
        ("99991231235959Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("202611010000Z", datetime(2026, 11, 1, tzinfo=UTC)),
        ("201101000000Z", datetime(2020, 11, 1, tzinfo=UTC)),
        ("250828064205+0200", datetime(2025, 8, 28, 4, 42, 5, tzinfo=UTC)),
        ("251301000000Z", None),
        ("25082806420Z", None),
        ("00010101000000+2359", None),
        ("", None),
        ("soon", None),
    ],
)
def test_times_of_the_index(text: str, found: datetime | None) -> None:
    assert asn1_time(text) == found


@pytest.mark.parametrize(
    ("letter", "revocation", "status", "text", "doubts"),
    [
        ("V", "", CredentialStatus.VALID, "V", 0),
        ("E", "", CredentialStatus.EXPIRED, "E", 0),
        ("R", "260501120000Z", CredentialStatus.REVOKED, "R", 0),
        ("R", "260501120000Z,superseded", CredentialStatus.REVOKED, "R superseded", 0),
        ("R", "20260501120000Z,keyTime,20260401000000Z", CredentialStatus.REVOKED, "R keyTime,20260401000000Z", 0),
        ("R", "260501120000Z,certificateHold", CredentialStatus.SUSPENDED, "R certificateHold", 0),
        ("R", "260501120000Z,holdInstruction,1.2.840.10040.2.1", CredentialStatus.SUSPENDED, None, 0),
        ("S", "", CredentialStatus.SUSPENDED, "S", 0),
        ("R", "", CredentialStatus.REVOKED, "R", 1),
        ("R", "yesterday,superseded", CredentialStatus.REVOKED, "R superseded", 1),
        ("R", "260501120000Z,eaten", CredentialStatus.REVOKED, "R eaten", 1),
        ("V", "260501120000Z", CredentialStatus.VALID, "V", 1),
        ("X", "", CredentialStatus.UNKNOWN, "X", 1),
    ],
)
def test_the_state_of_a_line(letter: str, revocation: str, status: CredentialStatus, text: str | None, doubts: int) -> None:
    found = read_line(3, line(letter, revocation=revocation))
    assert isinstance(found, IndexEntry)
    assert found.status is status
    assert text is None or found.status_text == text
    assert len(found.doubts) == doubts
    assert found.revoked_at == (REVOKED if revocation[:2] in ("26", "20") else None)


def test_fields_of_a_line() -> None:
    found = read_line(1, line(serial="0A1B", subject="/CN=a\\\tb/O=c") + "\r\n")
    assert isinstance(found, IndexEntry)
    assert (found.serial_hex, found.subject) == ("A1B", "/CN=a\tb/O=c")


@pytest.mark.parametrize("text", ["V\t1\t2", line(serial="xyz"), line(serial=""), line() + "\textra", "what"])
def test_a_line_that_names_no_certificate_is_refused(text: str) -> None:
    assert isinstance(read_line(1, text), IndexRefusal)


@pytest.mark.parametrize("text", ["", "  ", "# a comment", "\r"])
def test_empty_lines_and_comments_are_nothing(text: str) -> None:
    assert read_line(1, text) is None


@given(st.text(max_size=60) | st.lists(st.text(max_size=12), min_size=6, max_size=6).map("\t".join))
def test_any_line_is_read(text: str) -> None:
    assert isinstance(read_line(1, text), IndexEntry | IndexRefusal | None)


# -- whose index it is ---------------------------------------------------------------------------------------------------


def authorities(found: Snapshot) -> dict[str | None, tuple[bool, bool]]:
    return {r["name"]: (r["issuance_collected"], r["revocation_collected"]) for r in rows(found, "authority")}


def test_a_whole_folder(tmp_path: Path) -> None:
    root = Ca("Root")
    issuing = Ca("Issuing", root, serial=2)
    leaf, gone = issuing.issue("leaf", 0x1A), issuing.issue("gone", 0x1B)
    files: Files = {
        "ca.pem": pem(root.certificate),
        "issuing.pem": pem(issuing.certificate),
        "index.txt": line(serial="1A", subject="/CN=leaf")
        + "\n"
        + line("R", revocation="260501120000Z,superseded", serial="1B")
        + "\n",
        "index.txt.attr": "unique_subject = no\n",
        "newcerts/1A.pem": b"Certificate:\n    Data:\n" + pem(leaf),
        "newcerts/1B.pem": pem(gone),
        "crl.pem": pem(issuing.crl({0x1B: (REVOKED, ReasonFlags.superseded)})),
        "private/ca.key": "secret",
        "serial": "1C\n",
    }
    found = collect(SOURCE, folder_of(tmp_path, files))
    assert authorities(found) == {"CN=Root": (False, False), "CN=Issuing": (True, True)}
    assert {r["role"] for r in rows(found, "authority")} == {"operator"}
    issued = {r["serial_hex"]: r for r in rows(found, "issuance")}
    assert {r["issuer"] for r in issued.values()} == {"CN=Issuing"}
    assert (issued["1A"]["issued_at"], issued["1A"]["not_after"], issued["1A"]["subject"]) == (BEGIN, END, "/CN=leaf")
    assert all(r["sha256"] and r["issuer_sha256"] for r in issued.values())
    said = [(r["serial_hex"], r["authority"], r["status"], r["effective_at"]) for r in rows(found, "credential_status")]
    assert said == [
        ("1A", "ca-index", "valid", None),
        ("1B", "ca-index", "revoked", REVOKED),
        ("1B", "crl", "revoked", REVOKED),
    ]
    by_list = rows(found, "credential_status")[-1]
    assert by_list["sha256"] == issued["1B"]["sha256"]
    assert by_list["stated_at"] == found.manifest.speaks_as_of == datetime(2026, 10, 1, tzinfo=UTC)
    assert codes(found) == {"private-key-present": 1}
    assert len(rows(found, "certificate")) == 4
    assert all(r["verified"] for r in rows(found, "signature_edge"))


def test_the_signature_decides_between_two_keys_of_one_name(tmp_path: Path) -> None:
    """A CA that got a new key under its old name: entries without certificates may be of either."""
    old, new = Ca("CA"), Ca("CA")
    files: Files = {
        "cacert.pem": pem(new.certificate),
        "old.crt": pem(old.certificate),
        "index.txt": "\n".join(line(serial=s) for s in ("01", "02", "03")),
        "newcerts/01.pem": pem(old.issue("a", 1)),
        "newcerts/02.pem": pem(new.issue("b", 2)),
    }
    found = collect(SOURCE, folder_of(tmp_path, files))
    assert [r["issuance_collected"] for r in rows(found, "authority")] == [True, True]
    by_serial = {r["serial_hex"]: r for r in rows(found, "issuance")}
    digests = {r["sha256"]: r["origin"] for r in rows(found, "certificate")}
    assert digests[by_serial["1"]["issuer_sha256"]] == "old.crt"
    assert digests[by_serial["2"]["issuer_sha256"]] == "cacert.pem"
    assert (by_serial["3"]["issuer"], by_serial["3"]["issuer_sha256"]) == ("CN=CA", None)


def test_a_ca_of_version_1_says_nothing_of_being_one() -> None:
    facts = read(der(Ca("Old").certificate))._replace(is_ca=None)
    signers, file = Signers(), CaFile(Path("ca.crt"), "ca.crt", "", Role.LOOSE)
    signers.add(facts._replace(is_ca=False), file)
    assert not signers.in_folder("")
    signers.add(facts, file)
    assert [ca.name for ca in signers.in_folder("")] == ["CN=Old"]


def test_an_unrelated_ca_certificate_is_not_ours(tmp_path: Path) -> None:
    ours, theirs = Ca("Ours"), Ca("Theirs")
    files: Files = {
        "bundle.pem": pem(theirs.certificate) + pem(ours.certificate),
        "index.txt": line(serial="01"),
        "newcerts/01.pem": pem(ours.issue("a", 1)),
    }
    found = collect(SOURCE, folder_of(tmp_path, files))
    assert authorities(found) == {"CN=Ours": (True, False)}
    assert len(rows(found, "certificate")) == 3


def test_a_list_shows_whose_index_it_is(tmp_path: Path) -> None:
    ours, theirs = Ca("Ours"), Ca("Theirs")
    files: Files = {
        "a.crt": pem(theirs.certificate),
        "b.crt": pem(ours.certificate),
        "ca.crl": der(ours.crl({1: (REVOKED, None)})),
        "index.txt": line("R", revocation="260501120000Z"),
    }
    found = collect(SOURCE, folder_of(tmp_path, files))
    assert authorities(found) == {"CN=Ours": (True, True)}
    assert [r["issuer"] for r in rows(found, "issuance")] == ["CN=Ours"]


def test_the_only_ca_there_is_is_taken_and_told(tmp_path: Path) -> None:
    found = collect(SOURCE, folder_of(tmp_path, {"ca.crt": pem(Ca("CA").certificate), "index.txt": line(), "serial": "02"}))
    assert authorities(found) == {"CN=CA": (True, False)}
    assert any("only CA" in note for note in found.manifest.notes)


def test_between_several_cas_nobody_guesses(tmp_path: Path) -> None:
    files: Files = {"a.crt": pem(Ca("A").certificate), "b.crt": pem(Ca("B").certificate), "index.txt": line()}
    found = collect(SOURCE, folder_of(tmp_path, files))
    assert authorities(found) == {None: (True, False)}
    assert [(r["issuer"], r["issuer_sha256"]) for r in rows(found, "issuance")] == [(None, None)]
    assert codes(found) == {"issuer-undetermined": 1}


def test_a_ca_without_its_certificate_is_known_by_name(tmp_path: Path) -> None:
    files: Files = {"index.txt": line(), "newcerts/01.pem": pem(Ca("Away").issue("a", 1))}
    found = collect(SOURCE, folder_of(tmp_path, files))
    assert authorities(found) == {"CN=Away": (True, False)}
    assert [r["issuer"] for r in rows(found, "issuance")] == ["CN=Away"]


# -- what does not fit together -------------------------------------------------------------------------------------------


def test_files_and_lines_without_each_other_are_kept(tmp_path: Path) -> None:
    ca = Ca("CA")
    damaged = pem(ca.issue("cut", 2))[:300]
    files: Files = {
        "ca.crt": pem(ca.certificate),
        "index.txt": f"{line(serial='01')}\n{line(serial='02', subject='/CN=cut')}\n{line(serial='04')}\nrubbish\n",
        "newcerts/01.pem": pem(ca.issue("a", 1)),
        "newcerts/02.pem": damaged,
        "newcerts/03.pem": pem(ca.issue("unrecorded", 3)),
    }
    found = collect(SOURCE, folder_of(tmp_path, files))
    issued = {r["serial_hex"]: r["sha256"] for r in rows(found, "issuance")}
    assert issued.keys() == {"1", "2", "4"}
    assert [issued["2"], issued["4"]] == [None, None]
    assert {r["serial_hex"] for r in rows(found, "certificate")} == {"1", "3"}
    assert codes(found) == {"armour-damaged": 1, "index-line": 1}
    assert next(r["subject"] for r in rows(found, "issuance") if r["serial_hex"] == "2") == "/CN=cut"


def test_a_certificate_that_is_not_what_its_line_tells(tmp_path: Path) -> None:
    ca = Ca("CA")
    files: Files = {
        "ca.crt": pem(ca.certificate),
        "index.txt": line(end="280101000000Z"),
        "newcerts/01.pem": pem(ca.issue("a", 1)),
    }
    found = collect(SOURCE, folder_of(tmp_path, files))
    assert [r["sha256"] for r in rows(found, "issuance")] == [None]
    assert codes(found) == {"index-mismatch": 1}


def test_a_serial_that_stands_twice(tmp_path: Path) -> None:
    found = collect(SOURCE, folder_of(tmp_path, {"ca.crt": pem(Ca("CA").certificate), "index.txt": f"{line()}\n{line()}"}))
    assert len(rows(found, "issuance")) == 2
    assert codes(found) == {"duplicate-serial": 1}


def test_a_list_that_nobody_signed_says_nothing(tmp_path: Path) -> None:
    ca = Ca("CA")
    forged = Ca("CA").crl({1: (REVOKED, None)})
    files: Files = {
        "ca.crt": pem(ca.certificate),
        "index.txt": line(),
        "newcerts/01.pem": pem(ca.issue("a", 1)),
        "crl.pem": pem(forged),
    }
    found = collect(SOURCE, folder_of(tmp_path, files))
    assert [r["authority"] for r in rows(found, "credential_status")] == ["ca-index"]
    assert authorities(found) == {"CN=CA": (True, False)}
    assert codes(found) == {"crl-unverified": 1}


def test_a_hold_is_for_the_newest_list_to_say(tmp_path: Path) -> None:
    ca = Ca("CA")
    old = ca.crl({1: (REVOKED, ReasonFlags.certificate_hold), 2: (REVOKED, None)}, datetime(2026, 6, 1, tzinfo=UTC))
    new = ca.crl({3: (REVOKED, ReasonFlags.certificate_hold)}, datetime(2026, 7, 1, tzinfo=UTC))
    files: Files = {
        "ca.crt": pem(ca.certificate),
        "index.txt": line(),
        "old.crl": pem(old),
        "crl.pem": pem(new),
        "again.pem": pem(new),
    }
    found = collect(SOURCE, folder_of(tmp_path, files))
    said = {(r["serial_hex"], r["status"]) for r in rows(found, "credential_status") if r["authority"] == "crl"}
    assert said == {("2", "revoked"), ("3", "suspended")}
    assert codes(found) == {"superseded-crl": 1}


@pytest.mark.parametrize("data", [b"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----", b"\x00\x01\x02", b"hello"])
def test_files_that_hold_nothing_are_told(tmp_path: Path, data: bytes) -> None:
    files: Files = {"ca.crt": pem(Ca("CA").certificate), "index.txt": line(), "what.pem": data}
    assert sum(codes(collect(SOURCE, folder_of(tmp_path, files))).values()) == 1


def test_parameters_and_requests_are_no_surprise(tmp_path: Path) -> None:
    request = b"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----"
    files: Files = {
        "ca.crt": pem(Ca("CA").certificate),
        "index.txt": line(),
        "prime256v1.pem": b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----",
        "proxy-csr.pem": request,
        "reqs/a.req": request,
        "openssl.cnf": "[ca]",
        "empty.crt": b"",
    }
    assert codes(collect(SOURCE, folder_of(tmp_path, files))) == {}


def test_file_names_that_are_no_unicode(tmp_path: Path) -> None:
    ca = Ca("CA")
    folder = folder_of(tmp_path, {"ca.crt": pem(ca.certificate), "index.txt": line()})
    (folder / os.fsdecode(b"caf\xe9.pem")).write_bytes(pem(ca.issue("a", 1)))
    assert "caf\\xe9.pem" in {r["origin"] for r in rows(collect(SOURCE, folder), "certificate")}


# -- layouts --------------------------------------------------------------------------------------------------------


def test_easy_rsa_and_a_ca_below_another(tmp_path: Path) -> None:
    root = Ca("Root")
    sub = Ca("Sub", root, serial=2)
    files: Files = {
        "pki/ca.crt": pem(root.certificate),
        "pki/index.txt": line(end="400101000000Z", serial="02", subject="/CN=Sub"),
        "pki/issued/sub.crt": pem(sub.certificate),
        "pki/certs_by_serial/02.pem": pem(sub.certificate),
        "pki/reqs/sub.req": "",
        "pki/sub/index.txt": line(serial="05"),
        "pki/sub/newcerts/05.pem": pem(sub.issue("a", 5)),
    }
    found = collect(SOURCE, folder_of(tmp_path, files))
    assert authorities(found) == {"CN=Root": (True, False), "CN=Sub": (True, False)}
    assert {r["serial_hex"]: r["issuer"] for r in rows(found, "issuance")} == {"2": "CN=Root", "5": "CN=Sub"}
    assert len(rows(found, "certificate")) == 4  # the sub-CA's certificate stands at two origins
    assert codes(found) == {}


def test_recognising_a_folder(tmp_path: Path) -> None:
    assert SOURCE.recognise(place_of(folder_of(tmp_path / "a", {"index.txt": line(), "newcerts/01.pem": "x"}))) is not None
    assert SOURCE.recognise(place_of(folder_of(tmp_path / "b", {"index.txt": "a book", "chapter.txt": "x"}))) is None
    assert SOURCE.recognise(place_of(folder_of(tmp_path / "c", {"ca.crt": "x"}))) is None


def test_a_folder_without_an_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"index\.txt"):
        collect(SOURCE, tmp_path)


# -- hostile input ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole_folder() -> dict[str, bytes]:
    ca = Ca("CA")
    return {
        "ca.crt": pem(ca.certificate),
        "index.txt": "\n".join((line(serial="01"), line("R", revocation="260501120000Z,superseded", serial="02"))).encode(),
        "newcerts/01.pem": pem(ca.issue("a", 1)),
        "crl.pem": pem(ca.crl({2: (REVOKED, ReasonFlags.superseded)})),
        "crl.der.crl": der(ca.crl({2: (REVOKED, None)}, datetime(2026, 9, 1, tzinfo=UTC))),
    }


@settings(max_examples=80, deadline=None)
@given(st.data(), st.randoms(use_true_random=False))
def test_changed_and_cut_files_become_rows_or_problems(
    whole_folder: dict[str, bytes], data: st.DataObject, chance: random.Random
) -> None:
    files = dict(whole_folder)
    name = data.draw(st.sampled_from(sorted(files)))
    changed = bytearray(files[name])
    for _ in range(chance.randrange(6)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    if chance.random() < 0.5:
        del changed[chance.randrange(len(changed)) :]
    files[name] = bytes(changed)
    with tempfile.TemporaryDirectory() as folder:
        found = collect(SOURCE, folder_of(Path(folder), files))
        assert found.manifest.rows.get("issuance", 0) + found.manifest.rows.get("problem", 0) or not changed.strip()


# -- real folders ---------------------------------------------------------------------------------------------------------


def test_the_sample_fleet(corpus: Path) -> None:
    folder = corpus / "fleet-sample" / "ca"
    assert SOURCE.recognise(place_of(folder)) is not None
    found = collect(SOURCE, folder)
    assert found.manifest.rows == {
        "authority": 2, "certificate": 190, "credential_status": 207, "issuance": 188, "problem": 2, "signature_edge": 190,
    }  # fmt: skip
    # One file in newcerts is cut, one certificate says it is of version 5; the index tells of both.
    assert codes(found) == {"armour-damaged": 1, "der-refused": 1}
    without = [r["serial_hex"] for r in rows(found, "issuance") if r["sha256"] is None]
    assert without == ["C5BC6955642D1AA069EAC39E77C2DD"]
    recorded = {r["serial_hex"] for r in rows(found, "issuance")}
    unrecorded = {r["serial_hex"] for r in rows(found, "certificate") if r["origin"].startswith("newcerts/")} - recorded
    assert unrecorded == {"40D5E97222A6909E1CE0D5A9B1D0BD"}
    assert authorities(found) == {
        "CN=Nordwerk Device Issuing CA G2,OU=OT PKI,O=Nordwerk Industries,C=SE": (True, True),
        "CN=Nordwerk Device Root G2,O=Nordwerk Industries,C=SE": (False, False),
    }
    assert found.manifest.speaks_as_of == datetime(2026, 10, 31, 20, 29, 35, tzinfo=UTC)


@pytest.mark.parametrize(
    ("folder", "counts"),
    [
        ("estCA", (2, 9, 4454, 4451, 0)),
        ("extCA", (1, 3, 5, 5, 0)),
        ("masaCA", (1, 3, 1, 1, 0)),
        ("masaCA.altid", (1, 1, 0, 0, 0)),
        ("mfgCAs/TestMfgCA0", (2, 5, 2, 2, 0)),
        ("mfgCAs/TestMfgCA1", (2, 5, 2, 2, 0)),
        ("mfgCAs/TestMfgCA2", (2, 5, 2, 2, 0)),
        ("mfgCAs/TestMfgCA3", (2, 5, 2, 2, 0)),
        ("mfgCAs/TestMfgCA4", (2, 5, 2, 2, 0)),
        ("mfgCAs/sudiCA", (11, 27, 13, 13, 0)),
        ("", (26, 158, 4483, 4480, 0)),
    ],
)
def test_the_folders_of_libest(corpus: Path, folder: str, counts: tuple[int, ...]) -> None:
    """Their CAs were made anew under old names: which key signed an entry is often no longer to be told."""
    found = collect(SOURCE, corpus / "openssl-ca-libest" / folder)
    tables = ("authority", "certificate", "credential_status", "issuance", "problem")
    assert tuple(found.manifest.rows.get(table, 0) for table in tables) == counts
