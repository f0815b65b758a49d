"""README and quick start: the output shown is what the demo prints, every command runs, every link leads somewhere."""

from __future__ import annotations

import re
import shlex
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tenure.cli.main import app
from tenure.demo import exports
from tenure.reports.terminal import TerminalReport
from tests.demo.audited import audited

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "docs/quick-start.md")
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.S | re.M)
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)


def blocks(page: str, language: str) -> list[str]:
    return [text for kind, text in FENCED.findall((ROOT / page).read_text("utf-8")) if kind == language]


def test_the_output_in_the_readme_is_that_of_the_demo(tmp_path: Path) -> None:
    printed = TerminalReport(width=100, rules=6, per_rule=2).render(audited(tmp_path, 7, 300, AS_OF).result).splitlines()
    (shown,) = blocks("README.md", "text")
    for part in shown.split("...\n"):
        first, *rest = part.splitlines()
        assert first in printed, f"the demo prints no line {first!r} any more: bring README.md up to date"
        at = printed.index(first)
        assert printed[at + 1 : at + 1 + len(rest)] == rest
        printed = printed[at + 1 :]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_of_the_repository(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    assert len(links) > 8
    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []


def test_every_source_has_its_page_linked_from_the_quick_start() -> None:
    text = (ROOT / "docs/quick-start.md").read_text("utf-8")
    for page in (ROOT / "docs/sources").glob("*.md"):
        assert f"(sources/{page.name})" in text or page.name in ("mapping.md", "certificates.md"), page.name


def test_every_command_of_the_quick_start_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TENURE_STORE", str(tmp_path / "store"))
    fleet = exports.example(7, 120, AS_OF)
    exports.write(fleet, tmp_path / "exports")
    (tmp_path / "exports" / "audit.toml").unlink()
    gateway = next(d.name for d in fleet.devices if d.family.id == "gateway")
    decisions = next(text for text in blocks("docs/quick-start.md", "toml") if "[[decision]]" in text)
    lines = [line.partition("#")[0].strip() for text in blocks("docs/quick-start.md", "sh") for line in text.splitlines()]
    commands = [line for line in lines if line.startswith("tenure ")]
    assert len(commands) >= 9
    for command in commands:
        arguments = shlex.split(command.replace("gw-north-001", gateway))[1:]
        result = CliRunner().invoke(app, arguments + (["--as-of", "2026-11-01"] if arguments[0] == "audit" else []))
        assert result.exit_code == ("--fail-on" in command and arguments[0] == "audit"), (command, result.output)
        if "--init" in command:
            (tmp_path / "exports" / "decisions.toml").write_text(decisions, "utf-8")
    assert (tmp_path / "report.html").is_file()
    assert (tmp_path / "exports" / "audit.toml").is_file()
    newer = (tmp_path / "newer.json").read_text("utf-8")
    assert '"unowned-device"' in newer
    assert '"switched-off"' in newer


def test_the_decision_and_the_parameter_of_the_quick_start_are_understood(tmp_path: Path) -> None:
    from tenure.flows.declare import read_declarations
    from tenure.roll.rules import builtin_folder, load_rules

    parameters = next(text for text in blocks("docs/quick-start.md", "toml") if "[rule." in text)
    (tmp_path / "audit.toml").write_text(parameters, "utf-8")
    declared = read_declarations(tmp_path).rule
    rules = {rule.id: rule for rule in load_rules(builtin_folder())}
    for rule, values in declared.items():
        assert rules[rule].bound(values)


def test_the_tables_of_the_readme_name_what_is_there() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    for script in ("demo", "test", "check", "bench"):
        assert f"script/{script}" in text
        assert shutil.which(str(ROOT / "script" / script)), script
