"""Charts as inline SVG, each with the sentence it shows and the table of its numbers. Colours are classes of the page.

Every drawing is 480 units wide, so that its text stays readable on a phone; names in it come from devices and are escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from markupsafe import Markup

from tenure.model.findings import DayCount, FleetFigures
from tenure.model.vocabulary import Severity
from tenure.reports._wording import abridged, count, sentences, shown

WIDTH = 480
MOST_ROWS = 200
LEVELS = {
    "0": "nothing, a shared secret or a network location",
    "1": "a static secret of its own",
    "2": "a key of its own in software, certified",
    "3": "a key that the hardware keeps, proved at issue",
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
        "severities", "Findings by severity", summary, _short_bars(rows, "Findings by severity"), ("Severity", "Findings"), table
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
    drawing = _bars(rows, title) if total else Markup("")
    return Chart(
        "issuers", title, summary + ".", drawing, ("Issuer", "Usable certificates"), tuple((n, f"{c:,}") for n, c, _ in rows)
    )


def _bars(rows: Sequence[tuple[str, int, str]], title: str) -> Markup:
    """Horizontal bars, the name above each and its number behind it."""
    most = max((number for _, number, _ in rows), default=0) or 1
    parts = []
    for place, (name, number, style) in enumerate(rows):
        top = place * 38
        width = max(number / most * (WIDTH - 70), 2 if number else 0)
        parts.append(Markup('<text x="0" y="{}">{}</text>').format(top + 13, abridged(name, 54)))
        parts.append(Markup('<rect class="{}" x="0" y="{}" width="{:.1f}" height="13" rx="2"/>').format(style, top + 19, width))
        parts.append(Markup('<text class="number" x="{:.1f}" y="{}">{:,}</text>').format(width + 6, top + 30, number))
    return _svg(len(rows) * 38, title, parts)


def _short_bars(rows: Sequence[tuple[str, int, str]], title: str) -> Markup:
    """Horizontal bars with short names before them."""
    most = max((number for _, number, _ in rows), default=0) or 1
    parts = []
    for place, (name, number, style) in enumerate(rows):
        top = place * 30
        width = max(number / most * (WIDTH - 150), 2 if number else 0)
        parts.append(Markup('<text x="0" y="{}">{}</text>').format(top + 16, name))
        parts.append(Markup('<rect class="{}" x="70" y="{}" width="{:.1f}" height="20" rx="2"/>').format(style, top + 2, width))
        parts.append(Markup('<text class="number" x="{:.1f}" y="{}">{:,}</text>').format(width + 78, top + 16, number))
    return _svg(len(rows) * 30, title, parts)


def expiry(points: Sequence[DayCount], as_of: date, months: int = 24) -> Chart:
    """When usable certificates end: the coming months as bars, what lies before and after as words and years."""
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
    soon = count(sum(inside.values()), "usable certificate ends", "usable certificates end")
    spans = [
        f"{soon} in the {months} months from {_named(window[0])}",
        f"{after:,} later" if after else "",
        f"{before:,} before" if before else "",
    ]
    rows = [("earlier", f"{before:,}")] if before else []
    rows += [(_named(month), f"{number:,}") for month, number in inside.items()]
    rows += [
        (f"{year} (rest)" if year == str(window[-1].year) else year, f"{number:,}") for year, number in sorted(years.items())
    ]
    title = "Certificates that end, by month"
    drawing = _columns(inside, title) if any(inside.values()) else Markup("")
    told = tuple(rows) if points else ()
    return Chart("expiry", title, sentences(spans) + ".", drawing, ("Month or year", "Certificates that end"), told)


def _month(first: date, later: int) -> date:
    number = min(first.year * 12 + first.month - 1 + later, 9999 * 12 + 11)
    return date(number // 12, number % 12 + 1, 1)


def _named(month: date) -> str:
    names = (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    )
    return f"{names[month.month - 1]} {month.year}"


def _columns(inside: Mapping[date, int], title: str) -> Markup:
    """Upright bars with a scale at the left and every third month named."""
    left, floor, height = 44.0, 178, 150
    most = _round_up(max(inside.values()))
    step = (WIDTH - left) / len(inside)
    parts = []
    for share in (0.0, 0.5, 1.0) if most > 1 else (0.0, 1.0):
        y = floor - share * height
        parts.append(Markup('<line class="grid" x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}"/>').format(left, y, WIDTH, y))
        parts.append(Markup('<text class="scale" x="{}" y="{:.1f}">{:,}</text>').format(left - 6, y + 4, int(most * share)))
    for place, (month, number) in enumerate(inside.items()):
        x, tall = left + place * step, number / most * height
        words = f"{_named(month)}: {number:,}"
        bar = Markup('<rect class="plain" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>')
        parts.append(bar.format(x + 1.5, floor - tall, step - 3, tall, words))
        if place % 3 == 0:
            parts.append(Markup('<text x="{:.1f}" y="{}">{}</text>').format(x, floor + 18, _named(month)[:3]))
        if place == 0 or (month.month <= 3 and place % 3 == 0):
            parts.append(Markup('<text class="faint" x="{:.1f}" y="{}">{}</text>').format(x, floor + 34, month.year))
    return _svg(floor + 40, title, parts)


def _round_up(number: int) -> int:
    """The next number with a whole half that a scale can end on: 2, 4, 6, 8, 10, 20, 30 ..."""
    if number <= 1:
        return 1
    unit = int("1" + "0" * (len(str(number)) - 1))
    tops = (1, 2, 3, 4, 5, 6, 8, 10) if unit > 1 else (2, 4, 6, 8, 10)
    return next(unit * top for top in tops if unit * top >= number)


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
    drawing = _svg(len(drawn) * 44, title, [*_stacks(drawn)]) if ranked else Markup("")
    legend = tuple((f"level-{level}", f"{level}: {words}") for level, words in LEVELS.items()) if ranked else ()
    return Chart("assurance", title, summary, drawing, ("Domain", *(f"Level {level}" for level in levels)), tuple(rows), legend)


def _weakest(levels: Mapping[str, int]) -> str:
    return min((level for level, devices in levels.items() if devices), default="")


def _stacks(ranked: Sequence[tuple[str, Mapping[str, int]]]) -> Iterator[Markup]:
    for place, (name, levels) in enumerate(ranked):
        top, total, x = place * 44, sum(levels.values()), 0.0
        label = f"{abridged(shown(name), 40)}: {count(total, 'device')}"
        yield Markup('<text x="0" y="{}">{}</text>').format(top + 13, label)
        for level, devices in sorted(levels.items()):
            width = devices / total * WIDTH
            style = f"level-{level}" if level in LEVELS else "other"
            words = f"level {level}: {count(devices, 'device')}"
            segment = Markup('<rect class="{}" x="{:.1f}" y="{}" width="{:.1f}" height="18"><title>{}</title></rect>')
            yield segment.format(style, x, top + 19, width, words)
            if width > 12 + 8 * len(f"{devices:,}"):
                text = Markup('<text class="in-{}" x="{:.1f}" y="{}">{:,}</text>')
                yield text.format(style, x + width / 2, top + 33, devices)
            x += width


def _svg(height: int, title: str, parts: Sequence[Markup]) -> Markup:
    """A drawing that scales to its column; its label is read out, its numbers stand in the table beside."""
    head = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(WIDTH, max(height, 1), title)
    return head + Markup("").join(parts) + Markup("</svg>")
