"""Audit results for the tests of reports: one believable, one hostile, and hypothesis strategies for any."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from tenure.model.findings import (
    AuditResult,
    CoverageSummary,
    DayCount,
    Evidence,
    FileVerdict,
    Finding,
    FleetFigures,
    ProblemSummary,
    RuleOutcome,
    Scalar,
    SourceSummary,
    Subject,
    SuppressedFinding,
)
from tenure.model.vocabulary import RuleStatus, Severity

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
UNTIL = date(2027, 1, 31)


def day(month: int, of_month: int, hour: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, of_month, hour, tzinfo=UTC)


def outcome(rule: str, severity: Severity, title: str, findings: int, **members: object) -> RuleOutcome:
    """An assessed rule with texts, or what ``members`` say instead."""
    told: dict[str, object] = {
        "status": RuleStatus.ASSESSED,
        "why": f"{title}: whoever holds the key is still let in.",
        "fix": "Revoke it at its issuer and see that the relying parties refuse it.",
        "reference": "NIST SP 800-57 Part 1 Rev. 5, 5.3.4",
        "parameters": "days=30",
        "seconds": 0.125,
    }
    return RuleOutcome(rule, title, severity, findings=findings, **{**told, **members})  # type: ignore[arg-type]  # members by name


def _unjudged(rule: str, status: RuleStatus, reason: str) -> RuleOutcome:
    return outcome(rule, Severity.MEDIUM, rule.replace("-", " ").capitalize(), 0, status=status, reason=reason)


def finding(
    number: int,
    rule: str = "retired-device-still-trusted",
    severity: Severity = Severity.CRITICAL,
    title: str = "Retired device is still trusted",
    name: str | None = None,
    evidence: Evidence | None = None,
) -> Finding:
    """A finding about one device and one certificate."""
    return Finding(
        id=f"{number:032x}",
        rule=rule,
        severity=severity,
        title=title,
        grain="device",
        subjects=(
            Subject("device", f"dev-{number:08x}", serial=f"00{number}", name=name or f"meter-{number:04d}"),
            Subject("certificate", f"{number:064x}", "0A1B", f"{number:064x}", f"{number + 1:064x}", f"CN=meter-{number:04d}"),
        ),
        evidence=evidence
        if evidence is not None
        else {"left_service_at": day(3, 2), "state": "retired", "usable_credentials": 1, "origin": f"ca/index.txt#{number}"},
        since=day(3, 2, 10),
        controls=("nist-csf-2.0:PR.AA-01", "owasp-nhi-2025:NHI1"),
    )


def sample() -> AuditResult:
    """A believable audit: three rules with findings, one unknown, one not assessed, one off, a source cut short."""
    findings = (
        *(finding(n) for n in range(1, 6)),
        finding(
            20,
            "key-shared-across-devices",
            Severity.HIGH,
            "One key on several devices",
            evidence={
                "same_certificate": False,
                "devices": 2,
                "share": 0.5,
                "unnamed": None,
                "members": [
                    {"device": "meter-0020", "origin": "keys/a.pem", "seen_at": day(10, 3, 7)},
                    {"device": "meter-0021", "origin": "keys/b.pem", "seen_at": None},
                ],
            },
        ),
        finding(30, "unowned-device", Severity.LOW, "Nobody answers for the device", evidence={}),
    )
    return AuditResult(
        as_of=AS_OF,
        sources=(
            SourceSummary("cmdb", "cmdb.csv", "ab" * 32, AS_OF, day(10, 31), False, {"device_record": 300, "identifier": 800}, 2),
            SourceSummary("mosquitto-log", "logs/broker.log", "cd" * 32, AS_OF, None, True, {"session": 123456}, 1),
        ),
        coverage=(
            CoverageSummary("broker-eu", "graz", day(5, 1), day(10, 31), True),
            CoverageSummary("broker-eu", None, day(5, 1), day(10, 31), False),
        ),
        problems=(
            ProblemSummary("cmdb.csv", "cmdb.csv", "line 17", "unknown status word 'Sleeping'", "ef" * 32),
            ProblemSummary("cmdb.csv", "cmdb.csv", "line 99", "unknown status word 'Sleeping'", "ee" * 32),
            ProblemSummary("logs/broker.log", "logs/broker.log", "byte 4096", "the file ends within a line"),
        ),
        findings=findings,
        rules=(
            outcome("retired-device-still-trusted", Severity.CRITICAL, "Retired device is still trusted", 5, suppressed=2),
            outcome("key-shared-across-devices", Severity.HIGH, "One key on several devices", 1),
            outcome("unowned-device", Severity.LOW, "Nobody answers for the device", 1),
            outcome("weak-key", Severity.MEDIUM, "Weak key", 0),
            _unjudged("stale-identity", RuleStatus.UNKNOWN, "logs/broker.log is cut short"),
            _unjudged("hidden-device", RuleStatus.NOT_ASSESSED, "needs a log of sessions"),
            _unjudged("stale-source", RuleStatus.SWITCHED_OFF, "until 2027-01-01: agreed"),
        ),
        figures=figures(),
        files=(
            FileVerdict("cmdb.csv", "cmdb", "columns of a ServiceNow export"),
            FileVerdict("logs/broker.log", "mosquitto-log", "Mosquitto lines"),
            FileVerdict("notes.docx", None, "no source knows it"),
            FileVerdict("vault", None, "cannot be read: Permission denied", unread=True),
        ),
        suppressed_findings=tuple(
            SuppressedFinding(f"{n:032x}", "retired-device-still-trusted", Severity.CRITICAL, "Retired device is still trusted",
                              (Subject("device", f"d{n}", name=f"spare-{n}"),), f"finding {n:032x}", "in the lab's vault",
                              "Operations", UNTIL)
            for n in (901, 902)
        ),
        notes=("No coverage is declared for site varna: it counts from the first to the last entry of the log.",),
    )  # fmt: skip


def figures() -> FleetFigures:
    months = [datetime(2026 + (m - 1) // 12, (m - 1) % 12 + 1, 1, tzinfo=UTC) for m in range(6, 60)]
    return FleetFigures(
        devices=300,
        devices_by_state={"active": 262, "retired": 21, "manufactured": 17},
        credentials_by_kind={"certificate": 412, "token": 40, "ssh-key": 30},
        usable_credentials=391,
        expiry_by_month=tuple(DayCount(m.date().isoformat(), 3 + i * 7 % 23) for i, m in enumerate(months)),
        usable_by_issuer={"CN=Fleet Issuing CA 2,O=Example": 301, "CN=Fleet Issuing CA 1,O=Example": 77, "CN=Maker CA": 13},
        assurance_by_domain={"plant": {"0": 12, "1": 30, "2": 150, "3": 40}, "field": {"2": 60, "4": 8}},
    )


def big(findings: int, rules: int = 20) -> AuditResult:
    """Many findings over many rules."""
    severities = list(Severity)
    outcomes = tuple(outcome(f"rule-{r:02d}", severities[r % 5], f"Defect {r}", 0) for r in range(rules))
    return AuditResult(
        as_of=AS_OF,
        sources=(),
        coverage=(),
        problems=(),
        findings=tuple(
            finding(n, outcomes[n % rules].id, outcomes[n % rules].severity, outcomes[n % rules].title) for n in range(findings)
        ),
        rules=outcomes,
    )


HOSTILE = (
    "<script>window.pwned=1</script>",
    '"><img src=x onerror=window.pwned=1>',
    "{{ 7*7 }}{% raw %}",
    "=cmd|' /C calc'!A0",
    "\x1b[31mred\x1b]0;title\x07",
    "\u202egnp.exe",
    "[link](javascript:alert(1))",
    "[bold red]markup[/]",
    "a\nb\tc\x00d",
    "\udcff",
    "</style></title></details>",
    "'); alert(1); ('",
)
"""Names that a device may give itself."""

text = st.one_of(st.text(max_size=20), st.sampled_from(HOSTILE))
words = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=12)
moments = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
counts = st.integers(0, 10**7)
scalars: st.SearchStrategy[Scalar] = st.one_of(
    text, st.integers(-(2**127), 2**127 - 1), st.floats(), st.booleans(), moments, st.none()
)
evidences: st.SearchStrategy[Evidence] = st.dictionaries(
    text, st.one_of(scalars, st.lists(st.dictionaries(text, scalars, max_size=3), max_size=3)), max_size=4
)
kinds = st.sampled_from(["device", "certificate", "key", "token", "client", "anchor", "policy", "domain", "file"])
subjects = st.builds(
    Subject, kinds, text, st.none() | text, st.none() | digests, st.none() | digests, st.none() | text
)  # fmt: skip
findings_any = st.builds(
    Finding,
    digests,
    words,
    st.sampled_from(Severity),
    text,
    words,
    st.lists(subjects, max_size=3).map(tuple),
    evidences,
    st.none() | moments,
    st.lists(words.map(lambda w: f"frame:{w}"), max_size=2).map(tuple),
)
records = st.dictionaries(words, counts, max_size=3)
results = st.builds(
    AuditResult,
    as_of=moments,
    sources=st.lists(
        st.builds(SourceSummary, words, text, digests, moments, st.none() | moments, st.booleans(), records, counts), max_size=3
    ).map(tuple),
    coverage=st.lists(st.builds(CoverageSummary, text, st.none() | text, moments, moments, st.booleans()), max_size=2).map(tuple),
    problems=st.lists(st.builds(ProblemSummary, text, text, text, text, st.none() | digests), max_size=3).map(tuple),
    findings=st.lists(findings_any, max_size=4, unique_by=lambda f: f.id).map(tuple),
    rules=st.lists(
        st.builds(RuleOutcome, words, text, st.sampled_from(Severity), st.sampled_from(RuleStatus), counts, counts, text,
                  st.floats(0, 100), text, text, text, text),
        max_size=3, unique_by=lambda r: r.id,
    ).map(tuple),
    figures=st.builds(
        FleetFigures, counts, records, records, counts,
        st.lists(st.builds(DayCount, moments.map(lambda m: m.date().isoformat()), counts), max_size=6).map(tuple),
        st.dictionaries(text, counts, max_size=14),
        st.dictionaries(text, st.dictionaries(st.sampled_from("01234"), counts), max_size=3),
    ),
    files=st.lists(st.builds(FileVerdict, text, st.none() | words, text, st.booleans()), max_size=3).map(tuple),
    suppressed_findings=st.lists(
        st.builds(SuppressedFinding, digests, words, st.sampled_from(Severity), text, st.lists(subjects, max_size=2).map(tuple),
                  text, text, text, st.dates()),
        max_size=2,
    ).map(tuple),
    notes=st.lists(text, max_size=2).map(tuple),
)  # fmt: skip


def hostile() -> AuditResult:
    """Every text that comes from outside is hostile, in every place a report shows it."""
    base = sample()
    findings = tuple(
        finding(100 + n, "weak-key", Severity.HIGH, "Weak key", name=name, evidence={name: name, "members": [{name: name}]})
        for n, name in enumerate(HOSTILE)
    )
    texts = dict.fromkeys(("why", "fix", "reason", "reference", "parameters"), HOSTILE[1])
    strange = outcome("strange", Severity.LOW, HOSTILE[1], 0, **texts)
    return AuditResult(
        as_of=AS_OF,
        sources=tuple(SourceSummary("cmdb", h, "00" * 32, AS_OF, AS_OF + timedelta(days=1), False, {h: 1}, 0) for h in HOSTILE),
        coverage=tuple(CoverageSummary(h, h, AS_OF, AS_OF, True) for h in HOSTILE),
        problems=tuple(ProblemSummary(h, h, h, h) for h in HOSTILE),
        findings=findings,
        rules=(*base.rules, strange),
        figures=FleetFigures(
            devices=12,
            devices_by_state=dict.fromkeys(HOSTILE, 1),
            credentials_by_kind=dict.fromkeys(HOSTILE, 1),
            usable_by_issuer={h: n + 1 for n, h in enumerate(HOSTILE)},
            assurance_by_domain={h: {"0": 1, "4": 2} for h in HOSTILE},
        ),
        files=tuple(FileVerdict(h, h, h) for h in HOSTILE),
        suppressed_findings=tuple(
            SuppressedFinding(f"{n:032x}", "weak-key", Severity.HIGH, h, (Subject("device", h, name=h),), h, h, h, UNTIL)
            for n, h in enumerate(HOSTILE)
        ),
        notes=HOSTILE,
    )  # fmt: skip
