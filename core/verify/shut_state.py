"""V032: a state that the drawing reaches and no case ever does: the rules on every way there can never let it pass."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.barred import reasons
from siquan.core.verify.explore import Bar, Exploration, explored
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
            bars = list(_shut(part, graph, state.name))
            zh, en = reasons(definition, bars)
            yield Finding(
                CODE, "error", state.where, f"`{process.id}` 的“{state.title}”（{state.name}）图上走得到，实际走不到" + (f"：{zh}" if zh else "：通到它的分路都不会出现"),
                f"the state `{state.name}` of `{process.id}` is reached by the drawing and by no case: " + (en or "no branch that leads there is ever taken"),
                "改规则或去向，让它有一种情形能成立；或者删掉这个状态", "change the rules or the targets so that some case gets there, or remove the state",
                graph.stories[state.name],
            )  # fmt: skip


def _shut(part: Exploration, graph: Graph, goal: str) -> Iterator[Bar]:
    """What bars the steps that lead there from states that are reached."""
    for state, ways in graph.arrows.items():
        for step in {t.name: t for t, to in ways if to == goal}.values():
            for node in part.nodes(state):
                yield from part.bars.get((node, step.name), ())
