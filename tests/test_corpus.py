"""Real data that nobody here wrote, from folder to findings: what is recognised, read, told and found, as recorded counts.

A change of these numbers is a change of what users see. Look at why, then record it; ``docs/corpus.md`` explains the
surprising ones.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from tenure.model.findings import AuditResult
from tenure.model.vocabulary import RuleStatus
from tests.flows.plant import audited


@dataclass(frozen=True)
class Counts:
    """What an audit of one folder of the corpus comes to, as of 2026-11-01."""

    taken: dict[str, int]  # files and folders by the kind they are taken for
    devices: int
    certificates: int  # different ones, those that only an index or a log tells too
    others: int  # tokens, pre-shared keys, SSH host keys
    sessions: int
    anchors: int
    problems: dict[str, int]  # by code
    findings: dict[str, int]  # by rule


EXPECTED = {
    "attestation": Counts(
        taken={"certificates": 18, "nobody": 86, "trust-anchors": 9},
        devices=0,
        certificates=51,
        others=0,
        sessions=0,
        anchors=26,
        problems={"field-raised": 1},
        findings={"no-expiry-date": 6, "no-revocation-path": 5},
    ),
    "aws-iot-cli": Counts(
        taken={"aws-iot": 1},
        devices=4,
        certificates=9,
        others=0,
        sessions=0,
        anchors=0,
        problems={"certificate-refused": 1, "conflicting-record": 1, "no-certificate": 1, "no-target": 5},
        findings={"device-without-credential": 4, "orphaned-credential": 7, "stale-source": 1},
    ),
    "fleet-sample": Counts(
        taken={
            "aws-iot": 1,
            "aws-iot-log": 1,
            "cmdb": 1,
            "device-classes": 1,
            "mosquitto-log": 1,
            "openssl-ca": 1,
            "secrets": 2,
            "trust-anchors": 1,
            "zeek": 1,
        },
        devices=300,
        certificates=381,
        others=51,
        sessions=2136,
        anchors=30,
        problems={"armour-damaged": 2, "der-refused": 1, "duplicate-row": 1, "encoding": 1, "torn-record": 1},
        findings={
            "anchor-expires-before-leaf": 1,
            "anchor-expires-soon": 1,
            "certificate-expired": 2,
            "certificate-expires-soon": 2,
            "certificate-lifetime-too-long": 2,
            "client-id-conflict": 1,
            "conflicting-state": 1,
            "credential-shared-in-use": 2,
            "device-without-credential": 2,
            "duplicate-device-record": 2,
            "expired-credential-still-accepted": 1,
            "hidden-device": 2,
            "key-shared-across-devices": 1,
            "mixed-assurance-domain": 1,
            "no-revocation-path": 3,
            "orphaned-credential": 2,
            "ownership-changed-without-rekey": 2,
            "retired-anchor-still-trusted": 1,
            "retired-device-still-connecting": 1,
            "retired-device-still-trusted": 2,
            "revoked-credential-still-accepted": 1,
            "secret-without-expiry": 4,
            "stale-identity": 4,
            "superseded-credential-still-valid": 2,
            "unissued-certificate": 1,
            "unknown-issuer": 1,
            "unowned-device": 2,
            "unseen-device": 2,
            "unused-anchor": 2,
            "weak-key": 1,
            "weak-signature": 1,
            "wildcard-privilege": 1,
        },
    ),
    "log-excerpts": Counts(
        taken={"cmdb": 1, "issuance-log": 1, "mosquitto-log": 6, "nobody": 4},
        devices=8,
        certificates=1,
        others=10,
        sessions=17,
        anchors=0,
        problems={"address-unreadable": 3, "bad-digest": 1, "bad-secret": 2},
        findings={"device-without-credential": 3, "hidden-device": 4, "key-shared-across-devices": 2, "stale-source": 7},
    ),
    "matter-paa": Counts(
        taken={"certificates": 12, "nobody": 1},
        devices=0,
        certificates=12,
        others=0,
        sessions=0,
        anchors=0,
        problems={},
        findings={"stale-source": 1},
    ),
    "netbox-demo": Counts(
        taken={"cmdb": 1, "nobody": 2},
        devices=72,
        certificates=0,
        others=0,
        sessions=0,
        anchors=0,
        problems={},
        findings={"stale-source": 1, "unowned-device": 14},
    ),
    "openssl-ca-libest": Counts(
        taken={"certificates": 7, "openssl-ca": 10, "trust-anchors": 20},
        devices=0,
        certificates=4524,
        others=0,
        sessions=0,
        anchors=83,
        problems={},
        findings={
            "anchor-expires-before-leaf": 9,
            "no-revocation-path": 1,
            "retired-anchor-still-trusted": 1,
            "stale-source": 10,
            "unused-anchor": 5,
        },
    ),
    "tpm-vendor-cas": Counts(
        taken={"certificates": 1},
        devices=0,
        certificates=45,
        others=0,
        sessions=0,
        anchors=0,
        problems={"der-refused": 7},
        findings={},
    ),
    "x509-limbo": Counts(
        taken={"certificates": 1},
        devices=0,
        certificates=416,
        others=0,
        sessions=0,
        anchors=0,
        problems={"field-raised": 11},
        findings={"no-expiry-date": 146},
    ),
    "zeek-logs": Counts(
        taken={"nobody": 15, "zeek": 69},
        devices=0,
        certificates=39,
        others=0,
        sessions=0,
        anchors=0,
        problems={"bad-time": 85, "no-fields": 10},
        findings={"stale-source": 3},
    ),
    "zlint-certificates": Counts(
        taken={"certificates": 1},
        devices=0,
        certificates=1305,
        others=0,
        sessions=0,
        anchors=0,
        problems={
            "crl-unverified": 60,
            "der-malformed": 45,
            "der-refused": 28,
            "field-raised": 481,
            "signature-not-checked": 2,
        },
        findings={"no-expiry-date": 13, "not-yet-valid": 29, "stale-source": 1},
    ),
}

FLEET = {
    "anchor-expires-before-leaf": ["Belvue Factory CA"],
    "anchor-expires-soon": ["Legacy Telemetry Root"],
    "certificate-expired": ["gw-turku-00025, gw-turku-00025", "gw-varna-00027, gw-varna-00027"],
    "certificate-expires-soon": ["thermo-malmo-00058, KTZ8RGDCAK", "thermo-varna-00086, KTCPULCV54"],
    "certificate-lifetime-too-long": ["AWS IoT Certificate, thermo-gdansk-00117", "KT5C3MWYK9, thermo-graz-00078"],
    "client-id-conflict": ["plc-graz-00151"],
    "conflicting-state": ["gw-lyon-00024, gw-lyon-00024"],
    "credential-shared-in-use": ["0045140799", "gw-gdansk-00028, gw-gdansk-00028"],
    "device-without-credential": ["plc-malmo-00160", "plc-porto-00163"],
    "duplicate-device-record": ["sns-gdansk-00292", "sns-graz-00257"],
    "expired-credential-still-accepted": ["gw-turku-00025, gw-turku-00025"],
    "hidden-device": ["esp32-aad79c", "gw-gdansk-90762, gw-gdansk-90762"],
    "key-shared-across-devices": [
        "0bb986dbb819512d101c54e6edf0076ed25b03c0568c275009f081220c73787f, 0045140799, thermo-porto-00121, thermo-lyon-00073"
    ],
    "mixed-assurance-domain": ["plant-lyon, plc-malmo-00155, plc-offshore7-00149, tok-100555, tok-100703"],
    "no-revocation-path": [
        "CN=Nordwerk Cloud Device CA G2,OU=Cloud PKI,O=Nordwerk Industries,C=SE",
        "CN=Nordwerk Device Issuing CA G2,OU=OT PKI,O=Nordwerk Industries,C=SE",
        "OU=Amazon Web Services O=Amazon.com Inc. L=Seattle ST=Washington C=US",
    ],
    "orphaned-credential": ["KTGQ4KLNE2", "gw-porto-93229"],
    "ownership-changed-without-rekey": ["gw-varna-00035, gw-varna-00035", "thermo-lyon-00092, 0069513060"],
    "retired-anchor-still-trusted": ["Nordwerk Device Root G1, Nordwerk Device Root G1"],
    "retired-device-still-connecting": ["plc-lyon-00172, tok-100037"],
    "retired-device-still-trusted": ["plc-lyon-00168, tok-100000", "plc-lyon-00172, tok-100037"],
    "revoked-credential-still-accepted": ["gw-turku-00009, gw-turku-00009"],
    "secret-without-expiry": [
        "tok-100148, plc-graz-00169",
        "tok-100296, plc-malmo-00150",
        "tok-100555, plc-offshore7-00149",
        "tok-100703, plc-malmo-00155",
    ],
    "stale-identity": [
        "0044462409, thermo-porto-00082",
        "KTXFKARVDK, thermo-varna-00074",
        "tok-100185, plc-gdansk-00145",
        "tok-100259, plc-varna-00141",
    ],
    "superseded-credential-still-valid": [
        "KTD7ZH1UCZ, KTD7ZH1UCZ, thermo-porto-00120",
        "KTRNMJJ9U2, KTRNMJJ9U2, thermo-graz-00076",
    ],
    "unissued-certificate": [
        "gw-gdansk-00020, CN=Nordwerk Device Issuing CA G2,OU=OT PKI,O=Nordwerk Industries,C=SE, gw-gdansk-00020"
    ],
    "unknown-issuer": ["cam-bcad280aafb9, cam-varna-00129"],
    "unowned-device": ["sns-graz-00270", "sns-porto-00205"],
    "unseen-device": ["gw-malmo-00004", "plc-gdansk-00145"],
    "unused-anchor": ["Legacy Telemetry Root", "Partner Metering Root, Partner Metering Root"],
    "weak-key": ["gw-malmo-00017, gw-malmo-00017"],
    "weak-signature": ["cam-00408ce40ea3, cam-malmo-00127"],
    "wildcard-privilege": ["LegacyAllowAll, KTNLG59DHD, thermo-turku-00090"],
}
"""Findings on the sample fleet: rule -> names of the subjects of each."""


@dataclass(frozen=True)
class Audited:
    result: AuditResult
    roll: Path

    def ask(self, query: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.roll), read_only=True) as con:
            return con.execute(query).fetchall()

    def count(self, what: str) -> int:
        ((number,),) = self.ask(f"SELECT count(*) FROM {what}")
        assert isinstance(number, int)
        return number


@pytest.fixture(scope="module")
def audits(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Audited]:
    """Each folder is audited once for all tests of this file."""
    return {}


def audit_of(root: Path, audits: dict[Path, Audited], tmp_path_factory: pytest.TempPathFactory) -> Audited:
    if root not in audits:
        store = tmp_path_factory.mktemp("store")
        audits[root] = Audited(audited(root, store), store / "rolls" / "roll.duckdb")
    return audits[root]


@pytest.mark.parametrize("folder", sorted(EXPECTED))
def test_the_counts_are_those_that_were_looked_at(
    corpus: Path, folder: str, audits: dict[Path, Audited], tmp_path_factory: pytest.TempPathFactory
) -> None:
    done = audit_of(corpus / folder, audits, tmp_path_factory)
    assert EXPECTED[folder] == Counts(
        taken=dict(Counter(f.kind or "nobody" for f in done.result.files)),
        devices=done.count("device"),
        certificates=done.count("credential WHERE kind = 'certificate'"),
        others=done.count("credential WHERE kind <> 'certificate'"),
        sessions=done.count("session"),
        anchors=done.count("anchor"),
        problems={str(code): int(str(n)) for code, n in done.ask("SELECT code, count(*) FROM problem GROUP BY 1")},
        findings=dict(Counter(f.rule for f in done.result.findings)),
    )


@pytest.mark.parametrize("folder", sorted(EXPECTED))
def test_the_audit_is_whole(
    corpus: Path, folder: str, audits: dict[Path, Audited], tmp_path_factory: pytest.TempPathFactory
) -> None:
    result = audit_of(corpus / folder, audits, tmp_path_factory).result
    assert not result.incomplete
    assert len(result.problems) == sum(s.problems for s in result.sources) == sum(EXPECTED[folder].problems.values())
    assert not [r.reason for r in result.rules if r.status is RuleStatus.UNKNOWN]


@pytest.mark.parametrize("folder", sorted(EXPECTED))
def test_no_certificate_in_clear_is_missed(
    corpus: Path, folder: str, audits: dict[Path, Audited], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Armour taken apart by a regular expression, and what the roll holds: whatever is not in it is told as a problem."""
    done = audit_of(corpus / folder, audits, tmp_path_factory)
    held = {row[0] for row in done.ask("SELECT sha256 FROM credential UNION SELECT sha256 FROM problem")}
    missing = {name for name, digest in armoured(corpus / folder) if digest not in held}
    assert missing == UNREAD.get(folder, set())


PAGE = Path(__file__).resolve().parents[1] / "docs" / "corpus.md"

UNREAD: dict[str, set[str]] = {}
"""Files with certificates in clear that nobody reads, and why that is right stands in ``docs/corpus.md``."""

_ARMOUR = re.compile(rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----(.*?)-----END (?:TRUSTED )?CERTIFICATE-----", re.DOTALL)
_NO_BASE64 = re.compile(rb"\\n|\\r|\s")


def armoured(root: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        for body in _ARMOUR.findall(path.read_bytes()):
            try:
                der = base64.b64decode(_NO_BASE64.sub(b"", body), validate=True)
            except ValueError:
                continue  # damaged armour: its problem is counted above
            yield str(path.relative_to(root)), hashlib.sha256(der).hexdigest()


def row(folder: str, counts: Counts) -> str:
    taken = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.taken.items()))
    numbers = (counts.devices, counts.certificates, counts.others, counts.sessions, counts.anchors)
    cells = [folder, taken, *map(str, numbers), str(sum(counts.problems.values())), str(sum(counts.findings.values()))]
    return f"| {' | '.join(cells)} |"


def test_the_page_shows_these_counts_and_has_a_section_for_each_folder() -> None:
    page = PAGE.read_text("utf-8").splitlines()
    assert [line for line in page if line.startswith(tuple(f"| {folder} |" for folder in EXPECTED))] == [
        row(folder, counts) for folder, counts in EXPECTED.items()
    ]
    assert [line[3:] for line in page if line.startswith("## ")] == [*EXPECTED, "This machine's own anchors"]


def test_the_devices_on_a_loose_revocation_list_are_known_as_revoked(
    corpus: Path, audits: dict[Path, Audited], tmp_path_factory: pytest.TempPathFactory
) -> None:
    done = audit_of(corpus / "matter-paa", audits, tmp_path_factory)
    assert done.ask("SELECT subject FROM credential WHERE ended AND subject IS NOT NULL ORDER BY 1") == [
        ("1.3.6.1.4.1.37244.2.2=8001,1.3.6.1.4.1.37244.2.1=FFF1,CN=Matter Dev DAC Revoked 01",),
        ("1.3.6.1.4.1.37244.2.2=8001,1.3.6.1.4.1.37244.2.1=FFF1,CN=Matter Dev DAC Revoked 02",),
    ]


def test_every_folder_of_the_corpus_is_audited(corpus: Path) -> None:
    assert {p.name for p in corpus.iterdir() if p.is_dir()} == set(EXPECTED)


def test_the_findings_on_the_sample_fleet_are_these(
    corpus: Path, audits: dict[Path, Audited], tmp_path_factory: pytest.TempPathFactory
) -> None:
    result = audit_of(corpus / "fleet-sample", audits, tmp_path_factory).result
    found: dict[str, list[str]] = {}
    for finding in result.findings:
        found.setdefault(finding.rule, []).append(", ".join(s.name or s.id for s in finding.subjects))
    assert {rule: sorted(subjects) for rule, subjects in found.items()} == FLEET


@pytest.mark.parametrize("folder", [p for p in (Path("/etc/ssl/certs"),) if p.is_dir() and any(p.iterdir())])
def test_the_anchors_of_this_machine(folder: Path, audits: dict[Path, Audited], tmp_path_factory: pytest.TempPathFactory) -> None:
    done = audit_of(folder, audits, tmp_path_factory)
    (verdict,) = done.result.files
    assert (verdict.path, verdict.kind) == (".", "trust-anchors")
    digests = {digest for _, digest in armoured(folder)}
    anchors = {row[0] for row in done.ask("SELECT c.sha256 FROM anchor JOIN credential c USING (credential_key)")}
    assert digests <= anchors != set()
    assert not done.result.incomplete
