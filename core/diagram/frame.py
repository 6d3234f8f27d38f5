"""The soft dashed outline round the states of a fragment: stepped where other states stand in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from siquan.core.diagram import lettering
from siquan.core.diagram.graph import Box, Group, Node
from siquan.core.diagram.lettering import number
from siquan.core.diagram.place import SUB, Placement

MARGIN, FOOT, CURVE = 11.0, 18.0, 10.0
Point = tuple[float, float]


@dataclass(frozen=True)
class Frame:
    """`loops` are the corners of each outline in order; `words` is where the title stands."""

    title: str
    loops: tuple[tuple[Point, ...], ...]
    words: Box

    @property
    def bottom(self) -> float:
        return max(y for loop in self.loops for _, y in loop)


def frames(nodes: Sequence[Node], groups: Sequence[Group], placement: Placement) -> tuple[Frame, ...]:
    out = []
    for group in groups:
        members = {n.id for n in nodes if n.group == group.id}
        if members:
            out.append(_frame(group, members, placement))
    return tuple(out)


def _around(some: Sequence[Box]) -> Box:
    x, y = min(b.x for b in some), min(b.y for b in some)
    return Box(x, y, max(b.right for b in some) - x, max(b.bottom for b in some) - y).grown(MARGIN)


def _frame(group: Group, members: set[str], placement: Placement) -> Frame:
    inside = sorted((placement.boxes[m] for m in members), key=lambda b: (b.y, b.x))
    strangers = [b for name, b in placement.boxes.items() if name not in members]

    def clear(box: Box) -> bool:
        return not any(box.meets(s) for s in strangers)

    whole = _around(inside)
    if clear(whole):
        parts = [whole]
    else:
        runs: list[list[Box]] = []
        for box in inside:
            if runs and runs[-1][0].y == box.y and clear(_around([*runs[-1], box])):
                runs[-1].append(box)
            else:
                runs.append([box])
        parts = [_around(run) for run in runs]
        for a in list(parts):  # bridge what stands below each other
            for b in list(parts):
                left, right = max(a.x, b.x), min(a.right, b.right)
                bridge = Box(left, a.bottom - 1, right - left, b.y - a.bottom + 2)
                if right - left > 40 and 0 < bridge.h < placement.between + 4 and clear(bridge):
                    parts.append(bridge)
    low = max((p for p in parts if p.h > 40), key=lambda p: (p.w, p.y))
    foot = Box(low.x, low.bottom - 1, low.w, FOOT)
    parts.append(foot if clear(foot) else Box(low.x, low.bottom - 1, low.w, 1))
    shown = lettering.shorten(group.title, SUB, low.w - 22)
    words = Box(low.x + 11, low.bottom - 1, lettering.width(shown, SUB), SUB + 3)
    return Frame(shown, _outline(parts), words)


def _outline(parts: Sequence[Box]) -> tuple[tuple[Point, ...], ...]:
    """The outer lines of a union of rectangles, by walking along the cells they cover."""
    xs = sorted({v for p in parts for v in (p.x, p.right)})
    ys = sorted({v for p in parts for v in (p.y, p.bottom)})

    def full(i: int, j: int) -> bool:
        if not (0 <= i < len(xs) - 1 and 0 <= j < len(ys) - 1):
            return False
        x, y = (xs[i] + xs[i + 1]) / 2, (ys[j] + ys[j + 1]) / 2
        return any(p.x < x < p.right and p.y < y < p.bottom for p in parts)

    after: dict[Point, list[Point]] = {}
    for i in range(len(xs) - 1):
        for j in range(len(ys) - 1):
            if not full(i, j):
                continue
            a, b, c, d = (xs[i], ys[j]), (xs[i + 1], ys[j]), (xs[i + 1], ys[j + 1]), (xs[i], ys[j + 1])
            for di, dj, start, end in ((0, -1, a, b), (1, 0, b, c), (0, 1, c, d), (-1, 0, d, a)):
                if not full(i + di, j + dj):
                    after.setdefault(start, []).append(end)
    loops = []
    while after:
        start = min(after)
        loop = [start]
        while True:
            ends = after[loop[-1]]
            step = ends.pop()
            if not ends:
                del after[loop[-1]]
            if step == start:
                break
            loop.append(step)
        loops.append(tuple(_corners(loop)))
    return tuple(loops)


def _corners(loop: Sequence[Point]) -> list[Point]:
    out = []
    for before, here, after in zip([loop[-1], *loop], loop, [*loop[1:], loop[0]], strict=False):
        if not (before[0] == here[0] == after[0] or before[1] == here[1] == after[1]):
            out.append(here)
    return out


def _curve(loop: Sequence[Point]) -> str:
    out = ""
    for before, here, after in zip([loop[-1], *loop], loop, [*loop[1:], loop[0]], strict=False):
        one = abs(before[0] - here[0]) + abs(before[1] - here[1])
        two = abs(after[0] - here[0]) + abs(after[1] - here[1])
        r = min(CURVE, one / 2, two / 2)
        ax, ay = here[0] + (before[0] - here[0]) / one * r, here[1] + (before[1] - here[1]) / one * r
        bx, by = here[0] + (after[0] - here[0]) / two * r, here[1] + (after[1] - here[1]) / two * r
        out += f"{'L' if out else 'M'}{number(ax)} {number(ay)}"
        out += f"Q{number(here[0])} {number(here[1])} {number(bx)} {number(by)}"
    return out + "Z"


def paint(frame: Frame) -> str:
    outline = "".join(_curve(loop) for loop in frame.loops)
    words = lettering.text(frame.words.x, frame.words.y + SUB, frame.title, SUB, "l3", "start", "--sunk")
    return (
        f'<path class="gr" d="{outline}" fill="var(--sunk)" stroke="var(--line-2)" stroke-dasharray="2 4"/>'
        f"{words}"
    )
