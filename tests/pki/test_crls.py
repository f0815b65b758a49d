"""Revocation lists: everything in them, agreement with the library, big ones, broken ones, and who signed."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from tenure.pki import crls
from tenure.pki.containers import Contained
from tenure.pki.crls import CrlEntry, NoCrlError, read
from tests.pki import made
from tests.pki.made import element, integer, oid, pem, sequence

NEXT = made.BEGIN + timedelta(days=30)


def entry(serial: int, reason: x509.ReasonFlags | None = None, at: datetime = made.BEGIN) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder(serial, at)
    return (builder if reason is None else builder.add_extension(x509.CRLReason(reason), False)).build()


def listed(entries: list[x509.RevokedCertificate], *extensions: x509.ExtensionType) -> bytes:
    builder = x509.CertificateRevocationListBuilder(made.common("CA"), made.BEGIN, NEXT, revoked_certificates=entries)
    for extension in extensions:
        builder = builder.add_extension(extension, False)
    return builder.sign(made.ec_key(), hashes.SHA256()).public_bytes(Encoding.DER)


def test_everything_in_a_list() -> None:
    authority = x509.AuthorityKeyIdentifier(b"\x07" * 20, None, None)
    entries = [entry(0xAB, reason, made.BEGIN + timedelta(days=i)) for i, reason in enumerate([None, *x509.ReasonFlags])]
    der = listed(entries, authority, x509.CRLNumber(77))
    facts = read(der)
    assert (facts.issuer, facts.authority_key_id, facts.number, facts.delta) == ("CN=CA", b"\x07" * 20, 77, False)
    assert (facts.this_update, facts.next_update) == (made.BEGIN, NEXT)
    assert (facts.signature_algorithm, facts.signature_hash) == ("1.2.840.10045.4.3.2", "sha256")
    assert [e.reason for e in facts.entries] == [None, *(reason.value for reason in x509.ReasonFlags)]
    assert facts.entries[3].revoked_at == made.BEGIN + timedelta(days=3)
    assert facts.problems == ()
    assert read(listed([], x509.DeltaCRLIndicator(3))).delta


def test_an_indirect_list_names_the_issuer_until_the_next() -> None:
    other = x509.CertificateIssuer([x509.DirectoryName(made.common("Other CA"))])
    marked = x509.RevokedCertificateBuilder(2, made.BEGIN).add_extension(other, True).build()
    assert [e.issuer for e in read(listed([entry(1), marked, entry(3)])).entries] == [None, "CN=Other CA", "CN=Other CA"]


def test_lists_of_the_corpora_are_read_as_the_library_reads_them(corpus: Path) -> None:
    compared = 0
    for path in sorted(corpus.rglob("*.pem")):
        for found in crls.crls_in(path.read_bytes()):
            assert isinstance(found, Contained)
            try:
                library = x509.load_der_x509_crl(found.der)
                told = [(f"{e.serial_number:X}", e.revocation_date_utc) for e in library]
            except ValueError:
                continue
            facts = read(found.der)
            assert [(e.serial_hex, e.revoked_at) for e in facts.entries] == told, path
            assert (facts.this_update, facts.next_update) == (library.last_update_utc, library.next_update_utc), path
            compared += 1
    assert compared > 40


def test_a_hundred_thousand_entries_take_about_a_second() -> None:
    entries = [entry(1 << 70 | i, x509.ReasonFlags.superseded, made.BEGIN + timedelta(seconds=i)) for i in range(100_000)]
    der = listed(entries)
    begin = time.process_time()
    facts = read(der)
    assert time.process_time() - begin < 3
    assert len(facts.entries) == 100_000
    assert facts.entries[-1] == CrlEntry(f"{1 << 70 | 99_999:X}", made.BEGIN + timedelta(seconds=99_999), "superseded", None)


def odd(*entries: bytes, signature: bytes = b"\0x") -> bytes:
    time_ = element(0x17, b"250102030405Z")
    tbs = sequence(integer(1), made.SHA256_EC, made.common("CA").public_bytes(), time_, time_, sequence(*entries))
    return sequence(tbs, made.SHA256_EC, element(0x03, signature))


def test_entries_that_cannot_be_read_are_told_and_passed_over() -> None:
    time_ = element(0x17, b"250102030405Z")
    reason = sequence(sequence(oid("2.5.29.21"), element(0x04, element(0x0A, b"\x07"))))
    der = odd(
        sequence(integer(1), time_), sequence(element(0x04, b"no serial"), time_), sequence(integer(3), element(0x17, b"never")),
        sequence(integer(4), time_, reason), sequence(integer(-5), time_),
    )  # fmt: skip
    facts = read(der)
    assert [e.serial_hex for e in facts.entries] == ["1", "3", "4", "-5"]
    assert (facts.entries[1].revoked_at, facts.entries[2].reason) == (None, None)
    assert [p.field for p in facts.problems if p.code == "der-malformed"] == ["entry 2", "entry 3", "entry 4"]
    assert any("7" in p.reason for p in facts.problems)


def test_a_cut_list_is_refused_or_told() -> None:
    der = listed([entry(i) for i in range(1, 50)])
    with pytest.raises(NoCrlError):
        read(der[: len(der) // 2])
    for data in (b"", b"\x30\x00", made.Odd().der(), b"text"):
        with pytest.raises(NoCrlError):
            read(data)


def test_who_signed() -> None:
    der = listed([entry(1)])
    assert crls.verify(der, made.der(made.ordinary("CA", key=made.ec_key()))).verified
    assert crls.verify(der, made.der(made.ordinary("CA", key=made.ec_key(5)))).answer == "refuted"
    assert crls.verify(b"\x30\x00", made.der(made.ordinary())).answer == "cannot"


def test_a_list_is_known_by_its_beginning() -> None:
    der = listed([entry(i) for i in range(1, 50)])
    assert crls.holds_list(der)
    assert crls.holds_list(der[:60])
    assert crls.holds_list(pem(made.Odd().der()) + pem(der, "X509 CRL"))
    version_one = made.Odd(version=b"").der()  # begins with a number too
    for data in (
        made.Odd().der(),
        version_one,
        pem(version_one),
        b"",
        b"\x30",
        b"\x30\x80",
        der[:20],
        b"\x30\x84\xff\xff\xff\xff",
    ):
        assert not crls.holds_list(data)


def test_lists_among_other_blocks() -> None:
    der = listed([])
    text = pem(made.Odd().der()) + pem(der, "X509 CRL") + pem(der, "X509 CRL").replace(b"MI", b"M!")
    found = list(crls.crls_in(text))
    assert found[0] == Contained(der, "2")
    assert [getattr(f, "code", None) for f in found] == [None, "armour-damaged"]
    assert list(crls.crls_in(der)) == [Contained(der, "")]
    assert read(der).this_update == datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
