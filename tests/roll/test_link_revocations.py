"""Linking of revocation lists that lie by themselves: whose they are, and what they may say of whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from cryptography.x509 import ReasonFlags

from tenure.sources.certificates import SOURCE
from tests.roll.exports import Exports
from tests.sources.collected import collect
from tests.sources.issuers import Ca, der, pem

REVOKED = datetime(2026, 5, 1, 12, tzinfo=UTC)
MADE = datetime(2026, 10, 1, tzinfo=UTC)
HOLD, RELEASE = ReasonFlags.certificate_hold, ReasonFlags.remove_from_crl

Lay = Callable[..., None]


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    return Exports(tmp_path)


@pytest.fixture
def lay(exports: Exports, tmp_path: Path) -> Lay:
    """One export of loose files: name -> content."""

    def laid(export: str, **files: bytes) -> None:
        folder = tmp_path / export
        folder.mkdir()
        for name, data in files.items():
            (folder / name.replace("_", ".")).write_bytes(data)
        exports.snapshots.append(collect(SOURCE, folder))

    return laid


def said(con: duckdb.DuckDBPyConnection) -> list[tuple[str, ...]]:
    return con.execute(
        "SELECT c.serial_hex, s.status, s.authority, s.origin FROM status s JOIN credential c USING (credential_key) ORDER BY ALL"
    ).fetchall()


def problems(con: duckdb.DuckDBPyConnection) -> list[tuple[str, ...]]:
    return con.execute("SELECT file, code FROM problem ORDER BY ALL").fetchall()


def test_a_list_ends_what_its_signer_signed_wherever_each_lies(exports: Exports, lay: Lay) -> None:
    ca = Ca("Plant CA")
    lay("authorities", ca_pem=pem(ca.certificate))
    lay("devices", one_pem=pem(ca.issue("pump-1", 7)), two_pem=pem(ca.issue("pump-2", 8)))
    lay("published", plant_crl=der(ca.crl({7: (REVOKED, None), 99: (REVOKED, None)})))
    con = exports.link()
    assert said(con) == [("63", "revoked", "crl", "published/plant.crl#2"), ("7", "revoked", "crl", "published/plant.crl#1")]
    rows = con.execute("SELECT name, ended, revoked_at FROM credential WHERE serial_hex IN ('7', '8') ORDER BY name").fetchall()
    assert rows == [("pump-1", True, REVOKED.replace(tzinfo=None)), ("pump-2", False, None)]
    assert con.execute("SELECT revocation_collected FROM issuer").fetchall() == [(True,)]
    assert problems(con) == []


def test_a_list_that_names_the_authority_and_is_signed_by_another_says_nothing(exports: Exports, lay: Lay) -> None:
    """Whoever could revoke with a forged list would hide a trusted credential of a device that is gone."""
    ca, forger = Ca("Plant CA"), Ca("Plant CA")
    lay("files", ca_pem=pem(ca.certificate), one_pem=pem(ca.issue("pump-1", 7)), forged_crl=der(forger.crl({7: (REVOKED, None)})))
    con = exports.link()
    assert said(con) == []
    assert problems(con) == [("forged.crl", "crl-unverified")]
    assert con.execute("SELECT revocation_collected FROM issuer").fetchall() == [(False,)]


def test_a_list_of_an_authority_that_nobody_collected_is_told(exports: Exports, lay: Lay) -> None:
    ca = Ca("Plant CA")
    lay("files", one_pem=pem(ca.issue("pump-1", 7)), plant_crl=der(ca.crl({7: (REVOKED, None)})))
    con = exports.link()
    assert said(con) == []
    ((reason,),) = con.execute("SELECT reason FROM problem").fetchall()
    assert reason == "no collected CA certificate verifies this list of CN=Plant CA; its 1 entries are left out"


def test_two_keys_of_one_name_revoke_their_own(exports: Exports, lay: Lay) -> None:
    old, new = Ca("Plant CA"), Ca("Plant CA")
    lay("files", old_pem=pem(old.certificate), new_pem=pem(new.certificate), a_pem=pem(old.issue("pump-1", 7)),
        b_pem=pem(new.issue("pump-2", 7)), new_crl=der(new.crl({7: (REVOKED, None)})))  # fmt: skip
    assert exports.link().execute("SELECT name FROM credential WHERE ended").fetchall() == [("pump-2",)]


def test_a_hold_is_for_the_newest_list_and_a_revocation_is_for_good(exports: Exports, lay: Lay) -> None:
    ca = Ca("Plant CA")
    lay("files", ca_pem=pem(ca.certificate), one_pem=pem(ca.issue("pump-1", 7)), two_pem=pem(ca.issue("pump-2", 8)))
    lay("september", old_crl=der(ca.crl({7: (REVOKED, HOLD), 8: (REVOKED, None)}, MADE - timedelta(days=7))))
    lay("october", new_crl=der(ca.crl({}, MADE)))
    con = exports.link()
    assert said(con) == [("8", "revoked", "crl", "september/old.crl#2")]
    assert problems(con) == [("old.crl", "superseded-crl")]


@pytest.mark.parametrize(("reason", "ended"), [(HOLD, True), (RELEASE, False)])
def test_a_hold_of_the_newest_list_holds(exports: Exports, lay: Lay, reason: ReasonFlags, ended: bool) -> None:
    ca = Ca("Plant CA")
    lay("files", ca_pem=pem(ca.certificate), one_pem=pem(ca.issue("pump-1", 7)))
    lay("september", old_crl=der(ca.crl({}, MADE - timedelta(days=7))))
    lay("october", new_crl=der(ca.crl({7: (REVOKED, reason)}, MADE)))
    con = exports.link()
    assert con.execute("SELECT ended FROM credential WHERE name = 'pump-1'").fetchall() == [(ended,)]
    assert problems(con) == []


def test_one_list_in_two_exports_speaks_once(exports: Exports, lay: Lay) -> None:
    ca = Ca("Plant CA")
    crl = der(ca.crl({7: (REVOKED, None)}))
    lay("a", ca_pem=pem(ca.certificate), one_crl=crl, same_crl=crl)
    lay("b", one_pem=pem(ca.issue("pump-1", 7)), again_crl=crl)
    assert said(exports.link()) == [("7", "revoked", "crl", "a/one.crl#1")]
