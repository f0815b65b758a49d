"""Charts of a report, each with the sentence it shows and the table of its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from markupsafe import Markup

from tenure.model.findings import DayCount, FleetFigures
from tenure.model.vocabulary import Severity
from tenure.reports._drawings import bars, columns, named, short_bars, stacks
from tenure.reports._wording import abridged, count, sentences, shown

MOST_ROWS = 200
LEVELS = {
    "0": "nothing, a shared secret or a network location",
    "1": "a static secret of its own",
    "2": "a key of its own in software, certified",
    "3": "a key that the hardware keeps, as the inventory says",
    "4": "level 3 and a fresh appraisal of measured state",
}
"""What the identity of a device rests on, by level of assurance."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure of the page. ``drawing`` is empty where there is nothing to draw; ``legend`` is (class, text)."""

    id: str
    title: str
    summary: str
    drawing: Markup
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    legend: tuple[tuple[str, str], ...] = ()


def charts(figures: FleetFigures, found: Mapping[Severity, int], as_of: datetime) -> tuple[Chart, ...]:
    """The four charts of a report, in their order."""
    return (
        severities(found),
        expiry(figures.expiry_by_month, as_of.date()),
        assurance(figures.assurance_by_domain),
        issuers(figures.usable_by_issuer),
    )


def severities(found: Mapping[Severity, int]) -> Chart:
    """How many findings of each severity."""
    rows = [(severity.value, found.get(severity, 0), f"severity-{severity.value}") for severity in Severity]
    total = sum(number for _, number, _ in rows)
    told = sentences(f"{number:,} {name}" for name, number, _ in rows if number)
    summary = f"{count(total, 'finding')}: {told}." if total else "No findings."
    table = tuple((name, f"{number:,}") for name, number, _ in rows)
    return Chart(
        "severities", "Findings by severity", summary, short_bars(rows, "Findings by severity"), ("Severity", "Findings"), table
    )


def issuers(usable: Mapping[str, int], most: int = 8) -> Chart:
    """Usable certificates by who signed them; the largest, and the rest as one bar."""
    ranked = sorted(usable.items(), key=lambda item: (-item[1], item[0]))
    rows = [(shown(name), number, "plain") for name, number in ranked[:most]]
    if rest := ranked[most:]:
        rows.append((f"{len(rest):,} other issuers", sum(number for _, number in rest), "other"))
    total = sum(usable.values())
    summary = f"{count(total, 'usable certificate')} from {count(len(ranked), 'issuer')}"
    if ranked and total:
        summary += f"; {abridged(shown(ranked[0][0]), 60)} signed {ranked[0][1] / total:.0%}"
    title = "Usable certificates by issuer"
    drawing = bars(rows, title) if total else Markup("")
    return Chart(
        "issuers", title, summary + ".", drawing, ("Issuer", "Usable certificates"), tuple((n, f"{c:,}") for n, c, _ in rows)
    )


def expiry(points: Sequence[DayCount], as_of: date, months: int = 24) -> Chart:
    """When usable credentials end: the coming months as bars, what lies before and after as words and years."""
    window = [_month(as_of, n) for n in range(months)]
    inside = dict.fromkeys(window, 0)
    years: dict[str, int] = {}
    before = 0
    for point in points:
        day = date.fromisoformat(point.day)
        if (start := day.replace(day=1)) in inside:
            inside[start] += point.count
        elif start < window[0]:
            before += point.count
        else:
            years[str(day.year)] = years.get(str(day.year), 0) + point.count
    after = sum(years.values())
    soon = count(sum(inside.values()), "usable credential ends", "usable credentials end")
    spans = [
        f"{soon} in the {months} months from {named(window[0])}",
        f"{after:,} later" if after else "",
        f"{before:,} before" if before else "",
    ]
    rows = [("earlier", f"{before:,}")] if before else []
    rows += [(named(month), f"{number:,}") for month, number in inside.items()]
    rows += [
        (f"{year} (rest)" if year == str(window[-1].year) else year, f"{number:,}") for year, number in sorted(years.items())
    ]
    title = "Credentials that end, by month"
    drawing = columns(inside, title) if any(inside.values()) else Markup("")
    told = tuple(rows) if points else ()
    return Chart("expiry", title, sentences(spans) + ".", drawing, ("Month or year", "Credentials that end"), told)


def _month(first: date, later: int) -> date:
    number = min(first.year * 12 + first.month - 1 + later, 9999 * 12 + 11)
    return date(number // 12, number % 12 + 1, 1)


def assurance(domains: Mapping[str, Mapping[str, int]], most: int = 10) -> Chart:
    """Devices of each trust domain by level of assurance: all together, then those with the weakest members first."""
    ranked = sorted(domains.items(), key=lambda item: (_weakest(item[1]), -sum(item[1].values()), item[0]))
    ranked = [(name, levels) for name, levels in ranked if sum(levels.values())]
    levels = sorted({level for _, those in ranked for level in those})
    rows = [(shown(name), *(f"{those.get(level, 0):,}" for level in levels)) for name, those in ranked[:MOST_ROWS]]
    if rest := ranked[MOST_ROWS:]:
        sums = (sum(those.get(level, 0) for _, those in rest) for level in levels)
        rows.append((f"{len(rest):,} more domains", *(f"{number:,}" for number in sums)))
    summary = "No trust domain with devices is known."
    if ranked:
        weak = [shown(name) for name, those in ranked if _weakest(those) == _weakest(ranked[0][1])]
        summary = (
            f"A domain is as strong as its weakest member. {count(len(weak), 'domain')} of {len(ranked):,} "
            f"{'has' if len(weak) == 1 else 'have'} members at level {_weakest(ranked[0][1])}: {', '.join(weak[:3])}"
            + (f" and {len(weak) - 3:,} more." if len(weak) > 3 else ".")
            + (f" The {most} weakest are drawn." if len(ranked) > most else "")
        )
    title = "Assurance by trust domain"
    drawn = ranked[:most]
    if len(ranked) > 1:
        whole = {level: sum(those.get(level, 0) for _, those in ranked) for level in levels}
        drawn = [(f"all {len(ranked):,} domains", whole), *drawn]
    drawing = stacks(drawn, title) if ranked else Markup("")
    legend = tuple((f"level-{level}", f"{level}: {words}") for level, words in LEVELS.items()) if ranked else ()
    return Chart("assurance", title, summary, drawing, ("Domain", *(f"Level {level}" for level in levels)), tuple(rows), legend)


def _weakest(levels: Mapping[str, int]) -> str:
    return min((level for level, devices in levels.items() if devices), default="")
