"""The geometry of two figures: how outcomes flow from one version to the next, and dated values on a line of time.

Pure numbers in the units of the viewBox; the templates draw them with the colours of the theme, a table beside each.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from siquan.core.policy.views import Flow
from siquan.core.rules.decision import VERDICTS

WIDE, BOX, LEFT = 780, 132, 0  # width of the figure, of a box; where it begins
TALL, GAP, THIN = 300, 14, 20  # height for all bands together, space between boxes, least height of a band


@dataclass(frozen=True)
class Box:
    """An outcome on one side: `n` decisions."""

    name: str
    n: int
    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Band:
    """A flow between two boxes as an SVG path, and where its words stand."""

    flow: Flow
    path: str
    x: float
    y: float


@dataclass(frozen=True)
class Sankey:
    boxes: tuple[Box, ...]
    bands: tuple[Band, ...]
    width: int
    height: float
    box: int  # width of a box


def sankey(flows: Sequence[Flow]) -> Sankey:
    """Heights are in proportion, but no band is thinner than its label: twelve changes among a million are seen, too."""
    total = sum(f.n for f in flows) or 1
    thick = {(f.before, f.after): max(THIN, TALL * f.n / total) for f in flows}
    boxes: list[Box] = []
    starts: dict[tuple[int, str], float] = {}
    deepest = 0.0
    for side, x in ((0, LEFT), (1, WIDE - BOX)):
        y = 0.0
        for name in sorted({(f.before, f.after)[side] for f in flows}, key=rank):
            own = [f for f in flows if (f.before, f.after)[side] == name]
            height = sum(thick[f.before, f.after] for f in own)
            boxes.append(Box(name, sum(f.n for f in own), x, y, height))
            starts[side, name] = y
            y += height + GAP
        deepest = max(deepest, y - GAP)
    bands: list[Band] = []
    x1, x2 = LEFT + BOX, WIDE - BOX
    bend = (x2 - x1) * 0.45
    order = sorted(flows, key=lambda f: (rank(f.before), rank(f.after)))
    left = dict.fromkeys(((f.before, f.after) for f in order), 0.0)
    at: dict[str, float] = {}
    for f in order:
        left[f.before, f.after] = at.get(f.before, starts[0, f.before])
        at[f.before] = left[f.before, f.after] + thick[f.before, f.after]
    at = {}
    for f in sorted(flows, key=lambda f: (rank(f.after), rank(f.before))):
        height = thick[f.before, f.after]
        y1, y2 = left[f.before, f.after], at.get(f.after, starts[1, f.after])
        at[f.after] = y2 + height
        path = (
            f"M{x1} {y1:.1f}C{x1 + bend:.0f} {y1:.1f} {x2 - bend:.0f} {y2:.1f} {x2} {y2:.1f}V{y2 + height:.1f}"
            f"C{x2 - bend:.0f} {y2 + height:.1f} {x1 + bend:.0f} {y1 + height:.1f} {x1} {y1 + height:.1f}Z"
        )
        # the words stand near the start of a band: in the middle bands cross
        t = 0.08
        y = y1 + (y2 - y1) * (3 * t**2 - 2 * t**3) + height / 2
        bands.append(Band(f, path, x1 + 16, round(y, 1)))
    return Sankey(tuple(boxes), tuple(bands), WIDE, round(deepest, 1), BOX)


def rank(name: str) -> tuple[int, str]:
    """Outcomes in their order of force, any other value by its name."""
    return (VERDICTS.index(name), "") if name in VERDICTS else (len(VERDICTS), name)


@dataclass(frozen=True)
class Bar:
    x: float
    width: float
    text: str
    status: str  # past current future draft
    title: str


@dataclass(frozen=True)
class Line:
    name: str
    title: str
    y: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Timeline:
    lines: tuple[Line, ...]
    years: tuple[tuple[float, str], ...]
    day: dt.date
    today: float
    width: int
    height: float


#: A dated value: since, text, status.
Value = tuple[dt.date, str, str]
STEP, HEAD, NAME = 46, 26, 190


def timeline(rows: Sequence[tuple[str, str, Sequence[Value]]], today: dt.date, width: int = 860) -> Timeline:
    """`rows` are (name, title, values); each value lasts until the next of its row, the last one to the edge."""
    days = [since for _n, _t, values in rows for since, _v, _s in values if since.year > 1900] + [today]
    first, last = min(days), max(days)
    # values older than eight years would squeeze what matters into a corner
    start = dt.date(max(first.year, today.year - 8), 1, 1)
    end = dt.date(max(last.year, today.year) + 1, 7, 1)
    scale = (width - NAME) / max(1, (end - start).days)

    def x(day: dt.date) -> float:
        return round(NAME + max(0, (min(day, end) - start).days) * scale, 1)

    lines = []
    for n, (name, title, values) in enumerate(rows):
        ordered = sorted(values)
        bars = []
        for this, after in zip(ordered, [*ordered[1:], None], strict=True):
            until = after[0] if after else end
            if until > start:
                at = x(this[0])
                bars.append(Bar(at, round(max(3.0, x(until) - at - 3), 1), this[1], this[2], f"{this[0]} {this[1]}"))
        lines.append(Line(name, title, HEAD + 8 + n * STEP, tuple(bars)))
    span = end.year - start.year
    years = tuple((x(dt.date(y, 1, 1)), str(y)) for y in range(start.year, end.year + 1) if span <= 10 or y % 2 == 0)
    return Timeline(tuple(lines), years, today, x(today), width, HEAD + 8 + len(rows) * STEP)
