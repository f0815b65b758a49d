"""The source ``certificates``: trees, links, names that promise too much, binaries, big files, and the corpora by number."""

from __future__ import annotations

import hashlib
import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from cryptography.x509 import ReasonFlags

from tenure.errors import SourceError
from tenure.evidence.collection import CollectContext
from tenure.evidence.digests import SecretDigest
from tenure.evidence.parallel import WorkerDiedError, Workers
from tenure.evidence.snapshot import Snapshot, SnapshotDraft
from tenure.model.declarations import Declarations, SourceDeclaration
from tenure.sources import _certificate_tree, certificates
from tenure.sources._certificate_files import Task, read_portion
from tenure.sources._certificate_tree import Piece, Portion, portions
from tenure.sources.certificates import SOURCE
from tests.closed import closed
from tests.pki import made
from tests.pki.made import pem
from tests.sources import issuers
from tests.sources.collected import codes, collect, place_of, rows
from tests.sources.issuers import Ca, der

REVOKED = datetime(2026, 5, 1, 12, tzinfo=UTC)
CRL = Ca("Plant CA").crl({7: (REVOKED, None)})
ONE, TWO = made.der(made.ordinary("one")), made.der(made.ordinary("two"))


def origins(snapshot: Snapshot) -> list[str]:
    return [row["origin"] for row in rows(snapshot, "certificate")]


def told(snapshot: Snapshot) -> set[tuple[str, str]]:
    return {(row["file"], row["code"]) for row in rows(snapshot, "problem")}


def write(folder: Path, **files: bytes) -> Path:
    for name, data in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def test_a_tree_in_the_order_of_its_names(tmp_path: Path) -> None:
    write(tmp_path, b_pem=pem(ONE), a__z_der=TWO, a__b__c_crt=pem(ONE) + pem(TWO), notes_txt=b"nothing here")
    snapshot = collect(SOURCE, tmp_path)
    assert origins(snapshot) == ["a/b/c.crt#1", "a/b/c.crt#2", "a/z.der", "b.pem"]
    assert rows(snapshot, "problem") == []
    assert snapshot.manifest.notes == ("1 files of other kinds hold no certificate",)
    assert {(e["verified"]) for e in rows(snapshot, "signature_edge")} <= {True, False}


def test_a_file_alone_and_a_path_that_is_not_there(tmp_path: Path) -> None:
    write(tmp_path, one_pem=pem(ONE))
    assert origins(collect(SOURCE, tmp_path / "one.pem")) == ["one.pem"]
    (tmp_path / "one.pem").rename(tmp_path / "moved.pem")
    gone = replace(place_of(tmp_path / "moved.pem"), path=tmp_path / "one.pem")
    context = CollectContext(Declarations(), SourceDeclaration(path="."), SecretDigest(b"k" * 32), tmp_path)
    with SnapshotDraft(tmp_path / "store", SOURCE.kind, SOURCE.version, ".") as draft, pytest.raises(SourceError):
        SOURCE.collect(gone, context, draft)


def test_names_that_promise_certificates(tmp_path: Path) -> None:
    key = b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"
    request = pem(b"\x30\x00", "CERTIFICATE REQUEST")
    write(
        tmp_path, empty_crt=b"", text_cer=b"see the wiki", request_pem=request, request_crt=request, key_pem=key,
        other_der=b"\x30\x03\x02\x01\x05", json_json=b'{"pem": "-----BEGIN CERTIFICATE-----"}', plain_txt=request,
    )  # fmt: skip
    snapshot = collect(SOURCE, tmp_path)
    assert told(snapshot) == {
        ("empty.crt", "no-certificate"), ("text.cer", "no-certificate"), ("request.crt", "no-certificate"),
        ("other.der", "no-certificate"), ("json.json", "armour-damaged"), ("key.pem", "private-key-present"),
    }  # fmt: skip
    assert snapshot.manifest.notes == ("2 files of other kinds hold no certificate",)


def test_revocation_lists_are_taken_as_they_lie(tmp_path: Path) -> None:
    """In PEM, in DER, among certificates; the same one at three places is one, and a stranger's is none the less."""
    ca = Ca("Plant CA")
    crl = ca.crl({7: (REVOKED, None), 8: (REVOKED, ReasonFlags.certificate_hold), 9: (REVOKED, ReasonFlags.remove_from_crl)})
    other = Ca("Other CA").crl({})
    write(tmp_path, a_pem=pem(der(crl), "X509 CRL"), b_crl=der(crl), c_crt=pem(ONE) + issuers.pem(crl) + issuers.pem(other))
    snapshot = collect(SOURCE, tmp_path)
    assert origins(snapshot) == ["c.crt"]
    lists = [(row["origin"], row["sha256"], row["issuer"], row["entries"]) for row in rows(snapshot, "revocation_list")]
    one, two = hashlib.sha256(der(crl)).digest(), hashlib.sha256(der(other)).digest()
    assert lists == [
        ("a.pem", one, "CN=Plant CA", 3), ("b.crl", one, "CN=Plant CA", 3), ("c.crt#2", one, "CN=Plant CA", 3),
        ("c.crt#3", two, "CN=Other CA", 0),
    ]  # fmt: skip
    said = [(row["serial_hex"], row["status"], row["status_text"], row["origin"]) for row in rows(snapshot, "revocation")]
    assert said == [
        ("7", "revoked", "revoked", "a.pem#1"), ("8", "suspended", "certificateHold", "a.pem#2"),
        ("9", "valid", "removeFromCRL", "a.pem#3"),
    ]  # fmt: skip
    assert rows(snapshot, "credential_status") == [], "whose a list is, linking decides"
    assert snapshot.manifest.speaks_as_of == crl.last_update_utc
    assert told(snapshot) == set()


def test_what_promises_a_revocation_list_and_is_none(tmp_path: Path) -> None:
    crl = der(CRL)
    armoured = pem(crl, "X509 CRL")
    write(
        tmp_path, empty_crl=b"", cut_crl=crl[:60], wiki_crl=b"see the wiki", torn_pem=armoured[:-30],
        none_pem=pem(b"\x30\x03\x02\x01\x05", "X509 CRL"), certificate_crl=ONE,
    )  # fmt: skip
    snapshot = collect(SOURCE, tmp_path)
    assert told(snapshot) == {
        ("empty.crl", "no-crl"), ("cut.crl", "no-crl"), ("wiki.crl", "no-crl"), ("torn.pem", "armour-damaged"),
        ("none.pem", "no-crl"),
    }  # fmt: skip
    assert origins(snapshot) == ["certificate.crl"]
    assert rows(snapshot, "revocation_list") == []


def test_a_list_in_the_middle_of_a_big_bundle_keeps_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_certificate_tree, "PORTION_BYTES", 1000)
    write(tmp_path, bundle_pem=pem(ONE) * 5 + issuers.pem(CRL) + pem(TWO) * 5)
    snapshot = collect(SOURCE, tmp_path)
    assert {row["origin"] for row in rows(snapshot, "revocation_list")} == {"bundle.pem#6"}
    assert [row["origin"] for row in rows(snapshot, "revocation")] == ["bundle.pem#6/1"]


def test_certificates_are_carved_out_of_binaries(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(70_000)
    image = b"\x7fELF" + bytes(8) + noise + ONE + noise + pem(TWO) + noise
    write(tmp_path, firmware_bin=image, picture_png=b"\x89PNG\0" + noise)
    snapshot = collect(SOURCE, tmp_path)
    assert origins(snapshot) == [f"firmware.bin#0x{image.index(ONE):x}", f"firmware.bin#0x{image.index(b'-----BEGIN'):x}"]
    assert rows(snapshot, "problem") == []


def test_key_stores_open_with_the_passwords_given(tmp_path: Path) -> None:
    certificate = made.ordinary("one")
    data = pkcs12.serialize_key_and_certificates(b"x", made.ec_key(1), certificate, None, BestAvailableEncryption(b"secret"))
    write(tmp_path, device_p12=data)
    assert told(collect(SOURCE, tmp_path)) == {("device.p12", "pkcs12-locked")}
    opened = collect(SOURCE, tmp_path, passwords=(b"secret",))
    assert origins(opened) == ["device.p12"]
    assert told(opened) == {("device.p12", "private-key-present")}


def test_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = write(tmp_path / "outside", secret_pem=pem(ONE), store__root_crt=pem(TWO))
    tree = write(tmp_path / "tree", a_pem=pem(ONE), sub__b_pem=pem(TWO))
    (tree / "same.0").symlink_to("a.pem")
    (tree / "deep.pem").symlink_to("sub/b.pem")
    (tree / "round").symlink_to(tree)
    (tree / "self.pem").symlink_to("self.pem")
    (tree / "broken.pem").symlink_to("nowhere.pem")
    (tree / "secret.pem").symlink_to(outside / "secret.pem")
    (tree / "folder").symlink_to(outside)
    (tree / "root.pem").symlink_to(outside / "store" / "root.crt")
    (tree / "hash.0").symlink_to("root.pem")
    os.mkfifo(tree / "pipe.pem")
    monkeypatch.setattr(_certificate_tree, "SYSTEM_STORES", (f"{(outside / 'store').resolve()}/",))
    snapshot = collect(SOURCE, tree)
    assert origins(snapshot) == ["a.pem", "root.pem", "sub/b.pem"]
    assert told(snapshot) == {
        ("broken.pem", "link-broken"), ("secret.pem", "link-not-followed"), ("folder", "link-not-followed"),
        ("round", "link-not-followed"), ("pipe.pem", "not-a-file"), ("self.pem", "link-broken"),
    }  # fmt: skip


def test_what_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = read_portion(Task(Portion([Piece(str(tmp_path / "gone.pem"), "gone.pem", 10)]), (), tmp_path))
    assert [(row[0], row[3]) for row in outcome.batch.problems] == [("gone.pem", "unreadable")]
    write(tmp_path, a__x_pem=pem(ONE))
    monkeypatch.setattr(os, "scandir", lambda path: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    assert [t.code for p in portions(tmp_path, "x") for t in p.troubles] == ["unreadable"]


def test_what_cannot_be_read_makes_the_snapshot_partial(tmp_path: Path) -> None:
    write(tmp_path, a_pem=pem(ONE), b_pem=pem(TWO), closed__c_pem=pem(TWO))
    with closed(tmp_path / "b.pem", tmp_path / "closed"):
        snapshot = collect(SOURCE, tmp_path)
    assert origins(snapshot) == ["a.pem"]
    assert told(snapshot) == {("b.pem", "unreadable"), ("closed", "unreadable")}
    assert snapshot.manifest.partial_reason == "b.pem: the file cannot be read: Permission denied"


def test_a_link_to_nothing_leaves_nothing_out(tmp_path: Path) -> None:
    """Copies of a device's files are full of them."""
    write(tmp_path, a_pem=pem(ONE))
    (tmp_path / "b.pem").symlink_to("nowhere")
    snapshot = collect(SOURCE, tmp_path)
    assert told(snapshot) == {("b.pem", "link-broken")}
    assert not snapshot.manifest.partial


def test_a_file_that_grew_since_it_was_listed_is_read_to_its_end(tmp_path: Path) -> None:
    write(tmp_path, a_pem=pem(ONE) + pem(TWO))
    outcome = read_portion(Task(Portion([Piece(str(tmp_path / "a.pem"), "a.pem", 100)]), (), tmp_path))
    assert sum(batch.num_rows for batch in outcome.batch.batches()) == 2


def test_one_file_that_breaks_a_reader_does_not_end_the_collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tenure.sources import _certificate_files

    def broken(data: bytes, passwords: object) -> object:
        raise RecursionError("too deep")

    write(tmp_path, a_txt=b"text", b_bin=b"\0" + ONE)
    monkeypatch.setattr(_certificate_files, "certificates_in", broken)
    snapshot = collect(SOURCE, tmp_path)
    assert (origins(snapshot), told(snapshot)) == (["b.bin"], {("a.txt", "reading-failed")})


def test_our_own_store_beside_the_exports_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, a_pem=pem(ONE))
    (tmp_path / ".tenure").mkdir()
    (tmp_path / ".tenure" / "x.pem").write_bytes(pem(TWO))
    assert origins(collect(SOURCE, tmp_path)) == ["a.pem"]


def test_a_file_name_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"ger\xe4t.pem")).write_bytes(pem(ONE))
    assert origins(collect(SOURCE, tmp_path)) == ["ger\\xe4t.pem"]


def test_a_big_bundle_is_read_in_parts_and_its_blocks_keep_their_numbers(tmp_path: Path) -> None:
    count = 3 * _certificate_tree.PORTION_BYTES // len(pem(ONE))
    broken = pem(TWO).replace(b"M", b"!", 1)
    write(tmp_path, bundle_pem=b"# words\n" + pem(ONE) * count + broken + pem(TWO))
    parts = [p for portion in portions(tmp_path, "x") for p in portion.pieces]
    assert len(parts) > 2
    snapshot = collect(SOURCE, tmp_path)
    assert origins(snapshot) == [f"bundle.pem#{n}" for n in [*range(1, count + 1), count + 2]]
    assert [(p["place"], p["code"]) for p in rows(snapshot, "problem")] == [(str(count + 1), "armour-damaged")]


def test_the_content_id_depends_on_the_tree_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_certificate_tree, "PORTION_FILES", 3)
    for number in range(60):
        der = made.der(made.ordinary(f"d{number}", serial=number + 1))
        write(tmp_path, **{f"f{number}_pem": pem(der), f"g{number}_pem": pem(der)[:-40], f"h{number}_txt": b"x"})
    ids = set()
    for processes in (1, 2, 2):
        monkeypatch.setattr(certificates, "Workers", lambda processes=processes: Workers(processes))
        snapshot = collect(SOURCE, tmp_path)
        ids.add(snapshot.manifest.content_id)
        assert snapshot.manifest.rows["certificate"] == 60
        assert codes(snapshot) == {"armour-damaged": 60}
    assert len(ids) == 1


def test_a_process_that_dies_makes_the_snapshot_partial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Dying(Workers):
        def map(self, function: object, tasks: object) -> Iterator[Any]:
            raise WorkerDiedError("a reading process died")

    write(tmp_path, a_pem=pem(ONE))
    monkeypatch.setattr(certificates, "Workers", Dying)
    snapshot = collect(SOURCE, tmp_path)
    assert snapshot.manifest.partial
    assert codes(snapshot) == {"process-died": 1}


def test_recognition(tmp_path: Path) -> None:
    write(
        tmp_path, certs__a_pem=pem(ONE), a_der=ONE, b_txt=pem(ONE) + pem(TWO), c_p12=b"\x30\x80", d_csv=b"a,b\n1,2\n",
        e_bin=b"\x7fELF" + bytes(9), f_json=b"{}", g_gz=b"\x1f\x8b\0\0", h_fw=b"x\0y",
        i_txt=issuers.pem(CRL), j_lst=der(CRL)[:90], k_crl=b"",
    )  # fmt: skip

    def sureness(name: str) -> int | None:
        found = SOURCE.recognise(place_of(tmp_path / name))
        return None if found is None else found.sureness

    assert {p.name: sureness(p.name) for p in sorted(tmp_path.iterdir())} == {
        "certs": 15, "a.der": 40, "b.txt": 30, "c.p12": 20, "d.csv": None, "e.bin": 10, "f.json": None, "g.gz": None, "h.fw": 10,
        "i.txt": 30, "j.lst": 30, "k.crl": 20,
    }  # fmt: skip


EXPECTED: dict[str, tuple[dict[str, int], dict[str, int], dict[bool, int]]] = {
    "zlint-certificates": (
        {"full": 1076, "partial": 248},
        {"field-raised": 481, "der-refused": 28, "der-malformed": 45, "signature-not-checked": 2},
        {True: 98, False: 27_227},
    ),
    "x509-limbo": ({"full": 410, "partial": 11}, {"field-raised": 11}, {True: 411, False: 499}),
    "tpm-vendor-cas": ({"full": 44, "partial": 7}, {"der-refused": 7}, {True: 41}),
    "matter-paa": ({"full": 11}, {}, {True: 11}),
    "openssl-ca-libest": ({"full": 158}, {}, {True: 72, False: 16}),
    "fleet-sample": ({"full": 404, "partial": 1}, {"armour-damaged": 2, "der-refused": 1}, {True: 377}),
    "attestation": ({"full": 94, "partial": 1}, {"field-raised": 1}, {True: 71}),
    "aws-iot-cli": ({}, {"no-certificate": 1}, {}),
    "log-excerpts": ({}, {}, {}),
    "zeek-logs": ({}, {}, {}),
    "netbox-demo": ({}, {}, {}),
}
"""Certificates by reader, problems by code, signatures checked by verdict."""


@pytest.mark.parametrize("folder", EXPECTED)
def test_the_corpora_by_number(corpus: Path, folder: str) -> None:
    """Surprising numbers are explained in docs/sources/certificates.md."""
    snapshot = collect(SOURCE, corpus / folder)
    readers = Counter(row["reader"] for row in rows(snapshot, "certificate"))
    verdicts = Counter(row["verified"] for row in rows(snapshot, "signature_edge"))
    assert (dict(readers), codes(snapshot), dict(verdicts)) == EXPECTED[folder]


def test_names_the_library_raises_on_are_read(corpus: Path) -> None:
    """The library loads 167 certificates of this folder and then raises on their subject; each subject is in the evidence."""
    snapshot = collect(SOURCE, corpus / "zlint-certificates")
    raised = [p for p in rows(snapshot, "problem") if p["code"] == "field-raised" and p["place"].split()[-1] == "subject"]
    read = {row["sha256"]: row["subject"] for row in rows(snapshot, "certificate")}
    assert len(raised) == 167
    assert all(read[problem["sha256"]] is not None for problem in raised)


def test_the_certificates_of_this_machine() -> None:
    system = Path("/etc/ssl/certs")
    if not system.is_dir():
        pytest.skip("this machine keeps no certificates in /etc/ssl/certs")
    snapshot = collect(SOURCE, system)
    read = rows(snapshot, "certificate")
    bundle = {row["sha256"] for row in read if row["origin"].startswith("ca-certificates.crt#")}
    linked = {row["sha256"] for row in read if not row["origin"].startswith("ca-certificates.crt#")}
    assert len(bundle) > 100
    assert bundle <= linked, "each certificate of the bundle has a link of its own that was followed"
    assert codes(snapshot) == {}
    assert all(row["reader"] == "full" for row in read)
