"""V040: a step whose only way to somebody is a person chosen before, on a path on which nobody is asked to choose. The case
would stand there with nobody to act."""

from __future__ import annotations

from collections.abc import Iterator

from siquan.core.engine.access import acting_roles
from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify.finding import Finding
from siquan.core.verify.graph import Graph
from siquan.core.verify.known import Known

CODE = "V040"


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A warning per state and fact, and an error for a choice that is no fact of a person."""
    for process in plugin.processes:
        definition = catalogue.definitions[process.id]
        if not any(r.fact for r in process.roles.values()):
            continue
        for role in process.roles.values():
            spec = definition.schema.get(role.fact) if role.fact else None
            if spec is not None and spec.type != "person":
                yield Finding(
                    CODE, "error", role.where, f"`{process.id}` 的角色“{role.title}”由事实 `{role.fact}` 指定，它的类型却是 {spec.type}",
                    f"the role `{role.name}` of `{process.id}` is the person in `{role.fact}`, which is of the type {spec.type}",
                    "写 type: person", "write type: person",
                )  # fmt: skip
        graph, known = Graph(definition), Known(definition, catalogue)
        for state in process.states:
            if state.final or state.name not in graph.stories:
                continue
            roles = [[process.role(r) for r in acting_roles(process, state, t)] for t in state.transitions if not t.auto]
            # one step that anybody else may take is a way on
            if not roles or not all(each and all(r.fact for r in each) for each in roles):
                continue
            for role in {r.name: r for each in roles for r in each}.values():
                if role.fact in definition.schema and role.fact not in {*known.at[state.name], *process.opening}:
                    yield Finding(
                        CODE, "warning", state.where, f"`{process.id}` 走到“{state.title}”时，可能还没有人选过“{definition.schema.title(role.fact)}”，没有人能办",
                        f"`{process.id}` may come to `{state.name}` before anybody has chosen `{role.fact}`, and then nobody may act",
                        f"在前面每一条路上的某一步 needs 里写 `{role.fact}`，或者写进 opening", f"put `{role.fact}` into needs of a step on every way there, or into opening",
                        _story(graph, known, state.name, role.fact),
                    )  # fmt: skip


def _story(graph: Graph, known: Known, state: str, fact: str) -> tuple[str, ...]:
    """The fewest steps that lead there without the choice."""
    ways = [
        (*graph.stories[here], step.title) for here in graph.stories for step, goal in graph.arrows[here]
        if goal == state and fact not in known.after(here, step)
    ]  # fmt: skip
    return min(ways, key=len, default=graph.stories[state])
