"""``tenure audit``: reports and exit codes, and what it says where it cannot be followed."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import tomllib
from pathlib import Path

import pytest

from tenure.flows import observe
from tenure.model.declarations import Declarations
from tests.cli.conftest import AT, Ran, Tenure, Watched, script

CRITICAL = "retired-device-still-trusted"


def findings(ran: Ran) -> list[str]:
    return [f["rule"] for f in json.loads(ran.out)["findings"]]


def refused(ran: Ran, *said: str) -> None:
    """Ended as a call that cannot be followed, with advice, and without a report."""
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("tenure: ")
    assert "\n  fix: " in ran.err
    for text in said:
        assert text in ran.err


def test_the_report_of_a_plant_for_people(tenure: Tenure, exports: Path) -> None:
    ran = tenure("audit", exports, *AT)
    assert ran.code == 0
    assert "2 findings over 4 devices" in ran.out
    assert CRITICAL in ran.out
    assert "broker.log" in ran.out
    assert "\x1b" not in ran.out, "no colours where nobody looks"
    assert ran.err == ""


def test_standard_output_is_the_report_and_nothing_else(tenure: Tenure, exports: Path, tmp_path: Path) -> None:
    ran = tenure("audit", exports, *AT, "-f", "json", "-f", f"html={tmp_path / 'out' / 'r.html'}")
    assert sorted(findings(ran)) == [CRITICAL, "unowned-device"]
    assert ran.err == f"html report: {tmp_path / 'out' / 'r.html'}\n"
    assert "<html" in (tmp_path / "out" / "r.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("fail_on", "code"), [(None, 0), ("critical", 1), ("CRITICAL", 1), ("high", 1), ("medium", 1), ("low", 1), ("info", 1)]
)
def test_it_fails_on_what_it_is_told_to(tenure: Tenure, exports: Path, fail_on: str | None, code: int) -> None:
    assert tenure("audit", exports, *AT, *(("--fail-on", fail_on) if fail_on else ())).code == code


def test_it_does_not_fail_on_what_is_less_grave(tenure: Tenure, exports: Path) -> None:
    text = (exports / "keys" / "tokens.csv").read_text()
    (exports / "keys" / "tokens.csv").write_text("".join(x for x in text.splitlines(True) if not x.startswith("tok-3")))
    ran = tenure("audit", exports, *AT, "--fail-on", "high", "-f", "json")
    assert (ran.code, findings(ran)) == (0, ["unowned-device"])
    assert tenure("audit", exports, *AT, "--fail-on", "medium").code == 1


def test_an_incomplete_audit_is_neither_clean_nor_found(tenure: Tenure, exports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (exports / "audit.toml").write_text('[[source]]\npath = "keys/tokens.csv"\nkind = "openssl-ca"\n')
    ran = tenure("audit", exports, *AT, "--fail-on", "info", "-f", "json")
    assert ran.code == 3
    assert [s["name"] for s in json.loads(ran.out)["sources"] if s["partial"]] == ["keys/tokens.csv"]
    assert "no CA folder" in json.loads(ran.out)["problems"][0]["reason"]


def test_a_rule_of_ones_own_that_fails_makes_it_incomplete(tenure: Tenure, exports: Path, tmp_path: Path) -> None:
    own = tmp_path / "rules"
    own.mkdir()
    header = '-- title = "Slow"\n-- severity = "low"\n-- grain = "device"\n-- why = "w"\n-- fix = "f"\n-- needs = ["device"]\n'
    (own / "own-rule.sql").write_text(f"{header}SELECT device_key AS finding, device_key AS subject_device, 1 // 0 FROM device")
    bad = tenure("audit", exports, *AT, "--rules", own, "-f", "json")
    assert bad.code == 3
    assert next(r for r in json.loads(bad.out)["rules"] if r["id"] == "own-rule")["status"] == "unknown"
    (own / "own-rule.sql").write_text(f"{header}SELECT device_key AS finding, device_key AS subject_device FROM device")
    good = tenure("audit", exports, *AT, "--rules", own, "-f", "json")
    assert (good.code, findings(good).count("own-rule")) == (0, 4)


def test_several_formats_get_their_own_suffixes(tenure: Tenure, exports: Path, tmp_path: Path) -> None:
    formats = [a for name in ("terminal", "json", "jsonl", "csv", "sarif", "html") for a in ("-f", name)]
    ran = tenure("audit", exports, *AT, *formats, "-o", tmp_path / "out" / "audit")
    assert (ran.code, ran.out) == (0, "")
    made = {p.name: p.read_text("utf-8") for p in (tmp_path / "out").iterdir()}
    assert set(made) == {"audit.txt", "audit.json", "audit.jsonl", "audit.csv", "audit.sarif", "audit.html"}
    assert json.loads(made["audit.json"])["as_of"] == "2026-11-01T00:00:00Z"
    assert json.loads(made["audit.sarif"])["version"] == "2.1.0"
    assert len(list(csv.reader(io.StringIO(made["audit.csv"])))) > 2
    assert [line.split()[0] for line in ran.err.splitlines()] == ["terminal", "json", "jsonl", "csv", "sarif", "html"]


def test_one_format_goes_where_it_is_told(tenure: Tenure, exports: Path, tmp_path: Path) -> None:
    target = tmp_path / "kept.v1"
    assert tenure("audit", exports, *AT, "-f", "json", "-o", target).out == ""
    assert json.loads(target.read_text())["findings"]
    assert tenure("audit", exports, *AT, "-f", f"json={tmp_path / 'a=b.json'}").code == 0
    assert json.loads((tmp_path / "a=b.json").read_text())["findings"]


@pytest.mark.parametrize(
    ("formats", "said"),
    [
        (["yaml"], "no report format is called 'yaml'"),
        (["json", "csv"], "only one report can go to standard output"),
        (["json=x.out", "csv=x.out"], "two reports would be written to"),
        (["json=."], ". is a folder"),
    ],
)
def test_reports_that_cannot_be_are_refused_before_the_work(
    tenure: Tenure, exports: Path, monkeypatch: pytest.MonkeyPatch, formats: list[str], said: str
) -> None:
    monkeypatch.setattr(observe, "survey", lambda *_: pytest.fail("began to work"))
    refused(tenure("audit", exports, *(a for f in formats for a in ("-f", f))), said)


@pytest.mark.parametrize(
    ("as_of", "said"),
    [
        ("yesterday", "write RFC 3339"),
        ("2026-11-01T00:00:00", "add Z or an offset"),
        ("2026-13-01", "not a time"),
        ("0001-01-01T00:00:00+14:00", "not a time"),
        ("", "not a time"),
    ],
)
def test_a_moment_that_is_none_is_refused(tenure: Tenure, exports: Path, as_of: str, said: str) -> None:
    refused(tenure("audit", exports, "--as-of", as_of), said)


def test_the_moment_decides(tenure: Tenure, exports: Path) -> None:
    later = tenure("audit", exports, "--as-of", "2027-06-01", "-f", "json")
    assert json.loads(later.out)["as_of"] == "2027-06-01T00:00:00Z"
    assert CRITICAL not in findings(later), "its token has expired by then"
    assert "stale-source" in findings(later)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--decisions", "nowhere.toml"], "there is no nowhere.toml"),
        (["--rules", "nowhere"], "nowhere"),
        (["--password-env", "TENURE_TEST_NONE"], "the environment has no TENURE_TEST_NONE"),
        (["--memory", "plenty"], "not a size of memory: 'plenty'"),
    ],
)
def test_what_is_not_there_is_refused(tenure: Tenure, exports: Path, arguments: list[str], said: str) -> None:
    refused(tenure("audit", exports, *arguments), said)


@pytest.mark.parametrize("arguments", [["--fail-on", "grave"], ["--nonsense"], []])
def test_a_call_that_is_none_shows_how_to_call(tenure: Tenure, exports: Path, arguments: list[str]) -> None:
    ran = tenure("audit", *([exports, *arguments] if arguments else []))
    assert (ran.code, ran.out) == (2, "")
    assert "Usage: tenure audit" in ran.err


def test_folders_without_exports_are_refused(tenure: Tenure, tmp_path: Path) -> None:
    refused(tenure("audit", tmp_path / "nowhere"), "there is no", "docs/quick-start.md")
    (tmp_path / "empty").mkdir()
    refused(tenure("audit", tmp_path / "empty"), "is an export that Tenure knows: it is empty", "audit --init")
    (tmp_path / "empty" / "note.txt").write_text("hello")
    refused(tenure("audit", tmp_path / "empty"), "note.txt: no source recognises it", "docs/sources/")


def test_one_file_can_be_audited(tenure: Tenure, exports: Path) -> None:
    ran = tenure("audit", exports / "cmdb.csv", *AT, "-f", "json")
    assert (ran.code, findings(ran)) == (0, ["unowned-device"])
    assert [s["name"] for s in json.loads(ran.out)["sources"]] == ["cmdb.csv"]


def test_the_file_beside_one_file_speaks_for_it(tenure: Tenure, exports: Path) -> None:
    (exports / "audit.toml").write_text('[[source]]\npath = "cmdb.csv"\nkind = "ignore"\n')
    refused(tenure("audit", exports / "cmdb.csv"), "audit.toml says ignore")


def test_a_folder_that_is_itself_an_export_can_be_audited(tenure: Tenure, corpus: Path) -> None:
    for name, kind in (("ca", "openssl-ca"), ("aws", "aws-iot"), ("zeek", "zeek"), ("anchors", "trust-anchors")):
        ran = tenure("audit", corpus / "fleet-sample" / name, *AT, "-f", "json")
        assert [(s["kind"], s["name"]) for s in json.loads(ran.out)["sources"]] == [(kind, ".")]


def test_exports_are_only_read(tenure: Tenure, exports: Path, tmp_path: Path) -> None:
    before = {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in exports.rglob("*")}
    for path in (exports / "keys", exports):
        path.chmod(0o555)
    assert tenure("audit", exports, *AT, "-f", f"json={tmp_path / 'r.json'}").code == 0
    assert {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in exports.rglob("*")} == before


def test_the_store_is_the_users_own(tenure: Tenure, exports: Path, store: Path, tmp_path: Path) -> None:
    assert tenure("audit", exports, *AT).code == 0
    assert stat.S_IMODE(store.stat().st_mode) == 0o700
    assert stat.S_IMODE((store / "digest.key").stat().st_mode) == 0o600
    assert {p.name for p in store.iterdir()} == {"digest.key", "evidence", "rolls"}
    assert tenure("audit", exports, *AT, "--store", tmp_path / "other").code == 0
    assert len(list((tmp_path / "other" / "evidence").iterdir())) == 3


def test_the_environment_names_a_store(tenure: Tenure, exports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENURE_STORE", str(tmp_path / "named"))
    assert tenure("audit", exports, *AT).code == 0
    assert (tmp_path / "named" / "digest.key").exists()


def test_a_store_among_the_exports_is_no_export(tenure: Tenure, exports: Path) -> None:
    for _ in range(2):
        ran = tenure("audit", exports, *AT, "--store", exports / "store", "-f", "json")
        assert [f["path"] for f in json.loads(ran.out)["files"]] == ["broker.log", "cmdb.csv", "keys/tokens.csv"]


def test_a_store_that_cannot_be_made_is_told(tenure: Tenure, exports: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    ran = tenure("audit", exports, *AT, "--store", tmp_path / "file" / "store")
    refused(ran, str(tmp_path / "file"), "check the path, its permissions")
    assert "Traceback" not in ran.err


def test_a_store_that_may_not_be_written_is_told(tenure: Tenure, exports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(self: Path, *_args: object, **_more: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", denied)
    refused(tenure("audit", exports), "Permission denied")


def test_a_report_that_may_not_be_written_is_told(tenure: Tenure, exports: Path) -> None:
    refused(tenure("audit", exports, *AT, "-f", "json", "-o", "/proc/no/such.json"), "/proc/no")


def test_a_digest_key_that_is_none_is_told(tenure: Tenure, exports: Path, store: Path) -> None:
    store.mkdir(parents=True)
    (store / "digest.key").write_bytes(b"short")
    refused(tenure("audit", exports), "holds no digest key")


def test_declarations_that_cannot_be_followed_are_told(tenure: Tenure, exports: Path) -> None:
    (exports / "audit.toml").write_text("[rule.weak-key]\ndays = 3\n")
    refused(tenure("audit", exports), "weak-key", "days")
    (exports / "audit.toml").write_text('[[source]]\npath = "cmdb.csv"\nkind = "cbdm"\n')
    refused(tenure("audit", exports), "no kind of source is called 'cbdm'", "cmdb")


def test_decisions_beside_the_exports_are_heeded(tenure: Tenure, exports: Path, tmp_path: Path) -> None:
    text = '[[decision]]\nrule = "unowned-device"\nreason = "bench"\nwho = "team"\nuntil = 2026-12-31\n'
    (exports / "decisions.toml").write_text(text)
    beside = tenure("audit", exports, *AT, "-f", "json")
    assert findings(beside) == [CRITICAL]
    assert "decisions.toml" not in {f["path"] for f in json.loads(beside.out)["files"]}
    (exports / "decisions.toml").rename(tmp_path / "d.toml")
    assert findings(tenure("audit", exports, *AT, "-f", "json", "--decisions", tmp_path / "d.toml")) == [CRITICAL]
    (exports / "audit.toml").write_text('decisions = "../d.toml"\n')
    assert findings(tenure("audit", exports, *AT, "-f", "json")) == [CRITICAL]
    (tmp_path / "d.toml").write_text(text.replace("reason", "raisin"))
    refused(tenure("audit", exports), "d.toml, decision 1", "raisin")


def test_init_drafts_declarations_once(tenure: Tenure, exports: Path) -> None:
    ran = tenure("audit", "--init", exports)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == f"wrote {exports / 'audit.toml'}: confirm what is right by taking away the #\n"
    draft = (exports / "audit.toml").read_text("utf-8")
    assert tomllib.loads(draft) == {}
    confirmed = "".join(x[1:] if x[:1] == "#" and x[1:2] not in (" ", "\n") else x for x in draft.splitlines(True))
    assert len(Declarations.model_validate(tomllib.loads(confirmed)).source) == 3
    refused(tenure("audit", "--init", exports), "audit.toml is there already")
    assert (exports / "audit.toml").read_text("utf-8") == draft
    assert findings(tenure("audit", exports, *AT, "-f", "json")) == [CRITICAL, "unowned-device"]


def test_init_helps_most_where_nothing_is_recognised(tenure: Tenure, tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "devices.txt").write_text("a;b;c\n")
    assert tenure("audit", "--init", tmp_path / "odd").code == 0
    assert '#path = "devices.txt"' in (tmp_path / "odd" / "audit.toml").read_text("utf-8").splitlines()


def test_init_beside_one_file(tenure: Tenure, exports: Path) -> None:
    assert tenure("audit", "--init", exports / "cmdb.csv").code == 0
    assert '#path = "cmdb.csv"' in (exports / "audit.toml").read_text("utf-8").splitlines()


def test_a_defect_of_ours_has_no_code_that_is_a_verdict(tenure: Tenure, exports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(observe, "survey", broken)
    ran = tenure("audit", exports)
    assert (ran.code, ran.out) == (3, "")
    assert "ZeroDivisionError" in ran.err
    assert "report it" in ran.err


def test_an_interrupt_is_no_verdict(tenure: Tenure, exports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(observe, "survey", interrupted)
    assert tenure("audit", exports).code == 130


def test_as_users_run_it(exports: Path, tmp_path: Path) -> None:
    ran = script("audit", exports, *AT, "--fail-on", "critical", env={"TENURE_STORE": str(tmp_path / "s")})
    assert (ran.returncode, ran.stderr) == (1, b"")
    assert b"2 findings over 4 devices" in ran.stdout


def test_a_reader_that_leaves_early_changes_no_verdict(exports: Path, tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    env = {"TENURE_STORE": str(tmp_path / "s")}
    ran = script("audit", exports, *AT, "--fail-on", "critical", env=env, capture_output=False, stdout=write, stderr=-1)
    os.close(write)
    assert (ran.returncode, ran.stderr) == (1, b"")


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_any_terminal_and_any_name(exports: Path, tmp_path: Path, encoding: str) -> None:
    (exports / "cmdb.csv").rename(exports / "geräte →.csv")
    (exports / os.fsdecode(b"b\xff.csv")).write_text("no export")
    env = {"TENURE_STORE": str(tmp_path / "s"), "PYTHONIOENCODING": encoding}
    people = script("audit", exports, *AT, env=env)
    assert (people.returncode, people.stderr) == (0, b"")
    assert "unowned-device" in people.stdout.decode(encoding)
    machine = script("audit", exports, *AT, "-f", "json", env=env)
    files = [f["path"] for f in json.loads(machine.stdout.decode("utf-8"))["files"]]
    assert files == ["b\\xff.csv", "broker.log", "geräte →.csv", "keys/tokens.csv"]


def test_colours_for_a_terminal_that_wants_them(exports: Path, tmp_path: Path) -> None:
    for no_color, coloured in ((None, True), ("1", False)):
        env = {"TENURE_STORE": str(tmp_path / "s"), "TERM": "xterm", **({"NO_COLOR": no_color} if no_color else {})}
        with Watched() as watched:
            ran = script("audit", exports, *AT, env=env, capture_output=False, stdout=watched.terminal, stderr=-1)
        assert ran.returncode == 0
        assert (b"\x1b[" in watched.seen) is coloured
