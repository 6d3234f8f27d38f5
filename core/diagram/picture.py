"""The picture of a process as one SVG: accessible, printable, no script, only classes of the theme."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from siquan.core.diagram import frame, lettering
from siquan.core.diagram import label as labels
from siquan.core.diagram.graph import Box, Edge, Group, Node
from siquan.core.diagram.lettering import number, words
from siquan.core.diagram.place import LABEL, SUB, TITLE, Placement, place, title_lines
from siquan.core.diagram.route import DOWN, LEFT, RIGHT, UP, Path, Router, Track

ALL = (RIGHT, DOWN, LEFT, UP)
CURVE = 12.0


@dataclass(frozen=True)
class Layout:
    """Everything with its place, before it is painted."""

    placement: Placement
    paths: tuple[Path, ...]  # one per edge, () for a way back to the same state
    labels: tuple[labels.Label | None, ...]
    frames: tuple[frame.Frame, ...]


def draw(
    nodes: Sequence[Node],
    edges: Sequence[Edge],
    groups: Sequence[Group] = (),
    *,
    title: str,
    note: str = "",
    width: float = 1290,
    legend: Sequence[str] = (),
) -> str:
    """The SVG. `note` is a line under the picture, `legend` more of them. An edge that names no node is left out; no nodes give
    an empty picture with the note."""
    known = {n.id for n in nodes}
    kept = tuple(e for e in edges if e.source in known and e.target in known)
    # Only what moves things goes into the layout's key: numbers and links change far more often.
    shape = tuple(Node(n.id, n.title, sub="-" if n.sub else "", group=n.group, main=n.main) for n in nodes)
    ways = tuple(Edge(e.source, e.target, e.label, "back" if e.kind == "back" else "") for e in kept)
    layout = arrange(shape, ways, tuple(groups), width) if nodes else None
    return _paint(layout, nodes, kept, title, note, width, legend)


@lru_cache(maxsize=256)
def arrange(
    nodes: tuple[Node, ...], edges: tuple[Edge, ...], groups: tuple[Group, ...], width: float
) -> Layout:
    """Place, route and letter a graph; the same graph is laid out once per process of the server.

    A few placements are tried with one round of routing, and the one with the shortest, straightest and
    least crossed ways is worked out.
    """
    best: tuple[float, Placement] | None = None
    seen = set()
    for fewer in (0, 1):
        for below in (False, True):
            placement = place(nodes, edges, groups, width, fewer=fewer, below=below)
            key = tuple(placement.boxes.values())
            if key not in seen:
                seen.add(key)
                cost = _work_out(nodes, edges, groups, placement, 1)[0]
                if best is None or cost < best[0]:
                    best = (cost, placement)
    assert best is not None, "there is always a first placement"
    return _work_out(nodes, edges, groups, best[1], 3)[1]


def _work_out(
    nodes: Sequence[Node], edges: Sequence[Edge], groups: Sequence[Group], placement: Placement, rounds: int
) -> tuple[float, Layout]:
    """Route and letter; every further round takes each way up and lays it anew, now that it knows the
    others."""
    router = Router(placement)
    line = [n.id for n in nodes if n.main]
    after = set(zip(line, line[1:], strict=False))
    frames = frame.frames(nodes, groups, placement)
    headings = [f.words for f in frames]
    router.avoid(headings)

    def long(i: int) -> tuple[bool, bool, float, int]:
        a, b = placement.boxes[edges[i].source], placement.boxes[edges[i].target]
        main = (edges[i].source, edges[i].target) in after
        return (not main, edges[i].kind == "back", abs(a.x - b.x) + abs(a.y - b.y), i)

    order = sorted((i for i, e in enumerate(edges) if e.source != e.target), key=long)
    pairs = {(e.source, e.target) for e in edges}
    tracks: dict[int, Track] = {}
    paths: dict[int, Path] = {}
    placed: dict[int, labels.Label] = {}
    for _ in range(rounds):
        for i in order:
            if i in tracks:
                router.lay(tracks[i], -1)
            e = edges[i]
            out, into = _sides(e, placement, (e.target, e.source) in pairs)
            tracks[i] = router.find(e.source, e.target, f"{e.target}\0{e.kind}", out, into)
            router.lay(tracks[i])
        paths = {i: router.path(tracks[i]) for i in order}
        placed = _letter(edges, order, paths, placement, headings)
        router.avoid([*headings, *(found.box for found in placed.values())])
    cost = sum(t.cost for t in tracks.values()) + sum(found.cost for found in placed.values())
    cost += sum(200 * (len(f.loops) - 1) for f in frames)
    return cost + placement.height * 3.5, Layout(
        placement,
        tuple(paths.get(i, ()) for i in range(len(edges))),
        tuple(placed.get(i) for i in range(len(edges))),
        frames,
    )


def _sides(edge: Edge, placement: Placement, both: bool) -> tuple[Sequence[int], Sequence[int]]:
    """A way back along a row goes over or under where there is a way on, so that it reads as a way back."""
    a, b = placement.boxes[edge.source], placement.boxes[edge.target]
    if edge.kind == "back" and a.y == b.y and both:
        return (UP, DOWN), (UP, DOWN)
    return ALL, ALL


def _letter(
    edges: Sequence[Edge],
    order: Sequence[int],
    paths: Mapping[int, Path],
    placement: Placement,
    headings: Sequence[Box],
) -> dict[int, labels.Label]:
    states = list(placement.boxes.values())
    page = Box(2, 2, placement.width - 4, placement.height - 4)
    out: dict[int, labels.Label] = {}
    hard = sorted(order, key=lambda i: (len(paths[i]) > 2, order.index(i)))
    for _ in range(2):
        for i in hard:
            others = [s for j in order if j != i for s in labels.stretches(paths[j])]
            taken = [*headings, *(found.box for j, found in out.items() if j != i)]
            found = labels.put(edges[i].label, paths[i], states, taken, others, page)
            if found is not None:
                out[i] = found
    return out


def _curve(path: Path) -> str:
    """The path with rounded corners."""
    out = f"M{number(path[0][0])} {number(path[0][1])}"
    for before, here, after in zip(path, path[1:], path[2:], strict=False):
        one = abs(before[0] - here[0]) + abs(before[1] - here[1])
        two = abs(after[0] - here[0]) + abs(after[1] - here[1])
        r = min(CURVE, one / 2, two / 2)
        ax, ay = here[0] + (before[0] - here[0]) / one * r, here[1] + (before[1] - here[1]) / one * r
        bx, by = here[0] + (after[0] - here[0]) / two * r, here[1] + (after[1] - here[1]) / two * r
        out += f"L{number(ax)} {number(ay)}Q{number(here[0])} {number(here[1])} {number(bx)} {number(by)}"
    return out + f"L{number(path[-1][0])} {number(path[-1][1])}"


def _paint(
    layout: Layout | None,
    nodes: Sequence[Node],
    edges: Sequence[Edge],
    title: str,
    note: str,
    width: float,
    legend: Sequence[str] = (),
) -> str:
    key = f"{zlib.crc32(repr((title, nodes, edges)).encode()):08x}"
    body: list[str] = []
    top, bottom = 0.0, 40.0
    if layout:
        body += [frame.paint(f) for f in layout.frames]
        body += [_paint_edge(e, p, key) for e, p in zip(edges, layout.paths, strict=True) if p]
        loops = {e.source: [o for o in edges if o.source == o.target == e.source] for e in edges}
        body += [_paint_node(n, layout.placement.boxes[n.id], loops.get(n.id, [])) for n in nodes]
        body += [
            _paint_label(e, found) for e, found in zip(edges, layout.labels, strict=True) if found is not None
        ]
        top, bottom = _extent(layout)
    if note:
        for line in lettering.lines(note, SUB, width - 60, 3):
            bottom += 18
            body.append(lettering.text(24, bottom - 4, line, SUB, "l2", "start"))
        bottom += 6
    for text in legend:
        for line in lettering.lines(text, SUB, width - 60, 2):
            bottom += 18
            body.append(lettering.text(24, bottom - 4, line, SUB, "l2", "start"))
    bottom += 6 if legend else 0
    linked = any(n.href for n in nodes)
    role = "group" if linked else "img"  # an image hides the links in it from screen readers
    marks = "".join(
        f'<marker id="a{suffix}-{key}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8Z" class="ah{extra}"/></marker>'
        for suffix, extra in (("", ""), ("h", " hot"))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sq-diagram" '
        f'viewBox="0 {number(top)} {number(width)} {number(bottom - top)}" '
        f'width="100%" role="{role}" aria-labelledby="t-{key}">'
        f'<title id="t-{key}">{words(title)}</title><defs>{marks}</defs>\n' + "\n".join(body) + "\n</svg>"
    )


def _extent(layout: Layout) -> tuple[float, float]:
    """Upper and lower end of what is drawn, with a margin."""
    ys = [y for b in layout.placement.boxes.values() for y in (b.y, b.bottom)]
    ys += [y for p in layout.paths for _, y in p]
    ys += [y for found in layout.labels if found for y in (found.box.y, found.box.bottom)]
    ys += [y for f in layout.frames for loop in f.loops for _, y in loop]
    return min(ys) - 10, max(ys) + 10


def _paint_edge(edge: Edge, path: Path, key: str) -> str:
    classes = f"ed {edge.kind}".strip()
    mark = "ah-" if edge.kind == "hot" else "a-"
    said = edge.title or edge.label
    title = f"<title>{words(said)}</title>" if said else ""
    return f'<path class="{classes}" d="{_curve(path)}" marker-end="url(#{mark}{key})">{title}</path>'


def _paint_label(edge: Edge, found: labels.Label) -> str:
    classes = "lt bld" if edge.kind == "hot" else "l2"
    rows = "".join(
        lettering.text(found.x, found.y + k * labels.STORY, line, LABEL, classes, found.anchor, "--surface")
        for k, line in enumerate(found.lines)
    )
    return f"<g><title>{words(edge.title or edge.label)}</title>{rows}</g>"


def _paint_node(node: Node, box: Box, loops: Sequence[Edge]) -> str:
    said = [node.title, node.sub, node.mark, node.note, *(e.title or e.label for e in loops)]
    title = "；".join(s for s in said if s)
    rows = title_lines(node)
    size = TITLE if len(rows) == 1 and lettering.width(rows[0], TITLE) <= box.w - 14 else TITLE - 1.5
    tall = len(rows) * (size + 3) + (SUB + 5 if node.sub else 0)
    y = box.y + (box.h - tall) / 2 + size - 0.5
    middle = box.x + box.w / 2
    inner = ""
    for row in rows:
        inner += lettering.text(middle, y, row, size, "bld lt" if node.kind == "now" else "bld")
        y += size + 3
    if node.sub:
        inner += lettering.text(middle, y + 2, lettering.shorten(node.sub, SUB, box.w - 12), SUB, "l3")
    if loops:
        x0, y0 = box.right - 14, box.y + 12
        inner += (
            f'<path class="ed" d="M{number(x0 + 4)} {number(y0 - 2)}A4.5 4.5 0 1 0 {number(x0 + 4.4)} '
            f'{number(y0 + 1.6)}"/><path class="ah" d="M{number(x0 + 6.5)} {number(y0 - 6)}v5.4h-5.4z"/>'
        )
    if node.mark:
        wide = lettering.width(node.mark, SUB) + 12
        inner += f'<rect x="{number(box.x + 4)}" y="{number(box.y - 14)}" width="{number(wide)}" height="{SUB + 6}" rx="4"/>'
        inner += lettering.text(box.x + 4 + wide / 2, box.y + SUB - 13, node.mark, SUB, "l2")
    shape = (
        f'<g class="{f"nd {node.kind}".strip()}"><title>{words(title)}</title><rect x="{number(box.x)}" '
        f'y="{number(box.y)}" width="{number(box.w)}" height="{number(box.h)}" rx="8"/>{inner}</g>'
    )
    return f'<a href="{words(node.href)}">{shape}</a>' if node.href else shape
