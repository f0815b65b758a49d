"""Certificates in a snapshot: a row once for each origin, a problem for what is no certificate, and who signed whom."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from tenure.evidence import certificate_index
from tenure.evidence.certificate_intake import CertificateIntake
from tenure.evidence.certificates import CertificateRecorder
from tenure.evidence.parallel import WorkerDiedError, Workers
from tenure.evidence.snapshot import Snapshot, SnapshotDraft
from tests.pki import made
from tests.pki.made import Odd, element, integer, pem

COLLECTED_AT = made.BEGIN


@pytest.fixture
def draft(tmp_path: Path) -> Iterator[SnapshotDraft]:
    with SnapshotDraft(tmp_path, "certificates", 1, "test") as draft:
        yield draft


def table(snapshot: Snapshot, name: str) -> list[dict[str, Any]]:
    return list(snapshot.rows(name))


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def edges(snapshot: Snapshot) -> set[tuple[bytes, bytes, bool]]:
    return {(e["sha256"], e["issuer_sha256"], e["verified"]) for e in table(snapshot, "signature_edge")}


def test_a_certificate_is_one_row_for_each_origin(draft: SnapshotDraft) -> None:
    der = made.der(made.ordinary())
    recorder = CertificateRecorder(draft)
    assert [recorder.add(der, o) for o in ("a.pem", "a.pem", "b.json#1", "b.json#2", "b.json#1")] == [sha256(der)] * 5
    rows = table(draft.finish(COLLECTED_AT), "certificate")
    assert [r["origin"] for r in rows] == ["a.pem", "b.json#1", "b.json#2"]
    assert {r["der"] for r in rows} == {der}
    assert rows[0]["subject_cn"] == "device-1"


def test_problems_name_file_place_and_field(draft: SnapshotDraft) -> None:
    refused = Odd(version=element(0xA0, integer(3))).der()
    recorder = CertificateRecorder(draft)
    recorder.add(refused, "folder/x.json#entry 7")
    assert recorder.add(b"no certificate", "y.pem") == sha256(b"no certificate")
    snapshot = draft.finish(COLLECTED_AT)
    assert [r["reader"] for r in table(snapshot, "certificate")] == ["partial"]
    told = [(p["file"], p["place"], p["code"], p["sha256"]) for p in table(snapshot, "problem")]
    assert told == [
        ("folder/x.json", "entry 7 der", "der-refused", sha256(refused)),
        ("y.pem", "", "no-certificate", sha256(b"no certificate")),
    ]


def test_places_in_containers(draft: SnapshotDraft) -> None:
    one, two = (made.der(made.ordinary(f"d{i}")) for i in range(2))
    recorder = CertificateRecorder(draft)
    nested = pkcs7.serialize_certificates([made.ordinary("d0"), made.ordinary("d1")], Encoding.PEM)
    assert recorder.add_container(pem(one), "one.pem") == [sha256(one)]
    assert recorder.add_container(pem(one) + b"-----BEGIN CERTIFICATE-----\n" + pem(two), "two.pem") == [sha256(one), sha256(two)]
    recorder.add_container(pem(one) + pem(two), "x.json#entry")
    recorder.add_container(nested, "n.p7b")
    snapshot = draft.finish(COLLECTED_AT)
    origins = [r["origin"] for r in table(snapshot, "certificate")]
    assert origins == ["one.pem", "two.pem#1", "two.pem#3", "x.json#entry/1", "x.json#entry/2", "n.p7b#1/1", "n.p7b#1/2"]
    assert [(p["file"], p["place"], p["code"]) for p in table(snapshot, "problem")] == [("two.pem", "2", "armour-damaged")]


def ca(name: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, issuer: str, serial: int = 1) -> bytes:
    return made.der(made.ordinary(name, issuer=issuer, key=key, ca=signer, is_ca=True, serial=serial))


def test_who_signed_whom_whatever_the_order(draft: SnapshotDraft) -> None:
    root_key, sub_key = made.ec_key(10), made.ec_key(11)
    root, sub = ca("Root", root_key, root_key, "Root"), ca("Sub", sub_key, root_key, "Root")
    leaf = made.der(made.ordinary("leaf", issuer="Sub", ca=sub_key))
    stranger = made.der(made.ordinary("other", issuer="Elsewhere"))
    recorder = CertificateRecorder(draft)
    for number, der in enumerate((leaf, stranger, root, leaf, sub)):
        recorder.add(der, f"{number}.pem")
    recorder.verify_edges()
    snapshot = draft.finish(COLLECTED_AT)
    expected = {(leaf, sub), (sub, root), (root, root)}
    assert edges(snapshot) == {(sha256(a), sha256(b), True) for a, b in expected}
    assert len(table(snapshot, "signature_edge")) == 3, "the leaf that was added twice is checked once"
    assert {e["issuer_spki_sha256"] for e in table(snapshot, "signature_edge")} == {
        sha256(made.spki(k)) for k in (root_key, sub_key)
    }


def unmarked(
    subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, serial: int = 1
) -> bytes:
    """A certificate without key identifiers: only names lead to its issuer."""
    builder = x509.CertificateBuilder(made.common(issuer), made.common(subject), key.public_key(), serial, made.BEGIN, made.END)
    return made.der(builder.sign(signer, hashes.SHA256()))


def test_a_name_is_only_a_claim(draft: SnapshotDraft) -> None:
    """Two CAs of one name: the signature says whose it is, and the other is refuted where it was tried."""
    old, new = made.ec_key(20), made.ec_key(21)
    old_ca, new_ca = (unmarked("CA", "CA", key, key, serial) for serial, key in enumerate((old, new), 1))
    leaf = unmarked("leaf", "CA", made.ec_key(22), old)
    forged = unmarked("forged", "CA", made.ec_key(23), made.ec_key(24))
    recorder = CertificateRecorder(draft)
    for number, der in enumerate((old_ca, new_ca, leaf, forged)):
        recorder.add(der, f"{number}.pem")
    recorder.verify_edges()
    found = edges(draft.finish(COLLECTED_AT))
    assert (sha256(leaf), sha256(old_ca), True) in found
    assert (sha256(leaf), sha256(new_ca), True) not in found
    assert {(sha256(forged), sha256(c), False) for c in (old_ca, new_ca)} <= found
    assert {(sha256(c), sha256(c), True) for c in (old_ca, new_ca)} <= found


def test_every_certificate_of_the_key_that_signed_is_an_issuer(draft: SnapshotDraft) -> None:
    key, root = made.ec_key(30), made.ec_key(31)
    renewed = [ca("CA", key, root, "Root", serial) for serial in (1, 2)]
    leaf = made.der(made.ordinary("leaf", issuer="CA", ca=key))
    recorder = CertificateRecorder(draft)
    for number, der in enumerate((*renewed, leaf)):
        recorder.add(der, f"{number}.pem")
    recorder.verify_edges()
    assert edges(draft.finish(COLLECTED_AT)) == {(sha256(leaf), sha256(c), True) for c in renewed}


def test_a_name_written_otherwise_is_found_by_the_key_identifier(draft: SnapshotDraft) -> None:
    key = made.ec_key(40)
    authority = ca("CA", key, key, "CA")
    printable = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA", x509.name._ASN1Type.PrintableString)])
    builder = x509.CertificateBuilder(printable, made.common("leaf"), made.ec_key(41).public_key(), 5, made.BEGIN, made.END)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    leaf = made.der(builder.add_extension(identifier, False).sign(key, hashes.SHA256()))
    recorder = CertificateRecorder(draft)
    recorder.add(authority, "ca.pem")
    recorder.add(leaf, "leaf.pem")
    recorder.verify_edges()
    assert (sha256(leaf), sha256(authority), True) in edges(draft.finish(COLLECTED_AT))


def test_too_many_possible_issuers_are_told(draft: SnapshotDraft, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate_index, "LEAST_CANDIDATES", 4)
    monkeypatch.setattr(certificate_index, "TRIES", 40)
    recorder = CertificateRecorder(draft)
    authorities = [unmarked("CA", "Nobody", made.ec_key(50 + number), made.ec_key(), number + 1) for number in range(10)]
    for number, authority in enumerate(authorities):
        recorder.add(authority, f"{number}.pem")
    leaf = unmarked("leaf", "CA", made.ec_key(60), made.ec_key(61))
    recorder.add(leaf, "leaves.pem#7")
    recorder.verify_edges()
    snapshot = draft.finish(COLLECTED_AT)
    assert {e["issuer_sha256"] for e in table(snapshot, "signature_edge")} == {sha256(der) for der in authorities[-4:]}
    (told,) = table(snapshot, "problem")
    assert (told["code"], told["file"], told["place"], told["sha256"]) == ("too-many-issuers", "leaves.pem", "7", sha256(leaf))


@pytest.mark.parametrize("batched", [False, True])
def test_a_signature_that_cannot_be_checked_is_told_with_its_place(draft: SnapshotDraft, tmp_path: Path, batched: bool) -> None:
    numbers = made.rsa_key().public_key().public_numbers()
    bad = made.sequence(
        made.sequence(made.oid("1.2.840.113549.1.1.1"), b"\x05\0"),
        element(0x03, b"\0", made.sequence(integer(numbers.n), integer(4))),
    )
    authority = Odd(subject=Odd().issuer, spki=bad).der()
    leaf = Odd().der()
    recorder = CertificateRecorder(draft)
    laid = [(made.der(made.ordinary()), "other.pem"), (authority, "a\nfolder/ca.pem"), (leaf, "leaves.pem#2"), (leaf, "copy.pem")]
    if batched:
        intake = CertificateIntake()
        for der, origin in laid:
            intake.add(der, origin)
        recorder.add_batch(intake.batch(tmp_path))
    else:
        for der, origin in laid:
            recorder.add(der, origin)
    recorder.verify_edges()
    snapshot = draft.finish(COLLECTED_AT)
    assert edges(snapshot) == set()
    told = {(p["file"], p["place"], p["sha256"]) for p in table(snapshot, "problem") if p["code"] == "signature-not-checked"}
    assert told == {("a\nfolder/ca.pem", "", sha256(authority)), ("leaves.pem", "2", sha256(leaf))}


def test_a_batch_is_the_same_as_rows_and_processes_the_same_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate_index, "PORTION", 2)
    key = made.ec_key(70)
    ders = [ca("CA", key, key, "CA"), *(made.der(made.ordinary(f"d{i}", issuer="CA", ca=key, serial=i + 1)) for i in range(30))]
    ders += [Odd().der(), Odd(version=element(0xA0, integer(3))).der(), Odd(subject=made.sequence(element(0x31))).der()]

    def collected(way: str) -> tuple[Snapshot, list[dict[str, Any]]]:
        with SnapshotDraft(tmp_path / way, "certificates", 1, "test") as draft:
            recorder, intake = CertificateRecorder(draft), CertificateIntake()
            for number, der in enumerate(ders):
                (recorder if way == "rows" else intake).add(der, f"{number}.pem")
            with Workers(2 if way == "processes" else 1) as workers:
                recorder.add_batch(intake.batch(tmp_path))
                recorder.verify_edges(workers)
            snapshot = draft.finish(COLLECTED_AT)
            return snapshot, table(snapshot, "certificate") + table(snapshot, "signature_edge") + table(snapshot, "problem")

    one, others = collected("rows"), [collected("batch"), collected("processes")]
    assert len(edges(one[0])) == 31
    for other in others:
        assert other[1] == one[1]
        assert other[0].manifest.content_id == one[0].manifest.content_id


def test_a_process_that_dies_over_signatures_makes_the_snapshot_partial(draft: SnapshotDraft) -> None:
    class Dying(Workers):
        def map(self, function: object, tasks: object) -> Iterator[Any]:
            raise WorkerDiedError("a reading process died")

    recorder = CertificateRecorder(draft)
    recorder.add(made.der(made.ordinary()), "a.pem")
    recorder.verify_edges(Dying(2))
    snapshot = draft.finish(COLLECTED_AT)
    assert snapshot.manifest.partial
    assert [p["code"] for p in table(snapshot, "problem")] == ["process-died"]


def test_little_is_remembered_of_each(draft: SnapshotDraft) -> None:
    recorder = CertificateRecorder(draft)
    for number in range(20):
        recorder.add(made.der(made.ordinary(serial=number + 1)), f"{number}.pem")
    index = recorder._index
    assert sum(column.itemsize for column in (index._ends, *index._marks)) == 48
    assert len(index) == 20
