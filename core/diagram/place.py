"""Where the states stand: the main line in rows that turn like an ox at plough (first row to the right,
second to the left ...), every other state in a lane between, above or below these rows, near its
neighbours."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from siquan.core.diagram import lettering
from siquan.core.diagram.graph import Box, Edge, Group, Node

NODE = 138  # width of a state, as the theme draws it
LINE, TALL = 52, 68  # its height with a title of one or two lines
TITLE, SUB, LABEL = 14.5, 12.0, 11.5  # letter sizes
EDGE_OF_PAGE = 25  # room left and right for ways round the outside
PITCH, STORY = 190, 112  # distances of columns and rows, for weighing only

#: A cell is (row, column). Rows of the main line are 0, 100, 200 ...; the lanes below one are +1, +2 ...;
#: the lanes above the first are -1, -2 ...
Cell = tuple[int, int]


@dataclass(frozen=True)
class Placement:
    """Every state's rectangle, and the stretches a way may use: columns and rows in order."""

    boxes: Mapping[str, Box]
    columns: tuple[float, ...]  # left sides
    rows: tuple[float, ...]  # upper sides
    node: tuple[float, float]
    between: float  # height of the stretch between rows
    width: float
    height: float


def title_lines(node: Node) -> list[str]:
    """A title on one line where it fits, else on two in smaller letters."""
    if lettering.width(node.title, TITLE) <= NODE - 14:
        return [node.title]
    return lettering.lines(node.title, TITLE - 1.5, NODE - 14)


def place(
    nodes: Sequence[Node],
    edges: Sequence[Edge],
    groups: Sequence[Group],
    width: float,
    *,
    fewer: int = 0,
    below: bool = False,
) -> Placement:
    """`fewer` columns than would fit, or lanes rather `below` than above: other pictures of the same
    graph, of which the caller keeps the best."""
    main = [n.id for n in nodes if n.main] or [n.id for n in nodes]
    aside = [n.id for n in nodes if n.id not in set(main)]
    columns = _columns(main, aside, edges, width)
    if columns < len(main):  # a line that fits into one row stays in one
        columns = max(2, columns - fewer)
    cells = _snake(main, columns)
    members = {g.id: [n.id for n in nodes if n.group == g.id] for g in groups}
    _settle(cells, aside, edges, members, columns, below)
    return _measure(nodes, edges, cells, columns, width)


def _room_for(label: str, most: int) -> float:
    """Pixels between two neighbours for a label of at most `most` lines."""
    wide = lettering.width(label, LABEL)
    return min((wide / k + (LABEL * 0.7 if k > 1 else 0) for k in range(1, most + 1)), default=0.0) + 8


def _columns(main: list[str], aside: list[str], edges: Sequence[Edge], width: float) -> int:
    """How many states stand in a row: room for most labels of the main line, rows of even length."""
    after = dict(zip(main, main[1:], strict=False))
    wanted = sorted(_room_for(e.label, 2) for e in edges if after.get(e.source) == e.target)
    need = min(max(wanted[len(wanted) * 2 // 3], 44), 84) if wanted else 44
    room = width - 2 * EDGE_OF_PAGE
    most = max(2, int((room + need) // (NODE + need)))
    rows = max(1, math.ceil(len(main) / most))
    columns = math.ceil(len(main) / rows)
    return min(most, max(columns, math.ceil(len(aside) / (rows + 1)), 2))


def _gaps(edges: Sequence[Edge], cells: Mapping[str, Cell], columns: int, width: float) -> list[float]:
    """The room between columns, by what is written there."""
    room = width - 2 * EDGE_OF_PAGE - columns * NODE
    least = [40.0] * (columns - 1)
    wanted = [44.0] * (columns - 1)
    for e in edges:
        (ra, ca), (rb, cb) = cells[e.source], cells[e.target]
        if ra == rb and abs(ca - cb) == 1:
            at = min(ca, cb)
            least[at] = max(least[at], _room_for(e.label, 3), min(_room_for(e.label, 1), 48))
            wanted[at] = max(wanted[at], min(_room_for(e.label, 1), 118), _room_for(e.label, 2))
    short = sum(wanted) - room
    if short <= 0:  # all fits: the rest is shared evenly, up to a point
        more = min(-short / max(1, columns - 1), max(0.0, 112 - sum(wanted) / max(1, columns - 1)))
        return [w + more for w in wanted]
    give = sum(w - min(w, l) for w, l in zip(wanted, least, strict=True))
    part = min(1.0, short / give) if give else 0.0
    out = [w - (w - min(w, l)) * part for w, l in zip(wanted, least, strict=True)]
    over = sum(out) / room
    return [w / over for w in out] if over > 1 else out


def _snake(main: list[str], columns: int) -> dict[str, Cell]:
    cells = {}
    for i, name in enumerate(main):
        row, at = divmod(i, columns)
        cells[name] = (row * 100, at if row % 2 == 0 else columns - 1 - at)
    return cells


class _Weigher:
    """How bad a placement is: long, bent and hidden ways, open lanes, strangers among a fragment's states."""

    def __init__(
        self, edges: Sequence[Edge], groups: Mapping[str, list[str]], main: Iterable[str], above: float
    ) -> None:
        self.above = above  # what a lane above the first row costs besides
        line = list(main)
        after = set(zip(line, line[1:], strict=False))
        ways = [(e.source, e.target) for e in edges if e.source != e.target]
        self.edges = [(*way, way in after) for way in ways]
        self.groups = groups

    def __call__(self, cells: Mapping[str, Cell]) -> float:
        used = sorted({r for r, _ in cells.values()})
        rank = {r: i for i, r in enumerate(used)}
        at = {name: (rank[r], c) for name, (r, c) in cells.items()}
        taken = set(at.values())
        cost = 0.0
        for r in used:
            if r % 100:
                cost += 200 + (self.above if r < 0 else 0 if r == used[-1] else 30)
                cost += 0 if r == -1 or r % 100 == 1 else 60
        for a, b, line in self.edges:
            if a not in at or b not in at:
                continue
            (ra, ca), (rb, cb) = at[a], at[b]
            dr, dc = abs(ra - rb), abs(ca - cb)
            way = dc * PITCH + dr * STORY
            if dr + dc == 1:
                cost += way * 0.6
                continue
            cost += way
            if dr == 0 or dc == 0:
                if dr == 0:
                    between = [(ra, c) for c in range(min(ca, cb) + 1, max(ca, cb))]
                else:
                    between = [(r, ca) for r in range(min(ra, rb) + 1, max(ra, rb))]
                if any(cell in taken for cell in between):
                    cost += 420 if line else 90
            else:
                cost += 45
        for members in self.groups.values():
            inside = [at[m] for m in members if m in at]
            if len(inside) > 1:
                top, bottom = min(r for r, _ in inside), max(r for r, _ in inside)
                left, right = min(c for _, c in inside), max(c for _, c in inside)
                strangers = sum(top <= r <= bottom and left <= c <= right for r, c in taken) - len(inside)
                cost += 50 * strangers + 30 * (bottom - top + right - left)
        return cost


def _free(cells: Mapping[str, Cell], columns: int) -> list[Cell]:
    """Empty cells of the lanes in use, of one new lane per stretch, and the end of the last row."""
    taken = set(cells.values())
    rows = {r for r, _ in taken}
    mains = sorted(r for r in rows if r % 100 == 0)
    lanes = set(rows)
    for m in mains:
        lanes.add(next(r for r in range(m + 1, m + 99) if r not in rows))
    lanes.add(next(r for r in range(-1, -99, -1) if r not in rows))
    return [(r, c) for r in sorted(lanes) for c in range(columns) if (r, c) not in taken]


def _settle(
    cells: dict[str, Cell],
    aside: list[str],
    edges: Sequence[Edge],
    groups: Mapping[str, list[str]],
    columns: int,
    below: bool,
) -> None:
    """Put the states beside the main line, the best connected first, then move each while that helps."""
    weigh = _Weigher(edges, groups, cells, 120.0 if below else 0.0)
    near: dict[str, set[str]] = {name: set() for name in aside}
    for e in edges:
        near.get(e.source, set()).add(e.target)
        near.get(e.target, set()).add(e.source)
    # What no way leads to (only an act possible at any time does) stands near the end.
    end = list(cells)[-1]
    weigh.edges += [(end, name, False) for name in aside if not near[name]]
    left = list(aside)
    while left:
        name = max(left, key=lambda n: (len(near[n] & cells.keys()), -aside.index(n)))
        left.remove(name)
        cells[name] = min(_free(cells, columns), key=lambda cell: (weigh({**cells, name: cell}), cell))
    best = weigh(cells)
    for _ in range(4):
        before = best
        for name in aside:
            for cell in _free(cells, columns):
                tried = weigh({**cells, name: cell})
                if tried < best - 0.5:
                    cells[name], best = cell, tried
            for other in aside:
                if other > name:
                    swapped = {**cells, name: cells[other], other: cells[name]}
                    tried = weigh(swapped)
                    if tried < best - 0.5:
                        cells.update(swapped)
                        best = tried
        if best >= before - 0.5:
            break


def _measure(
    nodes: Sequence[Node],
    edges: Sequence[Edge],
    cells: Mapping[str, Cell],
    columns: int,
    width: float,
) -> Placement:
    height = TALL if any(len(title_lines(n)) > 1 and n.sub for n in nodes) else LINE
    rank = {r: i for i, r in enumerate(sorted({r for r, _ in cells.values()}))}
    at = {name: (rank[r], c) for name, (r, c) in cells.items()}
    ends = [(at[e.source], at[e.target]) for e in edges]
    winding = sum(abs(a[0] - b[0]) + abs(a[1] - b[1]) > 1 for a, b in ends)
    between = 60.0 if winding <= 3 * len(rank) else 74.0 if winding <= 7 * len(rank) else 90.0
    gaps = _gaps(edges, cells, columns, width)
    left = (width - columns * NODE - sum(gaps)) / 2
    xs = tuple(left + c * NODE + sum(gaps[:c]) for c in range(columns))
    ys = tuple(between + r * (height + between) for r in range(len(rank)))
    boxes = {n.id: Box(xs[cells[n.id][1]], ys[rank[cells[n.id][0]]], NODE, height) for n in nodes}
    return Placement(boxes, xs, ys, (NODE, height), between, width, ys[-1] + height + between)
