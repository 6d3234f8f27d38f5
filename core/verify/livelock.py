"""V036: deadlines that fire one another round and round: the case moves for ever and nobody does anything."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.exploration import Exploration, Node
from siquan.core.verify.explore import explored
from siquan.core.verify.finding import Finding

CODE = "V036"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error where nobody can step in, a warning where somebody could."""
    for process in plugin.processes:
        definition = catalogue.definitions[process.id]
        found = explored(definition, catalogue)
        rings = [_ring(p) for p in found.sound]
        if not rings or not all(rings):
            continue
        part, ring = found.sound[0], rings[0]
        assert ring is not None
        titles = [move for _, move in ring]
        states = [process.state(n.state) for n, _ in ring]
        free = any(not m.clock and g.state != n.state for n, _ in ring for m, g in part.arrows[n])
        round_ = " → ".join(s.title for s in states if s is not None)
        yield Finding(
            CODE, "warning" if free else "error", states[0].where if states[0] else process.where,
            f"`{process.id}` 的几个时限会互相触发，没有人办也一直转：{round_} → …",
            f"deadlines of `{process.id}` fire one another for ever: {' → '.join(s.name for s in states if s is not None)} → …",
            "把其中一个时限改成 remind，或者到期走到要人办的状态", "let one of them only remind, or lead to a state where a person acts",
            part.story(ring[0][0], *(f"{m}（到期自动）" for m in titles), "又回到原处"), part.way(ring[0][0]),
        )  # fmt: skip


def _ring(part: Exploration) -> list[tuple[Node, str]] | None:
    """A cycle of moves the clock makes by itself; the first that is found from the start."""
    ways = {n: [(m, g) for m, g in arrows if m.clock and (g.state != n.state or m.step.to == n.state)] for n, arrows in part.arrows.items()}
    done: set[Node] = set()
    for start in part.before:
        path: list[tuple[Node, str]] = []
        on: dict[Node, int] = {}
        node: Node | None = start
        while node is not None and node not in done and node not in on:
            on[node] = len(path)
            arrows = ways.get(node, [])
            path.append((node, arrows[0][0].step.title if arrows else ""))
            # each node's first arrow: a second deadline of the state is V037's matter when both can be first
            node = arrows[0][1] if arrows else None
        if node is not None and node in on:
            return path[on[node] :]
        done |= set(on)
    return None
