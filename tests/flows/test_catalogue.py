"""Generated pages are current, and what the pages beside them show can be run."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from tenure.evidence.schemas import DIGEST, INSTANT, SCHEMA_VERSION, TABLES, Column, Table
from tenure.flows.catalogue import evidence_page, roll_page, rules_page
from tenure.model.controls import Clause, Controls, Framework
from tenure.model.decisions import FindingDecision, RuleDecision, SubjectDecision, parse_decisions
from tenure.model.vocabulary import RuleStatus, Severity
from tenure.roll.judge import judge
from tenure.roll.rules import GRAINS, Rule, builtin_controls_folder, builtin_folder, load_controls, load_rules, parse_rule
from tenure.roll.subjects import SUBJECT_COLUMNS
from tenure.roll.tables import ROLL_TABLES, RollTable
from tests.roll.written_roll import write_roll

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_catalogue_of_rules_is_current() -> None:
    page = rules_page(load_rules(builtin_folder()), load_controls(builtin_controls_folder()))
    assert (DOCS / "rules.md").read_text("utf-8") == page, "run script/catalogue"


def test_the_page_of_the_roll_is_current() -> None:
    assert (DOCS / "roll.md").read_text("utf-8") == roll_page(ROLL_TABLES), "run script/catalogue"


def test_the_page_of_evidence_is_current() -> None:
    assert (DOCS / "evidence.md").read_text("utf-8") == evidence_page(TABLES, SCHEMA_VERSION), "run script/catalogue"


def test_a_table_of_evidence_shows_each_column() -> None:
    columns = (Column("at", INSTANT, "when", required=True), Column("sha256", DIGEST, "a | b"), Column("der", pa.binary(), ""))
    page = evidence_page({"thing": Table("thing", "Things.", columns)}, 7)
    assert "Schema version 7. Tables: [thing](#thing)." in page
    assert page.endswith(
        "## thing\n\nThings.\n\n| column | type | meaning |\n| --- | --- | --- |\n"
        "| `at` | instant, required | when |\n| `sha256` | digest | a \\| b |\n| `der` | binary |  |\n"
    )


def test_a_rule_has_a_section_with_all_its_header_says() -> None:
    rule = Rule(
        "odd", "Odd | thing", Severity.LOW, "device", "Why so.", "Do this.", ("device", "key"), "SELECT 1",
        needs_sources=(("cmdb", "aws-iot"),), needs_coverage=True, reference="RFC 1",
        parameters={"strict": True, "days": 3, "w": "x"},
    )  # fmt: skip
    controls = Controls((Framework("f", "F", "1", "ref", (Clause("C1", "One", ("odd",)), Clause("C2", "Two", (), "Not here."))),))
    page = rules_page([rule], controls)
    for line in (
        "1 rules: 1 low.",
        "| [odd](#odd) | low | Odd \\| thing |",
        "**Odd | thing.** Why so.",
        "*Next step:* Do this.",
        "* Severity: low; one finding per device",
        "* Needs: rows in [device](roll.md#device), [key](roll.md#key); a source of kind `cmdb` or `aws-iot`; "
        "a relying party whose sessions are covered",
        '* Parameters: `days` = 3, `strict` = true, `w` = "x"',
        "* Reference: RFC 1",
        "* Controls: f:C1",
        "| C1 | One | [odd](#odd) |  |",
        "| C2 | Two | none | Not here. |",
    ):
        assert line in page.splitlines()


def test_a_table_of_the_roll_shows_each_column() -> None:
    page = roll_page([RollTable("site", "Places.", (("site_key", "BIGINT", ""), ("kind", "VARCHAR", "a | b")))])
    assert page.endswith(
        "## site\n\nPlaces.\n\n| column | type | meaning |\n| --- | --- | --- |\n"
        "| `site_key` | BIGINT |  |\n| `kind` | VARCHAR | a \\| b |\n"
    )


def test_the_example_of_a_rule_runs(tmp_path: Path) -> None:
    page = (DOCS / "writing-rules.md").read_text("utf-8")
    (example,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    rule = parse_rule(example, "gateway-with-old-firmware.sql")
    gateway = {"device_key": 1, "device_id": "g", "device_class": "gateway", "firmware": "2.3", "in_service": True}
    devices = [gateway, {"device_key": 2, "device_id": "d", "gateway_key": 1}, {**gateway, "device_key": 3, "firmware": "2.4"}]
    roll = write_roll(tmp_path / "roll.duckdb", {"device": devices})
    found = judge(roll, [rule], as_of=datetime(2026, 11, 1, tzinfo=UTC))
    assert found.outcomes[0].status is RuleStatus.ASSESSED
    assert [(f.subjects[0].id, f.evidence) for f in found.findings] == [("g", {"firmware": "2.3", "devices_behind_it": 1})]


def test_what_the_page_on_rules_lists_is_what_there_is() -> None:
    page = (DOCS / "writing-rules.md").read_text("utf-8")
    for word in (*GRAINS, *SUBJECT_COLUMNS, *Severity):
        assert f"`{word}`" in page, word


def test_the_example_of_a_file_of_decisions_is_one() -> None:
    page = (DOCS / "decisions-file.md").read_text("utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    rule, finding, subject = parse_decisions(example, "decisions.toml")
    assert isinstance(rule, RuleDecision)
    assert rule.until == date(2026, 12, 31)
    assert isinstance(finding, FindingDecision)
    assert isinstance(subject, SubjectDecision)
    assert {rule.rule, subject.rule} <= {built_in.id for built_in in load_rules(builtin_folder())}
