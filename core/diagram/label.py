"""Where the words of a way stand: beside one of its stretches, clear of states, of other words and, if
possible, of other ways; near its beginning, because that is where a person decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from siquan.core.diagram import lettering
from siquan.core.diagram.graph import Box
from siquan.core.diagram.place import LABEL
from siquan.core.diagram.route import Path, Point

STORY = LABEL + 2  # distance of two lines of words
WIDEST = 112.0  # a label beside an upright stretch
Stretch = tuple[Point, Point]


@dataclass(frozen=True)
class Label:
    """Words placed: `x` is where the anchor stands, `y` the base line of the first line."""

    lines: tuple[str, ...]
    x: float
    y: float
    anchor: str
    box: Box
    cost: float


def stretches(path: Path) -> list[Stretch]:
    return list(zip(path, path[1:], strict=False))


def _shapes(words: str, room: float, most: int = 2) -> Iterator[tuple[tuple[str, ...], float]]:
    """The label in one line and in two, with what each costs in looks."""
    if lettering.width(words, LABEL) <= room:
        yield (words,), 0.0
    tried: tuple[str, ...] = ()
    for count in range(2, most + 1):
        broken = tuple(lettering.lines(words, LABEL, room, count))
        if broken in (tried, (words,)):
            break
        tried = broken
        cut = any(line.endswith("…") for line in broken) and not words.endswith("…")
        yield broken, 60.0 if cut else 4.0 * (count - 1)


def _level(words: str, a: Point, b: Point, direct: bool) -> Iterator[Label]:
    """Above and below a level stretch, in its middle and near its ends."""
    low, high = sorted((a[0], b[0]))
    length = high - low
    if length < 24:
        return
    room = length - 6 if direct else max(length - 8, 60)
    for shape, looks in _shapes(words, room, 3 if direct else 2):
        wide = max(lettering.width(line, LABEL) for line in shape)
        near = a[0] + (wide / 2 + 14) * (1 if b[0] > a[0] else -1)
        spots = {(low + high) / 2: 0.0}
        if length > wide + 40:
            spots[near] = 1.5
            first, last = low + wide / 2 + 8, high - wide / 2 - 8
            count = min(12, int((last - first) // 40) + 2)
            spots |= {first + (last - first) * k / (count - 1): 1.0 for k in range(count)}
        for x, off in spots.items():
            for above in (True, False):
                tall = len(shape) * STORY
                top = a[1] - 5 - tall if above else a[1] + 4
                box = Box(x - wide / 2, top, wide, tall)
                cost = looks + off + max(0.0, abs(x - a[0]) - 60) * 0.06 + (0 if above else 3)
                yield Label(shape, x, top + LABEL - 1, "middle", box, cost)


def _upright(words: str, a: Point, b: Point) -> Iterator[Label]:
    """Right and left of an upright stretch."""
    low, high = sorted((a[1], b[1]))
    length = high - low
    if length < 12:
        return
    for shape, looks in _shapes(words, WIDEST):
        wide = max(lettering.width(line, LABEL) for line in shape)
        tall = len(shape) * STORY
        spots = {(low + high) / 2: 0.0}
        if length > tall + 30:
            first, last = low + 6 + tall / 2, high - 8 - tall / 2
            count = min(12, int((last - first) // 24) + 2)
            spots |= {first + (last - first) * k / (count - 1): 1.0 for k in range(count)}
        for y, off in spots.items():
            away = max(0.0, abs(y - a[1]) - 45) * 0.06
            for right in (True, False):
                x = a[0] + 6 if right else a[0] - 6
                box = Box(x if right else x - wide, y - tall / 2, wide, tall)
                anchor = "start" if right else "end"
                cost = looks + off + away + (0 if right else 2)
                yield Label(shape, x, y - tall / 2 + LABEL - 1, anchor, box, cost)


def put(
    words: str,
    path: Path,
    states: Sequence[Box],
    taken: Sequence[Box],
    others: Sequence[Stretch],
    page: Box,
) -> Label | None:
    """The best place for `words` along `path`; None when there is nothing to say."""
    if not words:
        return None
    best: Label | None = None
    way = 0.0
    own = stretches(path)
    for a, b in own:
        level = a[1] == b[1]
        for found in _level(words, a, b, len(own) == 1) if level else _upright(words, a, b):
            cost = found.cost + way * 0.05
            if best is not None and cost >= best.cost:
                continue
            box = found.box
            wide = box.grown(2)
            if box.x < page.x or box.right > page.right or box.y < page.y or box.bottom > page.bottom:
                cost += 900
            cost += sum(700 for s in states if wide.meets(s))
            cost += sum(400 for t in taken if wide.meets(t))
            cost += sum(26 for p, q in others if box.cut_by(p, q))
            cost += sum(30 for p, q in own if (p, q) != (a, b) and box.cut_by(p, q))
            if best is None or cost < best.cost:
                best = Label(found.lines, found.x, found.y, found.anchor, box, cost)
        way += abs(a[0] - b[0]) + abs(a[1] - b[1])
    return best
