"""Pages that are made from what the program itself goes by: the catalogue of rules, the tables of the roll and of evidence.

Pure text from values: ``docs/rules.md``, ``docs/roll.md`` and ``docs/evidence.md`` are these texts, and a test sees that they
are current (``script/catalogue`` writes them anew).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tenure.evidence.schemas import Table
from tenure.model.controls import Controls
from tenure.model.vocabulary import Severity
from tenure.roll.rules import Rule
from tenure.roll.tables import RollTable

_RULES_HEAD = """\
# Rules

What the audit looks for. Each rule is one file in `src/tenure/rules/`, and this page is made from their headers
(`script/catalogue`). Times and other figures are parameters: set them in `audit.toml` under `[rule.RULE-ID]`. Rules are
switched off and findings suppressed by a [file of decisions](decisions-file.md); [rules of your own](writing-rules.md)
go into a folder given with `--rules`.

A rule whose inputs were not collected says `not assessed` and what it needs, never "0 findings". One that fails, takes
too long, or needs a source that was cut short says `unknown`.
"""

_ROLL_HEAD = """\
# The roll: tables that rules read

Made from `src/tenure/roll/tables.py` (`script/catalogue`). A roll is one DuckDB file, linked anew from the snapshots of
each audit.

* `*_key` are integers that join within one roll and mean nothing outside it.
* Text stands at the edge, for people. Join on keys.
* Instants are `TIMESTAMP` in UTC. `NULL` means that nobody says; flags are never `NULL`.
* Words that are easy to get wrong are columns, defined once: `in_service`, `gone`, `usable`, `covered`, `role`,
  `newest_of_role`, `last_used_at`, `last_maybe_used_at`. Use them, do not define them again.
* Two kinds of "used": `last_used_at` is proved for this very credential; `last_maybe_used_at` also counts sessions that
  told only a name which this credential could have stood behind. Accuse with the first, acquit with the second.
"""


_EVIDENCE_HEAD = """\
# Evidence: tables that sources write

Made from `src/tenure/evidence/schemas.py` (`script/catalogue`). Each collection of a source is one *snapshot*: a folder
with one Parquet file per table that has rows, and `manifest.json`. A snapshot is written once and never edited. Its name
is its *content id*: a hash over rows, schema, and the collector's version and options, so an unchanged export
gives the snapshot it gave before. Where it was collected from, when, and up to when it speaks stand in the
manifest. Rows are claims by one source: what they mean together is for the [roll](roll.md).

* `origin` is where in the export a row stands: a path, and a line or entry behind `#`, relative to what was collected.
* Instants are UTC to the microsecond. NULL means that the export does not say.
* Digests are SHA-256, 32 raw bytes. Secrets never lie here, only digests under a key that never leaves the store.
* Words of state are those of Tenure; the export's own word stands beside in `*_text`.
* Names of people, teams and places lie in `description` alone, and other tables refer to them by `*_ref`.
"""


def rules_page(rules: Sequence[Rule], controls: Controls) -> str:
    """The catalogue: a table of all rules by severity, then a section for each, by id."""
    by_gravity = sorted(rules, key=lambda rule: (rule.severity.rank, rule.id))
    rows = [f"| [{rule.id}](#{rule.id}) | {rule.severity} | {_cell(rule.title)} |" for rule in by_gravity]
    counts = ", ".join(f"{n} {s}" for s in Severity if (n := sum(rule.severity is s for rule in rules)))
    table = "\n".join([f"{len(rules)} rules: {counts}.", "", "| rule | severity | reports |", "| --- | --- | --- |", *rows])
    sections = [_rule_section(rule, controls) for rule in sorted(rules, key=lambda rule: rule.id)]
    return "\n".join([_RULES_HEAD, table, "", *sections, _frameworks(controls)])


def roll_page(tables: Sequence[RollTable]) -> str:
    """Every table and column a rule may read."""
    names = ", ".join(f"[{table.name}](#{table.name})" for table in tables)
    return "\n".join([_ROLL_HEAD, f"Tables: {names}.", "", *(_table_section(table) for table in tables)])


def evidence_page(tables: Mapping[str, Table], version: int) -> str:
    """Every table and column that a snapshot may hold."""
    names = ", ".join(f"[{name}](#{name})" for name in tables)
    head = f"Schema version {version}. Tables: {names}.\n"
    return "\n".join([_EVIDENCE_HEAD, head, *(_evidence_section(table) for table in tables.values())])


def _evidence_section(table: Table) -> str:
    rows = [f"| `{c.name}` | {_arrow(c.type)}{', required' if c.required else ''} | {_cell(c.doc)} |" for c in table.columns]
    return "\n".join([f"## {table.name}", "", table.doc, "", "| column | type | meaning |", "| --- | --- | --- |", *rows, ""])


def _arrow(kind: object) -> str:
    """The words for an Arrow type that other tools know too."""
    return {"timestamp[us, tz=UTC]": "instant", "fixed_size_binary[32]": "digest", "bool": "boolean"}.get(str(kind), str(kind))


def _rule_section(rule: Rule, controls: Controls) -> str:
    parameters = ", ".join(f"`{name}` = {_toml(value)}" for name, value in sorted(rule.parameters.items()))
    facts = [
        ("Severity", f"{rule.severity}; one finding per {rule.grain}"),
        ("Needs", "; ".join(_needs(rule))),
        ("Parameters", parameters),
        ("Reference", rule.reference),
        ("Controls", ", ".join(controls.of(rule.id))),
    ]
    told = [f"* {name}: {text}" for name, text in facts if text]
    return "\n".join([f"## {rule.id}", "", f"**{rule.title}.** {rule.why}", "", f"*Next step:* {rule.fix}", "", *told, ""])


def _needs(rule: Rule) -> Iterable[str]:
    yield "rows in " + ", ".join(f"[{name}](roll.md#{name})" for name in rule.needs)
    for group in rule.needs_sources:
        yield "a source of kind " + " or ".join(f"`{kind}`" for kind in group)
    if rule.needs_coverage:
        yield "a relying party whose sessions are covered"


def _frameworks(controls: Controls) -> str:
    parts = ["## Frameworks", "", "Which clause a rule bears on; a clause without rules is one the audit does not judge.", ""]
    for framework in controls.frameworks:
        parts += [f"### {framework.title} ({framework.version})", "", f"`{framework.id}`: {framework.reference}", ""]
        parts += ["| clause | title | rules | |", "| --- | --- | --- | --- |"]
        for clause in framework.clauses:
            rules = ", ".join(f"[{rule}](#{rule})" for rule in clause.rules) or "none"
            parts.append(f"| {clause.id} | {_cell(clause.title)} | {rules} | {_cell(clause.note)} |")
        parts.append("")
    return "\n".join(parts)


def _table_section(table: RollTable) -> str:
    rows = [f"| `{name}` | {kind} | {_cell(meaning)} |" for name, kind, meaning in table.columns]
    return "\n".join([f"## {table.name}", "", table.doc, "", "| column | type | meaning |", "| --- | --- | --- |", *rows, ""])


def _cell(text: str) -> str:
    """Text within a table of Markdown."""
    return text.replace("|", "\\|")


def _toml(value: float | str | bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
