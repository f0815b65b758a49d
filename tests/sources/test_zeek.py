"""Zeek logs in both forms and of several versions: certificates as in the evidence, chains by side, sessions with digests.

Long because both forms and several versions of five logs stand side by side, in sections; the tree of tests mirrors the code.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import subprocess
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenure.evidence.snapshot import Snapshot
from tenure.model.declarations import Declarations
from tenure.pki import certificates, names
from tenure.sources import _openssl_names
from tenure.sources.zeek import SOURCE
from tests.sources.collected import codes, collect, place_of, rows
from tests.sources.issuers import Ca, der

A, B, ROOT, SERVER = ("a1" * 32, "b2" * 32, "c3" * 32, "d4" * 32)
TS = 1777941097.844322
AT = datetime(2026, 5, 5, 0, 31, 37, 844322, tzinfo=UTC)

CERTIFICATE: dict[str, Any] = {
    "ts": TS, "fingerprint": A, "certificate.version": 3, "certificate.serial": "0A1B",
    "certificate.subject": "CN=gw-00001,serialNumber=NW1,O=Nordwerk,C=SE", "certificate.issuer": "CN=Device CA,O=Nordwerk,C=SE",
    "certificate.not_valid_before": 1776384470.0, "certificate.not_valid_after": 253402300799.0,
    "certificate.key_alg": "id-ecPublicKey", "certificate.sig_alg": "ecdsa-with-SHA256", "certificate.key_type": "ecdsa",
    "certificate.key_length": 256, "certificate.curve": "prime256v1", "san.dns": ["gw.example", "b,c.example"],
    "san.ip": ["10.0.0.1"], "basic_constraints.ca": False, "host_cert": True, "client_cert": True,
}  # fmt: skip
TLS: dict[str, Any] = {
    "ts": TS, "uid": "CyACgkX4wCpYEsCJ8x", "id.orig_h": "10.23.133.55", "id.orig_p": 39933, "id.resp_h": "10.10.0.5",
    "id.resp_p": 8883, "version": "TLSv12", "cipher": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "resumed": False,
    "established": True, "cert_chain_fps": [SERVER, ROOT], "client_cert_chain_fps": [A, ROOT],
}  # fmt: skip
MQTT: dict[str, Any] = {
    "ts": TS, "uid": "CHhAvVGS1DHFjwGM9", "id.orig_h": "10.0.1.4", "id.orig_p": 49327, "id.resp_h": "10.10.0.5",
    "id.resp_p": 1883, "proto_name": "MQIsdp", "proto_version": "3.1", "client_id": "paho/34AAE",
    "connect_status": "Connection Accepted",
}  # fmt: skip
LISTS = {"cert_chain_fps", "client_cert_chain_fps", "cert_chain_fuids", "client_cert_chain_fuids", "san.dns", "san.ip"}


def tsv(path: str, *records: dict[str, Any], separator: str = "\t") -> str:
    """Records as Zeek writes them in TSV, with the header lines; fields stand in the order in which they first occur."""
    fields = list(dict.fromkeys(k for r in records for k in r))

    def escaped(value: Any) -> str:
        if isinstance(value, bool):
            return "T" if value else "F"
        text = f"{value:.6f}" if isinstance(value, float) else str(value)
        return "".join(f"\\x{ord(c):02x}" if c in "\\\t\n|" else c for c in text)

    def cell(record: dict[str, Any], name: str) -> str:
        value = record.get(name)
        if value is None:
            return "-"
        if isinstance(value, list):
            return ",".join(escaped(v).replace(",", "\\x2c") for v in value) or "(empty)"
        return escaped(value) or "(empty)"

    types = ["vector[string]" if f in LISTS else "string" for f in fields]
    lines: list[tuple[str, ...]] = [("#set_separator", ","), ("#empty_field", "(empty)"), ("#unset_field", "-"), ("#path", path)]
    lines += [("#fields", *fields), ("#types", *types)]
    head = [f"#separator \\x{ord(separator):02x}", *(separator.join(line) for line in lines)]
    return "\n".join([*head, *(separator.join(cell(r, f) for f in fields) for r in records), f"#close{separator}x", ""])


def flat(*records: dict[str, Any]) -> str:
    return "".join(json.dumps({k: v for k, v in r.items() if v is not None}) + "\n" for r in records)


def nested(*records: dict[str, Any]) -> str:
    out = ""
    for record in records:
        deep: dict[str, Any] = {}
        for key, value in record.items():
            at = deep
            *parents, last = key.split(".")
            for parent in parents:
                if not isinstance(at.get(parent), dict):
                    at[parent] = {}
                at = at[parent]
            at[last] = value
        out += json.dumps(deep) + "\n"
    return out


def wire(folder: Path, declarations: Declarations | None = None, **logs: str | bytes) -> Snapshot:
    """The folder with these logs (name without .log), collected."""
    place = folder / "zeek"
    place.mkdir(exist_ok=True)
    for old in place.iterdir():
        old.unlink()
    for name, text in logs.items():
        (place / f"{name}.log").write_bytes(text if isinstance(text, bytes) else text.encode())
    return collect(SOURCE, place, declarations)


def without_origin(snapshot: Snapshot) -> dict[str, list[dict[str, Any]]]:
    return {
        table: [{k: v for k, v in row.items() if k != "origin"} for row in snapshot.rows(table)]
        for table in snapshot.manifest.rows
    }


# --- the corpus -------------------------------------------------------------------------------------------------------


def test_the_sample_fleets_sensor(corpus: Path) -> None:
    snapshot = collect(SOURCE, corpus / "fleet-sample" / "zeek")
    assert snapshot.manifest.rows == {"certificate": 101, "chain": 193, "log_span": 1, "session": 563}
    sessions = rows(snapshot, "session")
    assert Counter((s["subject_kind"], s["outcome"]) for s in sessions) == {
        ("certificate", "accepted"): 560, ("certificate", "refused"): 3,
    }  # fmt: skip
    assert {s["relying_party"] for s in sessions} == {"10.10.0.5:8883"}
    (span,) = rows(snapshot, "log_span")
    assert (span["sensor"], span["kind"], span["entries"]) == (True, "host", 563)
    chains = rows(snapshot, "chain")
    assert {c["side"] for c in chains} == {"client", "server"}
    assert all((c["leaf_sha256"] == c["sha256"]) == (c["position"] == 0) for c in chains)
    assert Counter(c["side"] for c in chains if c["position"] == 0)["server"] == 1
    assert snapshot.manifest.notes == ()


def test_a_certificate_in_a_log_is_told_as_the_certificate_itself_is(corpus: Path) -> None:
    """The certificates of x509.log that also lie elsewhere in the sample: same text, same words, same times."""
    known = {}
    for path in (p for p in (corpus / "fleet-sample").rglob("*") if p.is_file()):
        for encoded in re.findall(rb"-----BEGIN CERTIFICATE-----(.+?)-----END", path.read_bytes().replace(rb"\n", b"\n"), re.S):
            encoding = base64.b64decode(encoded)
            known[hashlib.sha256(encoding).digest()] = encoding
    compared = 0
    columns = (
        "serial_hex", "issuer", "subject", "subject_cn", "subject_serial", "subject_o", "not_before", "not_after",
        "key_algorithm", "key_bits", "key_curve", "key_exponent", "signature_algorithm", "signature_hash", "is_ca",
        "subject_alt_names", "self_issued",
    )  # fmt: skip
    for row in collect(SOURCE, corpus / "fleet-sample" / "zeek").rows("certificate"):
        assert row["reader"] == "log"
        if found := known.get(row["sha256"]):
            facts = certificates.read(found)
            assert {c: row[c] for c in columns} == {c: getattr(facts, c) for c in columns}
            compared += 1
    assert compared == 93


def test_every_folder_of_zeeks_own_tests(corpus: Path) -> None:
    """Their times are masked, so there are no sessions; certificates and chains stand all the same."""
    found: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    taken = 0
    folders = sorted(p for p in (corpus / "zeek-logs").iterdir() if p.is_dir())
    for folder in folders:
        snapshot = collect(SOURCE, folder)
        assert not snapshot.manifest.partial
        found.update(snapshot.manifest.rows)
        problems.update(codes(snapshot))
        ours = any(re.match(r"(x509|ssl|mqtt_connect|known_certs)", p.name) for p in folder.iterdir())
        recognised = SOURCE.recognise(place_of(folder))
        assert (recognised is not None) == ours
        taken += ours
    assert (len(folders), taken) == (83, 69)
    assert found == {"certificate": 71, "chain": 128, "problem": 95, "signature_edge": 2}
    assert problems == {"bad-time": 85, "no-fields": 10}


def test_known_certs_and_logs_of_other_kinds_are_counted_in_notes(corpus: Path) -> None:
    known = collect(SOURCE, corpus / "zeek-logs" / "scripts.policy.protocols.ssl.known-certs")
    assert not any("known_certs" in n for n in known.manifest.notes)  # all of them have a row in x509.log
    mqtt = collect(SOURCE, corpus / "zeek-logs" / "scripts.base.protocols.mqtt.mqtt")
    assert mqtt.manifest.notes == ("logs of other kinds were left out: mqtt_publish, mqtt_subscribe",)


# --- forms ------------------------------------------------------------------------------------------------------------


def test_tsv_and_json_say_the_same(tmp_path: Path) -> None:
    reference = without_origin(wire(tmp_path, x509=flat(CERTIFICATE), ssl=flat(TLS), mqtt_connect=flat(MQTT)))
    assert {t: len(r) for t, r in reference.items()} == {"certificate": 1, "chain": 4, "log_span": 2, "session": 2}
    iso = {"ts": AT.isoformat().replace("+00:00", "Z")}
    milliseconds = {"ts": 1777941097844}
    backwards = dict(reversed(TLS.items()))
    for ssl in (
        tsv("ssl", TLS), tsv("ssl", TLS, separator="|"), tsv("ssl", backwards), nested(TLS), flat(TLS | iso),
        flat({"_path": "ssl"} | TLS), flat(TLS).replace("\n", "\r\n"), gzip.compress(tsv("ssl", TLS).encode()),
    ):  # fmt: skip
        snapshot = wire(tmp_path, x509=tsv("x509", CERTIFICATE), ssl=ssl, mqtt_connect=tsv("mqtt_connect", MQTT))
        assert without_origin(snapshot) == reference
    (session,) = rows(wire(tmp_path, ssl=flat(TLS | milliseconds)), "session")
    assert session["started_at"] == AT.replace(microsecond=844000)


def test_a_session_and_its_chains(tmp_path: Path) -> None:
    snapshot = wire(tmp_path, ssl=flat(TLS, TLS | {"ts": TS + 5, "uid": "C2"}))
    first, _second = rows(snapshot, "session")
    assert first == {
        "relying_party": "10.10.0.5:8883", "started_at": AT, "ended_at": None, "end_reason": None, "address": "10.23.133.55",
        "port": 39933, "server_address": "10.10.0.5", "server_port": 8883, "outcome": "accepted", "outcome_text": None,
        "subject_kind": "certificate", "sha256": bytes.fromhex(A), "principal": None, "user_name": None, "client_id": None,
        "protocol": "tls", "resumed": False, "origin": "ssl.log#1",
    }  # fmt: skip
    assert [(c["side"], c["position"], c["sha256"].hex(), c["leaf_sha256"].hex()) for c in snapshot.rows("chain")] == [
        ("client", 0, A, A), ("client", 1, ROOT, A), ("server", 0, SERVER, SERVER), ("server", 1, ROOT, SERVER),
    ]  # fmt: skip
    (span,) = snapshot.rows("log_span")
    assert (span["first_at"], span["entries"]) == (AT, 2)


def test_handshakes_that_did_not_end_well(tmp_path: Path) -> None:
    alert = TLS | {"established": False, "last_alert": "unknown_ca"}
    silent = TLS | {"established": False}
    unsaid = {k: v for k, v in TLS.items() if k != "established"}
    found = rows(wire(tmp_path, ssl=flat(alert, silent, unsaid)), "session")
    assert [(s["outcome"], s["outcome_text"]) for s in found] == [
        ("refused", "unknown_ca"), ("refused", "the handshake was not finished"), ("unknown", None),
    ]  # fmt: skip


def test_sessions_in_which_nobody_is_named_are_counted(tmp_path: Path) -> None:
    nameless = TLS | {"client_cert_chain_fps": []}
    snapshot = wire(tmp_path, ssl=tsv("ssl", nameless, nameless | {"version": "TLSv13"}, TLS))
    assert len(rows(snapshot, "session")) == 1
    assert snapshot.manifest.notes == (
        "1 of 3 TLS sessions are TLS 1.3, which hides client certificates from a sensor: who connected in them is not told",
        "1 TLS sessions showed no client certificate and no client id; they are left out",
    )


def test_the_relying_party_whose_address_is_declared(tmp_path: Path) -> None:
    said = Declarations.model_validate(
        {
            "relying_party": [
                {"name": "mqtt.nordwerk.example", "kind": "broker", "addresses": ["10.10.0.5:8883", "10.10.0.5:1883"]},
                {"name": "six", "kind": "gateway", "addresses": ["[2001:DB8::5]:8883"]},
            ]
        }
    )
    six = TLS | {"id.resp_h": "2001:db8:0::5"}
    snapshot = wire(tmp_path, said, ssl=flat(TLS, six, TLS | {"id.resp_h": "fd00::9"}), mqtt_connect=flat(MQTT))
    assert {s["relying_party"] for s in snapshot.rows("session")} == {"mqtt.nordwerk.example", "six", "[fd00::9]:8883"}
    assert {(s["relying_party"], s["kind"], s["entries"]) for s in snapshot.rows("log_span")} == {
        ("mqtt.nordwerk.example", "broker", 1), ("six", "gateway", 1), ("[fd00::9]:8883", "host", 1),
    }  # fmt: skip


def test_mqtt_connections_are_sessions_by_client_id(tmp_path: Path) -> None:
    refused = MQTT | {"uid": "C2", "connect_status": "Refused: not authorized"}
    within_tls = MQTT | {"uid": TLS["uid"], "client_id": "inner"}
    nameless = {k: v for k, v in TLS.items() if k != "client_cert_chain_fps"}
    snapshot = wire(tmp_path, mqtt_connect=flat(MQTT, refused, within_tls), ssl=flat(nameless))
    assert [
        (s["protocol"], s["subject_kind"], s["client_id"], s["outcome"], s["outcome_text"]) for s in snapshot.rows("session")
    ] == [
        ("tls", "client-id", "inner", "accepted", None),
        ("mqtt", "client-id", "paho/34AAE", "accepted", None),
        ("mqtt", "client-id", "paho/34AAE", "refused", "Refused: not authorized"),
    ]
    assert snapshot.manifest.notes == ()


def test_rotated_and_daily_logs(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    (folder / "2026-05-05").mkdir(parents=True)
    (folder / "2026-05-05" / "ssl.00:00:00-01:00:00.log.gz").write_bytes(gzip.compress(tsv("ssl", TLS).encode()))
    (folder / "2026-05-05" / "conn.00:00:00-01:00:00.log.gz").write_bytes(gzip.compress(b"#path\tconn\n"))
    (folder / "current").mkdir()
    (folder / "current" / "ssl.log").write_text(flat(TLS | {"ts": TS + 3600}))
    assert SOURCE.recognise(place_of(folder)) is not None
    snapshot = collect(SOURCE, folder)
    assert [s["origin"] for s in snapshot.rows("session")] == ["2026-05-05/ssl.00:00:00-01:00:00.log.gz#8", "current/ssl.log#1"]
    assert snapshot.manifest.notes == ("logs of other kinds were left out: conn",)


def test_what_is_taken_for_a_zeek_log(tmp_path: Path) -> None:
    def sureness(name: str, text: str) -> int:
        (tmp_path / name).write_text(text)
        found = SOURCE.recognise(place_of(tmp_path / name))
        return found.sureness if found else 0

    assert sureness("anything", tsv("ssl", TLS)) == 100
    assert sureness("ssl.log", flat(TLS)) == 95
    assert sureness("x509.2026-05-05.log", flat(CERTIFICATE)) == 95
    assert sureness("ssl.log", "") == 20
    assert sureness("conn.log", tsv("conn", TLS)) == 0
    assert sureness("sslx.csv", "a,b\n") == 0
    assert SOURCE.recognise(place_of(tmp_path)) is None  # it holds a CSV too


# --- certificates -----------------------------------------------------------------------------------------------------


def test_the_columns_of_a_certificate(tmp_path: Path) -> None:
    (row,) = rows(wire(tmp_path, x509=tsv("x509", CERTIFICATE, CERTIFICATE)), "certificate")
    assert {k: v for k, v in row.items() if v is not None} == {
        "sha256": bytes.fromhex(A), "reader": "log", "version": 3, "serial_hex": "A1B",
        "subject": "CN=gw-00001,2.5.4.5=NW1,O=Nordwerk,C=SE", "subject_cn": "gw-00001", "subject_serial": "NW1",
        "subject_o": "Nordwerk", "issuer": "CN=Device CA,O=Nordwerk,C=SE", "self_issued": False, "is_ca": False,
        "not_before": datetime(2026, 4, 17, 0, 7, 50, tzinfo=UTC), "not_after": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        "key_algorithm": "ec", "key_bits": 256, "key_curve": "secp256r1", "signature_algorithm": "1.2.840.10045.4.3.2",
        "signature_hash": "sha256", "subject_alt_names": "dns:gw.example\ndns:b,c.example\nip:10.0.0.1", "origin": "x509.log#8",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"certificate.key_alg": "rsaEncryption", "certificate.key_type": "rsa", "certificate.key_length": 2048,
          "certificate.exponent": "65537", "certificate.curve": None},
         {"key_algorithm": "rsa", "key_bits": 2048, "key_exponent": "65537", "key_curve": None}),
        ({"certificate.key_alg": "ED25519", "certificate.key_type": "unknown", "certificate.key_length": 253,
          "certificate.sig_alg": "ED25519", "certificate.curve": None},
         {"key_algorithm": "ed25519", "key_bits": 256, "signature_algorithm": "1.3.101.112", "signature_hash": None}),
        ({"certificate.key_alg": "ML-DSA-44", "certificate.key_type": "ML-DSA-44", "certificate.sig_alg": "ML-DSA-44"},
         {"key_algorithm": "2.16.840.1.101.3.4.3.17", "key_bits": None, "signature_hash": None}),
        ({"basic_constraints.ca": True, "basic_constraints.path_len": 0}, {"is_ca": True, "path_length": 0}),
        ({"basic_constraints.ca": None}, {"is_ca": False}),
        ({"basic_constraints.ca": None, "certificate.version": 1, "certificate.issuer": CERTIFICATE["certificate.subject"]},
         {"is_ca": None, "self_issued": True}),
        ({"certificate.serial": "00"}, {"serial_hex": "0"}),
        ({"certificate.serial": "-0A"}, {"serial_hex": "-A"}),
    ],
)  # fmt: skip
def test_words_for_keys_signatures_and_constraints(tmp_path: Path, change: dict[str, Any], expected: dict[str, Any]) -> None:
    snapshot = wire(tmp_path, x509=flat(CERTIFICATE | change))
    (row,) = rows(snapshot, "certificate")
    assert {k: row[k] for k in expected} == expected
    assert "problem" not in snapshot.manifest.rows


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"certificate.sig_alg": "quantum"}, "unknown-algorithm"),
        ({"certificate.key_alg": "quantum", "certificate.key_type": None}, "unknown-algorithm"),
        ({"certificate.curve": "square"}, "unknown-algorithm"),
        ({"certificate.subject": "/C=SE/O=x"}, "bad-name"),
        ({"certificate.issuer": "CN=a,,"}, "bad-name"),
        ({"certificate.not_valid_after": "never"}, "bad-time"),
        ({"cert": "***"}, "bad-base64"),
    ],
)
def test_what_cannot_be_read_of_a_certificate_is_a_problem_and_the_rest_stands(
    tmp_path: Path, change: dict[str, Any], code: str
) -> None:
    snapshot = wire(tmp_path, x509=flat(CERTIFICATE | change))
    assert codes(snapshot) == {code: 1}
    assert rows(snapshot, "certificate")[0]["serial_hex"] == "A1B"


def test_a_certificate_carried_in_the_log_is_read_whole(tmp_path: Path) -> None:
    root = Ca("Root")
    leaf = root.issue("gw", 7)
    carried = [
        {"ts": TS, "id": f"F{n}", "cert": base64.b64encode(der(c)).decode()} for n, c in enumerate((leaf, root.certificate, leaf))
    ]
    ssl = {k: v for k, v in TLS.items() if "chain" not in k} | {"client_cert_chain_fuids": ["F0", "F1"]}
    snapshot = wire(tmp_path, x509=flat(*[CERTIFICATE | {"fingerprint": None} | c for c in carried]), ssl=flat(ssl))
    assert [r["reader"] for r in snapshot.rows("certificate")] == ["full", "full"]
    assert [(c["side"], c["sha256"]) for c in snapshot.rows("chain")] == [
        ("client", hashlib.sha256(der(leaf)).digest()), ("client", hashlib.sha256(der(root.certificate)).digest()),
    ]  # fmt: skip
    assert all(e["verified"] for e in snapshot.rows("signature_edge"))
    (session,) = rows(snapshot, "session")
    assert (session["subject_kind"], session["sha256"]) == ("certificate", hashlib.sha256(der(leaf)).digest())


OLD = {k: v for k, v in CERTIFICATE.items() if k != "fingerprint"}
OLD_TLS = {k: v for k, v in TLS.items() if "chain" not in k} | {
    "cert_chain_fuids": ["FS"],
    "client_cert_chain_fuids": ["FC", "FR"],
}


def test_old_logs_link_by_file_id_and_files_log_has_the_digests(tmp_path: Path) -> None:
    x509_log = tsv("x509", {"id": "FC"} | OLD, {"id": "FR"} | OLD | {"certificate.subject": "CN=Device CA,O=Nordwerk,C=SE"})
    files = tsv(
        "files",
        {"ts": TS, "fuid": "FC", "mime_type": "application/x-x509-user-cert", "sha256": A},
        {"ts": TS, "fuid": "FR", "mime_type": "application/x-x509-ca-cert", "sha256": ROOT},
        {"ts": TS, "fuid": "FX", "mime_type": "text/plain", "sha256": B},
    )
    snapshot = wire(tmp_path, x509=x509_log, ssl=tsv("ssl", OLD_TLS), files=files)
    assert [(r["sha256"].hex(), r["subject_cn"]) for r in snapshot.rows("certificate")] == [(A, "gw-00001"), (ROOT, "Device CA")]
    assert [(c["side"], c["sha256"].hex()) for c in snapshot.rows("chain")] == [("client", A), ("client", ROOT)]
    (session,) = rows(snapshot, "session")
    assert (session["subject_kind"], session["sha256"].hex()) == ("certificate", A)


def test_old_logs_without_digests_leave_a_name_a_name(tmp_path: Path) -> None:
    snapshot = wire(tmp_path, x509=tsv("x509", {"id": "FC"} | OLD), ssl=tsv("ssl", OLD_TLS))
    assert codes(snapshot) == {"no-digest": 1}
    (session,) = rows(snapshot, "session")
    assert (session["subject_kind"], session["user_name"], session["sha256"]) == ("name", "gw-00001", None)
    assert "certificate" not in snapshot.manifest.rows
    named = {k: v for k, v in TLS.items() if "chain" not in k} | {"client_subject": "CN=gw-9,O=x"}
    assert rows(wire(tmp_path, ssl=flat(named)), "session")[0]["user_name"] == "gw-9"


def test_digests_that_are_not_sha256(tmp_path: Path) -> None:
    snapshot = wire(tmp_path, ssl=flat(TLS | {"client_cert_chain_fps": ["ab" * 20], "client_subject": "CN=gw-1"}))
    (session,) = rows(snapshot, "session")
    assert (session["subject_kind"], session["user_name"]) == ("name", "gw-1")
    assert any("not SHA-256" in n for n in snapshot.manifest.notes)


def test_certificates_that_only_known_certs_names(tmp_path: Path) -> None:
    known = {"ts": TS, "host": "10.0.0.1", "port_num": 443, "subject": "CN=x", "issuer_subject": "CN=y", "serial": "01"}
    same = known | {"issuer_subject": CERTIFICATE["certificate.issuer"], "serial": "0A1B"}
    snapshot = wire(tmp_path, known_certs=tsv("known_certs", known, same), x509=flat(CERTIFICATE))
    assert any(n.startswith("1 certificates in known_certs.log") for n in snapshot.manifest.notes)


# --- names ------------------------------------------------------------------------------------------------------------

_OIDS = ["2.5.4.3", "2.5.4.4", "2.5.4.10", "2.5.4.9", "2.5.4.97", "1.2.3.4"]
_ASCII_OIDS = ["2.5.4.5", "1.2.840.113549.1.9.1", "0.9.2342.19200300.100.1.25"]  # their strings hold ASCII only
_VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12) | st.sampled_from(
    ["#", " a ", "a,b", 'q"', "back\\slash", "a+b", "x=y", "ä<ö>;", "CN=x,O=y", "\\C3"]
)
_ATTRIBUTES = st.tuples(st.sampled_from(_OIDS), _VALUES) | st.tuples(
    st.sampled_from(_ASCII_OIDS), st.text("AZaz09 '()+,-./:=?", min_size=1, max_size=8)
)
_NAMES = st.lists(st.lists(_ATTRIBUTES, min_size=1, max_size=2, unique_by=lambda a: a[0]), max_size=4)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rdns=_NAMES)
def test_a_name_printed_by_openssl_is_the_same_text_as_the_name_itself(tmp_path: Path, rdns: list[list[tuple[str, str]]]) -> None:
    name = x509.Name(
        [
            x509.RelativeDistinguishedName(x509.NameAttribute(x509.ObjectIdentifier(o), v, _validate=False) for o, v in r)
            for r in rdns
        ]
    )
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    certificate = builder.not_valid_before(AT).not_valid_after(AT).sign(key, hashes.SHA256())
    path = tmp_path / "name.der"
    path.write_bytes(certificate.public_bytes(Encoding.DER))
    command = ["openssl", "x509", "-inform", "DER", "-in", str(path), "-noout", "-subject", "-nameopt", "RFC2253"]
    printed = subprocess.run(command, capture_output=True, check=True).stdout.decode().removeprefix("subject=").removesuffix("\n")
    read, itself = _openssl_names.read(printed), names.read(name.public_bytes())
    assert read is not None
    assert read.text == itself.text
    assert (read.serial, read.organisation) == (itself.serial, itself.organisation)
    if sum(o == "2.5.4.3" for r in rdns for o, _ in r) < 2:
        assert read.common_name == itself.common_name


@given(text=st.text(max_size=40) | st.text("CNO=,+\\#0Cä ", max_size=40))
def test_any_text_is_a_name_or_none(text: str) -> None:
    found = _openssl_names.read(text)
    assert found is None or isinstance(found.text, str)


# --- what cannot be read ----------------------------------------------------------------------------------------------


def test_rows_without_a_time_keep_their_certificates(tmp_path: Path) -> None:
    masked = {"ts": "XXXXXXXXXX.XXXXXX"}
    snapshot = wire(tmp_path, x509=tsv("x509", CERTIFICATE | masked), ssl=tsv("ssl", *[TLS | masked] * 3, TLS))
    assert snapshot.manifest.rows == {"certificate": 1, "chain": 4, "log_span": 1, "problem": 2, "session": 1}
    reasons = {p["file"]: (p["place"], p["reason"].split(" have")[0]) for p in snapshot.rows("problem")}
    assert reasons == {"x509.log": ("line 8", "1 rows"), "ssl.log": ("line 8", "3 rows")}


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ("torn\trow\n", "torn-record"),
        ('{"ts": 1, "uid"\n', "torn-record"),
        ("{}x\n", "torn-record"),
        ('{"ts": 5', "truncated-line"),
    ],
)
def test_torn_rows_are_problems_and_the_rest_goes_on(tmp_path: Path, damage: str, code: str) -> None:
    before, after = (tsv("ssl", TLS), tsv("ssl", TLS)) if code == "torn-record" else (tsv("ssl", TLS, TLS), "")
    snapshot = wire(tmp_path, ssl=before + damage + after)
    assert codes(snapshot) == {code: 1}
    assert len(rows(snapshot, "session")) == 2


def test_a_log_without_fields(tmp_path: Path) -> None:
    assert codes(wire(tmp_path, ssl="CHhAvVGS1DHFjwGM9\tCsx\n")) == {"no-fields": 1}


def test_a_gzip_log_that_ends_too_soon_is_partial(tmp_path: Path) -> None:
    packed = gzip.compress(flat(*[TLS | {"ts": TS + n * n, "uid": f"C{n * n}"} for n in range(3000)]).encode())
    snapshot = wire(tmp_path, ssl=packed[: len(packed) // 2])
    assert snapshot.manifest.partial
    assert codes(snapshot)["gzip-damaged"] == 1


def test_sessions_without_a_server_are_counted(tmp_path: Path) -> None:
    snapshot = wire(tmp_path, ssl=flat(TLS | {"id.resp_h": "nonsense"}))
    assert any("name no server address" in n for n in snapshot.manifest.notes)


_CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10), st.lists(st.text(max_size=5), max_size=2)
)
_CHANGES = st.dictionaries(
    st.sampled_from([*TLS, *CERTIFICATE, *MQTT, "cert", "id", "client_subject", "cert_chain_fuids", "client_cert_chain_fuids"]),
    _CELLS, max_size=6,
)  # fmt: skip


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(changes=st.lists(_CHANGES, min_size=3, max_size=3), junk=st.text(max_size=40), form=st.sampled_from([flat, nested]))
def test_any_values_are_read_without_a_crash(tmp_path: Path, changes: list[dict[str, Any]], junk: str, form: Any) -> None:
    tls, certificate, mqtt = (form(base | change) for base, change in zip((TLS, CERTIFICATE, MQTT), changes, strict=True))
    snapshot = wire(tmp_path, ssl=(tls + junk + "\n" + tls).encode("utf-8", "surrogatepass"), x509=certificate, mqtt_connect=mqtt)
    assert snapshot.manifest.rows.get("session", 0) <= 3


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(at=st.integers(0, 900), piece=st.binary(max_size=6), cut=st.integers(0, 30))
def test_any_damage_to_a_tsv_log_is_read_without_a_crash(tmp_path: Path, at: int, piece: bytes, cut: int) -> None:
    data = tsv("ssl", TLS, TLS).encode()
    wire(tmp_path, ssl=data[:at] + piece + data[at + cut :], x509=tsv("x509", CERTIFICATE).encode()[: -at or None] + piece)
