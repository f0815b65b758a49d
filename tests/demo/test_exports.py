"""The exports: the same bytes for the same seed, and real certificates, signatures and lists in them."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates

from tenure.demo import exports
from tenure.demo.life import World
from tenure.demo.truth import expected

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def fleet() -> World:
    return exports.example(7, 120, AS_OF)


@pytest.fixture(scope="module")
def files(fleet: World) -> dict[str, bytes]:
    return dict(exports.files(fleet))


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(files: dict[str, bytes]) -> None:
    assert dict(exports.files(exports.example(7, 120, AS_OF))) == files
    other = dict(exports.files(exports.example(8, 120, AS_OF)))
    assert other["cmdb.csv"] != files["cmdb.csv"]
    assert other["ca/ca.pem"] != files["ca/ca.pem"]


def test_no_file_is_written_twice(fleet: World) -> None:
    paths = [path for path, _ in exports.files(fleet)]
    assert len(paths) == len(set(paths))


def test_every_certificate_is_signed_by_its_authority(fleet: World) -> None:
    for issued in [*fleet.issued.values(), *fleet.births.values(), fleet.server]:
        if issued.plan.sha1:
            continue  # the library does not verify SHA-1 here; the audit does
        by = issued.certificate if issued.authority == "self" else fleet.authorities[issued.authority].certificate
        issued.certificate.verify_directly_issued_by(by)
    for name in ("operations", "cloud", "site"):
        fleet.authorities[name].certificate.verify_directly_issued_by(fleet.authorities["root-g2"].certificate)


def test_serial_numbers_of_one_authority_differ(fleet: World) -> None:
    for authority in ("operations", "cloud", "video", "metering"):
        serials = [issued.certificate.serial_number for issued in fleet.issued_by(authority)]
        assert len(set(serials)) == len(serials) > 0


def test_the_crl_is_signed_and_lists_what_the_index_says_is_revoked(fleet: World, files: dict[str, bytes]) -> None:
    crl = x509.load_pem_x509_crl(files["ca/crl.pem"])
    assert crl.is_signature_valid(fleet.authorities["operations"].certificate.public_key())  # type: ignore[arg-type]  # an EC key
    index = [line.split("\t") for line in files["ca/index.txt"].decode().splitlines()]
    now = f"{fleet.moment(0.25):%y%m%d%H%M%SZ}"
    assert {int(line[3], 16) for line in index if line[0] == "R" and line[1] > now} == {e.serial_number for e in crl}
    assert len(list(crl)) > 5


def test_the_index_lists_every_certificate_of_the_archive(files: dict[str, bytes]) -> None:
    listed = {line.split("\t")[3] for line in files["ca/index.txt"].decode().splitlines()}
    kept = {path.removeprefix("ca/newcerts/").removesuffix(".pem") for path in files if path.startswith("ca/newcerts/")}
    assert listed == kept


def test_two_device_certificates_hold_one_key_where_an_image_was_cloned(fleet: World) -> None:
    first, second = (fleet.of(d, "current") for d in fleet.devices if d.case == "cloned-image")
    assert first.certificate.public_key() == second.certificate.public_key()
    assert first.sha256 != second.sha256


def test_meters_come_as_pkcs7_and_images_hold_a_certificate(fleet: World, files: dict[str, bytes]) -> None:
    meters = load_der_pkcs7_certificates(files["collected/meters.p7b"])
    assert {c.serial_number for c in meters} == {i.certificate.serial_number for i in fleet.issued_by("metering")}
    (image,) = (content for path, content in files.items() if path.endswith("-flash.img"))
    assert any(issued.der in image for issued in fleet.issued_by("operations") if not issued.plan.listed)


def test_things_and_certificates_of_the_cloud_name_each_other(files: dict[str, bytes]) -> None:
    things = {t["thingName"] for t in json.loads(files["aws/list-things.json"])["things"]}
    named = {p.rpartition("/")[2].removesuffix(".json") for p in files if p.startswith("aws/list-thing-principals/")}
    assert things == named
    described = {p.rpartition("/")[2].removesuffix(".json") for p in files if p.startswith("aws/describe-certificate/")}
    held = {
        arn.rpartition("/")[2]
        for path, content in files.items() if path.startswith("aws/list-thing-principals/")
        for arn in json.loads(content)["principals"]
    }  # fmt: skip
    assert held == described


def test_secrets_are_written_as_digests_only(files: dict[str, bytes]) -> None:
    for path in ("secrets/api-tokens.csv", "secrets/psk-identities.csv"):
        rows = list(csv.DictReader(io.StringIO(files[path].decode())))
        assert rows
        for row in rows:
            digest = row.get("sha256_of_token") or row["psk_sha256"]
            assert len(bytes.fromhex(digest)) == 32
    assert not [path for path, content in files.items() if b"PRIVATE KEY" in content]


def test_names_are_generic(files: dict[str, bytes]) -> None:
    makers = {row["manufacturer"] for row in csv.DictReader(io.StringIO(files["cmdb.csv"].decode())) if row["manufacturer"]}
    assert all(maker.startswith("Example ") for maker in makers)


def test_what_must_be_found_can_be_told_apart(fleet: World) -> None:
    named = [(e.rule, e.about) for e in expected(fleet)]
    assert len(set(named)) == len(named)
    assert all(about and all(part.split(" ", 1)[1] for part in about) for _, about in named)
