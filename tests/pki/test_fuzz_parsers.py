"""No bytes crash or hang a parser, each trouble is told, and under mutation too the two readers agree."""

from __future__ import annotations

from functools import cache

import pyarrow as pa
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.evidence.schemas import CERTIFICATE
from tenure.pki import crls, signatures
from tenure.pki.certificates import NoCertificateError, read, read_by_property
from tenure.pki.containers import Contained, carve, certificates_in
from tenure.pki.crls import NoCrlError
from tests.pki import made
from tests.pki.test_crls import entry, listed

CODES = {
    "armour-damaged", "no-certificate", "trailing-bytes", "pkcs7-unreadable", "pkcs12-locked", "private-key-present",
}  # fmt: skip
BOUNDED = settings(max_examples=250, deadline=3_000)
_ODD = made.Odd()


@cache
def seeds() -> list[bytes]:
    alternative = x509.SubjectAlternativeName([x509.DNSName("d.example"), x509.DirectoryName(made.common("x"))])
    usage = x509.KeyUsage(True, False, False, False, True, False, False, False, False)
    point = x509.DistributionPoint([x509.UniformResourceIdentifier("http://c.example")], None, None, None)
    extensions = (
        (alternative, False), (usage, True), (x509.CRLDistributionPoints([point]), False),
        (x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.2")]), False),
        (x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), ["http://x"])]), False),
    )  # fmt: skip
    return [made.der(made.ordinary(extensions=extensions)), made.der(made.ordinary(key=made.rsa_key())), made.Odd().der()]


@st.composite
def mutated(draw: st.DrawFn, of: list[bytes]) -> bytes:
    """A good encoding with a few bytes changed, put in, taken out or doubled."""
    data = bytearray(draw(st.sampled_from(of)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        match draw(st.integers(0, 4)):
            case 0 if data:
                data[at] = draw(st.integers(0, 255))
            case 1:
                data[at:at] = draw(st.binary(min_size=1, max_size=4))
            case 2:
                del data[at : at + draw(st.integers(1, 8))]
            case 3:
                data[at:at] = data[at : at + draw(st.integers(1, 40))]
            case _ if data:
                data[at] ^= 1 << draw(st.integers(0, 7))
    return bytes(data)


def nested() -> st.SearchStrategy[bytes]:
    """Elements within elements, with lengths that may lie."""
    leaf = st.builds(made.element, st.sampled_from([2, 3, 4, 5, 6, 12, 0x17, 0x18, 0x82, 0xA0]), st.binary(max_size=20))
    liar = st.builds(
        lambda tag, size: bytes((tag, 0x84)) + size.to_bytes(4), st.sampled_from([0x30, 0x31, 4]), st.integers(0, 2**32 - 1)
    )
    branch = st.sampled_from([0x30, 0x31, 0xA0, 0xA3, 0x04])
    return st.recursive(
        leaf | liar, lambda inner: st.builds(lambda t, c: made.element(t, *c), branch, st.lists(inner, max_size=6))
    )


@st.composite
def with_a_part_replaced(draw: st.DrawFn) -> bytes:
    """A certificate whole but for one part, which is anything: the outer structure leads every parser into it."""
    part = draw(
        st.sampled_from(
            ["serial", "issuer", "subject", "validity", "spki", "inner_algorithm", "algorithm", "extensions", "unique_ids"]
        )
    )
    value = draw(nested())
    if part == "extensions":
        kinds = [
            "2.5.29.14",
            "2.5.29.15",
            "2.5.29.17",
            "2.5.29.19",
            "2.5.29.31",
            "2.5.29.32",
            "2.5.29.35",
            "2.5.29.37",
            "1.3.6.1.5.5.7.1.1",
        ]
        return _ODD.but(extensions=(made.extension(draw(st.sampled_from(kinds)), value),)).der()
    return _ODD.but(**{part: value}).der()


def reads_or_refuses(data: bytes) -> None:
    try:
        facts = read(data)
    except NoCertificateError:
        return
    assert facts.reader == ("partial" if any(p.code != "trailing-bytes" for p in facts.problems) else "full")
    assert facts == read(data) == read_by_property(data)
    for field, value in zip(CERTIFICATE.schema, facts[:-1], strict=False):
        pa.array([value], field.type)
    assert signatures.verify(facts.der, facts.der).answer in signatures.Answer


@BOUNDED
@given(st.binary(max_size=400) | st.binary(max_size=400).map(lambda b: b"\x30\x82" + b))
def test_any_bytes(data: bytes) -> None:
    reads_or_refuses(data)
    finds_or_tells(data)


@BOUNDED
@given(mutated(seeds()))
def test_mutated_certificates(data: bytes) -> None:
    reads_or_refuses(data)
    finds_or_tells(data)


@BOUNDED
@given(with_a_part_replaced())
def test_certificates_with_a_part_replaced(data: bytes) -> None:
    reads_or_refuses(data)


@BOUNDED
@given(nested())
def test_nested_elements_with_lengths_that_lie(data: bytes) -> None:
    reads_or_refuses(data)
    finds_or_tells(data)
    lists_or_refuses(data)


@BOUNDED
@given(mutated([made.pem(seeds()[0]) + made.pem(seeds()[1], "PKCS7") + b"text" + made.pem(b"x", "PRIVATE KEY")]))
def test_mutated_armour(data: bytes) -> None:
    finds_or_tells(data)


@BOUNDED
@given(mutated([listed([entry(1), entry(2, x509.ReasonFlags.superseded)], x509.CRLNumber(4))]))
def test_mutated_revocation_lists(data: bytes) -> None:
    lists_or_refuses(data)


def finds_or_tells(data: bytes) -> None:
    for found in (*certificates_in(data, [b"x"]), *carve(data)):
        if isinstance(found, Contained):
            assert found.der
        else:
            assert found.code in CODES
            assert found.reason


def lists_or_refuses(data: bytes) -> None:
    try:
        facts = crls.read(data)
    except NoCrlError:
        return
    assert all(isinstance(e.serial_hex, str) for e in facts.entries)
    assert crls.verify(data, data).answer in signatures.Answer
