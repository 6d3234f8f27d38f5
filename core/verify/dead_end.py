"""V033: a situation from which no case gets to an end, though the drawing has a way: what was filled in, or was not,
before it got there shuts every way on."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.barred import reasons
from siquan.core.verify.exploration import Exploration, Node
from siquan.core.verify.explore import explored
from siquan.core.verify.finding import Finding
from siquan.core.verify.graph import Graph

CODE = "V033"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error for every state with such a situation, by the shortest story. A trap by the drawing alone is V002."""
    for process in plugin.processes:
        if not any(s.final for s in process.states):
            continue
        definition = catalogue.definitions[process.id]
        graph, found = Graph(definition), explored(definition, catalogue)
        seen: set[str] = set()
        for part in found.sound:
            for node in _lost(part):
                state = process.state(node.state)
                if state is None or node.state in seen or node.state not in graph.ending:
                    continue
                seen.add(node.state)
                stuck = not part.arrows[node]
                bars = [b for (n, _), bs in part.bars.items() if n == node for b in bs]
                zh, en = reasons(definition, bars)
                last = ("无人可办",) if stuck else ("再也办不结",)
                yield Finding(
                    CODE, "error", state.where,
                    f"`{process.id}` 会停在“{state.title}”（{state.name}）{'，一步也办不了' if stuck else '，绕来绕去办不结'}" + (f"：{zh}" if zh else ""),
                    f"a case of `{process.id}` may {'stand still' if stuck else 'go round for ever'} in `{state.name}`" + (f": {en}" if en else ""),
                    "给这种情形加一条出路，或者让前面的表单把缺的事实填上（靠人另行补录不算）",
                    "give this situation a way out, or let an earlier form ask for what is missing (somebody supplying it outside any step does not count)",
                    part.story(node, *last), part.way(node, next((s for (n, s) in part.bars if n == node), ""), bars),
                )  # fmt: skip


def _lost(part: Exploration) -> Iterator[Node]:
    """The first nodes of each way from which no end can be reached; an opening left blank does not count."""
    back: dict[Node, list[Node]] = {}
    for node, ways in part.arrows.items():
        for _, goal in ways:
            back.setdefault(goal, []).append(node)
    finals = {s.name for s in part.definition.spec.states if s.final}
    todo = [n for n in part.before if n.state in finals]
    good = set(todo)
    while todo:
        for node in back.get(todo.pop(), ()):
            if node not in good:
                good.add(node)
                todo.append(node)
    for node, before in part.before.items():
        if node not in good and (before is None or before[0] in good) and not part.blank(node):
            yield _standstill(part, node)


def _standstill(part: Exploration, node: Node) -> Node:
    """Where the case then comes to a stop; the node itself where it goes round."""
    seen, todo = {node}, [node]
    for here in todo:
        if not part.arrows[here]:
            return here
        for _, goal in part.arrows[here]:
            if goal not in seen:
                seen.add(goal)
                todo.append(goal)
    return node
