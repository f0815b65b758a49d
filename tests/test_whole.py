"""Nothing is left behind: every rule, source and report has its test and its page, and every exception to style its reason."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tenure.roll.rules import builtin_folder
from tenure.wiring import REPORTS, SOURCES

ROOT = Path(__file__).resolve().parents[1]
TESTS, DOCS = ROOT / "tests", ROOT / "docs"
FILES = [p for folder in ("src", "tests", "bench") for p in sorted((ROOT / folder).rglob("*.py"))]
LONGEST = 400

_CATCH_ALL = re.compile(r"except(?: \(?(?:Base)?Exception\b.*)?:")
_REASON = re.compile(
    r"noqa: [A-Z]+\d+(, [A-Z]+\d+)*\s+[-#] \S|type: ignore\[[a-z-]+(, ?[a-z-]+)*\]\s+[-#] ?\S|fmt: skip$|noqa: (S608|RUF003)$"
)


def called(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=called)
def test_a_module_says_what_it_is_and_is_short_or_says_why_not(path: Path) -> None:
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    told = ast.get_docstring(tree) or ""
    assert told or not tree.body
    assert len(text.splitlines()) <= LONGEST or re.search(r"\blong\b", told, re.IGNORECASE), (
        f"{len(text.splitlines())} lines, and no reason"
    )


@pytest.mark.parametrize("path", FILES, ids=called)
def test_what_is_let_pass_has_its_reason_beside_it(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    for line in lines:
        if re.search(r"#\s*(noqa|type: ignore)", line) and "_REASON" not in line:
            assert _REASON.search(line), line.strip()
        if _CATCH_ALL.match(line.strip()):
            assert "noqa: BLE001 - " in line, line.strip()


@pytest.mark.parametrize("rule", [p.stem for p in sorted(builtin_folder().glob("*.sql"))])
def test_every_rule_has_a_test(rule: str) -> None:
    assert any(f'"{rule}"' in p.read_text("utf-8") for p in (TESTS / "rules").glob("test_*.py"))


@pytest.mark.parametrize(("kind", "module"), SOURCES.items())
def test_every_source_has_a_test_and_a_page(kind: str, module: str) -> None:
    assert (TESTS / "sources" / f"test_{module}.py").is_file()
    pages = [p.read_text("utf-8") for p in (DOCS / "sources").glob("*.md")]
    assert (DOCS / "sources" / f"{kind}.md").is_file() or any(f"`{kind}`" in page for page in pages)


@pytest.mark.parametrize("module", REPORTS.values())
def test_every_report_has_a_test(module: str) -> None:
    assert (TESTS / "reports" / f"test_{module}.py").is_file()


PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md"])


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor and file.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
            assert anchor in anchors, target


def test_the_index_leads_to_every_page() -> None:
    index = (DOCS / "README.md").read_text("utf-8")
    for page in DOCS.rglob("*.md"):
        if page.name != "README.md" and page.parent.name != "decisions":
            assert f"({page.relative_to(DOCS).as_posix()})" in index, page.name
    assert set(re.findall(r"^\| \[([a-z-]+)\]\(sources/", index, re.MULTILINE)) == set(SOURCES)


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_commands_and_rules_that_pages_name_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    commands = set(re.findall(r"^## tenure ([a-z]+)$", (DOCS / "cli.md").read_text("utf-8"), re.MULTILINE))
    for command in re.findall(r"`tenure ([a-z]+)", text):
        assert command in commands, command
    for script in re.findall(r"`script/([a-z]+)`", text):
        assert (ROOT / "script" / script).is_file(), script
