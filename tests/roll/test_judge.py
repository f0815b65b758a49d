"""Judging a roll: what is assessed, what is not, and that a stranger's rule can be wrong and never harmful."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from tenure.errors import DeclarationError
from tenure.model.controls import Clause, Controls, Framework
from tenure.model.decisions import Decision, FindingDecision, RuleDecision, SubjectDecision
from tenure.model.findings import RuleOutcome
from tenure.model.vocabulary import RuleStatus
from tenure.roll.judge import Judgement, judge
from tenure.roll.judge_process import Failed, JudgeProcess, Rows
from tenure.roll.rules import Rule
from tenure.roll.wire import Limits, Request
from tests.roll.written_roll import DEVICES, EACH_DEVICE, SOURCES, fleet, rule, write_roll

_MANY = ", ".join(f"device AS d{n}" for n in range(40))
_SOME = ", ".join(f"device AS d{n}" for n in range(8))
ENDLESS = (
    f"SELECT count(*) AS finding, 1 AS subject_device FROM {_MANY} WHERE d0.device_key + d20.device_key <> d39.device_key * 7"
)

GLUTTON = """SELECT max(length(t)) AS finding, 1 AS subject_device
FROM (SELECT string_agg(repeat(a.name, 100000000), ',' ORDER BY a.name) AS t FROM device AS a, device AS b, device AS c) AS x"""

SMALL = Limits(seconds=20, memory_bytes=200_000_000, max_rows=1000, max_bytes=3_000_000)


@pytest.fixture(scope="module")
def roll(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_roll(tmp_path_factory.mktemp("roll") / "roll.duckdb", fleet())


def outcome(judgement: Judgement, name: str) -> RuleOutcome:
    (found,) = (one for one in judgement.outcomes if one.id == name)
    return found


def judged(path: Path, rules: Sequence[Rule], as_of: datetime, limits: Limits = SMALL) -> Judgement:
    return judge(path, rules, as_of=as_of, limits=limits)


def test_findings_come_with_subjects_evidence_and_an_outcome(roll: Path, as_of: datetime) -> None:
    query = f"{EACH_DEVICE} WHERE device_key >= $least AND $as_of > TIMESTAMP '2026-10-31'"
    odd = rule("odd", query, more='reference = "RFC 1"\n[parameters]\nleast = 3')
    controls = Controls((Framework("f", "F", "1", "ref", (Clause("C1", "One", ("odd",)), Clause("C2", "Two", ("odd",)))),))
    found = judge(roll, [odd], as_of=as_of, parameters={"odd": {"least": 2}}, controls=controls)
    assert [f.subjects[0].id for f in sorted(found.findings, key=lambda f: f.subjects[0].id)] == ["dev-2", "dev-3"]
    finding = found.findings[0]
    assert (finding.rule, finding.title, finding.grain, finding.controls) == ("odd", "Device is odd", "device", ("f:C1", "f:C2"))
    told = outcome(found, "odd")
    assert (told.status, told.findings, told.parameters, told.reference) == (RuleStatus.ASSESSED, 2, "least=2", "RFC 1")
    assert (told.why, told.fix) == ("Odd devices do odd things.", "Make it even.")


def test_the_same_roll_gives_the_same_findings_in_the_same_order(roll: Path, as_of: datetime) -> None:
    rules = [
        rule("a-low", EACH_DEVICE, severity="low"),
        rule("b-high", EACH_DEVICE),
        rule("c-high", f"{EACH_DEVICE} ORDER BY 1 DESC"),
    ]
    first, second = judged(roll, rules, as_of), judged(roll, rules[::-1], as_of)
    assert first.findings == second.findings
    assert [f.rule for f in first.findings] == ["b-high"] * 3 + ["c-high"] * 3 + ["a-low"] * 3
    assert all(a.id < b.id for a, b in zip(first.findings, first.findings[1:], strict=False) if a.rule == b.rule)


HOSTILE = {
    "reads-a-file": ("SELECT * FROM read_csv('/etc/passwd')", "refused: "),
    "reads-text": ("SELECT * FROM read_text('/etc/passwd')", "refused: "),
    "lists-files": ("SELECT * FROM glob('/etc/*')", "refused: "),
    "reads-secrets": ("SELECT * FROM duckdb_secrets()", "refused: "),
    "reads-the-catalogue": ("SELECT * FROM information_schema.tables", "refused: "),
    "reads-the-environment": ("SELECT getenv('PATH') AS finding, 1 AS subject_device", "refused: "),
    "copies-out": ("COPY device TO '/tmp/tenure-stolen.csv'", "refused: "),
    "attaches": ("ATTACH '/tmp/tenure-stolen.duckdb'", "refused: "),
    "installs": ("INSTALL httpfs", "refused: "),
    "asks-pragma": ("PRAGMA database_list", "refused: "),
    "sets": ("SET threads = 64", "refused: "),
    "creates": ("CREATE TABLE mine AS SELECT 1 AS a", "refused: "),
    "says-two-things": (f"{EACH_DEVICE}; {EACH_DEVICE}", "refused: the file holds 2 statements"),
    "is-no-sql": ("SELEC device_key FROM device", "refused: the query cannot be read"),
    "knows-no-column": (
        "SELECT colour AS finding, 1 AS subject_device FROM device",
        'failed: Binder Error: Referenced column "colour"',
    ),
    "fails-at-a-row": ("SELECT CAST(name AS BIGINT) AS finding, 1 AS subject_device FROM device", "failed: Conversion Error"),
    "wants-a-parameter": ("SELECT $days AS finding, 1 AS subject_device", "refused: the query uses $days"),
    "has-no-finding": ("SELECT device_key AS subject_device FROM device", "refused: there is no integer column called finding"),
    "has-no-subject": ("SELECT device_key AS finding FROM device", "refused: there is no subject column"),
    "has-two-of-a-name": ("SELECT 1 AS finding, 1 AS subject_device, 1 AS a, 2 AS A", "refused: two columns are called"),
    "returns-a-span": ("SELECT 1 AS finding, 1 AS subject_device, INTERVAL 1 DAY AS a", "refused: column a is a INTERVAL"),
    "returns-bytes": ("SELECT 1 AS finding, 1 AS subject_device, 'x'::BLOB AS a", "refused: column a is a BLOB"),
    "eats-memory": (GLUTTON, "stopped: it needs more memory"),
    "floods-with-rows": (
        f"SELECT d0.device_key AS finding, 1 AS subject_device FROM {_SOME}",
        "refused: it returned more than 1,000 rows",
    ),
    "floods-with-bytes": (
        "SELECT 1 AS finding, 1 AS subject_device, repeat(name, 500000) AS a FROM device",
        "refused: its rows take more than 3,000,000 bytes",
    ),
}


def test_what_a_stranger_writes_ends_as_unknown_for_that_rule_alone(roll: Path, as_of: datetime) -> None:
    before = roll.read_bytes()
    strange = [rule(name, query) for name, (query, _) in HOSTILE.items()]
    found = judged(roll, [rule("a-sound-one", EACH_DEVICE), *strange, rule("z-sound-one", EACH_DEVICE)], as_of)
    for name, (_, reason) in HOSTILE.items():
        told = outcome(found, name)
        assert told.status is RuleStatus.UNKNOWN, name
        assert told.reason.startswith(reason), told
        assert told.findings == 0
    for name in ("a-sound-one", "z-sound-one"):
        assert outcome(found, name).status is RuleStatus.ASSESSED
        assert outcome(found, name).findings == 3
    assert not list(Path("/tmp").glob("tenure-stolen*"))
    assert roll.read_bytes() == before


def test_an_endless_rule_is_stopped_at_its_deadline_and_the_process_lives_on(roll: Path) -> None:
    with JudgeProcess(roll, SMALL) as process:
        assert isinstance(process.ask(request(EACH_DEVICE)), Rows)
        pid = process.pid
        began = time.monotonic()
        found = process.ask(request(ENDLESS, seconds=0.5))
        assert isinstance(found, Failed)
        assert found.reason == "stopped: it took longer than 0.5 s"
        assert time.monotonic() - began < 3
        assert isinstance(process.ask(request(EACH_DEVICE)), Rows)
        assert process.pid == pid


def test_a_process_that_does_not_answer_is_ended_and_the_next_rule_gets_another(
    roll: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenure.roll.judge_process.GRACE_SECONDS", 0.2)
    with JudgeProcess(roll, SMALL) as process:
        assert isinstance(process.ask(request(EACH_DEVICE)), Rows)
        assert process.pid
        os.kill(process.pid, signal.SIGSTOP)
        found = process.ask(request(EACH_DEVICE, seconds=0.2))
        assert isinstance(found, Failed)
        assert found.reason == "stopped: it took longer than 0.2 s and did not heed the interrupt"
        assert isinstance(process.ask(request(EACH_DEVICE)), Rows)


def test_a_process_killed_in_the_middle_is_the_verdict_of_its_rule_alone(roll: Path) -> None:
    with JudgeProcess(roll, SMALL) as process:
        assert isinstance(process.ask(request(EACH_DEVICE)), Rows)
        pid = process.pid
        assert pid
        threading.Timer(0.3, os.kill, (pid, signal.SIGKILL)).start()
        found = process.ask(request(ENDLESS))
        assert isinstance(found, Failed)
        assert found.reason == "the process that ran it was ended by SIGKILL"
        assert isinstance(process.ask(request(EACH_DEVICE)), Rows)
        assert process.pid != pid


def test_a_process_killed_while_idle_is_no_rules_fault(roll: Path) -> None:
    with JudgeProcess(roll, SMALL) as process:
        assert isinstance(process.ask(request(EACH_DEVICE)), Rows)
        assert process.pid
        os.kill(process.pid, signal.SIGKILL)
        time.sleep(0.1)
        assert isinstance(process.ask(request(EACH_DEVICE)), Rows)


def test_the_process_ends_when_it_is_closed(roll: Path) -> None:
    process = JudgeProcess(roll, SMALL)
    assert isinstance(process.ask(request(EACH_DEVICE)), Rows)
    pid = process.pid
    assert pid
    process.close()
    assert not alive(pid)
    assert process.pid is None


def test_the_process_ends_when_its_parent_is_killed_in_the_middle_of_a_rule(roll: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from tenure.roll.judge_process import JudgeProcess
from tenure.roll.wire import Limits, Request
process = JudgeProcess(Path({str(roll)!r}), Limits(seconds=60))
process.start()
print(process.pid, flush=True)
process.ask(Request({ENDLESS!r}, "2026-11-01T00:00:00", {{}}, 60.0))
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        time.sleep(1)
        assert alive(pid)
        parent.kill()
    end = time.monotonic() + 10
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.1)
    assert not alive(pid)


def test_the_process_sees_neither_environment_nor_descriptors_and_can_write_no_file(
    roll: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENURE_TEST_SECRET", "do not tell")
    with (roll.parent / "open").open("w"), JudgeProcess(roll, SMALL) as process:
        assert isinstance(process.ask(request(EACH_DEVICE)), Rows)
        proc = Path(f"/proc/{process.pid}")
        assert b"TENURE_TEST_SECRET" not in (proc / "environ").read_bytes()
        assert b"PATH=" not in (proc / "environ").read_bytes()
        opened = {str(entry.readlink()) for entry in (proc / "fd").iterdir()}
        regular = {name for name in opened if name.startswith("/") and not name.startswith("/dev/")}
        assert regular == {str(roll)}
        bounds = (proc / "limits").read_text()
    for line, soft in (("Max file size", "0"), ("Max open files", "64"), ("Max core file size", "0")):
        (found,) = (text for text in bounds.splitlines() if text.startswith(line))
        assert found.removeprefix(line).split()[:2] == [soft, soft]


def test_a_roll_that_somebody_still_writes_is_told_as_such(tmp_path: Path) -> None:
    path = write_roll(tmp_path / "roll.duckdb", fleet())
    with duckdb.connect(str(path)), JudgeProcess(path, SMALL) as process:
        found = process.ask(request(EACH_DEVICE))
    assert isinstance(found, Failed)
    assert found.reason.startswith("the roll cannot be opened: ")


def test_all_rules_together_have_a_limit_too(roll: Path, as_of: datetime) -> None:
    limits = replace(SMALL, total_seconds=0.4)
    found = judged(roll, [rule("a-endless", ENDLESS), rule("b-late", EACH_DEVICE)], as_of, limits)
    assert outcome(found, "a-endless").reason.startswith("stopped: it took longer than 0.")
    assert outcome(found, "b-late").status is RuleStatus.UNKNOWN
    assert outcome(found, "b-late").reason == "not run: all rules together may take 0.4 s"


def test_no_rule_sees_what_another_left(roll: Path) -> None:
    with JudgeProcess(roll, SMALL) as process:
        for query in (
            "CREATE TEMP TABLE site AS SELECT 7 AS site_key",
            "SELECT site_key AS finding, 1 AS subject_device FROM site",
        ):
            found = process.ask(request(query))
        assert isinstance(found, Rows)
        assert found.table.num_rows == 0


def test_what_was_not_collected_is_not_assessed_and_says_what_to_collect(roll: Path, as_of: datetime) -> None:
    credentials = "credentials (certificates, aws-iot, openssl-ca, issuance-log, secrets)"
    sound = 'needs_sources = [["cmdb", "aws-iot"], ["mosquitto-log"]]'
    found = judged(
        roll,
        [
            rule("lacks-rows", EACH_DEVICE, needs='["device", "credential", "anchor"]'),
            rule("lacks-sources", EACH_DEVICE, more='needs_sources = [["cmdb"], ["openssl-ca", "aws-iot"], ["zeek"]]'),
            rule("lacks-coverage", EACH_DEVICE, more="needs_coverage = true"),
            rule("lacks-nothing", EACH_DEVICE, more=sound),
        ],
        as_of,
    )
    assert outcome(found, "lacks-nothing").status is RuleStatus.ASSESSED
    for name, reason in (
        (
            "lacks-rows",
            f"needs credential: collect {credentials}; anchor: collect trust-anchors",
        ),
        ("lacks-sources", "needs a source of kind openssl-ca or aws-iot; a source of kind zeek"),
        ("lacks-coverage", "needs coverage: collect the log of a relying party, or declare [[relying_party]] in audit.toml"),
    ):
        told = outcome(found, name)
        assert (told.status, told.reason, told.findings) == (RuleStatus.NOT_ASSESSED, reason, 0)


def test_coverage_that_is_there_is_enough(tmp_path: Path, as_of: datetime) -> None:
    path = write_roll(tmp_path / "roll.duckdb", fleet(coverage=[{"relying_party_key": 1, "declared": True}]))
    found = judged(path, [rule("a", EACH_DEVICE, more="needs_coverage = true")], as_of)
    assert outcome(found, "a").status is RuleStatus.ASSESSED


def test_a_source_cut_short_makes_the_rules_that_need_it_unknown_and_keeps_what_they_found(
    tmp_path: Path, as_of: datetime
) -> None:
    sources = [SOURCES[0], {**SOURCES[1], "partial": True}]
    sessions = [{"session_key": 1, "source_key": 2, "accepted": True}]
    path = write_roll(tmp_path / "roll.duckdb", {"source": sources, "device": DEVICES, "session": sessions})
    found = judged(
        path,
        [
            rule("by-kind", EACH_DEVICE, more='needs_sources = [["cmdb"], ["mosquitto-log", "zeek"]]'),
            rule("by-rows", EACH_DEVICE, needs='["device", "session"]'),
            rule("not-touched", EACH_DEVICE, more='needs_sources = [["cmdb"]]'),
            rule("broken-too", "SELECT 1 AS x", needs='["session"]'),
        ],
        as_of,
    )
    reason = "a source it needs was cut short, there may be more: broker/mosquitto.log"
    for name in ("by-kind", "by-rows"):
        told = outcome(found, name)
        assert (told.status, told.reason, told.findings) == (RuleStatus.UNKNOWN, reason, 3)
    assert outcome(found, "not-touched").status is RuleStatus.ASSESSED
    assert outcome(found, "broken-too").reason.startswith("refused: ")
    assert outcome(found, "broken-too").reason.endswith(reason)


def test_a_rule_switched_off_is_not_run_and_says_why_until_when(roll: Path, as_of: datetime) -> None:
    off = RuleDecision("odd", "a lab", "ops", date(2026, 12, 31))
    ended = RuleDecision("even", "was a lab", "ops", date(2026, 10, 31))
    unknown = RuleDecision("queer", "no idea", "ops", date(2026, 12, 31))
    rules = [rule("odd", ENDLESS), rule("even", EACH_DEVICE)]
    found = judge(roll, rules, as_of=as_of, limits=SMALL, decisions=[off, ended, unknown])
    told = outcome(found, "odd")
    assert (told.status, told.findings, told.seconds) == (RuleStatus.SWITCHED_OFF, 0, 0.0)
    assert told.reason == "a lab (switched off by ops until 2026-12-31)"
    assert outcome(found, "even").status is RuleStatus.ASSESSED
    assert found.notes == (
        "decision on rule even ended on 2026-10-31 and no longer applies",
        "decision on rule queer: there is no such rule",
    )


def test_suppressed_findings_are_left_out_counted_and_kept_beside(roll: Path, as_of: datetime) -> None:
    rules = [rule("even", EACH_DEVICE), rule("odd", EACH_DEVICE)]
    before = judge(roll, rules, as_of=as_of, limits=SMALL)
    one = next(f for f in before.findings if f.rule == "odd" and f.subjects[0].id == "dev-1")
    until = date(2026, 11, 1)
    decisions: list[Decision] = [
        FindingDecision(one.id, "known", "ops", until),
        SubjectDecision("even", "dev-3", "known", "ops", until),
        FindingDecision("0" * 32, "known", "ops", until),
        SubjectDecision("even", "dev-9", "known", "ops", until),
        SubjectDecision("queer", "dev-9", "known", "ops", date(2030, 1, 1)),
    ]
    found = judge(roll, rules, as_of=as_of, limits=SMALL, decisions=decisions)
    assert [(o.id, o.findings, o.suppressed) for o in found.outcomes] == [("even", 2, 1), ("odd", 2, 1)]
    assert len(found.findings) == 4
    assert one not in found.findings
    assert {s.finding.subjects[0].id for s in found.suppressed} == {"dev-1", "dev-3"}
    assert found.notes == (
        "decision on rule queer for dev-9 lasts until 2030-01-01, more than a year",
        f"decision on finding {'0' * 32} meets no finding: it may be mended, and the decision can go",
        "decision on rule even for dev-9 meets no finding: it may be mended, and the decision can go",
        "decision on rule queer for dev-9: there is no such rule",
    )


def test_overrides_of_what_does_not_exist_are_refused_before_anything_runs(roll: Path, as_of: datetime) -> None:
    for overrides in ({"queer": {"days": 1}}, {"odd": {"days": 1}}):
        with pytest.raises(DeclarationError):
            judge(roll, [rule("odd", EACH_DEVICE)], as_of=as_of, parameters=overrides)


def test_a_replaced_rule_is_noted_and_progress_is_told(roll: Path, as_of: datetime) -> None:
    heard: list[str] = []
    mine = replace(rule("odd", EACH_DEVICE), file="/own/odd.sql", replaces="/tenure/odd.sql")
    found = judge(roll, [mine, rule("even", EACH_DEVICE)], as_of=as_of, progress=heard.append)
    assert found.notes == ("rule odd is /own/odd.sql, in place of the built-in one",)
    assert heard == ["even", "odd"]


def request(query: str, seconds: float = 20.0) -> Request:
    return Request(query, "2026-11-01T00:00:00", {}, seconds)


def alive(pid: int) -> bool:
    """Runs, and is not only waiting to be collected by its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
