"""Drawings of charts as inline SVG, 480 units wide, so that their text stays readable on a phone.

Colours are classes of the page. Names in a drawing come from devices: every one is escaped by ``Markup.format``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from markupsafe import Markup

from tenure.reports._wording import abridged, count, shown

WIDTH = 480
LEVELS = ("0", "1", "2", "3", "4")
"""Levels of assurance that have a colour."""


def bars(rows: Sequence[tuple[str, int, str]], title: str) -> Markup:
    """Horizontal bars, the name above each and its number behind it."""
    most = max((number for _, number, _ in rows), default=0) or 1
    parts = []
    for place, (name, number, style) in enumerate(rows):
        top = place * 38
        width = max(number / most * (WIDTH - 70), 2 if number else 0)
        parts.append(Markup('<text x="0" y="{}">{}</text>').format(top + 13, abridged(name, 54)))
        parts.append(Markup('<rect class="{}" x="0" y="{}" width="{:.1f}" height="13" rx="2"/>').format(style, top + 19, width))
        parts.append(Markup('<text class="number" x="{:.1f}" y="{}">{:,}</text>').format(width + 6, top + 30, number))
    return svg(len(rows) * 38, title, parts)


def short_bars(rows: Sequence[tuple[str, int, str]], title: str) -> Markup:
    """Horizontal bars with short names before them."""
    most = max((number for _, number, _ in rows), default=0) or 1
    parts = []
    for place, (name, number, style) in enumerate(rows):
        top = place * 30
        width = max(number / most * (WIDTH - 150), 2 if number else 0)
        parts.append(Markup('<text x="0" y="{}">{}</text>').format(top + 16, name))
        parts.append(Markup('<rect class="{}" x="70" y="{}" width="{:.1f}" height="20" rx="2"/>').format(style, top + 2, width))
        parts.append(Markup('<text class="number" x="{:.1f}" y="{}">{:,}</text>').format(width + 78, top + 16, number))
    return svg(len(rows) * 30, title, parts)


def columns(inside: Mapping[date, int], title: str) -> Markup:
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
        words = f"{named(month)}: {number:,}"
        bar = Markup('<rect class="plain" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>')
        parts.append(bar.format(x + 1.5, floor - tall, step - 3, tall, words))
        if place % 3 == 0:
            parts.append(Markup('<text x="{:.1f}" y="{}">{}</text>').format(x, floor + 18, named(month)[:3]))
        if place == 0 or (month.month <= 3 and place % 3 == 0):
            parts.append(Markup('<text class="faint" x="{:.1f}" y="{}">{}</text>').format(x, floor + 34, month.year))
    return svg(floor + 40, title, parts)


def _round_up(number: int) -> int:
    """The next number with a whole half that a scale can end on: 2, 4, 6, 8, 10, 20, 30 ..."""
    if number <= 1:
        return 1
    unit = int("1" + "0" * (len(str(number)) - 1))
    tops = (1, 2, 3, 4, 5, 6, 8, 10) if unit > 1 else (2, 4, 6, 8, 10)
    return next(unit * top for top in tops if unit * top >= number)


def stacks(ranked: Sequence[tuple[str, Mapping[str, int]]], title: str) -> Markup:
    """Full-width bars of what each name is made of, by level."""
    return svg(len(ranked) * 44, title, [*_segments(ranked)])


def _segments(ranked: Sequence[tuple[str, Mapping[str, int]]]) -> Iterator[Markup]:
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


def svg(height: int, title: str, parts: Sequence[Markup]) -> Markup:
    """A drawing that scales to its column; its label is read out, its numbers stand in the table beside."""
    head = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(WIDTH, max(height, 1), title)
    return head + Markup("").join(parts) + Markup("</svg>")


def named(month: date) -> str:
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
