"""An audit from folder to findings: what it says, that it says it again, and what ends it before the work."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tenure.errors import DeclarationError, LinkError, SourceError, TenureError
from tenure.flows import audit as flow
from tenure.flows.audit import Questions, alone
from tenure.flows.verdict import INCOMPLETE, exit_code
from tenure.model.decisions import RuleDecision, SubjectDecision
from tenure.model.declarations import AnchorDeclaration, Declarations, RelyingPartyDeclaration, SourceDeclaration
from tenure.model.findings import AuditResult
from tenure.model.vocabulary import RuleStatus, Severity
from tenure.reports import json_report
from tenure.roll.judge_process import JudgeProcess
from tenure.roll.link import link
from tenure.roll.rules import builtin_folder, load_rules
from tenure.wiring import sources
from tests.closed import closed
from tests.flows.plant import CMDB, audited, found, plant, questions, workplace

DEFECTS = {"retired-device-still-trusted": ["pump-3"], "unowned-device": ["pump-2"]}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> AuditResult:
    root = tmp_path_factory.mktemp("audit")
    return audited(plant(root / "plant"), root / "store")


def outcome(result: AuditResult, rule: str) -> RuleStatus:
    return next(r.status for r in result.rules if r.id == rule)


def test_the_defects_of_a_plant_are_found_and_nothing_else(result: AuditResult) -> None:
    assert found(result) == DEFECTS
    (trusted, _) = result.findings
    assert trusted.severity is Severity.CRITICAL
    assert [(s.kind, s.name) for s in trusted.subjects] == [("device", "pump-3"), ("token", "tok-3")]


def test_an_audit_says_what_it_rests_on(result: AuditResult) -> None:
    assert [(s.kind, s.name, s.partial) for s in result.sources] == [
        ("cmdb", "cmdb.csv", False),
        ("mosquitto-log", "broker.log", False),
        ("secrets", "keys/tokens.csv", False),
    ]
    assert {(f.path, f.kind) for f in result.files} == {(s.name, s.kind) for s in result.sources}
    assert {c.site for c in result.coverage} == {"north", "south"}
    assert result.notes == (
        "broker.log: broker: times of the log name no zone and none is declared (time_zone); they were taken for UTC",
    )
    assert not result.incomplete


def test_a_rule_without_its_inputs_is_not_assessed_and_says_what_it_needs(result: AuditResult) -> None:
    not_assessed = {r.id: r.reason for r in result.rules if r.status is RuleStatus.NOT_ASSESSED}
    assert not_assessed["unused-anchor"].startswith("needs anchor: collect trust-anchors")
    assert all(reason.startswith("needs ") for reason in not_assessed.values())
    assert [r.id for r in result.rules] == sorted(rule.id for rule in load_rules(builtin_folder()))


def test_the_same_exports_give_the_same_report_byte_for_byte_in_any_store(result: AuditResult, tmp_path: Path) -> None:
    again = audited(plant(tmp_path / "elsewhere"), tmp_path / "store")
    assert _without_seconds(again) == _without_seconds(result)
    third = audited(tmp_path / "elsewhere", tmp_path / "store")  # snapshots are there already
    assert _without_seconds(third) == _without_seconds(result)


def _without_seconds(result: AuditResult) -> str:
    rules = tuple(dataclasses.replace(rule, seconds=0.0) for rule in result.rules)
    return json_report.REPORT.render(dataclasses.replace(result, rules=rules))


def test_order_of_files_does_not_matter(tmp_path: Path, result: AuditResult) -> None:
    root = plant(tmp_path / "plant")
    header, *rows = CMDB.splitlines()
    (root / "cmdb.csv").write_text("\n".join([header, *reversed(rows)]) + "\n")
    turned = audited(root, tmp_path / "store")
    assert [f.id for f in turned.findings] == [f.id for f in result.findings]


def test_a_folder_without_exports_is_refused_with_what_was_seen(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(SourceError, match="it is empty"):
        audited(tmp_path / "a", tmp_path / "store")
    for name in ("b.txt", "c.txt"):
        (tmp_path / "a" / name).write_text("hello")
    with pytest.raises(SourceError, match=r"\(b.txt: no source recognises it, and 1 more\)") as error:
        audited(tmp_path / "a", tmp_path / "store")
    assert "audit --init" in error.value.fix


def test_parameters_are_checked_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "look", lambda *_args, **_more: pytest.fail("began to work"))
    for rule, values, said in (
        ("no-such-rule", {}, "names no rule"),
        ("weak-key", {"days": 3}, "no parameter"),
        ("anchor-expires-soon", {"days": "soon"}, "days"),
    ):
        with pytest.raises(DeclarationError, match=said):
            audited(plant(tmp_path / rule), tmp_path / "store", Declarations(rule={rule: dict(values)}))


def test_parameters_are_heeded(tmp_path: Path) -> None:
    result = audited(plant(tmp_path / "p"), tmp_path / "s", Declarations(rule={"stale-identity": {"days": 1}}))
    assert sorted(found(result)["stale-identity"]) == ["tok-1", "tok-2", "tok-4"]
    assert next(r.parameters for r in result.rules if r.id == "stale-identity") == "days=1 slack_days=7"


def test_decisions_are_heeded_and_counted(tmp_path: Path, result: AuditResult) -> None:
    device = result.findings[0].subjects[0].id
    until = date(2026, 12, 31)
    held = questions(
        RuleDecision("unowned-device", "bench", "team", until),
        SubjectDecision("retired-device-still-trusted", device, "to be scrapped", "team", until),
    )
    decided = audited(plant(tmp_path / "p"), tmp_path / "s", asked=held)
    assert decided.findings == ()
    assert outcome(decided, "unowned-device") is RuleStatus.SWITCHED_OFF
    assert next(r.suppressed for r in decided.rules if r.id == "retired-device-still-trusted") == 1
    (hidden,) = decided.suppressed_findings
    assert (hidden.rule, hidden.subjects[0].name) == ("retired-device-still-trusted", "pump-3")


def test_what_is_declared_in_vain_is_told(tmp_path: Path) -> None:
    said = Declarations(
        source=(SourceDeclaration(path="cmbd.csv", kind="cmdb"), SourceDeclaration(path="keys", max_age_days=400)),
        anchors=(AnchorDeclaration(path="bundles/broker.pem"),),
    )
    result = audited(plant(tmp_path / "p"), tmp_path / "s", said)
    assert result.notes[:2] == (
        "audit.toml: [[source]] names cmbd.csv, and there is nothing",
        "audit.toml: [[anchors]] names bundles/broker.pem, and there is nothing",
    )


def test_what_cannot_be_read_makes_the_audit_incomplete(tmp_path: Path) -> None:
    root = plant(tmp_path / "p")
    (root / "logs").mkdir()
    with closed(root / "keys" / "tokens.csv", root / "logs"):
        result = audited(root, tmp_path / "s")
    reason = "cannot be read: Permission denied; what it holds is missing here"
    assert [(p.source, p.file, p.place, p.reason) for p in result.problems] == [
        ("keys/tokens.csv", "keys/tokens.csv", "whole", reason), ("logs", "logs", "whole", reason),
    ]  # fmt: skip
    assert [f.path for f in result.files if f.unread] == ["keys/tokens.csv", "logs"]
    assert result.incomplete
    assert exit_code(result, None) == INCOMPLETE


def test_what_cannot_be_read_can_be_left_out_on_purpose(tmp_path: Path) -> None:
    ignored = tuple(SourceDeclaration(path=path, kind="ignore") for path in ("keys/tokens.csv", "logs"))
    root = plant(tmp_path / "p")
    (root / "logs").mkdir()
    with closed(root / "keys" / "tokens.csv", root / "logs"):
        result = audited(root, tmp_path / "s", Declarations(source=ignored))
    assert not result.incomplete
    assert result.problems == ()
    left_out = {f.path: f.why for f in result.files if f.kind is None}
    assert left_out == dict.fromkeys(("keys/tokens.csv", "logs"), "audit.toml says ignore")


def test_declarations_change_what_is_found(tmp_path: Path) -> None:
    root = plant(tmp_path / "p")
    party = RelyingPartyDeclaration.model_validate({"name": "broker", "sites": ["north"], "since": "2026-05-01T00:00:00Z"})
    said = Declarations(
        source=(SourceDeclaration(path="broker.log", relying_party="broker", time_zone="UTC"),), relying_party=(party,)
    )
    result = audited(root, tmp_path / "s", said)
    assert [(c.site, c.declared, c.since.isoformat()) for c in result.coverage] == [("north", True, "2026-05-01T00:00:00+00:00")]


def test_a_source_cut_short_makes_the_audit_incomplete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = plant(tmp_path / "p")

    def breaking(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(type(sources()["secrets"]), "collect", breaking)
    result = audited(root, tmp_path / "s")
    assert result.incomplete
    assert [s.name for s in result.sources if s.partial] == ["keys/tokens.csv"]
    assert [p.file for p in result.problems] == ["keys/tokens.csv"]
    assert outcome(result, "unowned-device") is RuleStatus.ASSESSED


def test_steps_are_told_in_order_with_their_work(tmp_path: Path) -> None:
    told = _Told()
    root = plant(tmp_path / "p")
    audited(root, tmp_path / "s", progress=told)
    names = [name for name, _, _ in told.steps]
    assert names[0] == "looking at files"
    assert names[1:3] == ["collecting", "linking"]
    assert names[-1] == "judging"
    by_name = {name: (total, unit) for name, total, unit in told.steps}
    size = sum(p.stat().st_size for p in root.rglob("*") if p.is_file())
    assert by_name["collecting"] == (size, "bytes")
    assert told.amounts["collecting"] == size
    assert told.amounts["judging"] == by_name["judging"][0] == len(load_rules(builtin_folder()))


class _Told:
    def __init__(self) -> None:
        self.steps: list[tuple[str, int, str]] = []
        self.amounts: dict[str, int] = {}

    def step(self, name: str, total: int = 0, unit: str = "") -> None:
        self.steps.append((name, total, unit))

    def done(self, amount: int) -> None:
        name = self.steps[-1][0]
        self.amounts[name] = self.amounts.get(name, 0) + amount


def test_the_process_of_rules_starts_before_linking_and_ends_with_the_audit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    pids: list[int] = []
    start, close = JudgeProcess.start, JudgeProcess.close

    def started(self: JudgeProcess) -> None:
        start(self)
        order.append("start")
        assert self.pid is not None
        pids.append(self.pid)

    def closed(self: JudgeProcess) -> None:
        order.append("close")
        close(self)

    def linked(*args: object, **more: object) -> object:
        order.append("link")
        return link(*args, **more)  # type: ignore[arg-type]  # as it came

    monkeypatch.setattr(JudgeProcess, "start", started)
    monkeypatch.setattr(JudgeProcess, "close", closed)
    monkeypatch.setattr(flow, "link", linked)
    audited(plant(tmp_path / "p"), tmp_path / "s")
    assert order[:2] == ["start", "link"]
    assert order[-1] == "close"
    assert len(set(pids)) == 1
    assert not Path(f"/proc/{pids[0]}").exists()


def test_no_process_is_left_when_linking_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pids: list[int] = []
    start = JudgeProcess.start

    def started(self: JudgeProcess) -> None:
        start(self)
        assert self.pid is not None
        pids.append(self.pid)

    def failing(*_args: object, **_more: object) -> None:
        raise duckdb.OutOfMemoryException("could not allocate")

    monkeypatch.setattr(JudgeProcess, "start", started)
    monkeypatch.setattr(flow, "link", failing)
    with pytest.raises(LinkError, match="more memory") as error:
        audited(plant(tmp_path / "p"), tmp_path / "s")
    assert "--memory" in error.value.fix
    assert len(pids) == 1
    assert not Path(f"/proc/{pids[0]}").exists()


def _hold(roll: str, ready: multiprocessing.connection.Connection, until: multiprocessing.connection.Connection) -> None:
    with alone(Path(roll)):
        ready.send(os.getpid())
        until.recv()


def test_two_audits_of_one_folder_in_one_store_do_not_write_one_file(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    ready, told = spawn.Pipe(duplex=False)
    wait, go = spawn.Pipe(duplex=False)
    roll = workplace(tmp_path / "s", tmp_path).roll
    other = spawn.Process(target=_hold, args=(str(roll), told, wait))
    other.start()
    assert ready.poll(30)
    with pytest.raises(TenureError, match="another audit of this folder is at work"):
        audited(plant(tmp_path / "p"), tmp_path / "s")
    other.kill()  # the kernel lets go of the lock of whoever dies
    other.join()
    go.close()
    assert found(audited(tmp_path / "p", tmp_path / "s")) == DEFECTS


def test_a_half_made_roll_of_an_audit_that_died_is_replaced(tmp_path: Path) -> None:
    roll = workplace(tmp_path / "s", tmp_path).roll
    roll.parent.mkdir(parents=True)
    roll.write_bytes(b"half of a roll")
    roll.with_name(roll.name + ".wal").write_bytes(b"half of a log")
    assert found(audited(plant(tmp_path / "p"), tmp_path / "s")) == DEFECTS


def test_rules_asked_are_the_rules_judged(tmp_path: Path) -> None:
    chosen: Sequence[object] = [r for r in load_rules(builtin_folder()) if r.id == "unowned-device"]
    asked = questions()
    result = audited(plant(tmp_path / "p"), tmp_path / "s", asked=Questions(chosen, asked.controls, ()))  # type: ignore[arg-type]  # rules
    assert [r.id for r in result.rules] == ["unowned-device"]
    assert found(result) == {"unowned-device": ["pump-2"]}
