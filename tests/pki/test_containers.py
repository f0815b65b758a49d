"""Certificates in files of every form; what is damaged is told, keys are told and never given out, look-alikes are nothing."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterable, Sequence

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs7,
    pkcs12,
)

from tenure.pki.containers import Contained, ContainedProblem, Found, carve, certificates_in
from tests.pki import made
from tests.pki.made import Odd, element, integer, oid, pem, sequence

CERTIFICATES = [made.ordinary(f"device-{i}", serial=100 + i) for i in range(3)]
ONE, TWO, THREE = (made.der(c) for c in CERTIFICATES)
KEY = made.ec_key(1).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def shown(found: Iterable[Found]) -> list[tuple[str, object]]:
    return [(f.place, f.der if isinstance(f, Contained) else f.code) for f in found]


def inside(data: bytes, passwords: Sequence[bytes] = ()) -> list[tuple[str, object]]:
    return shown(certificates_in(data, passwords))


def test_armour_with_words_around_and_other_blocks_between() -> None:
    text = b"Bag Attributes\n  friendlyName: x\n" + pem(ONE) + b"subject=CN\n" + pem(b"csr", "CERTIFICATE REQUEST") + pem(TWO)
    assert inside(text) == [("1", ONE), ("3", TWO)]


@pytest.mark.parametrize("end", [b"\r\n", b"\r", b"\n  ", b"\n\n"])
def test_line_ends_of_any_kind(end: bytes) -> None:
    assert inside(pem(ONE).replace(b"\n", end)) == [("1", ONE)]


def test_armour_escaped_in_json_and_quoted_in_source() -> None:
    assert inside(json.dumps({"certificatePem": pem(ONE).decode()}).encode()) == [("1", ONE)]
    lines = "\n".join(f'  "{line}\\n"' for line in pem(TWO).decode().splitlines())
    assert inside(f"static const char ca[] =\n{lines};".encode()) == [("1", TWO)]


def test_armour_with_old_headers_labels_and_trust_settings() -> None:
    headed = pem(ONE).replace(b"-----\n", b"-----\nProc-Type: 4,CLEAR\nX: y\n z\n\n", 1)
    trusted = pem(ONE + sequence(element(0x0C, b"alias")), "TRUSTED CERTIFICATE")
    assert inside(headed + pem(TWO, "X509 CERTIFICATE") + trusted) == [("1", ONE), ("2", TWO), ("3", ONE)]


def test_text_in_utf_16() -> None:
    assert inside(pem(ONE).decode().encode("utf-16")) == [("1", ONE)]


def test_damaged_armour_is_told_and_its_neighbours_are_read() -> None:
    cut = pem(TWO)[:200] + b"\n"
    dirty = pem(TWO).replace(b"M", b"!", 1)
    empty = b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"
    other_end = pem(TWO).replace(b"END CERTIFICATE", b"END X509 CRL")
    damaged = "armour-damaged"
    assert inside(cut + pem(ONE) + dirty + empty + other_end + pem(THREE)) == [
        ("1", damaged), ("2", ONE), ("3", damaged), ("4", damaged), ("5", damaged), ("6", THREE),
    ]  # fmt: skip
    assert inside(cut) == [("1", damaged)]


def test_der_alone_in_a_row_and_padded() -> None:
    assert inside(ONE) == [("", ONE)]
    assert inside(ONE + b"\0\xff\n") == [("", ONE)]
    assert inside(ONE + TWO + THREE + b"\n") == [("1", ONE), ("2", TWO), ("3", THREE)]
    assert inside(ONE + b"something else")[1:] == [(f"0x{len(ONE):x}", "trailing-bytes")]
    assert inside(ONE + b"something else" + TWO)[1:] == [(f"0x{len(ONE) + 14:x}", TWO)]


def test_bare_base64() -> None:
    assert inside(base64.encodebytes(ONE)) == [("", ONE)]
    assert inside(base64.b64encode(ONE) + b" surely not") == []


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_pkcs7(encoding: Encoding) -> None:
    data = pkcs7.serialize_certificates(CERTIFICATES, encoding)
    prefix = "1/" if encoding is Encoding.PEM else ""
    found = inside(data)
    assert {der for _, der in found} == {ONE, TWO, THREE}
    assert [place for place, _ in found] == [f"{prefix}{i}" for i in (1, 2, 3)]
    if encoding is Encoding.DER:
        assert {der for _, der in inside(base64.encodebytes(data))} == {ONE, TWO, THREE}, "as EST servers send it"


def test_pkcs7_holds_what_the_library_refuses_and_is_carved_where_it_is_no_der() -> None:
    refused = Odd(version=element(0xA0, integer(3))).der()
    members = element(0xA0, refused, element(0xA1, b"attribute certificate"))
    signed = sequence(integer(1), element(0x31), sequence(oid("1.2.840.113549.1.7.1")), members, element(0x31))
    content = oid("1.2.840.113549.1.7.2") + element(0xA0, signed)
    assert inside(sequence(content)) == [("1", refused), ("2", "no-certificate")]
    indefinite = b"\x30\x80" + content + b"\0\0"
    assert [der for _, der in inside(indefinite)] == [refused]
    assert inside(b"\x30\x80" + oid("1.2.840.113549.1.7.2") + b"\xa0\x80\0\0\0\0") == [("", "pkcs7-unreadable")]


def store(encryption: object) -> bytes:
    return pkcs12.serialize_key_and_certificates(
        b"name",
        made.ec_key(1),
        CERTIFICATES[0],
        CERTIFICATES[1:],
        encryption,  # type: ignore[arg-type] # either kind
    )


def test_pkcs12_with_the_right_password_among_others() -> None:
    data = store(BestAvailableEncryption(b"secret"))
    found = inside(data, [b"wrong", b"secret"])
    assert found[0] == ("1", ONE)
    assert {der for _, der in found[1:3]} == {TWO, THREE}
    assert found[3:] == [("", "private-key-present")]
    assert inside(data, [b"wrong"]) == inside(data) == [("", "pkcs12-locked")]


def test_pkcs12_without_a_password() -> None:
    assert {f for _, f in inside(store(NoEncryption()))} == {ONE, TWO, THREE, "private-key-present"}


def test_private_keys_are_told_by_hash_only() -> None:
    encodings = [
        KEY,
        made.rsa_key().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        made.rsa_key().private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        made.ec_key().private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        made.ec_key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        made.ec_key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")),
        made.ec_key().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
    ]
    for encoded in encodings:
        (found,) = certificates_in(encoded)
        assert isinstance(found, ContainedProblem)
        assert found.code == "private-key-present"


def test_what_holds_no_certificates_gives_nothing() -> None:
    request = pem(b"\x30\x00", "CERTIFICATE REQUEST")
    for data in (
        b"",
        b"plain text",
        b"M" * 40,
        request,
        made.spki(made.rsa_key()),
        b"\x30",
        b"\x30\x80",
        bytes(100),
        b"\xff\xfea",
    ):
        assert inside(data) == []


def test_carving_finds_certificates_between_anything() -> None:
    refused = Odd(version=element(0xA0, integer(3))).der()
    noise = bytes(range(256)) * 5
    data = noise + ONE + b"\0" * 17 + refused + pem(TWO) + noise + THREE
    places = [len(noise), len(noise) + len(ONE) + 17, len(data) - len(THREE), data.index(b"-----BEGIN")]
    assert shown(carve(data)) == [(f"0x{at:x}", der) for at, der in zip(places, (ONE, refused, THREE, TWO), strict=True)]


def test_carving_takes_no_look_alikes() -> None:
    library = b"\0-----BEGIN CERTIFICATE-----\0-----END CERTIFICATE-----\0%s-----BEGIN PRIVATE KEY-----\0\x30\x82\x30\x82"
    no_times = ONE.replace(b"\x17\x0d", b"\x0c\x0d")
    found = shown(carve(bytes(20) + library + made.spki(made.rsa_key()) + no_times + KEY + ONE[:-1]))
    assert [f for _, f in found] == ["armour-damaged", "private-key-present"]


HOSTILE = [
    b"\x30\x82",
    b"\x30\x82\xff\xff\x30\x82\xff\x00\xa0\x03\x02\x01\x02\x02\x01\x01",
    ONE[:60],
    b"-----BEGIN CERTIFICATE-----\n",
    b"-----BEGIN ",
    b"-----",
    b"-----BEGIN A-----:\n \n",
    b"-----BEGIN CERTIFICATE-----A-----END CERTIFICATE----",
    b"M \n",
    b"\x30\x00",
]


@pytest.mark.parametrize("pattern", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_input_costs_time_in_proportion_to_its_length(pattern: bytes) -> None:
    """Four times the input may take about four times as long: sixteen times would be the quadratic scan this forbids."""

    def seconds(size: int) -> float:
        data = (pattern * (size // len(pattern) + 1))[:size]
        best = 1e9
        for _ in range(3):
            begin = time.process_time()
            for _ in certificates_in(data):
                pass
            for _ in carve(data):
                pass
            best = min(best, time.process_time() - begin)
        return best

    small, big = seconds(250_000), seconds(1_000_000)
    assert big < 9 * small + 0.05
    assert big < 5.0
