"""The progress strip of a case: one mark per step of the main line, ticks behind, a number on the step of
now."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from siquan.core.diagram import lettering
from siquan.core.diagram.graph import Step
from siquan.core.diagram.lettering import number, words

WIDTH, LEVEL, RADIUS, NOW = 1290.0, 38.0, 9.0, 13.0
TITLE, DATE = 13.0, 12.0


def strip(
    steps: Sequence[Step], now: str | int | None, *, title: str, aside: str = "", width: float = WIDTH
) -> str:
    """The SVG of up to about 18 steps. `now` is a step's id or its index; None: all are done. `aside` is
    the state a case stands in beside the line: it is written above the mark of `now`, with a dashed line
    to it."""
    key = f"{zlib.crc32(repr((title, steps, now, aside)).encode()):08x}"
    at = _index(steps, now)
    pitch = (width - 100) / max(1, len(steps) - 1)
    size = TITLE if pitch > 76 else 12.0
    room = min(pitch, 150.0) - 6
    named = [lettering.lines(s.title, size, room) for s in steps]
    deep = max((len(n) for n in named), default=1)
    dates = LEVEL + 30 + (deep - 1) * (size + 3) + 18
    xs = [50 + pitch * i if len(steps) > 1 else width / 2 for i in range(len(steps))]
    done = [s.done if s.done is not None else at is None or i < at for i, s in enumerate(steps)]
    radius = [NOW if i == at else RADIUS for i in range(len(steps))]
    body = []
    for i in range(len(steps) - 1):
        classes = "ed done" if done[i] and (done[i + 1] or i + 1 == at) else "ed"
        start, end = xs[i] + radius[i] + 2, xs[i + 1] - radius[i + 1] - 2
        body.append(f'<path class="{classes}" d="M{number(start)} {number(LEVEL)}H{number(end)}"/>')
    for i, step in enumerate(steps):
        body.append(_mark(step, xs[i], i, i == at, done[i], named[i], size, dates, room))
    if aside and at is not None:
        body.append(_aside(aside, xs[at], width))
    bottom = dates + 10 if any(s.date for s in steps) else dates - 8
    top = 0.0 if aside else LEVEL - NOW - 9
    role = "group" if any(s.href for s in steps) else "img"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sq-strip" '
        f'viewBox="0 {number(top)} {number(width)} {number(bottom - top)}" '
        f'width="100%" role="{role}" aria-labelledby="t-{key}"><title id="t-{key}">{words(title)}</title>\n'
        + "\n".join(body)
        + "\n</svg>"
    )


def _index(steps: Sequence[Step], now: str | int | None) -> int | None:
    if now is None or isinstance(now, int):
        return now
    return next((i for i, s in enumerate(steps) if s.id == now), None)


def _mark(
    step: Step,
    x: float,
    i: int,
    now: bool,
    done: bool,
    named: Sequence[str],
    size: float,
    dates: float,
    room: float,
) -> str:
    kind = "now" if now else "done" if done else ""
    said = "，".join(s for s in (step.title, step.date) if s)
    out = f'<circle cx="{number(x)}" cy="{number(LEVEL)}" r="{number(NOW if now else RADIUS)}"/>'
    if now:
        out += lettering.text(x, LEVEL + 4.5, str(i + 1), 13, "bld lt")
    elif done:
        out += (
            f'<path d="M{number(x - 4)} {number(LEVEL)}l3 3.2 5.2-6" fill="none" stroke="var(--brand)" '
            'stroke-width="1.8"/>'
        )
    classes = "bld lt" if now else "" if done else "l3"
    for k, line in enumerate(named):
        out += lettering.text(x, LEVEL + 30 + k * (size + 3), line, size, classes)
    if step.date:
        out += lettering.text(x, dates, lettering.shorten(step.date, DATE, room + 4), DATE, "l3")
    shape = f'<g class="{f"nd {kind}".strip()}"><title>{words(said)}</title>{out}</g>'
    return f'<a href="{words(step.href)}">{shape}</a>' if step.href else shape


def _aside(aside: str, x: float, width: float) -> str:
    """The words above the line, to the right of the mark or, near the end, to its left."""
    wide = lettering.width(aside, DATE)
    right = x + 30 + wide < width - 6
    start = x + 24 if right else x - 24
    line = f"M{number(x)} {number(LEVEL - NOW - 2)}C{number(x)} 12 {number(x)} 12 {number(start)} 12"
    return f'<path class="ed back" d="{line}"/>' + lettering.text(
        start + (5 if right else -5), 16, aside, DATE, "bld lt", "start" if right else "end"
    )
