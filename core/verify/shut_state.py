"""V032: a state that the drawing reaches and no case ever does: the rules on every way there can never let it pass."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.barred import reasons
from siquan.core.verify.exploration import Bar, Exploration, Node
from siquan.core.verify.explore import explored
from siquan.core.verify.finding import Finding
from siquan.core.verify.graph import Graph

CODE = "V032"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error for every such state, naming what shuts the way. A state no arrow leads to is V001."""
    for process in plugin.processes:
        definition = catalogue.definitions[process.id]
        graph, found = Graph(definition), explored(definition, catalogue)
        for state in process.states:
            if state.name not in graph.stories:
                continue
            part = next((p for p in found.sound if not p.nodes(state.name)), None)
            if part is None:
                continue
            shut = list(_shut(part, graph, state.name))
            zh, en = reasons(definition, [b for _, _, b in shut])
            way = part.way(shut[0][0], shut[0][1], [shut[0][2]]) if shut else None
            yield Finding(
                CODE, "error", state.where, f"`{process.id}` 的“{state.title}”（{state.name}）图上走得到，实际走不到" + (f"：{zh}" if zh else "：通到它的分路都不会出现"),
                f"the state `{state.name}` of `{process.id}` is reached by the drawing and by no case: " + (en or "no branch that leads there is ever taken"),
                "改规则或去向，让它有一种情形能成立；或者删掉这个状态", "change the rules or the targets so that some case gets there, or remove the state",
                (*part.story(shut[0][0]), f"{_title(graph, shut[0][1])}：办不成") if shut else graph.stories[state.name], way,
            )  # fmt: skip


def _title(graph: Graph, step: str) -> str:
    return next(t.title for ways in graph.arrows.values() for t, _ in ways if t.name == step)


def _shut(part: Exploration, graph: Graph, goal: str) -> Iterator[tuple[Node, str, Bar]]:
    """What bars the steps that lead there from states that are reached: node, step, why."""
    for state, ways in graph.arrows.items():
        for step in {t.name: t for t, to in ways if to == goal}.values():
            for node in part.nodes(state):
                yield from ((node, step.name, b) for b in part.bars.get((node, step.name), ()))
