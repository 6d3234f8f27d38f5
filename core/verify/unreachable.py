"""V001: a state no way leads to. Nobody will ever stand there, so it is a mistyped target or a leftover."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding
from siquan.core.verify.graph import Graph

CODE = "V001"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error for every state outside the reach of the initial one."""
    for process in plugin.processes:
        graph = Graph(catalogue.definitions[process.id])
        for state in process.states:
            if state.name in graph.stories:
                continue
            sources = [s for s, ways in graph.arrows.items() if any(goal == state.name for _, goal in ways) and s != state.name]
            tail_zh = f"；只有同样到不了的{'、'.join(sources)}通到它" if sources else ""
            tail_en = f"; only {', '.join(sources)}, just as unreachable, leads there" if sources else ""
            yield Finding(
                CODE, "error", state.where, f"`{process.id}` 的状态 `{state.name}`（{state.title}）从起点走不到{tail_zh}",
                f"the state `{state.name}` of `{process.id}` cannot be reached from the start{tail_en}",
                "给它接上一条转移，或者删掉这个状态", "let a transition lead there, or remove the state",
            )  # fmt: skip
