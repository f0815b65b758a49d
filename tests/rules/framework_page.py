"""The tables of docs/frameworks.md, drawn from the framework files. ``python -m tests.rules.framework_page`` renews the page."""

from __future__ import annotations

import tomllib
from pathlib import Path

import tenure

FOLDER = Path(tenure.__file__).parent / "frameworks"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "frameworks.md"
MARK = "<!-- what follows is drawn from src/tenure/frameworks by tests/rules/framework_page.py -->\n"
ORDER = ("owasp-nhi-2025", "nist-csf-2.0", "csa-maestro", "etsi-en-303-645", "iec-62443-4-2")


def table(name: str) -> str:
    """One framework as a heading and a table: clause, what it asks for, rules, what is left out and why."""
    document = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    lines = [
        f"\n## {document['title']}\n",
        f"`{document['id']}` · {document['version']} · {document['reference']}\n",
        "| clause | title | rules | note |",
        "|---|---|---|---|",
    ]
    for clause, entry in document["clauses"].items():
        rules = ", ".join(f"`{rule}`" for rule in entry["rules"]) or "none"
        lines.append(f"| {clause} | {entry['title']} | {rules} | {entry.get('note', '')} |")
    return "\n".join(lines) + "\n"


def drawn() -> str:
    return "".join(table(name) for name in ORDER)


def main() -> None:
    """Keep what people wrote above the mark, renew what stands below it."""
    PAGE.write_text(PAGE.read_text().split(MARK)[0] + MARK + drawn())


if __name__ == "__main__":
    main()
