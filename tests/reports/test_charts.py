"""Charts: what is drawn, what is said and what is counted agree."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.model.findings import DayCount
from tenure.model.vocabulary import Severity
from tenure.reports._charts import assurance, expiry, issuers, severities

AS_OF = date(2026, 11, 15)


def _points(counts: dict[str, int]) -> list[DayCount]:
    return [DayCount(day, count) for day, count in counts.items()]


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def _widths(drawing: str, style: str) -> list[float]:
    return [float(w) for w in re.findall(rf'class="{style}" x="[\d.]+" y="[\d.]+" width="([\d.]+)"', drawing)]


def test_months_before_within_and_after_the_window() -> None:
    chart = expiry(
        _points({"2026-10-01": 5, "2026-11-01": 1, "2028-10-01": 2, "2028-11-01": 4, "2028-12-01": 4, "2040-01-01": 1000}), AS_OF
    )
    assert chart.summary == "3 usable credentials end in the 24 months from November 2026, 1,008 later and 5 before."
    rows = {row[0]: row[1] for row in chart.rows}
    assert rows["earlier"] == "5"
    assert rows["November 2026"] == "1"
    assert rows["October 2028"] == "2"
    assert rows["2028 (rest)"] == "8"
    assert rows["2040"] == "1,000"
    assert chart.drawing.count("<rect") == 24
    assert "<title>October 2028: 2</title>" in chart.drawing


def test_one_certificate_is_told_in_the_singular() -> None:
    assert expiry(_points({"2027-01-01": 1}), AS_OF).summary.startswith("1 usable credential ends in the 24 months")


def test_nothing_that_ends_is_a_sentence_without_a_drawing() -> None:
    chart = expiry([], AS_OF)
    assert chart.summary == "0 usable credentials end in the 24 months from November 2026."
    assert (chart.drawing, chart.rows) == ("", ())


@pytest.mark.parametrize("as_of", [date(9999, 6, 1), date(1970, 1, 1)])
def test_the_edges_of_the_calendar(as_of: date) -> None:
    chart = expiry(_points({"9999-12-01": 7}), as_of)
    assert sum(_number(count) for _, count in chart.rows) == 7


MONTHS = st.dates(date(1990, 1, 1)).map(lambda d: d.replace(day=1).isoformat())


@given(st.dictionaries(MONTHS, st.integers(0, 10**6), max_size=40))
def test_no_certificate_is_lost_between_the_months(counts: dict[str, int]) -> None:
    chart = expiry(_points(counts), AS_OF)
    assert sum(_number(count) for _, count in chart.rows) == sum(counts.values())
    heights = [float(h) for h in re.findall(r'class="plain"[^>]*height="([\d.]+)"', chart.drawing)]
    assert all(h <= 150 for h in heights)


def test_issuers_beyond_the_largest_are_one_bar() -> None:
    chart = issuers({f"CN=CA {n:02d}": 100 - n for n in range(12)})
    assert [name for name, _ in chart.rows] == [*(f"CN=CA {n:02d}" for n in range(8)), "4 other issuers"]
    assert sum(_number(count) for _, count in chart.rows) == sum(range(89, 101))
    assert chart.summary == "1,134 usable certificates from 12 issuers; CN=CA 00 signed 9%."
    assert _widths(chart.drawing, "other") == [410.0]
    assert _widths(chart.drawing, "plain")[0] == pytest.approx(410 * 100 / 362, abs=0.1)


def test_no_issuer_is_no_drawing() -> None:
    chart = issuers({})
    assert (chart.summary, chart.drawing) == ("0 usable certificates from 0 issuers.", "")


def test_the_weakest_domain_comes_first_after_all_together() -> None:
    chart = assurance({"strong": {"3": 5, "4": 1}, "weak": {"0": 1, "3": 99}, "middle": {"2": 10}, "empty": {"0": 0}})
    assert [row[0] for row in chart.rows] == ["weak", "middle", "strong"]
    assert chart.head == ("Domain", "Level 0", "Level 2", "Level 3", "Level 4")
    assert chart.summary == "A domain is as strong as its weakest member. 1 domain of 3 has members at level 0: weak."
    labels = re.findall(r'<text x="0" y="\d+">(.*?)</text>', chart.drawing)
    assert labels == ["all 3 domains: 116 devices", "weak: 100 devices", "middle: 10 devices", "strong: 6 devices"]


def test_each_stack_is_as_wide_as_the_drawing() -> None:
    chart = assurance({"one": {"0": 1, "1": 1, "2": 1, "3": 7, "4": 3}})
    assert sum(w for level in range(5) for w in _widths(chart.drawing, f"level-{level}")) == pytest.approx(480, abs=0.5)


def test_many_domains_are_cut_and_counted() -> None:
    chart = assurance({f"domain-{n:03d}": {"0": 2, "2": n + 1} for n in range(250)})
    assert "The 10 weakest are drawn." in chart.summary
    assert "and 247 more." in chart.summary
    assert chart.rows[-1][0] == "50 more domains"
    assert _sums(chart.rows) == [500, sum(range(1, 251))]


def _sums(rows: Iterable[tuple[str, ...]]) -> list[int]:
    numbers = [[_number(cell) for cell in row[1:]] for row in rows]
    return [sum(column) for column in zip(*numbers, strict=True)]


def test_severities_are_all_there() -> None:
    chart = severities({Severity.HIGH: 3, Severity.INFO: 1})
    assert chart.rows == (("critical", "0"), ("high", "3"), ("medium", "0"), ("low", "0"), ("info", "1"))
    assert chart.summary == "4 findings: 3 high and 1 info."
    assert _widths(chart.drawing, "severity-high") == [330.0]
    assert severities({}).summary == "No findings."
