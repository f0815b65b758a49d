"""Linking of credentials: who signed, what it is for, who holds it, and whether anybody would still accept it.

Long because every tie of a credential is tested in one small world that all tests share.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.declarations import Declarations
from tenure.roll.explain import explain_device
from tests.roll.exports import AS_OF, DAY, Exports, anchor, authority, certificate, digest, signed

CLIENT = "1.3.6.1.5.5.7.3.2"
SERVER = "1.3.6.1.5.5.7.3.1"
OCSP = "1.3.6.1.5.5.7.3.9"


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    """Two devices in the CMDB, nothing else yet."""
    exports = Exports(tmp_path)
    exports.cmdb(
        {"serial": "NW-100001", "mac": "00:d0:c9:00:00:01", "name": "gw-1", "maker": "Nordwerk", "record_id": "g1"},
        {"serial": "NW-100002", "mac": "00:d0:c9:00:00:02", "name": "gw-2", "maker": "Nordwerk", "record_id": "g2"},
    )
    return exports


def ca(exports: Exports, *certificates: dict[str, Any], status: str = "valid", **authority_row: Any) -> None:
    """A CA folder: Root (anchored at the broker) above Issuing above the certificates; all signatures verified."""

    def write(draft: SnapshotDraft) -> None:
        authority(draft, "Root")
        authority(draft, "Issuing", "Root")
        anchor(draft, "Root")
        row = {"role": "operator", "issuance_collected": True, "revocation_collected": True, **authority_row}
        draft.add("authority", sha256=digest("Issuing"), origin="ca.pem", **row)
        for given in certificates:
            word, given = given["word"], {k: v for k, v in given.items() if k != "word"}
            certificate(draft, word, **given)
            signed(draft, word, "Issuing")
            draft.add("credential_status", sha256=digest(word), status=status, authority="ca-index", origin="index.txt")

    exports.source("openssl-ca", "ca", write)


def credential(con: duckdb.DuckDBPyConnection, word: str) -> dict[str, Any]:
    result = con.execute("SELECT * FROM credential WHERE sha256 = ?", [digest(word).hex()])
    names = [d[0] for d in result.description]
    (row,) = result.fetchall()
    return dict(zip(names, row, strict=True))


def holders(con: duckdb.DuckDBPyConnection, word: str) -> set[tuple[str, str, bool]]:
    """(device name, how, strong) of every binding."""
    return set(
        con.execute(
            "SELECT d.name, b.how, b.strong FROM binding b JOIN device d USING (device_key) JOIN credential c USING (credential_key) "
            "WHERE c.sha256 = ?",
            [digest(word).hex()],
        ).fetchall()
    )


def test_the_subject_serial_binds_and_the_common_name_does_not_outweigh_it(exports: Exports) -> None:
    ca(exports, {"word": "leaf", "subject_cn": "gw-2", "subject_serial": "nw-100001"})
    con = exports.link()
    assert holders(con, "leaf") == {("gw-1", "subject-serial", True)}
    assert credential(con, "leaf")["usable"]


@pytest.mark.parametrize(
    ("cn", "how", "strong"),
    [("NW-100001", "subject-serial", True), ("cam-00d0c9000001", "subject-mac", True), ("gw-1", "subject-name", False)],
)
def test_a_common_name_that_means_one_device_binds(exports: Exports, cn: str, how: str, strong: bool) -> None:
    ca(exports, {"word": "leaf", "subject_cn": cn})
    assert holders(exports.link(), "leaf") == {("gw-1", how, strong)}


def test_a_common_name_that_two_records_bear_binds_nobody(exports: Exports) -> None:
    exports.cmdb({"serial": "NW-100003", "name": "gw-1", "maker": "Nordwerk", "state": "retired"}, name="old.csv")
    ca(exports, {"word": "leaf", "subject_cn": "gw-1"})
    assert holders(exports.link(), "leaf") == set()


def test_what_the_cloud_attached_counts_and_no_subject_is_asked(exports: Exports) -> None:
    exports.cloud({"serial": "NW-100002", "maker": "Nordwerk", "certificates": ["leaf"], "record_id": "t"})
    ca(exports, {"word": "leaf", "subject_cn": "NW-100001"})
    con = exports.link()
    assert holders(con, "leaf") == {("gw-2", "principal", True)}
    assert credential(con, "leaf")["devices"] == 1


def test_a_certificate_attached_to_two_things_is_held_by_two(exports: Exports) -> None:
    exports.cloud(
        {"serial": "NW-100001", "maker": "Nordwerk", "certificates": ["leaf"], "record_id": "a"},
        {"serial": "NW-100002", "maker": "Nordwerk", "certificates": ["leaf"], "record_id": "b"},
    )
    ca(exports, {"word": "leaf"})
    con = exports.link()
    row = credential(con, "leaf")
    assert (row["devices"], row["device_key"]) == (2, None)
    assert con.execute("SELECT devices FROM key WHERE digest = ?", [digest("key of leaf").hex()]).fetchone() == (2,)


def test_equal_serials_of_two_makers_bind_by_the_maker_whose_devices_the_issuer_certifies(exports: Exports) -> None:
    exports.cmdb({"serial": "NW-100001", "name": "sensor", "maker": "Midori", "record_id": "m"}, name="sensors.csv")
    exports.cloud({"serial": "NW-100002", "maker": "Nordwerk", "certificates": ["known"], "record_id": "t"})
    ca(exports, {"word": "known"}, {"word": "leaf", "subject_cn": "NW-100001"})
    assert holders(exports.link(), "leaf") == {("gw-1", "subject-serial", True)}


@pytest.mark.parametrize(("written", "record"), [("0048154", "with zeros"), ("48154", "without")])
def test_leading_zeros_that_are_significant_part_two_devices_for_subjects_too(
    exports: Exports, tmp_path: Path, written: str, record: str
) -> None:
    declared = Declarations.model_validate({"maker": {"Thermion": {"leading_zeros": "significant"}}})

    def write(draft: SnapshotDraft) -> None:
        for serial, name in (("0048154", "with zeros"), ("48154", "without")):
            draft.add("device_record", record_id=name, name=name, serial=serial, maker="Thermion", state="active", origin=name)
            draft.add("identifier", record_id=name, kind="serial", value=serial, scope="thermion")

    exports.source("cmdb", "thermostats.csv", write)
    ca(exports, {"word": "leaf", "subject_serial": written}, {"word": "by name", "subject_cn": written})
    con = exports.link(declared)
    assert holders(con, "leaf") == {(record, "subject-serial", True)}
    assert holders(con, "by name") == {(record, "subject-serial", True)}
    assert explain_device(con, written).name == record


def test_a_declared_maker_of_an_issuer_decides_between_equal_serials(exports: Exports) -> None:
    exports.cmdb({"serial": "NW-100001", "name": "sensor", "maker": "Midori", "record_id": "m"}, name="sensors.csv")
    ca(exports, {"word": "leaf", "subject_cn": "NW-100001"})
    assert holders(exports.link(), "leaf") == set()
    declared = Declarations.model_validate({"issuer": [{"name": "Issuing", "maker": "Midori GmbH"}]})
    assert holders(exports.link(declared), "leaf") == {("sensor", "subject-serial", True)}


def test_a_claimed_issuer_anchors_nothing_and_a_refuted_one_is_none(exports: Exports) -> None:
    def write(draft: SnapshotDraft) -> None:
        authority(draft, "Root")
        anchor(draft, "Root")
        certificate(draft, "claims", "CN=Root")
        certificate(draft, "forged", "CN=Root")
        signed(draft, "forged", "Root", verified=False)

    exports.source("certificates", "files", write)
    con = exports.link()
    claims, forged = credential(con, "claims"), credential(con, "forged")
    assert (claims["issuer_verified"], claims["anchored"], claims["usable"]) == (False, False, False)
    assert (forged["issuer_verified"], forged["anchored"]) == (False, False)
    assert dict(
        con.execute("SELECT c.name, e.state FROM edge e JOIN credential c USING (credential_key) WHERE NOT ca").fetchall()
    ) == {
        "claims": "claimed",
        "forged": "refuted",
    }


def test_a_key_identifier_parts_two_authorities_of_one_name(exports: Exports) -> None:
    def write(draft: SnapshotDraft) -> None:
        certificate(
            draft, "old", "CN=Same", subject="CN=Same", subject_cn="Same", is_ca=True, self_issued=True, subject_key_id=b"old"
        )
        certificate(
            draft, "new", "CN=Same", subject="CN=Same", subject_cn="Same", is_ca=True, self_issued=True, subject_key_id=b"new"
        )
        certificate(draft, "leaf", "CN=Same", authority_key_id=b"new")

    exports.source("certificates", "files", write)
    con = exports.link()
    edges = con.execute(
        "SELECT i.sha256 FROM edge e JOIN credential c USING (credential_key) JOIN credential i ON i.credential_key = e.issuer_credential_key "
        "WHERE c.sha256 = ?",
        [digest("leaf").hex()],
    ).fetchall()
    assert edges == [(digest("new").hex(),)]


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({"not_after": AS_OF - DAY}, "expired"),
        ({"not_before": AS_OF + DAY}, "not_yet_valid"),
    ],
)
def test_out_of_its_time_a_certificate_is_not_usable(exports: Exports, change: dict[str, Any], flag: str) -> None:
    ca(exports, {"word": "leaf", **change})
    row = credential(exports.link(), "leaf")
    assert (row[flag], row["usable"]) == (True, False)


@pytest.mark.parametrize(("status", "authority_word"), [("revoked", "crl"), ("deactivated", "cloud"), ("suspended", "crl")])
def test_any_source_that_ends_it_ends_it(exports: Exports, status: str, authority_word: str) -> None:
    ca(exports, {"word": "leaf"})
    exports.source(
        "aws-iot",
        "aws",
        lambda d: d.add(
            "credential_status",
            sha256=digest("leaf"),
            status=status,
            authority=authority_word,
            effective_at=AS_OF - DAY,
            origin="x",
        ),
    )
    row = credential(exports.link(), "leaf")
    assert (row["ended"], row["usable"], row["ended_at"]) == (True, False, (AS_OF - DAY).replace(tzinfo=None))
    assert (row["revoked_at"] is not None) == (status == "revoked")


def test_a_crl_entry_finds_its_certificate_by_issuer_and_serial(exports: Exports) -> None:
    ca(exports, {"word": "leaf", "serial_hex": "AB12"})
    exports.source(
        "openssl-ca",
        "crl",
        lambda d: d.add(
            "credential_status",
            issuer_sha256=digest("Issuing"),
            serial_hex="AB12",
            status="revoked",
            authority="crl",
            origin="crl.pem",
        ),
    )
    assert credential(exports.link(), "leaf")["ended"]


def test_an_index_entry_without_its_certificate_is_a_credential_known_by_serial(exports: Exports) -> None:
    ca(exports)

    def write(draft: SnapshotDraft) -> None:
        draft.add(
            "issuance",
            issuer_sha256=digest("Issuing"),
            serial_hex="77",
            subject="CN=lost",
            not_after=AS_OF + DAY,
            origin="index.txt#1",
        )
        draft.add(
            "credential_status",
            issuer_sha256=digest("Issuing"),
            serial_hex="77",
            status="valid",
            authority="ca-index",
            origin="index.txt#1",
        )

    exports.source("openssl-ca", "index", write)
    row = exports.link().execute("SELECT name, sha256, usable, kind FROM credential WHERE serial_hex = '77'").fetchone()
    assert row == ("CN=lost", None, True, "certificate")


@pytest.mark.parametrize(
    ("change", "role"),
    [
        ({"extended_key_usage": CLIENT}, "operational"),
        ({"extended_key_usage": f"{SERVER} {CLIENT}"}, "operational"),
        ({"extended_key_usage": SERVER}, "server"),
        ({"extended_key_usage": OCSP}, "server"),
        ({"extended_key_usage": "2.23.133.8.1"}, "attestation"),
        ({"extended_key_usage": "2.23.133.8.3"}, "attestation"),
        ({}, "operational"),
    ],
)
def test_roles_of_certificates_of_our_own_authority(exports: Exports, change: dict[str, Any], role: str) -> None:
    ca(exports, {"word": "leaf", **change})
    assert credential(exports.link(), "leaf")["role"] == role


def test_a_makers_certificate_is_a_birth_certificate_and_usable_only_for_operation(exports: Exports, tmp_path: Path) -> None:
    def write(purpose: str | None) -> Exports:
        fresh = Exports(tmp_path / str(purpose), [*exports.snapshots])

        def maker(draft: SnapshotDraft) -> None:
            authority(draft, "Maker Root", subject_o="Nordwerk")
            anchor(draft, "Maker Root", purpose=purpose)
            certificate(draft, "idevid", "CN=Maker Root")
            signed(draft, "idevid", "Maker Root")

        fresh.source("trust-anchors", "anchors", maker)
        return fresh

    for purpose, usable in (("enrolment", False), ("operation", True), (None, True)):
        row = credential(write(purpose).link(), "idevid")
        assert (row["role"], row["usable"]) == ("birth", usable), purpose


def test_an_expired_or_revoked_authority_breaks_the_path(exports: Exports) -> None:
    def write(draft: SnapshotDraft) -> None:
        authority(draft, "Root")
        anchor(draft, "Root")
        for word, over in (("Alive", False), ("Over", True)):
            end = AS_OF - DAY if over else AS_OF + 999 * DAY
            certificate(draft, word, "CN=Root", subject=f"CN={word}", is_ca=True, not_after=end)
            signed(draft, word, "Root")
            certificate(draft, f"under {word}", f"CN={word}")
            signed(draft, f"under {word}", word)

    exports.source("certificates", "files", write)
    con = exports.link()
    assert {w: credential(con, f"under {w}")["anchored"] for w in ("Alive", "Over")} == {"Alive": True, "Over": False}


def test_a_rolled_over_authority_keeps_revocations_with_the_key_that_signed(exports: Exports) -> None:
    """Two issuing keys of one name, each with a serial 1: revoking one says nothing of the other."""

    def write(draft: SnapshotDraft) -> None:
        for generation in ("G1", "G2"):
            certificate(draft, generation, "CN=CA", subject="CN=CA", subject_cn="CA", is_ca=True, self_issued=True)
            signed(draft, generation, generation)
            anchor(draft, generation)
            certificate(draft, f"leaf {generation}", "CN=CA", serial_hex="1")
            signed(draft, f"leaf {generation}", generation)
        draft.add(
            "credential_status", issuer_sha256=digest("G1"), serial_hex="1", status="revoked", authority="crl", origin="crl.pem"
        )

    exports.source("openssl-ca", "ca", write)
    con = exports.link()
    assert {g: credential(con, f"leaf {g}")["ended"] for g in ("G1", "G2")} == {"G1": True, "G2": False}


def test_equal_secrets_meet_in_one_key_and_expired_ones_are_not_usable(exports: Exports) -> None:
    def write(draft: SnapshotDraft) -> None:
        for serial, secret_id, expires in (("NW-100001", "tok-1", None), ("NW-100002", "tok-2", AS_OF - DAY)):
            draft.add(
                "secret", secret_id=secret_id, kind="token", digest=digest("one secret"), digest_key_id="k", holder_kind="serial", holder=serial,
                role="operational", created_at=AS_OF - 400 * DAY, expires_at=expires, last_used_at=AS_OF - 3 * DAY, origin=secret_id,
            )  # fmt: skip

    exports.source("secrets", "tokens.csv", write)
    con = exports.link()
    assert con.execute("SELECT kind, credentials, devices FROM key WHERE kind = 'secret'").fetchall() == [("secret", 2, 2)]
    assert dict(con.execute("SELECT name, usable FROM credential WHERE kind = 'token'").fetchall()) == {
        "tok-1": True,
        "tok-2": False,
    }
    assert con.execute("SELECT last_used_at, no_expiry FROM credential WHERE name = 'tok-1'").fetchone() == (
        (AS_OF - 3 * DAY).replace(tzinfo=None),
        True,
    )


def test_the_newest_of_a_role_and_its_predecessor(exports: Exports) -> None:
    ca(
        exports,
        {"word": "first", "subject_cn": "NW-100001", "not_before": AS_OF - 300 * DAY},
        {"word": "second", "subject_cn": "NW-100001", "not_before": AS_OF - 30 * DAY},
    )
    con = exports.link()
    assert {w: credential(con, w)["newest_of_role"] for w in ("first", "second")} == {"first": False, "second": True}
    successor = con.execute(
        "SELECT sha256 FROM credential WHERE credential_key = ?", [credential(con, "first")["successor_key"]]
    ).fetchone()
    assert successor == (digest("second").hex(),)


@pytest.mark.parametrize(
    ("row", "weak"),
    [
        ({"key_algorithm": "rsa", "key_bits": 1024, "key_exponent": "65537"}, True),
        ({"key_algorithm": "rsa", "key_bits": 2048, "key_exponent": "65537"}, False),
        ({"key_algorithm": "rsa", "key_bits": 2048, "key_exponent": "1"}, True),
        ({"key_algorithm": "rsa", "key_bits": 2048, "key_exponent": "65536"}, True),
        ({"key_algorithm": "rsa", "key_bits": 2048, "key_exponent": "9" * 80}, False),
        ({"key_algorithm": "ec", "key_bits": 192}, True),
        ({"key_algorithm": "ec", "key_bits": 224}, False),
        ({"key_algorithm": "dsa", "key_bits": 2048}, True),
        ({"key_algorithm": "ed25519", "key_bits": 256}, False),
    ],
)
def test_weak_keys(exports: Exports, row: dict[str, Any], weak: bool) -> None:
    ca(exports, {"word": "leaf", **row})
    (weakness,) = exports.link().execute(
        "SELECT weakness FROM key WHERE digest = ?", [digest("key of leaf").hex()]
    ).fetchone() or ("",)
    assert (weakness is not None) == weak, weakness


@pytest.mark.parametrize(
    ("end", "never"),
    [("9999-12-31T23:59:59Z", True), ("2090-01-01T00:00:00Z", True), ("2036-01-01T00:00:00Z", False)],
)
def test_no_expiry(exports: Exports, end: str, never: bool) -> None:
    from tenure.clock import instant

    ca(exports, {"word": "leaf", "not_after": instant(end)})
    row = credential(exports.link(), "leaf")
    assert row["no_expiry"] == never
    assert (row["not_after"] is None) == end.startswith("9999")


def test_a_test_authority_above_makes_a_test_issuer_and_a_maker_called_testo_does_not(exports: Exports) -> None:
    def write(draft: SnapshotDraft) -> None:
        for word in ("Demo Root", "Testo Device CA"):
            authority(draft, word)
            authority(draft, f"Sub of {word[:5]}", word)
            certificate(draft, f"leaf {word[:5]}", f"CN=Sub of {word[:5]}")
            signed(draft, f"leaf {word[:5]}", f"Sub of {word[:5]}")

    exports.source("certificates", "files", write)
    con = exports.link()
    assert "demo" in credential(con, "leaf Demo ")["test_issuer"]
    assert credential(con, "leaf Testo")["test_issuer"] is None


def test_declared_issuers_roles_and_ownership_count(exports: Exports) -> None:
    ca(exports, {"word": "leaf"})
    declared = Declarations.model_validate({"issuer": [{"name": "Issuing", "role": "claim", "ours": False}]})
    con = exports.link(declared)
    assert credential(con, "leaf")["role"] == "claim"
    assert con.execute("SELECT ours FROM issuer WHERE name = 'CN=Issuing'").fetchone() == (False,)


def test_an_older_generation_of_a_root_is_replaced_and_a_renewal_of_one_key_is_not(exports: Exports) -> None:
    def write(draft: SnapshotDraft) -> None:
        for word, begins, key in (
            ("Device Root G1", 900, "a"),
            ("Device Root G2", 300, "b"),
            ("Other Root", 900, "c"),
            ("Other Root again", 300, "c"),
        ):
            name = f"CN={word.removesuffix(' again')},O=Us"
            certificate(
                draft, word, name, subject=name, subject_o="Us", is_ca=True, self_issued=True, key=key, not_before=AS_OF - begins * DAY,
                not_after=AS_OF + 1000 * DAY,
            )  # fmt: skip
            anchor(draft, word)

    exports.source("trust-anchors", "anchors", write)
    rows = exports.link().execute(
        "SELECT c.name, n.name FROM anchor a JOIN credential c USING (credential_key) LEFT JOIN credential n ON n.credential_key = a.replaced_by_key"
    )
    assert dict(rows.fetchall()) == {
        "Device Root G1": "Device Root G2",
        "Device Root G2": None,
        "Other Root": None,
        "Other Root again": None,
    }


def test_linking_twice_gives_the_same_roll(exports: Exports) -> None:
    exports.cloud({"serial": "NW-100002", "maker": "Nordwerk", "certificates": ["leaf"], "record_id": "t"})
    ca(exports, {"word": "leaf"}, {"word": "other", "subject_cn": "NW-100001"})

    def content() -> dict[str, list[Any]]:
        con = exports.link()
        names = [n for (n,) in con.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()]
        return {n: con.execute(f"SELECT * FROM {n} ORDER BY ALL").fetchall() for n in names}

    assert content() == content()
