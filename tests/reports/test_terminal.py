"""The terminal report: complete at 80 columns, silent about nothing, deaf to what names try."""

from __future__ import annotations

import dataclasses
import re
import unicodedata

import pytest
from hypothesis import given, settings
from rich.cells import cell_len

from tenure.model.findings import AuditResult, ProblemSummary
from tenure.model.vocabulary import Severity
from tenure.reports.terminal import TerminalReport
from tests.reports.results import AS_OF, big, hostile, results, sample

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def _words(text: str) -> str:
    return " ".join(text.split())


def test_it_says_what_matters() -> None:
    text = _words(TerminalReport().render(sample()))
    for told in (
        "as of 2026-11-01 00:00 UTC",
        "the findings are not the whole truth (cut short: logs/broker.log, not read: vault and unknown: stale-identity)",
        "7 findings over 300 devices, 391 usable credentials; 2 suppressed by decisions",
        "critical 5 high 1 medium 0 low 1 info 0",
        "critical 5 2 retired-device-still-trusted",
        "device meter-0001, certificate CN=meter-0001 since 2026-03-02 10:00; left service 2026-03-02; state retired",
        "and 2 more: --format html or json shows all",
        "next step: Revoke it at its issuer and see that the relying parties refuse it.",
        "Unknown: 1 rule logs/broker.log is cut short: stale-identity",
        "Not assessed: 1 rule needs a log of sessions: hidden-device",
        "Switched off: 1 rule until 2027-01-01: agreed: stale-source",
        "Suppressed by decisions: 2 findings",
        "critical retired-device-still-trusted: device spare-901 until 2027-01-31 by Operations: in the lab's vault",
        "broker-eu all sites 2026-05-01 00:00 2026-10-31 00:00 no",
        "cmdb.csv: unknown status word 'Sleeping' (2 times, first at cmdb.csv line 17)",
        "mosquitto-log logs/broker.log 123,456 1 not known cut short",
        "nothing notes.docx no source knows it",
        "No coverage is declared for site varna",
        "4 of 7 rules assessed; 3 problems",
    ):
        assert told in text, told


def test_the_gravest_comes_first() -> None:
    text = TerminalReport().render(sample())
    assert text.index(" critical  Retired") < text.index(" high  One key") < text.index(" low  Nobody")


def test_no_findings_is_said_with_what_was_judged() -> None:
    empty = AuditResult(AS_OF, (), (), (), (), ())
    text = _words(TerminalReport().render(empty))
    assert "0 findings over 0 devices" in text
    assert "no findings; 0 of 0 rules assessed; 0 problems" in text
    assert "none: no log says who connected" in text


@pytest.mark.parametrize("width", [40, 80, 100, 200])
@pytest.mark.parametrize("colour", [True, False])
def test_no_line_is_wider_than_the_terminal(width: int, colour: bool) -> None:
    for result in (sample(), hostile(), big(200)):
        for line in TerminalReport(width=width, colour=colour).render(result).split("\n"):
            assert cell_len(ESCAPE.sub("", line)) <= width


def test_without_colour_there_is_no_escape_and_the_same_words() -> None:
    plain = TerminalReport(colour=False).render(sample())
    coloured = TerminalReport(colour=True).render(sample())
    assert "\x1b" not in plain
    assert "\x1b[" in coloured
    assert _words(ESCAPE.sub("", coloured)) == _words(plain)


@settings(max_examples=40, deadline=None)
@given(results)
def test_no_name_controls_the_terminal(result: AuditResult) -> None:
    text = TerminalReport(width=80).render(result)
    text.encode("utf-8")
    assert {unicodedata.category(c) for c in text.replace("\n", "")}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})


def test_markup_in_a_name_is_a_name() -> None:
    assert "[bold red]markup[/]" in TerminalReport(width=200).render(hostile())


def test_long_lists_end_with_how_many_more() -> None:
    base = sample()
    many = dataclasses.replace(
        base,
        problems=tuple(ProblemSummary("a.csv", "a.csv", f"line {n}", f"reason {n}") for n in range(40)),
        coverage=base.coverage * 20,
        sources=base.sources * 20,
        files=base.files * 20,
    )
    text = TerminalReport().render(many)
    for told in ("and 28 more kinds of problem:", "and 28 more places:", "and 28 more sources:", "and 68 more files:"):
        assert told in text


def test_a_large_result_stays_short() -> None:
    text = TerminalReport().render(big(20_000, rules=36))
    assert text.count("\n") < 250
    assert "and findings of 24 more rules" in text
    assert "20,000 findings" in text


def test_a_rule_that_raises_one_finding_is_as_grave_as_it() -> None:
    base = sample()
    raised = dataclasses.replace(base.findings[-1], severity=Severity.CRITICAL)
    text = TerminalReport().render(dataclasses.replace(base, findings=(*base.findings[:-1], raised)))
    assert " critical  Nobody answers for the device" in text
