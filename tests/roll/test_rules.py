"""Rule files: what a header may say, what it must, and how a mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenure.errors import DeclarationError, RuleError
from tenure.model.vocabulary import Severity
from tenure.roll import rules
from tenure.roll.rules import load_rules, parse_rule, with_own

WHOLE = '''\
-- title = "Retired device is still trusted"
-- severity = "critical"   # nothing worse
-- grain = "device"
-- why = """A thief needs nothing but
-- the device."""
--
-- fix = "Revoke it."
-- needs = ["device", "credential"]
-- needs_sources = [["cmdb"], ["openssl-ca", "aws-iot"]]
-- needs_coverage = true
-- reference = "NIST SP 800-57 Part 1, 5.3.6"
-- [parameters]
-- days = 30
-- share = 0.5
-- word = "x"
-- strict = true

SELECT 1 AS finding -- a comment of the query
FROM device
'''


def changed(old: str, new: str) -> str:
    assert old in WHOLE
    return WHOLE.replace(old, new)


def test_everything_a_header_can_say() -> None:
    found = parse_rule(WHOLE, "some/where/retired-device.sql")
    assert found.id == "retired-device"
    assert found.severity is Severity.CRITICAL
    assert found.why == "A thief needs nothing but the device."
    assert found.needs == ("device", "credential")
    assert found.needs_sources == (("cmdb",), ("openssl-ca", "aws-iot"))
    assert found.needs_coverage
    assert found.reference == "NIST SP 800-57 Part 1, 5.3.6"
    assert dict(found.parameters) == {"days": 30, "share": 0.5, "word": "x", "strict": True}
    assert found.query == "SELECT 1 AS finding -- a comment of the query\nFROM device"
    assert found.file == "some/where/retired-device.sql"


def test_what_may_be_left_out_has_a_plain_default() -> None:
    head, rest = WHOLE.split("-- needs_sources")
    found = parse_rule(head + rest[rest.index("\n\n") :], "x.sql")
    assert (found.needs_sources, found.needs_coverage, found.reference, dict(found.parameters)) == ((), False, "", {})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("SELECT 1", "no header"),
        (changed("SELECT 1 AS finding -- a comment of the query\nFROM device\n", ""), "no query"),
        (changed('title = "Retired', "title = Retired"), "no TOML"),
        (changed('-- fix = "Revoke it."\n', ""), "does not say fix"),
        (changed("-- grain", "-- grian"), "unknown key grian"),
        (changed('"critical"', '"crit"'), "severity = 'crit' is unknown"),
        (changed('"critical"', "3"), "severity = 3 is unknown"),
        (changed('grain = "device"', 'grain = "gadget"'), "grain = 'gadget' is unknown"),
        (changed('fix = "Revoke it."', 'fix = " "'), "fix is empty"),
        (changed('fix = "Revoke it."', "fix = 1"), "fix is not a str"),
        (changed('["device", "credential"]', "[]"), "needs is not a list"),
        (changed('["device", "credential"]', '"device"'), "needs is not a list"),
        (changed('["device", "credential"]', '["devices"]'), "needs names devices"),
        (changed('[["cmdb"], ["openssl-ca", "aws-iot"]]', '["cmdb"]'), "needs_sources is not a list of lists"),
        (changed('[["cmdb"], ["openssl-ca", "aws-iot"]]', "[[]]"), "needs_sources is not a list of lists"),
        (changed("needs_coverage = true", 'moves_with_time = "x"'), "moves_with_time is not a list of columns"),
        (changed("needs_coverage = true", "moves_with_time = [1]"), "moves_with_time is not a list of columns"),
        (changed("needs_coverage = true", "needs_coverage = 1"), "needs_coverage is not a bool"),
        (changed("days = 30", "as_of = 30"), "as_of cannot name a parameter"),
        (changed("days = 30", '"Days" = 30'), "Days cannot name a parameter"),
        (changed("days = 30", "days = [30]"), "parameter days is a list"),
        (changed("days = 30", "days = 2026-01-01"), "parameter days is a date"),
    ],
)
def test_a_mistake_names_the_file_and_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rule(text, "own/odd-device.sql")
    assert caught.value.problem.startswith("own/odd-device.sql: ")
    assert problem in caught.value.problem
    assert caught.value.fix


def test_a_misspelt_word_is_met_with_the_right_one() -> None:
    with pytest.raises(RuleError) as caught:
        parse_rule(changed('["device", "credential"]', '["credentials"]'), "x.sql")
    assert caught.value.fix == "did you mean credential?"


@pytest.mark.parametrize(
    "name", ["Odd.sql", "odd_device.sql", "-odd.sql", "odd--device.sql", "odd device.sql", "ödd.sql", ".sql"]
)
def test_a_file_whose_name_is_no_id_is_refused(name: str) -> None:
    with pytest.raises(RuleError, match="named by its file"):
        parse_rule(WHOLE, name)


def test_a_folder_is_read_in_order_of_ids_and_only_its_rule_files(tmp_path: Path) -> None:
    for name in ("b.sql", "a.sql", "notes.txt"):
        (tmp_path / name).write_text(WHOLE)
    (tmp_path / "deeper.sql").mkdir()
    assert [found.id for found in load_rules(tmp_path)] == ["a", "b"]


def test_what_cannot_be_read_as_a_rule_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="No such file"):
        load_rules(tmp_path / "nowhere")
    (tmp_path / "a.sql").write_bytes(b'-- title = "\xff"')
    with pytest.raises(RuleError, match="not UTF-8 at byte 12"):
        load_rules(tmp_path)
    (tmp_path / "a.sql").write_bytes(b"-" * (rules.MAX_BYTES + 1))
    with pytest.raises(RuleError, match="are no rule"):
        load_rules(tmp_path)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_bytes(("\ufeff\n" + WHOLE).replace("\n", "\r\n").encode())
    (found,) = load_rules(tmp_path)
    assert found.title == "Retired device is still trusted"


def test_a_users_rule_stands_in_for_the_built_in_one_and_says_so() -> None:
    builtin = [parse_rule(WHOLE, "/tenure/a.sql"), parse_rule(WHOLE, "/tenure/b.sql")]
    own = [parse_rule(WHOLE, "/own/b.sql"), parse_rule(WHOLE, "/own/c.sql")]
    found = with_own(builtin, own)
    assert [(f.id, f.file, f.replaces) for f in found] == [
        ("a", "/tenure/a.sql", ""),
        ("b", "/own/b.sql", "/tenure/b.sql"),
        ("c", "/own/c.sql", ""),
    ]


def test_parameters_take_the_declared_values_of_their_own_type() -> None:
    found = parse_rule(WHOLE, "a.sql")
    assert found.bound({"days": 7, "share": 1}) == {"days": 7, "share": 1.0, "word": "x", "strict": True}
    assert isinstance(found.bound({"share": 1})["share"], float)


@pytest.mark.parametrize("wrong", [{"dyas": 7}, {"days": "7"}, {"days": 7.5}, {"days": True}, {"strict": 1}, {"word": 1}])
def test_a_parameter_that_does_not_fit_is_refused(wrong: dict[str, int | float | str | bool]) -> None:
    with pytest.raises(DeclarationError, match=r"\[rule\.a\]") as caught:
        parse_rule(WHOLE, "a.sql").bound(wrong)
    assert caught.value.fix


def test_the_rules_and_frameworks_that_come_with_tenure_can_be_read() -> None:
    found = load_rules(rules.builtin_folder())
    assert len(found) >= 18
    assert len(rules.load_controls(rules.builtin_controls_folder()).frameworks) >= 5
