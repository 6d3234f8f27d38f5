"""V002: a trap: a state that is not final and from which no way leads to a final state, so its case never closes."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding
from siquan.core.verify.graph import Graph

CODE = "V002"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error for every reachable trap, with the shortest story into it. A process without any final state is V003."""
    for process in plugin.processes:
        if not any(s.final for s in process.states):
            continue
        graph = Graph(catalogue.definitions[process.id])
        for state in process.states:
            if state.name in graph.ending or state.name not in graph.stories:
                continue
            yield Finding(
                CODE, "error", state.where, f"`{process.id}` 进了 `{state.name}`（{state.title}）就再也办不结",
                f"from `{state.name}` of `{process.id}` no way leads to a final state", "加一条出路，或者标 final: true",
                "add a way out, or mark it final: true", graph.stories[state.name], graph.ways[state.name],
            )  # fmt: skip
