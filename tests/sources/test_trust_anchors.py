"""Bundles of anchors in every form, who trusts them, Java keystores down to the byte, and the anchors of this machine."""

from __future__ import annotations

import base64
import hashlib
import os
import random
import re
import struct
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    KeySerializationEncryption,
    NoEncryption,
    pkcs12,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.model.declarations import AnchorDeclaration, Declarations, SourceDeclaration
from tenure.model.vocabulary import AnchorPurpose, RelyingPartyKind
from tenure.sources._anchor_bundles import by_convention
from tenure.sources._jks import KeystoreEntry, KeystoreProblem, entries, is_keystore
from tenure.sources.trust_anchors import SOURCE
from tests.closed import closed
from tests.sources.collected import codes, collect, place_of, rows
from tests.sources.issuers import Ca, der, pem

ONE, TWO = Ca("One"), Ca("Two")
KEY = b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"


def utf(text: str) -> bytes:
    return struct.pack(">H", len(text.encode())) + text.encode()


def trusted(alias: str, data: bytes, kind: str = "X.509", version: int = 2) -> bytes:
    typed = utf(kind) if version == 2 else b""
    return struct.pack(">I", 2) + utf(alias) + struct.pack(">q", 1_700_000_000_000) + typed + struct.pack(">I", len(data)) + data


def with_key(alias: str, *chain: bytes) -> bytes:
    certificates = b"".join(utf("X.509") + struct.pack(">I", len(c)) + c for c in chain)
    head = struct.pack(">I", 1) + utf(alias) + struct.pack(">q", 0) + struct.pack(">I", 5) + b"\x00" * 5
    return head + struct.pack(">I", len(chain)) + certificates


def keystore(*items: bytes, magic: bytes = b"\xfe\xed\xfe\xed", version: int = 2, count: int | None = None) -> bytes:
    return magic + struct.pack(">II", version, len(items) if count is None else count) + b"".join(items) + b"d" * 20


def anchors(found: Any) -> list[tuple[str, str, str, str | None]]:
    """Name of the anchor, who trusts it and of what kind they are, and for what."""
    names = {r["sha256"]: r["subject_cn"] for r in rows(found, "certificate")}
    return [(names[r["sha256"]], r["relying_party"], r["relying_party_kind"], r["purpose"]) for r in rows(found, "anchor")]


# -- Java keystores ---------------------------------------------------------------------------------------------------


def test_a_keystore_entry_by_entry() -> None:
    one, two = der(ONE.certificate), der(TWO.certificate)
    found = list(entries(keystore(trusted("one", one), with_key("own", two, one))))
    assert [(e.alias, e.trusted, e.certificates) for e in found if isinstance(e, KeystoreEntry)] == [
        ("one", True, (one,)),
        ("own", False, (two, one)),
    ]
    assert len(found) == 2


@pytest.mark.parametrize(("magic", "version"), [(b"\xfe\xed\xfe\xed", 1), (b"\xce\xce\xce\xce", 2), (b"\xfe\xed\xfe\xed", 2)])
def test_both_magics_and_versions(magic: bytes, version: int) -> None:
    data = keystore(trusted("a", b"0\x00", version=version), magic=magic, version=version)
    assert is_keystore(data)
    assert [e.certificates for e in entries(data) if isinstance(e, KeystoreEntry)] == [(b"0\x00",)]


def test_an_alias_in_modified_utf_8() -> None:
    alias = b"\xc0\x80\xed\xa0\xbd\xed\xb8\x80"  # NUL, and a character beyond the BMP as two surrogates
    item = trusted("", b"0").replace(b"\x00\x00\x00\x02\x00\x00", b"\x00\x00\x00\x02" + struct.pack(">H", len(alias)) + alias, 1)
    (entry,) = entries(keystore(item))
    assert isinstance(entry, KeystoreEntry)
    assert entry.alias == "\x00\U0001f600"


@pytest.mark.parametrize(
    ("data", "code", "ends"),
    [
        (b"", "keystore-refused", True),
        (b"\xfe\xed\xfe\xed\x00\x00\x00\x03\x00\x00\x00\x00", "keystore-refused", True),
        (keystore(trusted("a", b"0"))[:30], "keystore-truncated", True),
        (keystore(trusted("a", b"0"), count=2**32 - 1)[:-20], "keystore-truncated", True),
        (
            keystore(struct.pack(">I", 3) + utf("s") + b"\x00" * 8 + b"\xac\xed", magic=b"\xce\xce\xce\xce"),
            "keystore-secret-key",
            True,
        ),
        (keystore(struct.pack(">I", 9) + utf("s") + b"\x00" * 8), "keystore-refused", True),
        (keystore(trusted("a", b"0", kind="PGP")), "keystore-other-certificate", False),
        (keystore(trusted("a", b"0")) + b"more", "keystore-trailing", False),
        (keystore(trusted("a", b"0"))[:-1], "keystore-trailing", False),
    ],
)
def test_what_a_keystore_hides_is_told(data: bytes, code: str, ends: bool) -> None:
    assert [(p.code, p.ends) for p in entries(data) if isinstance(p, KeystoreProblem)] == [(code, ends)]


def test_lengths_from_hell_take_no_time() -> None:
    head = b"\xfe\xed\xfe\xed" + struct.pack(">II", 2, 2**32 - 1)
    empty = struct.pack(">I", 1) + utf("") + b"\x00" * 8 + struct.pack(">II", 0, 2**32 - 1)
    began = time.process_time()
    for body in (b"\xff" * 2_000_000, b"\x00" * 2_000_000, empty + b"\x00" * 2_000_000, trusted("", b"") * 40_000):
        found = list(entries(head + body))
        assert isinstance(found[-1], KeystoreProblem)
    assert time.process_time() - began < 60  # 8 MB of lengths take two seconds; to follow one of them would take for ever


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(min_value=0, max_value=10))
def test_changed_and_cut_keystores_are_read_as_far_as_they_go(chance: random.Random, changes: int) -> None:
    data = bytearray(keystore(trusted("one", b"0\x03abc"), with_key("own", b"0\x01a"), trusted("two", b"0\x00")))
    for _ in range(changes):
        data[chance.randrange(len(data))] = chance.randrange(256)
    if chance.random() < 0.5:
        del data[chance.randrange(len(data)) :]
    found = list(entries(bytes(data)))
    whole = sum(isinstance(e, KeystoreEntry) for e in found)
    assert whole == 3 or any(isinstance(e, KeystoreProblem) for e in found)


@given(st.binary(max_size=200))
def test_any_bytes_behind_the_magic_are_read(data: bytes) -> None:
    assert all(isinstance(e, KeystoreEntry | KeystoreProblem) for e in entries(b"\xfe\xed\xfe\xed\x00\x00\x00\x02" + data))


# -- who trusts a bundle --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "party", "kind"),
    [
        ("firmware-EG-500-4.2.0.pem", "firmware EG-500 4.2.0", RelyingPartyKind.FIRMWARE),
        ("firmware-TH20.pem", "firmware TH20", RelyingPartyKind.FIRMWARE),
        ("Firmware_X_v2.tar.pem", "firmware X v2.tar", RelyingPartyKind.FIRMWARE),
        ("gateway-gdansk.pem", "gateway gdansk", RelyingPartyKind.GATEWAY),
        ("broker-trust.pem", "broker-trust", RelyingPartyKind.BROKER),
        ("broker.truststore.jks", "broker", RelyingPartyKind.BROKER),
        ("cacerts", "cacerts", RelyingPartyKind.HOST),
        ("ca-bundle.crt", "ca-bundle", RelyingPartyKind.HOST),
        (".pem", ".pem", RelyingPartyKind.HOST),
    ],
)
def test_the_convention_of_file_names(name: str, party: str, kind: RelyingPartyKind) -> None:
    assert by_convention(name) == (party, kind)


def test_the_file_name_decides_where_nobody_declares(tmp_path: Path) -> None:
    (tmp_path / "broker-main.pem").write_bytes(pem(ONE.certificate) + pem(TWO.certificate))
    (tmp_path / "gateway-north.pem").write_bytes(pem(ONE.certificate))
    found = collect(SOURCE, tmp_path)
    assert anchors(found) == [
        ("One", "broker-main", "broker", None),
        ("Two", "broker-main", "broker", None),
        ("One", "gateway north", "gateway", None),
    ]
    assert [r["bundle"] for r in rows(found, "anchor")] == ["broker-main.pem", "broker-main.pem", "gateway-north.pem"]
    assert "broker-main, gateway north" in found.manifest.notes[0]


BROKER = AnchorDeclaration(path="x/a.pem", relying_party="mqtt", kind=RelyingPartyKind.BROKER, purpose=AnchorPurpose.ENROLMENT)
OF_A_GATEWAY = SourceDeclaration(path="x", relying_party="gw", relying_party_kind=RelyingPartyKind.GATEWAY)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Declarations(anchors=(BROKER,)), ("One", "mqtt", "broker", "enrolment")),
        (Declarations(anchors=(AnchorDeclaration(path="x", purpose=AnchorPurpose.UPDATE),)), ("One", "a", "host", "update")),
        (Declarations(source=(OF_A_GATEWAY,)), ("One", "gw", "gateway", None)),
        (Declarations(source=(OF_A_GATEWAY,), anchors=(BROKER,)), ("One", "mqtt", "broker", "enrolment")),
    ],
)
def test_declarations_decide(tmp_path: Path, said: Declarations, expected: tuple[str, str, str, str | None]) -> None:
    (tmp_path / "a.pem").write_bytes(pem(ONE.certificate))
    assert anchors(collect(SOURCE, tmp_path, said, relative="x")) == [expected]
    assert anchors(collect(SOURCE, tmp_path / "a.pem", said, relative="x/a.pem")) == [expected]


# -- forms of bundles ------------------------------------------------------------------------------------------------


def pfx(password: bytes | None, *, key: bool) -> bytes:
    protection: KeySerializationEncryption = BestAvailableEncryption(password) if password else NoEncryption()
    held = ec.generate_private_key(ec.SECP256R1()) if key else None
    own = Ca("own", key=held).certificate if held else None
    return pkcs12.serialize_key_and_certificates(b"x", held, own, [ONE.certificate, TWO.certificate], protection)


OTHER = trusted("y", der(TWO.certificate))


@pytest.mark.parametrize(
    ("name", "data", "passwords", "names", "problems"),
    [
        ("a.der", der(ONE.certificate), (), ["One"], {}),
        ("a.pem", pem(ONE.certificate) + KEY + pem(ONE.certificate), (), ["One"], {"private-key-present": 1}),
        ("a.jks", keystore(trusted("x", der(ONE.certificate)), OTHER), (), ["One", "Two"], {}),
        ("a.jks", keystore(with_key("k", der(ONE.certificate)), OTHER), (), ["Two"], {"private-key-present": 1}),
        ("a.p12", pfx(b"changeit", key=False), (), ["One", "Two"], {}),
        ("a.p12", pfx(b"other", key=False), (b"other",), ["One", "Two"], {}),
        ("a.p12", pfx(b"other", key=True), (b"other",), ["One", "Two"], {"private-key-present": 1}),
        ("a.p12", pfx(b"other", key=False), (), [], {"pkcs12-locked": 1}),
        ("a.pem", b"nothing", (), [], {"unrecognised-file": 1}),
        ("a.pem", b"", (), [], {"unrecognised-file": 1}),
        ("leaf.pem", pem(ONE.issue("leaf", 2)), (), ["leaf"], {}),
    ],
)  # fmt: skip
def test_forms(
    tmp_path: Path, name: str, data: bytes, passwords: tuple[bytes, ...], names: list[str], problems: dict[str, int]
) -> None:
    (tmp_path / name).write_bytes(data)
    found = collect(SOURCE, tmp_path / name, passwords=passwords)
    assert [anchor[0] for anchor in anchors(found)] == names
    assert codes(found) == problems
    assert found.manifest.partial is ("pkcs12-locked" in problems)


def test_revocation_lists_in_a_bundle_and_beside_it(tmp_path: Path) -> None:
    crl = ONE.crl({7: (datetime(2026, 5, 1, tzinfo=UTC), None)})
    folder = tmp_path / "anchors"
    folder.mkdir()
    (folder / "both.pem").write_bytes(pem(ONE.certificate) + pem(crl))
    (folder / "one.crl").write_bytes(der(crl))
    found = collect(SOURCE, folder)
    assert [anchor[0] for anchor in anchors(found)] == ["One"]
    assert [r["origin"] for r in rows(found, "revocation_list")] == ["both.pem", "one.crl"]
    assert [r["serial_hex"] for r in rows(found, "revocation")] == ["7"]
    assert codes(found) == {}


def test_certificates_of_a_key_are_recorded_though_no_anchors(tmp_path: Path) -> None:
    (tmp_path / "a.jks").write_bytes(keystore(with_key("k", der(ONE.certificate))))
    found = collect(SOURCE, tmp_path / "a.jks")
    assert [r["subject_cn"] for r in rows(found, "certificate")] == ["One"]
    assert not rows(found, "anchor")


def test_a_keystore_that_ends_early_makes_the_snapshot_partial(tmp_path: Path) -> None:
    (tmp_path / "a.jks").write_bytes(keystore(trusted("x", der(ONE.certificate)), trusted("y", der(TWO.certificate)))[:-300])
    found = collect(SOURCE, tmp_path / "a.jks")
    assert [anchor[0] for anchor in anchors(found)] == ["One"]
    assert found.manifest.partial


def hashed_folder(folder: Path) -> Path:
    """A folder as update-ca-certificates leaves it: files from elsewhere, links by hash, all of it in one file too."""
    elsewhere, here = folder / "share", folder / "certs"
    elsewhere.mkdir()
    here.mkdir()
    for number, ca in enumerate((ONE, TWO)):
        (elsewhere / f"{ca.name}.crt").write_bytes(pem(ca.certificate))
        (here / f"{ca.name}.pem").symlink_to(elsewhere / f"{ca.name}.crt")
        (here / f"{number:08x}.0").symlink_to(f"{ca.name}.pem")
    (here / "ca-certificates.crt").write_bytes(pem(ONE.certificate) + pem(TWO.certificate))
    return here


def test_a_hashed_folder_is_one_bundle(tmp_path: Path) -> None:
    folder = hashed_folder(tmp_path)
    assert SOURCE.recognise(place_of(folder)) is not None
    found = collect(SOURCE, folder)
    assert anchors(found) == [("One", "certs", "host", None), ("Two", "certs", "host", None)]
    assert [(r["bundle"], r["origin"]) for r in rows(found, "anchor")] == [("certs", "One.pem"), ("certs", "Two.pem")]
    assert len(rows(found, "certificate")) == 2
    assert codes(found) == {}


def test_a_keystore_in_a_hashed_folder_is_a_bundle_by_itself(tmp_path: Path) -> None:
    folder = hashed_folder(tmp_path)
    (folder / "java").mkdir()
    (folder / "java" / "cacerts").write_bytes(keystore(trusted("x", der(ONE.certificate))))
    found = collect(SOURCE, folder)
    assert [(r["bundle"], r["relying_party"]) for r in rows(found, "anchor")] == [
        ("certs", "certs"), ("certs", "certs"), ("java/cacerts", "cacerts"),
    ]  # fmt: skip


def test_what_cannot_be_read_makes_the_snapshot_partial(tmp_path: Path) -> None:
    place = tmp_path / "anchors"
    (place / "closed").mkdir(parents=True)
    for name in ("a.pem", "b.pem"):
        (place / name).write_bytes(pem(ONE.certificate))
    with closed(place / "b.pem", place / "closed"):
        found = collect(SOURCE, place)
    assert [anchor[0] for anchor in anchors(found)] == ["One"]
    assert {(row["file"], row["code"]) for row in rows(found, "problem")} == {
        ("b.pem", "unreadable-file"),
        ("closed", "unreadable-file"),
    }
    assert found.manifest.partial


def test_links_to_nothing_and_to_folders_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_bytes(pem(ONE.certificate))
    (tmp_path / "gone.pem").symlink_to("nowhere.pem")
    (tmp_path / "loop").symlink_to(tmp_path)
    found = collect(SOURCE, tmp_path)
    assert codes(found) == {"unreadable-file": 2}
    assert found.manifest.partial
    assert len(rows(found, "anchor")) == 1


def test_file_names_that_are_no_unicode(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.pem")).write_bytes(pem(ONE.certificate))
    assert [(r["relying_party"], r["bundle"]) for r in rows(collect(SOURCE, tmp_path), "anchor")] == [
        ("caf\\xe9", "caf\\xe9.pem")
    ]


def test_recognising(tmp_path: Path) -> None:
    def known(name: str, data: bytes) -> bool:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
        return SOURCE.recognise(place_of(tmp_path / name)) is not None

    assert known("a.jks", keystore())
    assert known("bundle.pem", pem(ONE.certificate) + pem(TWO.certificate))
    assert known("gateway-x.pem", pem(ONE.certificate))
    assert known("my-trust-store.pem", pem(ONE.certificate))
    assert not known("ca.pem", pem(ONE.certificate))
    assert not known("cacert.crt", pem(ONE.certificate))
    assert not known("chain.pem", pem(ONE.issue("leaf", 3)) + pem(ONE.certificate))
    assert not known("text.pem", b"hello")
    assert not known("anchors/a.pem", b"x")
    assert SOURCE.recognise(place_of(tmp_path / "anchors")) is not None
    assert not known("device_certs/a.pem", b"x")
    assert SOURCE.recognise(place_of(tmp_path / "device_certs")) is None
    (tmp_path / "anchors" / "index.txt").write_bytes(b"")
    assert SOURCE.recognise(place_of(tmp_path / "anchors")) is None
    assert SOURCE.recognise(place_of(tmp_path)) is None


# -- real bundles ------------------------------------------------------------------------------------------------------


def distinct_certificates(folder: Path) -> set[bytes]:
    """Independently of our reader: everything between BEGIN and END in the files of one folder."""
    blocks = (m[1] for path in folder.iterdir() if path.is_file()
              for m in re.finditer(rb"-----BEGIN CERTIFICATE-----(.*?)-----END", path.read_bytes(), re.DOTALL))  # fmt: skip
    return {hashlib.sha256(base64.b64decode(block)).digest() for block in blocks}


@pytest.mark.parametrize("folder", [p for p in (Path("/etc/ssl/certs"),) if (p / "ca-certificates.crt").is_file()])
def test_the_anchors_of_this_machine(folder: Path) -> None:
    found = collect(SOURCE, folder)
    own = [r["sha256"] for r in rows(found, "anchor") if r["bundle"] == "certs"]
    assert set(own) == distinct_certificates(folder)
    assert len(own) == len(set(own))
    assert not found.manifest.partial


def test_the_sample_fleet(corpus: Path) -> None:
    folder = corpus / "fleet-sample" / "anchors"
    assert SOURCE.recognise(place_of(folder)) is not None
    found = collect(SOURCE, folder)
    assert found.manifest.rows == {"anchor": 30, "certificate": 30, "signature_edge": 12}
    assert len({r["relying_party"] for r in rows(found, "anchor")}) == 17
    kinds = [r["relying_party_kind"] for r in rows(found, "anchor")]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {"broker": 6, "firmware": 13, "gateway": 11}
    assert {r["purpose"] for r in rows(found, "anchor")} == {None}


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("tpm-vendor-cas", (51, 51, {"der-refused": 7})),  # Nuvoton's, whose SETs are not in DER order: anchors none the less
        ("openssl-ca-libest/trustedcerts.crt", (8, 8, {})),
        ("openssl-ca-libest/mfgCAs/trustedcertswithhugersudichain.crt", (10, 10, {})),
    ],
)
def test_real_bundles(corpus: Path, path: str, counts: tuple[int, int, dict[str, int]]) -> None:
    found = collect(SOURCE, corpus / path)
    assert (len(rows(found, "anchor")), len(rows(found, "certificate")), codes(found)) == counts
