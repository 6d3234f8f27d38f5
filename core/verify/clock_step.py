"""V027: a step the clock fires that needs a fact not known by then. The clock fills in no form: when the deadline
passes the step fails and leaves an incident."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding, listed
from siquan.core.verify.graph import Graph
from siquan.core.verify.known import Known

CODE = "V027"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A warning per such step, naming the facts, with the shortest story to its state."""
    for process in plugin.processes:
        definition = catalogue.definitions[process.id]
        graph = Graph(definition)
        if not any(graph.clocked(s.name) for s in process.states):
            continue
        known = Known(definition, catalogue)
        for state in process.states:
            for step in definition.machine.steps(state.name):
                if step.name not in graph.clocked(state.name) or state.name not in graph.stories:
                    continue
                open_ = [f for f in step.needs if f not in known.at[state.name] and f not in definition.derived]
                if open_:
                    yield Finding(
                        CODE, "warning", step.where, f"`{process.id}` 的“{step.title}”到期自动办理，而 {listed(open_)} 可能还没有人填",
                        f"the clock fires the step `{step.name}` of `{process.id}`, which needs {listed(open_, 'en')}, perhaps not known by then",
                        "把 needs 移到前面的一步，或者到期只提醒：then: remind", "let an earlier step need them, or only remind: then: remind",
                        (*graph.stories[state.name], step.title),
                    )  # fmt: skip
