"""What is read of a certificate: every column, every kind of key, and what remains of those that are not as they should be."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, x448, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from tenure.pki.certificates import CertificateFacts, NoCertificateError, read, read_by_property
from tenure.pki.containers import Contained, certificates_in
from tests.pki import made
from tests.pki.made import Odd, element, extension, integer, name, oid, sequence


def both(der: bytes) -> CertificateFacts:
    """The facts, cold and warm and by the library's properties: always the same."""
    facts = read(der)
    assert read(der) == facts == read_by_property(der)
    return facts


def problems(facts: CertificateFacts) -> list[tuple[str, str]]:
    return [(p.field, p.code) for p in facts.problems]


def test_every_column_of_an_ordinary_certificate() -> None:
    hardware = sequence(oid("1.3.6.1.4.1.32473.7"), element(0x04, bytes.fromhex("00ab12")))
    alternative = x509.SubjectAlternativeName(
        [
            x509.DNSName("d1.fleet.example"), x509.IPAddress(ip_address("192.0.2.7")), x509.IPAddress(ip_address("2001:db8::7")),
            x509.UniformResourceIdentifier("spiffe://fleet.example/device/1"), x509.RFC822Name("d1@fleet.example"),
            x509.DirectoryName(made.common("Device, 1")), x509.RegisteredID(x509.ObjectIdentifier("1.3.6.1.4.1.32473.9")),
            x509.OtherName(x509.ObjectIdentifier("1.3.6.1.5.5.7.8.4"), hardware),
        ]
    )  # fmt: skip
    point = x509.DistributionPoint([x509.UniformResourceIdentifier("http://crl.example/1.crl")], None, None, None)
    access = [
        x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://ocsp.example/")),
        x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("http://ca.example/ca")),
    ]
    subject = made.distinguished(
        (NameOID.COUNTRY_NAME, "DE"), (NameOID.ORGANIZATION_NAME, "Müller, Söhne"), (NameOID.SERIAL_NUMBER, "SN-17"),
        (NameOID.COMMON_NAME, "device #1"),
    )  # fmt: skip
    ca, key = made.ec_key(), made.ec_key(1)
    certificate = (
        x509.CertificateBuilder(made.common("CA"), subject, key.public_key(), 0x0AB0, made.BEGIN, made.END)
        .add_extension(x509.BasicConstraints(True, 3), True)
        .add_extension(x509.KeyUsage(True, True, False, False, True, True, False, False, True), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, x509.ObjectIdentifier("2.23.133.8.1")]), False)
        .add_extension(alternative, False)
        .add_extension(x509.SubjectKeyIdentifier(b"\x01" * 20), False)
        .add_extension(x509.AuthorityKeyIdentifier(b"\x02" * 8, None, None), False)
        .add_extension(x509.CRLDistributionPoints([point, point]), False)
        .add_extension(x509.AuthorityInformationAccess(access), False)
        .sign(ca, hashes.SHA384())
    )
    der = made.der(certificate)
    issuer_name, subject_name = made.common("CA").public_bytes(), subject.public_bytes()
    assert both(der)._asdict() == {
        "sha256": hashlib.sha256(der).digest(),
        "reader": "full",
        "version": 3,
        "serial_hex": "AB0",
        "issuer": "CN=CA",
        "issuer_sha256": hashlib.sha256(issuer_name).digest(),
        "subject": "CN=device #1,2.5.4.5=SN-17,O=Müller\\, Söhne,C=DE",
        "subject_sha256": hashlib.sha256(subject_name).digest(),
        "subject_cn": "device #1",
        "subject_serial": "SN-17",
        "subject_o": "Müller, Söhne",
        "not_before": made.BEGIN,
        "not_after": made.END,
        "spki_sha256": hashlib.sha256(made.spki(key)).digest(),
        "key_algorithm": "ec",
        "key_bits": 256,
        "key_curve": "secp256r1",
        "key_exponent": None,
        "signature_algorithm": "1.2.840.10045.4.3.3",
        "signature_hash": "sha384",
        "is_ca": True,
        "path_length": 3,
        "key_usage": "digitalSignature nonRepudiation keyAgreement keyCertSign decipherOnly",
        "extended_key_usage": "1.3.6.1.5.5.7.3.2 2.23.133.8.1",
        "subject_alt_names": "dns:d1.fleet.example\nip:192.0.2.7\nip:2001:db8::7\nuri:spiffe://fleet.example/device/1\n"
        "email:d1@fleet.example\ndirname:CN=Device\\, 1\nrid:1.3.6.1.4.1.32473.9\nother:1.3.6.1.5.5.7.8.4",
        "subject_key_id": b"\x01" * 20,
        "authority_key_id": b"\x02" * 8,
        "crl_urls": "http://crl.example/1.crl\nhttp://crl.example/1.crl",
        "ocsp_urls": "http://ocsp.example/",
        "hardware_module_serial": "00ab12",
        "self_issued": False,
        "der": der,
        "problems": (),
    }


KEYS = [
    (made.ec_key(), ("ec", 256, "secp256r1", None)),
    (ec.generate_private_key(ec.SECP521R1()), ("ec", 521, "secp521r1", None)),
    (ec.generate_private_key(ec.BrainpoolP384R1()), ("ec", 384, "brainpoolP384r1", None)),
    (made.rsa_key(2048), ("rsa", 2048, None, "65537")),
    (made.rsa_key(1024), ("rsa", 1024, None, "65537")),
    (made.rsa_key(2056), ("rsa", 2056, None, "65537")),
    (ed25519.Ed25519PrivateKey.generate(), ("ed25519", 256, None, None)),
    (ed448.Ed448PrivateKey.generate(), ("ed448", 456, None, None)),
    (x25519.X25519PrivateKey.generate(), ("x25519", 256, None, None)),
    (x448.X448PrivateKey.generate(), ("x448", 448, None, None)),
]


@pytest.mark.parametrize(("key", "told"), KEYS, ids=[f"{t[0]}-{t[1]}" for _, t in KEYS])
def test_kinds_of_keys(key: made.SigningKey, told: tuple[object, ...]) -> None:
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    facts = both(Odd(spki=spki).der())
    assert (facts.key_algorithm, facts.key_bits, facts.key_curve, facts.key_exponent) == told
    assert facts.spki_sha256 == hashlib.sha256(spki).digest()
    assert facts.reader == "full"


def test_an_algorithm_nobody_knows_is_told_by_its_oid_and_is_no_problem() -> None:
    spki = sequence(sequence(oid("1.3.6.1.4.1.32473.99")), element(0x03, b"\0abc"))
    facts = both(Odd(spki=spki).der())
    assert (facts.key_algorithm, facts.key_bits, facts.reader, facts.problems) == ("1.3.6.1.4.1.32473.99", None, "full", ())


def test_a_point_that_is_not_on_its_curve_is_a_problem() -> None:
    good = made.spki(made.ec_key())
    facts = both(Odd(spki=good[:-1] + bytes([good[-1] ^ 1])).der())
    assert problems(facts) == [("key_algorithm", "field-raised")]
    assert (facts.reader, facts.key_algorithm, facts.key_curve) == ("partial", "ec", "secp256r1")


def test_an_even_exponent_is_a_problem_and_told() -> None:
    numbers = made.rsa_key().public_key().public_numbers()
    key = sequence(integer(numbers.n), integer(4))
    spki = sequence(sequence(oid("1.2.840.113549.1.1.1"), b"\x05\0"), element(0x03, b"\0", key))
    facts = both(Odd(spki=spki).der())
    assert (facts.key_exponent, facts.key_bits, facts.reader) == ("4", 2048, "partial")
    assert problems(facts) == [("key_algorithm", "field-raised")]


@pytest.mark.parametrize(
    ("serial", "told"),
    [(0, "0"), (1, "1"), (-1, "-1"), (-0x1234, "-1234"), (0x80, "80"), (1 << 159, "8" + "0" * 39)],
)
def test_serials(serial: int, told: str) -> None:
    assert both(Odd(serial=integer(serial)).der()).serial_hex == told


def test_times() -> None:
    def of(not_before: bytes, not_after: bytes) -> CertificateFacts:
        return both(Odd(validity=sequence(not_before, not_after)).der())

    facts = of(element(0x17, b"500101000000Z"), element(0x18, b"99991231235959Z"))
    assert (facts.not_before, facts.not_after) == (
        datetime(1950, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    )
    assert facts.reader == "full"
    assert of(element(0x17, b"491231235959Z"), element(0x17, b"491231235959Z")).not_after == datetime(
        2049, 12, 31, 23, 59, 59, tzinfo=UTC
    )
    odd = of(element(0x17, b"2501020304+0130"), element(0x18, b"20350102030405.5Z"))
    assert (odd.not_before, odd.not_after) == (datetime(2025, 1, 2, 1, 34, tzinfo=UTC), datetime(2035, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert odd.reader == "partial"
    impossible = of(element(0x17, b"251332000000Z"), element(0x17, b"350102030405Z"))
    assert (impossible.not_before, impossible.not_after) == (None, made.END)
    assert ("not_before", "der-malformed") in problems(impossible)


def test_authority_is_false_without_the_extension_and_unknown_for_an_old_root() -> None:
    same = name(("2.5.4.3", "Old Root"))
    assert both(Odd().der()).is_ca is False
    assert both(Odd(version=b"").der()).is_ca is False
    old_root = both(Odd(version=b"", issuer=same, subject=same).der())
    assert (old_root.version, old_root.self_issued, old_root.is_ca) == (1, True, None)


def test_names_of_odd_making() -> None:
    crowd = element(0x31, made.attribute("2.5.4.3", b"b"), made.attribute("2.5.4.5", b"7", 0x13))
    subject = sequence(
        element(0x31, made.attribute("2.5.4.10", "Ünï".encode("utf-16-be"), 0x1E)),
        element(0x31, made.attribute("1.2.840.113549.1.9.1", b"a@example.com", 0x16)),
        crowd,
        element(0x31, made.attribute("2.5.4.3", b' "#+,;<>\\\0 ')),
    )
    facts = both(Odd(subject=subject).der())
    assert facts.reader == "full"
    text = 'CN=\\ \\"#\\+\\,\\;\\<\\>\\\\\\00\\ ,CN=b+2.5.4.5=7,1.2.840.113549.1.9.1=a@example.com,O=Ünï'
    assert (facts.subject, facts.subject_cn, facts.subject_serial) == (text, ' "#+,;<>\\\0 ', "7")


def test_a_name_in_latin_1_is_read_and_told() -> None:
    subject = sequence(element(0x31, made.attribute("2.5.4.3", "Gerät".encode("latin-1"), 0x14)))
    facts = both(Odd(subject=subject).der())
    assert (facts.subject, facts.reader, problems(facts)) == ("CN=Gerät", "partial", [("subject", "field-raised")])


def test_a_subject_the_library_raises_on_is_read_and_told() -> None:
    subject = sequence(element(0x31), element(0x31, made.attribute("2.5.4.3", b"device")))
    facts = both(Odd(subject=subject).der())
    assert (facts.subject, facts.subject_cn) == ("CN=device", "device")
    assert (facts.reader, problems(facts)) == ("partial", [("subject", "field-raised")])


def test_sets_out_of_order_are_refused_by_the_library_and_read_nevertheless() -> None:
    members = sorted([made.attribute("2.5.4.3", b"NTC Root"), made.attribute("2.5.4.10", b"NTC")], reverse=True)
    facts = both(Odd(subject=sequence(element(0x31, *members))).der())
    assert (facts.reader, problems(facts)) == ("partial", [("der", "der-refused")])
    assert (facts.subject_cn, facts.subject_o, facts.key_bits) == ("NTC Root", "NTC", 2048)


@pytest.mark.parametrize("version", [1, 3, 200])
def test_versions_there_are_not(version: int) -> None:
    facts = both(Odd(version=element(0xA0, integer(version))).der())
    assert (facts.version, facts.reader, problems(facts)) == (version + 1, "partial", [("der", "der-refused")])


def test_an_extension_that_stands_twice() -> None:
    first, second = (extension("2.5.29.14", element(0x04, value)) for value in (b"first", b"second"))
    facts = both(Odd(extensions=(first, second)).der())
    assert (facts.subject_key_id, problems(facts)) == (b"first", [("subject_key_id", "field-raised")])


def test_the_very_same_extension_twice() -> None:
    same = extension("2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.2")))
    both(Odd(extensions=(same,)).der())
    facts = both(Odd(extensions=(same, same)).der())
    assert (facts.extended_key_usage, problems(facts)) == ("1.3.6.1.5.5.7.3.2", [("extended_key_usage", "field-raised")])


def test_one_broken_extension_leaves_the_others_readable() -> None:
    broken = extension("2.5.29.37", b"\x30\x05\x06\x03\x55")
    facts = both(Odd(extensions=(extension("2.5.29.14", element(0x04, b"id")), broken)).der())
    assert (facts.subject_key_id, facts.extended_key_usage) == (b"id", None)
    assert problems(facts) == [("extended_key_usage", "field-raised")]


KINDS = ["2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.31", "2.5.29.35", "2.5.29.37", "1.3.6.1.5.5.7.1.1"]


@pytest.mark.parametrize("kind", KINDS)
def test_extensions_that_are_too_short_for_anything(kind: str) -> None:
    for value in (b"", b"\x30", b"\x30\x00", b"\x04\x00", b"\x30\x02\x82\x00", b"\x30\x01\x82", b"\x03\x01\x00"):
        both(Odd(extensions=(extension(kind, value),)).der())


def test_a_line_break_in_a_name_cannot_fake_another_name() -> None:
    value = sequence(element(0x82, b"a.example\nip:192.0.2.1"))
    assert both(Odd(extensions=(extension("2.5.29.17", value),)).der()).subject_alt_names == "dns:a.example\\0Aip:192.0.2.1"


def test_an_extension_nobody_knows_is_no_problem_however_it_changes() -> None:
    for content in (b"one", b"two"):
        facts = both(Odd(extensions=(extension("1.3.6.1.4.1.32473.5", content),)).der())
        assert (facts.reader, facts.problems) == ("full", ())


def test_bytes_after_the_certificate_are_told_and_not_hashed() -> None:
    der = Odd().der()
    facts = both(der + b"junk")
    assert (facts.sha256, facts.der) == (hashlib.sha256(der).digest(), der)
    assert (facts.reader, problems(facts)) == ("full", [("der", "trailing-bytes")])


def test_a_cut_certificate_gives_what_stands_before_the_cut() -> None:
    der = Odd(extensions=(extension("2.5.29.14", element(0x04, b"id")),)).der()
    facts = both(der[:200])
    assert (facts.reader, facts.serial_hex, facts.subject_cn) == ("partial", "1234", "device-1")
    assert (facts.not_after, facts.spki_sha256, facts.is_ca) == (made.END, None, None)
    assert [p.code for p in facts.problems] == ["der-refused", "der-malformed"]
    whole = both(der)
    for length in range(20, len(der), 7):
        try:
            cut = read(der[:length])
        except NoCertificateError:
            continue
        for column in ("serial_hex", "issuer", "subject", "not_before", "spki_sha256", "subject_key_id"):
            assert getattr(cut, column) in (None, getattr(whole, column)), (length, column)


def test_a_curve_written_out_is_known_by_the_library_alone() -> None:
    """No named curve in the key: the walker is not trusted with it."""
    numbers = made.ec_key().public_key().public_numbers()
    p = (1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1
    a, b = p - 3, 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    g = (
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    )
    n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    curve = sequence(
        integer(1),
        sequence(oid("1.2.840.10045.1.1"), integer(p)),
        sequence(element(0x04, a.to_bytes(32)), element(0x04, b.to_bytes(32))),
        element(0x04, bytes.fromhex(g)),
        integer(n),
        integer(1),
    )
    point = b"\x04" + numbers.x.to_bytes(32) + numbers.y.to_bytes(32)
    spki = sequence(sequence(oid("1.2.840.10045.2.1"), curve), element(0x03, b"\0" + point))
    facts = both(Odd(spki=spki).der())
    assert (facts.key_algorithm, facts.key_bits, facts.key_curve) == ("ec", 256, "secp256r1")


NO_CERTIFICATES = {
    "nothing": b"",
    "text": b"hello",
    "an empty sequence": b"\x30\x00",
    "a key": made.rsa_key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    "a request": x509.CertificateSigningRequestBuilder(made.common("x"))
    .sign(made.ec_key(), hashes.SHA256())
    .public_bytes(Encoding.DER),
    "a revocation list": x509.CertificateRevocationListBuilder(made.common("x"), made.BEGIN, made.END)
    .sign(made.ec_key(), hashes.SHA256())
    .public_bytes(Encoding.DER),
    "a public key": made.spki(made.rsa_key()),
    "a certificate cut in its serial": Odd().der()[:14],
}


@pytest.mark.parametrize("data", NO_CERTIFICATES.values(), ids=NO_CERTIFICATES)
def test_what_is_no_certificate(data: bytes) -> None:
    with pytest.raises(NoCertificateError):
        read(data)


def test_the_vendor_roots_that_the_library_refuses(corpus: Path) -> None:
    refused = {}
    for path in sorted((corpus / "tpm-vendor-cas").glob("*.pem")):
        (found,) = certificates_in(path.read_bytes())
        assert isinstance(found, Contained)
        facts = both(found.der)
        assert facts.spki_sha256 is not None
        if facts.reader == "partial":
            refused[path.stem] = facts.subject_cn
    assert sorted(refused) == ["NTC1", "NTC2", "NUVO_0100", "NUVO_1110", "NUVO_1111", "NUVO_2110", "NUVO_2111"]
    assert all(refused.values())
