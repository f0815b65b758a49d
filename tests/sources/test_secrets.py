"""Tokens, PSK identities and SSH host keys: keyed at once, held by whom, ended when; nothing secret is left behind."""

from __future__ import annotations

import base64
import hashlib
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.evidence.digests import SecretDigest
from tenure.evidence.snapshot import Snapshot
from tenure.model.declarations import Declarations, MakerDeclaration
from tenure.sources.secrets import SOURCE, of_any, sha256_of
from tests.sources.collected import codes, collect, place_of, rows

KEY = SecretDigest(b"k" * 32)
PLAIN = hashlib.sha256(b"hunter2").digest()
TOKENS = "token_id,sha256_of_token,device_serial,created_on,expires_on,last_used_on,scopes"


def listed(
    folder: Path, *lines: str, header: str = TOKENS, name: str = "tokens.csv", said: Declarations | None = None
) -> Snapshot:
    (folder / name).write_text("\n".join((header, *lines)) + "\n")
    return collect(SOURCE, folder / name, said)


def secrets(snapshot: Snapshot) -> list[dict[str, Any]]:
    return rows(snapshot, "secret")


# -- tokens -------------------------------------------------------------------------------------------------------------


def test_a_token_is_keyed_held_and_dated(tmp_path: Path) -> None:
    line = f"tok-1,{PLAIN.hex()}, svpl 641 ,2026-02-11T00:00:00Z,2027-02-11T00:00:00Z,2026-07-14T23:58:59Z,a:b c"
    snapshot = listed(tmp_path, line)
    assert secrets(snapshot) == [
        {
            "secret_id": "tok-1", "kind": "token", "digest": KEY.of(b"hunter2"), "digest_key_id": KEY.key_id,
            "key_algorithm": None,
            "key_bits": None, "holder_kind": "serial", "holder": "SVPL641", "holder_text": "svpl 641",
            "role": "operational",
            "created_at": datetime(2026, 2, 11, tzinfo=UTC), "expires_at": datetime(2027, 2, 11, tzinfo=UTC),
            "expires_text": None,
            "last_used_at": datetime(2026, 7, 14, 23, 58, 59, tzinfo=UTC), "ended_at": None, "status": None, "scopes": "a:b c",
            "origin": "tokens.csv#2",
        }
    ]  # fmt: skip
    assert snapshot.manifest.speaks_as_of == datetime(2026, 7, 14, 23, 58, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "never", "0", "9999-12-31", "2099-12-31T23:59:59Z", "2100-01-01", "2500-06-01", "none", "Unlimited"]
)
def test_sentinels_of_an_end_are_no_end(tmp_path: Path, text: str) -> None:
    snapshot = listed(tmp_path, f"t,{PLAIN.hex()},A,2026-01-01,{text},,")
    (secret,) = secrets(snapshot)
    assert (secret["expires_at"], secret["expires_text"]) == (None, text or None)
    assert codes(snapshot) == {}


def test_an_end_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    snapshot = listed(tmp_path, f"t,{PLAIN.hex()},A,2026-01-01,next summer,,")
    assert (secrets(snapshot)[0]["expires_at"], codes(snapshot)) == (None, {"bad-date": 1})


def test_a_token_of_no_device_is_a_services(tmp_path: Path) -> None:
    (secret,) = secrets(listed(tmp_path, f"t,{PLAIN.hex()},,2026-01-01,,,service:erp"))
    assert (secret["role"], secret["holder_kind"], secret["holder"]) == ("service", None, None)


def test_a_token_of_several_devices_is_a_row_for_each(tmp_path: Path) -> None:
    both = secrets(listed(tmp_path, f"t,{PLAIN.hex()},A1; 0042,2026-01-01,,,"))
    assert [(s["holder"], s["secret_id"]) for s in both] == [("A1", "t"), ("42", "t")]
    assert both[0]["digest"] == both[1]["digest"]


def test_holders_by_column_and_zeros_as_declared(tmp_path: Path) -> None:
    header = "token_id,token_hash,device_mac,device_name,device_serial,manufacturer,status"
    said = Declarations(maker={"Sensora": MakerDeclaration(leading_zeros="significant")})
    snapshot = listed(
        tmp_path,
        "a,$2b$12$abc,40:F5:2B:00:00:01,,,,revoked",
        "b,$2b$12$abc,,GW graz_1,,,active",
        "c,md5:00ff,,,007,SENSORA,disabled",
        "d,,zz,,,,melted",
        header=header,
        said=said,
    )
    assert [(s["holder_kind"], s["holder"], s["status"]) for s in secrets(snapshot)] == [
        ("mac", "40f52b000001", "revoked"),
        ("name", "gw-graz-1", "valid"),
        ("serial", "007", "deactivated"),
        (None, None, "unknown"),
    ]
    first, second, third, fourth = (s["digest"] for s in secrets(snapshot))
    assert first == second == KEY.of_other("2b", b"$2b$12$abc")
    assert third == KEY.of_other("md5", b"md5:00ff")
    assert fourth is None
    assert codes(snapshot) == {"unknown-status": 1, "bad-holder": 1}


def test_digests_in_every_notation_are_one() -> None:
    encoded = base64.b64encode(PLAIN).decode()
    forms = [
        PLAIN.hex(),
        PLAIN.hex().upper(),
        PLAIN.hex(":"),
        encoded,
        encoded.rstrip("="),
        "sha256:" + PLAIN.hex(),
        "{SHA256}" + encoded,
    ]
    forms.append(base64.urlsafe_b64encode(PLAIN).decode())
    assert {sha256_of(form) for form in forms} == {PLAIN}
    assert sha256_of("deadbeef") is None
    assert of_any(KEY, encoded) == KEY.of(b"hunter2")
    assert of_any(KEY, "AB" * 20) == of_any(KEY, "ab" * 20) != of_any(KEY, "ab" * 16)


def test_a_digest_that_is_none_is_told_and_the_row_kept(tmp_path: Path) -> None:
    snapshot = listed(tmp_path, "t,tooshort,A,2026-01-01,,,")
    assert (secrets(snapshot)[0]["digest"], codes(snapshot)) == (None, {"bad-digest": 1})


# -- secrets in clear ---------------------------------------------------------------------------------------------------

SECRET = "correct-horse-battery"


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("token_id,token,device_serial,expires_on", f"t,{SECRET},A,2027-01-01"),
        ("token_id,token,device_serial,expires_on", f"t,x,{SECRET},A,2027-01-01"),
        ("token_id,token,device_serial,expires_on", f"t,{SECRET}"),
        ("token_id,token,device_serial,expires_on,status", f"t,,A,{SECRET},{SECRET}"),
        ("token_id,sha256,token,expires_on", f"t,{SECRET},,2027-01-01"),
        ("token_id,token,device_mac,expires_on", f"t,x,{SECRET},"),
        ("token_id,token,device_serial,expires_on", f't,"{SECRET},A'),
    ],
    ids=["its-place", "shifted", "cut", "other-cells", "digest-cell", "holder-cell", "open-quote"],
)
def test_no_secret_in_clear_reaches_a_problem(tmp_path: Path, header: str, line: str) -> None:
    snapshot = listed(tmp_path, line, header=header)
    for problem in rows(snapshot, "problem"):
        assert SECRET not in problem["reason"]
        assert problem["sha256"] is None
    for secret in secrets(snapshot):
        assert secret["digest"] != hashlib.sha256(SECRET.encode()).digest()


def test_a_secret_and_its_digest_agree(tmp_path: Path) -> None:
    (clear,) = secrets(listed(tmp_path, "t,hunter2,A,", header="token_id,token,device_serial,expires_on"))
    (hashed,) = secrets(listed(tmp_path, f"t,{PLAIN.hex()},A,", header="token_id,token_sha256,device_serial,expires_on"))
    assert clear["digest"] == hashed["digest"] == KEY.of(b"hunter2")
    blob = b"".join(p.read_bytes() for p in tmp_path.parent.rglob("*.parquet"))
    assert b"hunter2" not in blob


def test_psks_in_hex_are_their_bytes(tmp_path: Path) -> None:
    key = bytes(range(16))
    snapshot = listed(
        tmp_path,
        f"dev-1,{key.hex()},A1",
        f"dev-2,0x{key.hex().upper()},A2",
        "dev-3,text,A3",
        header="psk_identity,psk,device_serial",
    )
    digests = [s["digest"] for s in secrets(snapshot)]
    assert digests[0] == digests[1] == KEY.of(key)
    assert digests[2] == KEY.of(b"text")
    assert {s["kind"] for s in secrets(snapshot)} == {"psk"}


@settings(max_examples=80, deadline=None)
@given(data=st.binary(max_size=300))
def test_no_bytes_crash(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for head in (TOKENS.encode(), b"host ssh-ed25519 AAAA"):
            path = Path(folder) / "secrets"
            path.write_bytes(head + b"\n" + data)
            collect(SOURCE, path)


# -- known_hosts --------------------------------------------------------------------------------------------------------

ED = ed25519.Ed25519PrivateKey.from_private_bytes(b"\x01" * 32).public_key()
RSA = rsa.generate_private_key(65537, 2048).public_key()
EC = ec.derive_private_key(7, ec.SECP256R1()).public_key()


def ssh(key: ed25519.Ed25519PublicKey | rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> str:
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def spki(key: ed25519.Ed25519PublicKey | rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> bytes:
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()


def hosts(folder: Path, *lines: str) -> Snapshot:
    (folder / "known_hosts").write_text("\n".join(("# collected with ssh-keyscan", *lines)) + "\n")
    recognition = SOURCE.recognise(place_of(folder / "known_hosts"))
    assert recognition is not None
    assert "known_hosts" in recognition.why
    return collect(SOURCE, folder / "known_hosts")


def test_a_host_key_is_a_credential_named_by_its_host(tmp_path: Path) -> None:
    first, second, third = secrets(
        hosts(tmp_path, f"GW-graz.local,10.0.0.7 {ssh(ED)}", f"b {ssh(RSA)} comment here", f"c {ssh(EC)}")
    )
    assert (first["secret_id"], first["kind"], first["digest"], first["digest_key_id"]) == (
        "GW-graz.local",
        "ssh-key",
        spki(ED),
        None,
    )
    assert (first["holder_kind"], first["holder"], first["holder_text"]) == ("name", "gw-graz-local", "GW-graz.local,10.0.0.7")
    assert (first["key_algorithm"], first["key_bits"], first["role"], first["origin"]) == (
        "ssh-ed25519",
        256,
        "operational",
        "known_hosts#2",
    )
    assert (second["key_algorithm"], second["key_bits"], second["digest"]) == ("ssh-rsa", 2048, spki(RSA))
    assert (third["key_algorithm"], third["key_bits"], third["digest"]) == ("ecdsa-sha2-nistp256", 256, spki(EC))


def test_aliases_of_one_host_are_one_credential_and_two_hosts_two(tmp_path: Path) -> None:
    snapshot = hosts(
        tmp_path,
        f"gw1,10.0.0.7 {ssh(ED)}",
        f"gw2 {ssh(ED)}",
        f"[gw1]:2222 {ssh(ED)}",
        f"10.0.0.8 {ssh(ED)}",
        f"gw2,10.0.0.8 {ssh(ED)}",
        f"gw1 {ssh(RSA)}",
    )
    assert [(s["secret_id"], s["holder"], s["holder_text"]) for s in secrets(snapshot)] == [
        ("gw1", "gw1", "gw1,10.0.0.7,[gw1]:2222"),
        ("gw2", "gw2", "gw2,10.0.0.8"),
        ("gw1", "gw1", "gw1"),
    ]
    assert secrets(snapshot)[0]["digest"] == secrets(snapshot)[1]["digest"]


def test_hashed_names_addresses_and_patterns_name_no_device(tmp_path: Path) -> None:
    hashed = "|1|JfKTdBh7rNbXkVAQCRp4OQoPfmI=|USECr3SWf1JUPsms5AqfD5QfxkM="
    snapshot = hosts(tmp_path, f"{hashed} {ssh(ED)}", f"10.0.0.9 {ssh(EC)}", f"*.example.com,!bad.example.com {ssh(RSA)}")
    assert [(s["holder_kind"], s["holder"]) for s in secrets(snapshot)] == [(None, None)] * 3
    assert secrets(snapshot)[0]["holder_text"] == hashed


def test_markers_are_followed(tmp_path: Path) -> None:
    revoked, authority = secrets(hosts(tmp_path, f"@revoked * {ssh(ED)}", f"@cert-authority *.example.com {ssh(RSA)}"))
    assert (revoked["status"], revoked["role"]) == ("revoked", "operational")
    assert (authority["status"], authority["role"]) == (None, "authority")


def test_lines_that_are_none_and_keys_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    snapshot = hosts(
        tmp_path,
        f"gw1 {ssh(ED)}",
        "garbage",
        "old 2048 65537 123456789",
        "gw2 ssh-ed25519 AAAAnope!",
        "gw3 ssh-new-2030 AAAA",
        "@odd x ssh-rsa AAAA",
    )
    assert [(s["secret_id"], s["digest"] is None) for s in secrets(snapshot)] == [("gw1", False), ("gw2", True), ("gw3", True)]
    assert codes(snapshot) == {"known-hosts": 3, "ssh-key": 2}


# -- real exports -------------------------------------------------------------------------------------------------------


def test_the_tokens_of_the_sample_fleet(corpus: Path) -> None:
    path = corpus / "fleet-sample" / "keys" / "api-tokens.csv"
    assert SOURCE.recognise(place_of(path)) is not None
    snapshot = collect(SOURCE, path)
    assert snapshot.manifest.rows == {"secret": 31}
    found = secrets(snapshot)
    assert sum(s["role"] == "service" for s in found) == 2
    assert sum(s["expires_at"] is None for s in found) == 4
    assert len({s["digest"] for s in found}) == 31
    assert snapshot.manifest.speaks_as_of == datetime(2026, 10, 31, 23, 59, tzinfo=UTC)


def test_the_host_keys_of_the_sample_fleet(corpus: Path) -> None:
    snapshot = collect(SOURCE, corpus / "fleet-sample" / "keys" / "known_hosts")
    found = secrets(snapshot)
    assert snapshot.manifest.rows == {"secret": 20}  # of 23 lines: three name a host again, by another port
    assert all(s["digest"] is not None and s["holder"].startswith("gw-") for s in found)
